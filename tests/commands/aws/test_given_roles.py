"""What the roles of our templates can do and cannot, and whom they let in, by the stand-in's evaluation of policies."""

import re

import pytest

from bot.demo.aws.policies import Grants, trusts
from bot.demo.aws.stacks import Stack
from commands.aws.session_policy import Need
from storage.aws_budgets import OURS
from storage.models import XRAY_WRITE_POLICY
from tests.commands.aws.derived import Whose
from tests.commands.aws.given_roles import EXTERNAL_ID, HUB, MEMBER, ORGANIZATION, REGION, WHOLE, statements, text

BOT = f"arn:aws:iam::{HUB}:role/lamplighter"
XRAY = f"arn:aws:iam::aws:policy/{XRAY_WRITE_POLICY}"


def fix_role(account: str = MEMBER, **parameters: str) -> Grants:
    documents = {"Version": "2012-10-17", "Statement": statements(Whose.FIX, account=account, **parameters)}
    return Grants((documents,))


FUNCTION, ROLE = f"arn:aws:lambda:{REGION}:{MEMBER}:function:refund", f"arn:aws:iam::{MEMBER}:role/service-role/refund"
BUDGET = f"arn:aws:budgets::{HUB}:budget/"


@pytest.mark.parametrize(
    ("action", "resource", "attached"),
    [
        (Need.UPDATE, FUNCTION, None),
        (Need.PUBLISH, FUNCTION, None),
        (Need.MOVE, f"{FUNCTION}:live", None),
        (Need.ATTACH, ROLE, XRAY),
        (Need.DETACH, ROLE, XRAY),
    ],
)
def test_the_fix_role_may_do_what_a_fix_does(action, resource, attached):
    context = {"iam:PolicyARN": attached} if attached else {}

    assert fix_role(InlinePolicies="no").allow(action, resource, context)
    elsewhere = resource.replace(MEMBER, "444455556666")
    assert not fix_role(InlinePolicies="no").allow(action, elsewhere, context)


@pytest.mark.parametrize(
    ("action", "resource", "attached"),
    [
        (Need.ATTACH, ROLE, "arn:aws:iam::aws:policy/AdministratorAccess"),
        (Need.ATTACH, ROLE, f"arn:aws:iam::{MEMBER}:policy/{XRAY_WRITE_POLICY}"),
        (Need.ATTACH, ROLE, None),
        (Need.ATTACH, f"arn:aws:iam::{MEMBER}:role/lamplighter-fix", XRAY),
        (Need.DETACH, ROLE, "arn:aws:iam::aws:policy/AWSDenyAll"),
        (Need.PUT, ROLE, None),
        (Need.DELETE, ROLE, None),
        ("iam:CreateRole", ROLE, None),
        ("iam:PassRole", ROLE, None),
        ("iam:UpdateAssumeRolePolicy", ROLE, None),
        ("iam:CreatePolicyVersion", XRAY, None),
        ("iam:AttachUserPolicy", f"arn:aws:iam::{MEMBER}:user/eve", XRAY),
        ("lambda:UpdateFunctionCode", FUNCTION, None),
        ("lambda:CreateFunction", FUNCTION, None),
        ("lambda:DeleteFunction", FUNCTION, None),
        ("lambda:DeleteAlias", f"{FUNCTION}:live", None),
        ("lambda:AddPermission", FUNCTION, None),
        ("lambda:InvokeFunction", FUNCTION, None),
        ("lambda:GetFunction", FUNCTION, None),
        ("budgets:ModifyBudget", f"{BUDGET}{OURS}", None),
        ("sts:AssumeRole", f"arn:aws:iam::{MEMBER}:role/lamplighter-audit", None),
    ],
)
def test_the_fix_role_may_do_nothing_else(action, resource, attached):
    context = {"iam:PolicyARN": attached} if attached else {}

    assert not fix_role(InlinePolicies="no").allow(action, resource, context)


def test_where_inline_policies_are_wanted_the_fix_role_cannot_give_itself_one():
    own = f"arn:aws:iam::{MEMBER}:role/lamplighter-fix"

    assert fix_role().allow(Need.PUT, ROLE)
    assert not fix_role().allow(Need.PUT, own)


def test_the_fix_role_changes_one_budget_of_the_bots_own_account():
    assert fix_role(HUB).allow("budgets:ModifyBudget", f"{BUDGET}{OURS}")
    assert not fix_role(HUB).allow("budgets:ModifyBudget", f"{BUDGET}marketing")


def test_the_bot_becomes_nothing_but_the_two_roles_of_its_organization():
    grants = Grants(({"Statement": statements(Whose.HUB)},))
    ours, others = {"aws:ResourceOrgID": ORGANIZATION}, {"aws:ResourceOrgID": "o-zzzzzzzzzz"}
    audit, fix = (f"arn:aws:iam::{MEMBER}:role/lamplighter-{kind}" for kind in ("audit", "fix"))

    assert all(grants.allow("sts:AssumeRole", role, ours) for role in (audit, fix))
    assert not any(grants.allow("sts:AssumeRole", role, others) for role in (audit, fix))
    assert not grants.allow("sts:AssumeRole", audit)
    assert not grants.allow("sts:AssumeRole", f"arn:aws:iam::{MEMBER}:role/admin", ours)
    assert grants.allow("sts:SetSourceIdentity", fix, ours)
    assert not grants.allow("sts:SetSourceIdentity", audit, ours)


def test_the_bot_reads_the_one_queue():
    grants, queue = Grants(({"Statement": statements(Whose.HUB)},)), WHOLE[Whose.HUB]["Queue"]

    assert grants.allow("sqs:ReceiveMessage", queue)
    assert not grants.allow("sqs:ReceiveMessage", f"{queue}-dead-letters")
    assert not grants.allow("sqs:SendMessage", queue)


def test_the_bot_sends_metrics_of_its_own_namespace_alone():
    grants = Grants(({"Statement": statements(Whose.HUB)},))

    assert grants.allow("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "Lamplighter"})
    assert not grants.allow("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "AWS/Lambda"})


# ---- who is let in


def trust(whose: Whose, **parameters: str) -> dict:
    (role,) = Stack(text(whose), WHOLE[whose] | parameters, MEMBER, REGION).of_type("AWS::IAM::Role")
    return role["AssumeRolePolicyDocument"]


def lets_in(document: dict, action: str = "sts:AssumeRole", *, role: str = BOT, **context: str) -> bool:
    account = role.split(":")[4]
    known = {"aws:PrincipalArn": role, "aws:PrincipalAccount": account} | context
    return trusts(document, [role, account, f"arn:aws:iam::{account}:root"], action, known)


IDENTIFIED = {"sts:ExternalId": EXTERNAL_ID}


@pytest.mark.parametrize("whose", [Whose.AUDIT, Whose.FIX])
def test_the_bots_own_role_is_let_in_and_nobody_else(whose):
    named = IDENTIFIED | {"sts:SourceIdentity": "U0123456789"}

    assert lets_in(trust(whose), **named)
    assert not lets_in(trust(whose), **(named | {"sts:ExternalId": "somebody-elses-id"}))
    assert not lets_in(trust(whose), **{"sts:SourceIdentity": "U0123456789"})
    assert not lets_in(trust(whose), role=f"arn:aws:iam::{HUB}:role/intern", **named)
    assert not lets_in(trust(whose), role="arn:aws:iam::444455556666:role/lamplighter", **named)


def test_the_audit_role_changes_nothing():
    actions = [action for one in statements(Whose.AUDIT) for action in one["Action"]]

    assert len(actions) > 20
    reads = r"\w+:(Get|List|Describe|BatchGet|Simulate)\w+"
    assert [action for action in actions if not re.fullmatch(reads, action)] == []


def test_nobody_gets_at_the_fix_role_without_a_name():
    assert not lets_in(trust(Whose.FIX), **IDENTIFIED)
    assert not lets_in(trust(Whose.FIX), **(IDENTIFIED | {"sts:SourceIdentity": "root"}))
    for name in ("U0123456789", "W0123456789", "policy"):
        assert lets_in(trust(Whose.FIX), **(IDENTIFIED | {"sts:SourceIdentity": name}))
        assert lets_in(trust(Whose.FIX), "sts:SetSourceIdentity", **{"sts:SourceIdentity": name})

"""The roles of our templates may do what the code calls, under the role with which it calls it, and nothing else."""

import re
from functools import cache

import pytest

from bot.demo.aws.policies import Grants, trusts
from bot.demo.aws.stacks import Stack
from commands.aws.session_policy import Need
from storage.aws_budgets import OURS
from storage.models import XRAY_WRITE_POLICY
from tests.commands.aws import derived
from tests.commands.aws.derived import ROOT, Whose

MEMBER, HUB, REGION = "111122223333", "999988887777", "eu-central-1"
EXTERNAL_ID, ORGANIZATION = "lamplighter-4f9a-12c8", "o-a1b2c3d4e5"
BOT = f"arn:aws:iam::{HUB}:role/lamplighter"
XRAY = f"arn:aws:iam::aws:policy/{XRAY_WRITE_POLICY}"
OF_MEMBERS = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID}
# Everything that a parameter can turn on.
WHOLE = {
    Whose.AUDIT: OF_MEMBERS,
    Whose.FIX: OF_MEMBERS | {"InlinePolicies": "yes"},
    Whose.HUB: {"ConfigAggregator": "yes", "CustomMetrics": "yes", "OrganizationId": ORGANIZATION},
}
# Reads that name `*` although AWS knows resources for them, and why.
UNSCOPED = {
    "account:ListRegions": "of the account's own only",
    "ce:GetCostAndUsage": "a billing view is a view of all costs",
    "ce:GetDimensionValues": "the same",
    "cloudwatch:DescribeAlarmHistory": "without an alarm's name, of all alarms",
    "cloudwatch:DescribeAlarms": "the same",
    "cloudwatch:GetMetricData": "a dataset is none of Lambda's metrics",
    "cloudwatch:ListMetrics": "the same",
    "cloudwatch:PutMetricData": "the namespace is a condition",
    "organizations:ListAccountsForParent": "any unit may be named in the settings",
    "organizations:ListOrganizationalUnitsForParent": "the same",
    "organizations:ListTagsForResource": "of any account",
}


def text(whose: Whose) -> str:
    return (ROOT / f"commands/aws/templates/{whose}.yaml").read_text(encoding="utf-8")


def statements(whose: Whose, said: str = "", account: str = HUB, **parameters: str) -> list[dict]:
    stack = Stack(said or text(whose), WHOLE[whose] | parameters, account, REGION)
    (role,) = stack.of_type("AWS::IAM::Role")
    return [one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def granted(whose: Whose, said: str = "", **parameters: str) -> set[str]:
    allows = [one for one in statements(whose, said, **parameters) if one["Effect"] == "Allow"]
    return {action for one in allows for action in listed(one["Action"])}


@cache
def all_needed() -> dict[Whose, set[str]]:
    return derived.needed()


def needed(whose: Whose) -> set[str]:
    return all_needed()[whose]


@pytest.mark.parametrize("whose", Whose)
def test_a_role_may_do_what_the_code_calls_and_nothing_else(whose):
    assert granted(whose) == needed(whose)


EACH = [(whose, action) for whose in Whose for action in sorted(granted(whose))]


@pytest.mark.parametrize(("whose", "action"), EACH, ids=[f"{whose}-{action}" for whose, action in EACH])
def test_an_action_that_is_taken_out_of_a_template_is_missed(whose, action):
    said = re.sub(rf"^ +- {action}\n", "", text(whose), flags=re.MULTILINE)
    said = re.sub(rf"Action: {action}$", "Action: s3:ListAllMyBuckets", said, flags=re.MULTILINE)

    assert needed(whose) - granted(whose, said) == {action}


@pytest.mark.parametrize("whose", Whose)
@pytest.mark.parametrize("more", ["lambda:GetFunction", "lambda:*", "iam:PassRole", "*"])
def test_an_action_that_is_put_into_a_template_is_found(whose, more):
    said = text(whose).replace(
        "                Action:\n", f'                Action:\n                  - "{more}"\n', 1
    )

    assert granted(whose, said) - needed(whose) == {more}


CALLS = {
    'def f(cloud):\n    with cloud.acting_as("1"):\n        cloud.client("xray", "r").get_group(GroupName="g")\n': (
        Whose.AUDIT,
        "xray:GetGroup",
    ),
    'def f(cloud, client=None):\n    call = getattr(cloud.client("lambda", "r"), "get_policy")\n    call()\n': (
        Whose.AUDIT,
        "lambda:GetPolicy",
    ),
    'def f(iam):\n    iam.client("iam", "r").get_paginator("list_users").paginate()\n': (Whose.AUDIT, "iam:ListUsers"),
    'async def f(wire, who):\n    await query(wire, who, "iam", "r", "GetUser", {})\n': (Whose.AUDIT, "iam:GetUser"),
    "def f(fix):\n    client = fix.writes.lambda_\n    return lambda: client.delete_alias(Name='x')\n": (
        Whose.FIX,
        "lambda:DeleteAlias",
    ),
    "def f(fix):\n    fix.writes.iam.update_role(RoleName='x')\n": (Whose.FIX, "iam:UpdateRole"),
    'def f(cloud):\n    with acting(None):\n        cloud.client("sqs", "r").purge_queue()\n': (
        Whose.HUB,
        "sqs:PurgeQueue",
    ),
    'def f(cloud):\n    with acting(None):\n        cloud.client("sqs", "r").change_message_visibility_batch()\n': (
        Whose.HUB,
        "sqs:ChangeMessageVisibility",
    ),
    """
def g(wire, who):
    call = Call("organizations", "ListRoots", "r")
def f(cloud, wire):
    g(wire, Ambient(cloud))
""": (Whose.HUB, "organizations:ListRoots"),
}


@pytest.mark.parametrize(
    ("called", "found"), CALLS.items(), ids=[f"{whose}-{action}" for whose, action in CALLS.values()]
)
def test_a_new_call_is_found_with_the_role_that_makes_it(called, found):
    whose, action = found

    more = derived.needed({"commands.aws.new": called})
    assert {role: actions for role, actions in more.items() if actions} == {whose: {action}}


def test_a_call_that_iam_names_otherwise_has_to_be_looked_up():
    with pytest.raises(LookupError, match="ec2:DescribeNothing: say in _OTHERWISE what allows it"):
        derived.actions("ec2", "DescribeNothing")


def test_no_action_is_a_pattern_and_every_one_exists():
    for whose in Whose:
        for action in granted(whose):
            prefix, _, name = action.partition(":")
            assert name.lower() in derived.reference()[prefix], action


@pytest.mark.parametrize("whose", Whose)
def test_what_can_be_held_to_resources_is(whose):
    wide = {
        action
        for one in statements(whose)
        if one["Effect"] == "Allow" and one["Resource"] == "*"
        for action in listed(one["Action"])
    }
    known = {
        action
        for action in wide
        if derived.reference()[action.split(":")[0]][action.split(":")[1].lower()].get("Resources")
    }

    assert known <= UNSCOPED.keys()
    assert whose is not Whose.FIX or not wide


# ---- what is turned on by parameters


def test_each_option_gives_what_it_is_about_and_nothing_else():
    spare = {"ConfigAggregator": "no", "CustomMetrics": "no", "Organization": "no", "Bills": "no", "OrganizationId": ""}
    least = {"sts:AssumeRole", "sts:SetSourceIdentity", "pricing:GetProducts"}
    assert granted(Whose.HUB, **spare) == least

    prefixes = {
        option: {action.split(":")[0] for action in granted(Whose.HUB, **(spare | {option: "yes"})) - least}
        for option in ("ConfigAggregator", "CustomMetrics", "Organization", "Bills")
    }
    assert prefixes == {
        "ConfigAggregator": {"config"},
        "CustomMetrics": {"cloudwatch"},
        "Organization": {"organizations"},
        "Bills": {"ce", "budgets"},
    }


def test_inline_policies_and_the_budget_are_given_only_where_they_are_wanted():
    inline, budget = {Need.PUT, Need.DELETE}, {"budgets:ModifyBudget"}

    assert granted(Whose.FIX, account=MEMBER, InlinePolicies="no") == set(Need) - inline
    assert granted(Whose.FIX, account=HUB, InlinePolicies="no") == set(Need) - inline | budget
    assert granted(Whose.FIX, account=MEMBER) == set(Need)


# ---- what the fix role cannot do, by the evaluation of policies that the stand-in AWS has


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


def test_nobody_gets_at_the_fix_role_without_a_name():
    assert not lets_in(trust(Whose.FIX), **IDENTIFIED)
    assert not lets_in(trust(Whose.FIX), **(IDENTIFIED | {"sts:SourceIdentity": "root"}))
    for name in ("U0123456789", "W0123456789", "policy"):
        assert lets_in(trust(Whose.FIX), **(IDENTIFIED | {"sts:SourceIdentity": name}))
        assert lets_in(trust(Whose.FIX), "sts:SetSourceIdentity", **{"sts:SourceIdentity": name})


# ---- what the README says


def readme() -> dict[Whose, set[str]]:
    section = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("<summary>What each role may do, and why</summary>")[2]
    )
    parts = re.split(r"^(?:The )?\*\*(audit|hub|fix) role\*\*", section.partition("</details>")[0], flags=re.MULTILINE)
    found = {Whose(f"{name}-role"): said for name, said in zip(parts[1::2], parts[2::2], strict=True)}
    return {whose: set(re.findall(r"\b[a-z0-9]+:[A-Z]\w+", said)) - {"iam:PolicyARN"} for whose, said in found.items()}


def test_the_readme_names_what_the_roles_may_do():
    assert readme() == {whose: granted(whose) for whose in Whose}

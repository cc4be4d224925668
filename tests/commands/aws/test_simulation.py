"""Roles that their policies leave open, put to AWS's simulator: by an audit, and where one function is looked at."""

from datetime import UTC, datetime

import pytest

from commands.aws.errors import AwsProblem, Denied, Gone, Throttled, Unreachable
from commands.aws.one_function import read_function
from commands.aws.roles import Judgement, Role
from commands.aws.simulation import Simulated, believe, in_vain, question, worth_asking
from storage.models import CheckName, MayWrite, Verdict
from tests.commands.conftest import BERLIN, HOME, OTHER, VIRGINIA, trusting

YES, NO, CONDITIONAL = MayWrite.YES, MayWrite.NO, MayWrite.CONDITIONAL
LAMBDA = trusting(Service="lambda.amazonaws.com")
FROM_VPC = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
OPEN = Judgement(CONDITIONAL, "it depends on `aws:CurrentTime`")


def allow(condition=None, action="xray:Put*", effect="Allow"):
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def until(year):
    return allow({"DateLessThan": {"aws:CurrentTime": f"{year}-01-01T00:00:00Z"}})


@pytest.fixture
def audited(world):
    """One audit of a function for each of these roles: what is known of each, by its name."""

    def audit(account=HOME, **policies):
        for name, policy in policies.items():
            world.aws.create_role(account, name, LAMBDA, inline={"inline": policy})
            world.function(name, role=name, account=account, mode="Active")
        world.audit()
        return {name: world.known(f"arn:aws:lambda:{BERLIN}:{account}:function:{name}") for name in policies}

    return audit


def simulations(world, account=None):
    calls = [call for call in world.aws.calls if call.action == "SimulatePrincipalPolicy"]
    return len([call for call in calls if account in (None, call.account)])


def why(function):
    """The sentence of the finding that a role leaves it open."""
    [text] = [finding.text for finding in function.findings if finding.check is CheckName.ROLE_CONDITIONAL]
    return text


def look(world, name):
    return read_function(world.context.cloud, HOME, BERLIN, name, ("team",))


def test_what_hangs_on_the_time_is_answered_for_now(world, audited):
    seen = audited(still=until(2099), over=until(2020))

    assert (seen["still"].role_may_write, seen["still"].verdict) == (YES, Verdict.TRACED)
    assert (seen["over"].role_may_write, seen["over"].verdict) == (NO, Verdict.UNTRACED)
    assert [look(world, name).role_may_write for name in ("still", "over")] == [YES, NO]


def test_a_condition_that_nobody_can_decide_stays_unknown_and_is_named(world, audited):
    seen = audited(
        inside=allow(FROM_VPC),
        both=allow(FROM_VPC | {"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}),
    )

    inside = seen["inside"]
    assert (inside.role_may_write, inside.verdict) == (CONDITIONAL, Verdict.UNKNOWN)
    assert why(inside) == (
        "Active, but whether its role inside may write to X-Ray cannot be told: it depends on `aws:SourceVpc`."
    )
    assert look(world, "inside").role_doubt == "it depends on `aws:SourceVpc`"
    assert why(seen["both"]).endswith("it depends on `aws:SourceVpc` and `aws:CurrentTime`.")


def test_a_role_is_asked_for_once_and_only_where_its_policies_leave_it_open(world):
    world.aws.create_role(HOME, "still", LAMBDA, inline={"inline": until(2099)})
    for number in range(3):
        world.function(f"near-{number}", role="still", mode="Active")
        world.function(f"far-{number}", role="still", mode="Active", region=VIRGINIA)
    world.function("plain", mode="Active")
    world.function("mute", role="mute", mode="Active")

    world.audit()

    assert simulations(world) == 1


def test_an_account_that_refuses_leaves_each_of_its_roles_open(world, audited):
    roles = {f"still-{number}": until(2099) for number in range(5)}
    world.aws.deny(account=HOME, action="SimulatePrincipalPolicy")
    audited(OTHER, other=until(2099), another=until(2099))

    seen = audited(**roles)

    assert {one.role_may_write for one in seen.values()} == {CONDITIONAL}
    assert {one.verdict for one in seen.values()} == {Verdict.UNKNOWN}
    assert simulations(world, HOME) == 5
    assert simulations(world, OTHER) == 4
    assert world.known(f"arn:aws:lambda:{BERLIN}:{OTHER}:function:other").role_may_write is YES
    assert look(world, "still-0").role_may_write is CONDITIONAL


def test_a_refusal_of_one_role_leaves_the_others_to_be_asked(world, audited):
    world.aws.fail("InvalidInput", 400, action="SimulatePrincipalPolicy")

    seen = audited(first=until(2099), second=until(2099))

    assert {one.role_may_write for one in seen.values()} == {CONDITIONAL}
    assert simulations(world) == 2


def test_a_throttle_is_waited_out(world, audited):
    world.aws.throttle(2, action="SimulatePrincipalPolicy")

    assert audited(still=until(2099))["still"].role_may_write is YES
    assert simulations(world) == 3


def test_an_organization_that_forbids_says_nothing_of_the_role(world, audited):
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}  # the simulator is given no region
    world.aws.simulator.govern(HOME, allow(elsewhere, "*", "Deny"))

    still = audited(still=until(2099))["still"]

    assert (still.role_may_write, still.verdict) == (CONDITIONAL, Verdict.UNKNOWN)
    assert why(still).endswith("cannot be told: a policy of its organization may forbid it.")


def test_an_organization_that_allows_changes_nothing(world, audited):
    world.aws.simulator.govern(HOME, allow(action="*"))

    assert audited(still=until(2099))["still"].role_may_write is YES


@pytest.mark.parametrize(
    ("boundary", "found"),
    [
        (allow(action="*"), YES),
        (until(2099), YES),
        (until(2020), NO),
        (allow(FROM_VPC, "*"), CONDITIONAL),
        (allow({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, "*"), CONDITIONAL),
        (allow({"StringEquals": {"aws:PrincipalAccount": "${aws:SourceAccount}"}}, "*"), CONDITIONAL),
    ],
    ids=["allows", "allows for now", "allowed once", "keys not listed", "allows without the key", "variable"],
)
def test_a_boundary_is_simulated_and_believed_where_it_hangs_on_nothing_but_the_time(world, boundary, found):
    limit = world.aws.create_policy(HOME, "limit", boundary)
    world.aws.create_role(HOME, "still", LAMBDA, inline={"inline": until(2099)}, boundary=limit)
    arn = world.function("refund", role="still", mode="Active")

    world.audit()

    assert world.known(arn).role_may_write is found
    assert look(world, "refund").role_may_write is found
    assert simulations(world) == 2  # once by the audit, once by the look


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Simulated("allowed"), CONDITIONAL),
        (Simulated("allowed", by_boundary=True), CONDITIONAL),
        (Simulated("implicitDeny", by_boundary=False), CONDITIONAL),
        (Simulated("explicitDeny", by_boundary=True), NO),
        (Simulated("implicitDeny"), NO),
        (Simulated("implicitDeny", missing=("aws:SourceVpc",)), CONDITIONAL),
    ],
)
def test_of_a_boundary_that_hangs_on_more_than_the_time_only_what_comes_from_elsewhere_is_believed(said, expected):
    role = Role(f"arn:aws:iam::{HOME}:role/refund", policies=(allow(),), boundary=allow(FROM_VPC, "*"))

    assert believe(said, role, OPEN, account=HOME).may_write is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (Simulated("allowed"), YES),
        (Simulated("allowed", by_boundary=True, by_organization=True), YES),
        (Simulated("implicitDeny"), NO),
        (Simulated("explicitDeny"), NO),
        (Simulated("implicitDeny", by_boundary=False), NO),
        (Simulated("allowed", missing=("aws:SourceVpc",)), CONDITIONAL),
        (Simulated("explicitDeny", missing=("aws:SourceVpc",)), CONDITIONAL),
        (Simulated("explicitDeny", by_organization=False), CONDITIONAL),
        (Simulated("implicitDeny", by_boundary=False, by_organization=False), CONDITIONAL),
        (Simulated("allowed", by_organization=False), CONDITIONAL),
        (Simulated("allowed", by_boundary=False), CONDITIONAL),
        (Simulated("perhaps"), CONDITIONAL),
        (Simulated(""), CONDITIONAL),
    ],
)
def test_only_what_nothing_could_change_is_believed(said, expected):
    role = Role(f"arn:aws:iam::{HOME}:role/refund", policies=(until(2099),))

    judgement = believe(said, role, OPEN, account=HOME)

    assert judgement.may_write is expected
    assert bool(judgement.doubt) is (expected is CONDITIONAL)


@pytest.mark.parametrize("part", ["policies_unknown", "boundary_unknown"])
def test_a_role_of_which_a_part_could_not_be_read_is_not_asked_for(part):
    arn = f"arn:aws:iam::{HOME}:role/refund"
    role = Role(arn, policies=(until(2099),))

    assert worth_asking(role, OPEN)
    assert not worth_asking(Role(arn, policies=(until(2099),), **{part: True}), OPEN)
    assert not worth_asking(role, Judgement(YES))


def test_the_question_gives_what_is_certain_and_nothing_else():
    role = Role(f"arn:aws:iam::{HOME}:role/service-role/refund", policies=())

    form = question(role, account=HOME, now=datetime(2026, 11, 23, 12, tzinfo=UTC))

    given = {}
    for number in range(1, (len(form) - 2) // 3 + 1):
        entry = f"ContextEntries.member.{number}"
        kind, value = form[f"{entry}.ContextKeyType"], form[f"{entry}.ContextKeyValues.member.1"]
        given[form[f"{entry}.ContextKeyName"]] = (kind, value)
    assert given == {
        "aws:PrincipalAccount": ("string", HOME),
        "aws:ResourceAccount": ("string", HOME),
        "aws:PrincipalType": ("string", "AssumedRole"),
        "aws:PrincipalIsAWSService": ("boolean", "false"),
        "aws:ViaAWSService": ("boolean", "false"),
        "aws:SecureTransport": ("boolean", "true"),
        "aws:CurrentTime": ("date", "2026-11-23T12:00:00Z"),
        "aws:EpochTime": ("numeric", "1795435200"),
    }
    assert "aws:PrincipalArn" not in form.values()  # with the path or without: AWS does not say
    assert (form["PolicySourceArn"], form["ActionNames.member.1"]) == (role.arn, "xray:PutTraceSegments")


@pytest.mark.parametrize(
    ("problem", "vain"),
    [
        (Denied("AccessDenied", "no"), False),
        (Throttled("Throttling", "slow"), True),
        (Unreachable("ClientError", "nobody"), True),
        (AwsProblem("InternalFailure", "oh", status=500), True),
        (Gone("NoSuchEntity", "deleted", status=404), False),
        (AwsProblem("InvalidInput", "too long", status=400), False),
    ],
    ids=lambda value: value.code if isinstance(value, AwsProblem) else "",
)
def test_no_answer_is_of_the_account_and_a_refusal_of_one_role(problem, vain):
    assert in_vain(problem) is vain

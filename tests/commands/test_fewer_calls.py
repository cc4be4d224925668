"""How often a fix asks AWS, and that what it may not take from memory is asked anew."""

from collections import Counter

import pytest

from commands.aws.once import Once
from commands.fix import approve, fix
from storage.fixes import RequestState
from storage.models import Source, Verdict
from tests.commands.conftest import ANA, BERLIN, EVE, HOME, MODIFIED, World

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def asked_for(world: World, *, role: str, alias: bool):
    """A fix that was asked for with its plan, of a role that holds one of AWS's policies beside its own."""
    world.role_client().attach_role_policy(RoleName=role, PolicyArn=BASIC)
    arn = world.function("refund", role=role)
    if alias:
        version = world.aws.seed_version(arn, MODIFIED)
        world.aws.seed_alias(arn, "live", version)
        world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _hour: 10.0, qualifier="live", version=version)
    world.aws.settle()
    world.audit()
    list(fix(world.asks(EVE, source=Source.SLASH, text="refund blind"), world.context))
    return arn, world.request(arn)


@pytest.mark.parametrize(
    ("role", "alias", "most"),
    [("writes", False, 20), ("mute", False, 27), ("writes", True, 32), ("mute", True, 40)],
    ids=["a function", "its role too", "an alias too", "both"],
)
def test_a_fix_asks_aws_no_more_than_it_has_to(world: World, role: str, alias: bool, most: int) -> None:
    arn, asked = asked_for(world, role=role, alias=alias)
    before = len(world.aws.calls)

    list(approve(world.asks(ANA, value=asked.id), world.context))

    calls = Counter(call.action for call in world.aws.calls[before:])
    assert world.store.requests.get(asked.id).state is RequestState.APPLIED
    assert (world.known(arn).mode, world.known(arn).verdict) == ("Active", Verdict.TRACED)
    once = {"ListTags": 1, "ListMetrics": 1, "ListEventSourceMappings": 2 if alias else 1}
    assert {action: calls[action] for action in once} == once
    reads_of_role = 2 if role == "mute" else 1  # once more after it was given its policy
    assert calls["GetRole"] == calls["ListAttachedRolePolicies"] == reads_of_role
    # Waiting for IAM and Lambda, whose time is real here, may take a few reads more or less.
    assert sum(calls.values()) <= most + 6


@pytest.mark.parametrize("alias", [False, True], ids=["a function", "an alias too"])
def test_a_plan_asks_nothing_that_the_look_before_it_has_asked(world: World, alias: bool) -> None:
    _, asked = asked_for(world, role="mute", alias=alias)
    assert asked.plan
    before = len(world.aws.calls)

    list(fix(world.asks(EVE, source=Source.SLASH, text="refund blind"), world.context))

    calls = Counter(call.action for call in world.aws.calls[before:])
    # $LATEST and the version that the alias serves; event sources of each.
    more = {"GetFunctionConfiguration": 2, "ListEventSourceMappings": 2} if alias else {}
    assert calls == dict.fromkeys(calls, 1) | more


def test_what_was_remembered_is_not_given_to_whoever_asks_outside(world: World) -> None:
    arn = world.function("refund")
    client, once = world.context.cloud.client("lambda", BERLIN), Once()

    def mode() -> str:
        return str(client.get_function_configuration(FunctionName=arn)["TracingConfig"]["Mode"])

    def with_memory() -> str:
        with once.remembering():
            return mode()

    with world.context.cloud.acting_as(HOME):
        assert with_memory() == "PassThrough"
        world.aws.seed_tracing_mode(arn, "Active", MODIFIED)
        assert (with_memory(), mode()) == ("PassThrough", "Active")
        once.anew("GetFunctionConfiguration")
        assert with_memory() == "Active"


def test_one_account_is_not_given_anothers_answer(world: World) -> None:
    iam, once = world.context.cloud.client("iam", BERLIN), Once()
    found = []
    for account in (HOME, "222222222222"):
        with world.context.cloud.acting_as(account), once.remembering():
            found.append(iam.get_role(RoleName="writes")["Role"]["Arn"])

    assert found == [f"arn:aws:iam::{account}:role/writes" for account in (HOME, "222222222222")]


def test_of_a_role_that_changed_only_aws_own_policies_stay_remembered(world: World) -> None:
    iam, once = world.context.cloud.client("iam", BERLIN), Once()

    def read() -> list[str]:
        before = len(world.aws.calls)
        with once.remembering():
            attached = iam.list_attached_role_policies(RoleName="writes")["AttachedPolicies"]
            for policy in attached:
                iam.get_policy(PolicyArn=policy["PolicyArn"])
        return [call.action for call in world.aws.calls[before:]]

    with world.context.cloud.acting_as(HOME):
        assert read() == ["ListAttachedRolePolicies", "GetPolicy"]
        assert read() == []
        once.forget_roles()
        assert read() == ["ListAttachedRolePolicies"]

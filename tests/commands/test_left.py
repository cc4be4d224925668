"""What a fix that failed half-way has left on AWS: said where it failed, and true in the history."""

from datetime import timedelta

import pytest

from commands._audits import BEGUN_HERE
from commands._drawing import draw
from commands.deny import deny
from commands.expire import expire
from commands.fix import approve
from commands.views.form import REASON
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind
from tests.commands.conftest import ANA, BO, DAEMON, EVE, World

KEEPS = "Role `mute` keeps `AWSXRayDaemonWriteAccess`, which this fix gave it."
BACK = f"`aws iam detach-role-policy --role-name mute --policy-arn {DAEMON}`"


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


def half_done(world: World) -> FixRequest:
    """Its role was given the policy, and then Lambda refused."""
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)
    world.store.requests.ask(asked.id, EVE, "blind", world.clock() + timedelta(hours=24))
    world.aws.deny(service="lambda", action="UpdateFunctionConfiguration")
    list(approve(world.asks(ANA, value=asked.id), world.context))
    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.receipt.policy) == (RequestState.FAILED, DAEMON)
    return ended


def test_a_policy_that_stays_is_said_with_the_way_back(world: World) -> None:
    asked = half_done(world)

    shown = str(draw(world.context, world.post(asked)))

    assert f"{KEEPS} Approve again, or take it back: {BACK}" in shown
    assert world.history(asked.function_arn)[-1].detail["attached_policy"] == DAEMON


def test_it_is_kept_with_a_second_failure_too_though_that_did_not_come_so_far(world: World) -> None:
    asked = half_done(world)
    world.aws.deny(service="sts", action="AssumeRole")
    locked_out = world.configured()

    list(approve(world.asks(BO, value=asked.id), locked_out))

    row = world.history(asked.function_arn)[-1]
    assert (row.kind, row.detail["step"], row.detail["attached_policy"]) == (DecisionKind.FAILED, "access", DAEMON)


def test_who_denies_it_or_lets_it_run_out_is_told_what_stays(world: World) -> None:
    asked = half_done(world)
    form = world.asks(BO, value=asked.id, fields={REASON: "not now"})

    assert BACK in str(list(deny(form, world.context)))


def test_a_request_that_failed_and_runs_out_says_both(world: World) -> None:
    asked = half_done(world)
    world.clock.forward(hours=24)

    list(expire(world.asks(THE_CLOCK), world.context))

    ended = world.store.requests.get(asked.id)
    assert ended.state is RequestState.EXPIRED
    assert ended.outcome.startswith("It had failed, and nobody approved it again in time: ")
    shown = str(draw(world.context, world.post(ended)))
    assert "Nobody decided" not in shown
    assert BACK in shown
    told = str(list(approve(world.asks(ANA, value=asked.id), world.context)))
    assert BACK in told
    assert "nothing was changed" not in told.lower()


def test_a_function_that_a_failed_fix_had_set_active_is_not_said_to_be_changed_by_others(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    for step in approve(world.asks(ANA, value=asked.id), world.context):
        if "Waiting until Lambda has finished" in str(step):
            world.aws.deny(service="lambda")
    world.aws.forgive()
    assert world.store.requests.get(asked.id).state is RequestState.FAILED

    world.audit()

    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.outcome) == (RequestState.RESOLVED, BEGUN_HERE)
    assert [row.reason for row in world.history(arn)][-1] == BEGUN_HERE
    assert "To take it back: `aws lambda update-function-configuration" in str(draw(world.context, world.post(ended)))

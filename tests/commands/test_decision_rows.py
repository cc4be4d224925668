"""What an auditor wants of each row: the rule that allowed it, whose it was, before and after, AWS's request ids."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from commands import _decide, _requests
from commands._together import approve_together
from commands._types import Context, FixPolicy, Request
from commands.fix import approve
from commands.undo import undo
from storage.fixes import RequestState
from storage.models import THE_CLOCK, DecisionKind, Function, Source
from tests.commands.conftest import ANA, BO, WORKSPACE, HandClock, World

Remember = Callable[..., Function]


def test_a_fix_and_its_undo_that_fail_half_way_name_what_aws_had_done_before(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = world.request(arn)
    world.aws.deny(service="lambda", action="UpdateFunctionConfiguration")
    list(approve(world.asks(ANA, value=asked.id), world.context))
    world.aws.forgive()
    list(approve(world.asks(BO, value=asked.id), world.context))
    world.aws.deny(service="iam", action="DetachRolePolicy")
    list(undo(world.asks(ANA, value=asked.id), world.context))
    assert world.store.requests.get(asked.id).state is RequestState.APPLIED

    approved, failed, again, applied, decided, undo_failed = world.history(arn)

    kinds = [row.kind for row in (approved, failed, again, applied, decided, undo_failed)]
    assert kinds == ["approved", "failed", "approved", "applied", "undo", "undo_failed"]
    assert [row.allowed_by for row in world.history(arn)] == [f"approver {who}" for who in (ANA, ANA, BO, BO, ANA, ANA)]
    assert {row.team for row in world.history(arn)} == {"payments"}
    changes = [(row.before, row.after) for row in (failed, applied, undo_failed)]
    assert changes == [("PassThrough", "PassThrough"), ("PassThrough", "Active"), ("Active", "PassThrough")]
    attached, updated = applied.detail["aws_requests"]
    assert failed.detail["aws_requests"] == [attached]
    assert failed.aws_requests == (attached, failed.detail["aws_request"])  # done, and refused
    (set_back,) = undo_failed.detail["aws_requests"]
    assert len({attached, updated, set_back, failed.detail["aws_request"], undo_failed.detail["aws_request"]}) == 5
    assert world.store.decisions.verify() is None


@pytest.mark.parametrize(
    ("kind", "actor", "rule"),
    [
        (DecisionKind.REQUESTED, BO, _decide.ANY_MEMBER),
        (DecisionKind.SNOOZED, BO, _decide.ANY_MEMBER),
        (DecisionKind.EXPIRED, THE_CLOCK, "[policy] request_hours = 8"),
        (DecisionKind.EXEMPTION_EXPIRED, THE_CLOCK, "[policy] request_hours = 8"),
        (DecisionKind.RESOLVED, THE_CLOCK, _decide.WHAT_WAS_SEEN),
        (DecisionKind.APPLIED, ANA, "approver U0ANA"),
        (DecisionKind.REFUSED, BO, ""),
    ],
)
def test_what_needs_no_approver_says_which_rule_it_goes_by(
    context: Context, remembered: Remember, kind: DecisionKind, actor: str, rule: str
) -> None:
    context = replace(context, policy=FixPolicy(request_hours=8))
    arn = remembered("refund").arn
    told = {"allowed_by": "approver U0ANA"}
    _decide.record(context, DecisionKind.APPROVED, arn, actor=ANA, request_id="r1", detail=told)

    row = _decide.record(context, kind, arn, actor=actor, request_id="r1")

    assert (row.allowed_by, row.team) == (rule, "payments")


def test_a_batch_names_the_rule_and_the_team(context: Context, remembered: Remember) -> None:
    ids = [context.store.requests.open_for(remembered(name), context.clock()).id for name in ("refund", "charge")]
    click = Request(ANA, context.clock(), Source.FORM, workspace=WORKSPACE)

    approve_together(click, context, "payments", ids)

    batch = context.store.decisions.all()[-1]
    assert (batch.kind, batch.allowed_by, batch.team) == ("batch", f"approver {ANA}", "payments")


def test_a_request_that_runs_out_and_one_of_a_function_that_is_gone_are_of_the_team_all_the_same(
    context: Context, clock: HandClock, remembered: Remember
) -> None:
    function = remembered("refund")
    asked = context.store.requests.open_for(function, context.clock())
    _requests.ask(Request(BO, context.clock(), Source.SLASH, workspace=WORKSPACE), context, asked)
    clock.forward(hours=25)
    context.store.functions.mark_gone(function.arn, context.clock())

    assert _requests.expire(context, context.store.requests.get(asked.id))

    requested, expired = context.store.decisions.history(function.arn)
    assert (requested.allowed_by, requested.team) == (_decide.ANY_MEMBER, "payments")
    assert (expired.allowed_by, expired.team) == ("[policy] request_hours = 24", "payments")

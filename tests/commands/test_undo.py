"""From a click on *Undo* to what AWS says afterwards, and fixes that carry out a plan, against the local AWS."""

from dataclasses import replace

import pytest

from commands._carry_back import carry_back
from commands._carry_out import carry_out
from commands._changes import NOT_THE_SAME
from commands._plans import plan_now
from commands._types import FixPolicy, Progress, Say
from commands.undo import undo
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind, MayWrite, Verdict
from tests.commands.conftest import ANA, BERLIN, BO, DAEMON, EVE, HOME, MODIFIED, World


def fixed(world: World, arn: str, *, planned: bool = True) -> FixRequest:
    """Approved by Ana and carried out, with a plan that was shown."""
    asked = world.request(arn)
    if planned:
        world.store.requests.keep_plan(asked.id, plan_now(world.context, world.known(arn)))
    return approved(world, asked)


def approved(world: World, asked: FixRequest) -> FixRequest:
    assert world.store.requests.claim(asked.id, ANA, world.clock())
    list(carry_out(world.context, asked.id))
    return world.store.requests.get(asked.id)


def click(world: World, asked: FixRequest, who: str = ANA, **more) -> list:
    return list(undo(world.asks(who, value=asked.id, **more), world.context))


def said(replies: list) -> str:
    return "\n".join(reply.text for reply in replies if isinstance(reply, Say))


def kinds(world: World, arn: str) -> list[str]:
    return [str(row.kind) for row in world.history(arn)]


def served(world: World, name: str = "refund", role: str = "mute") -> str:
    """An untraced function whose alias serves its equal."""
    arn = world.function(name, role=role)
    version = world.aws.seed_version(arn, MODIFIED)
    world.aws.seed_alias(arn, "live", version)
    world.aws.metrics.invoked(HOME, BERLIN, name, lambda _hour: 10.0, qualifier="live", version=version)
    return arn


def alias(world: World) -> str:
    return str(world.lambdas().get_alias(FunctionName="refund", Name="live")["FunctionVersion"])


def attached(world: World, role: str = "mute") -> list[str]:
    found = world.role_client().list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [policy["PolicyArn"] for policy in found]


# A fix by its plan


def test_a_fix_moves_the_alias_that_its_plan_showed_and_the_function_is_traced(world: World) -> None:
    arn = served(world)
    world.audit()

    ended = fixed(world, arn)

    assert (ended.state, ended.note, alias(world), world.mode(arn)) == (RequestState.APPLIED, "", "2", "Active")
    assert world.known(arn).verdict is Verdict.TRACED
    assert ended.undo_until is not None
    applied = world.history(arn)[-1].detail
    assert (applied["attached_policy"], applied["published"], applied["moved"]) == (DAEMON, "2", ["live: 1 to 2"])
    assert len(applied["aws_requests"]) == 4


def test_an_alias_that_was_not_shown_is_not_moved(world: World) -> None:
    arn = served(world)
    world.audit()

    ended = fixed(world, arn, planned=False)

    assert (ended.state, alias(world)) == (RequestState.APPLIED, "1")
    assert "`/trace-fix refund` shows what moving it takes" in ended.note


def test_a_plan_that_no_longer_holds_ends_the_fix_and_the_new_one_is_kept_to_be_shown(world: World) -> None:
    arn = served(world, role="writes")
    world.audit()
    asked = world.request(arn)
    world.store.requests.keep_plan(asked.id, plan_now(world.context, world.known(arn)))
    world.lambdas().update_function_configuration(FunctionName="refund", MemorySize=512)
    world.aws.settle()
    others = world.writes()

    ended = approved(world, asked)

    assert ended.state is RequestState.FAILED
    assert ended.outcome == (
        "Nothing was changed. `live` serves version 1 and was to be moved, but cannot be now: $LATEST differs from "
        "what it serves in `MemorySize`, and publishing would deploy that. Look at it again, then approve again."
    )
    assert world.writes() == others
    assert ended.plan is not None
    assert ended.plan.publishes == ()
    assert approved(world, ended).state is RequestState.APPLIED


def test_a_new_revision_alone_does_not_stop_a_fix(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.store.requests.keep_plan(asked.id, plan_now(world.context, world.known(arn)))
    world.lambdas().update_function_configuration(FunctionName="refund", Description="deployed")
    world.aws.settle()

    assert approved(world, asked).state is RequestState.APPLIED


@pytest.mark.parametrize("steps", [3, 5, 7, 8])  # every one is cut in test_remediation
def test_a_fix_that_was_cut_short_after_any_step_is_taken_up_and_its_history_is_true(world: World, steps: int) -> None:
    arn = served(world)
    world.audit()
    asked = world.request(arn)
    world.store.requests.keep_plan(asked.id, plan_now(world.context, world.known(arn)))
    world.store.requests.claim(asked.id, ANA, world.clock())
    running = iter(carry_out(world.context, asked.id))
    for _ in range(steps):
        next(running, None)
    running.close()  # type: ignore[attr-defined]  # it is a generator; this is how its process ends

    list(carry_out(world.context, asked.id, again=True))

    assert (world.mode(arn), alias(world), attached(world)) == ("Active", "2", [DAEMON])
    receipt = world.store.requests.get(asked.id).receipt
    assert (receipt.policy, receipt.mode_before, receipt.published) == (DAEMON, "PassThrough", "2")
    assert world.writes().count("AttachRolePolicy") == 1
    (applied,) = world.history(arn)
    assert (applied.kind, applied.before, applied.after) == (DecisionKind.APPLIED, "PassThrough", "Active")
    assert (applied.detail["attached_policy"], len(applied.detail["aws_requests"])) == (DAEMON, 4)


def test_one_call_in_three_may_be_throttled_without_a_decision_being_lost(world: World) -> None:
    arn = served(world)
    world.audit()
    asked = world.request(arn)
    world.store.requests.keep_plan(asked.id, plan_now(world.context, world.known(arn)))
    world.aws.throttle_every(3)

    ended = approved(world, asked)

    world.aws.forgive()
    assert (ended.state, world.mode(arn), alias(world), attached(world)) == (
        RequestState.APPLIED,
        "Active",
        "2",
        [DAEMON],
    )


# Undo


def test_an_undo_takes_back_what_the_fix_changed_and_both_decisions_are_kept(world: World) -> None:
    arn = served(world)
    world.audit()
    asked = fixed(world, arn)
    post = world.post(asked)

    replies = click(world, asked, BO, channel=post.posted_channel, message=post.ts)

    assert {type(reply) for reply in replies} == {Progress}
    assert (world.mode(arn), alias(world), attached(world)) == ("PassThrough", "1", [])
    ended = world.store.requests.get(asked.id)
    assert (ended.state, ended.ended_by, ended.note) == (RequestState.UNDONE, BO, "")
    assert (world.known(arn).verdict, world.known(arn).role_may_write) == (Verdict.UNTRACED, MayWrite.NO)
    assert world.is_to_be_redrawn(post)
    assert kinds(world, arn) == ["applied", "undo", "undone"]
    decided, undone = world.history(arn)[1:]
    assert (decided.actor, decided.message, decided.detail["allowed_by"]) == (BO, post.ts, f"approver {BO}")
    assert (undone.before, undone.after, undone.detail["detached_policy"]) == ("Active", "PassThrough", DAEMON)
    assert len(undone.detail["aws_requests"]) == 3
    assert world.store.decisions.verify() is None


@pytest.mark.parametrize(("who", "workspace"), [(EVE, "T0LAMPLIT"), (ANA, "T0OTHER")])
def test_who_may_not_approve_may_not_undo(world: World, who: str, workspace: str) -> None:
    arn = world.function("refund")
    world.audit()
    asked = fixed(world, arn)

    assert "You are not an approver" in said(click(world, asked, who, workspace=workspace))
    assert (world.mode(arn), kinds(world, arn)) == ("Active", ["applied", "refused"])


def test_a_role_that_another_traced_function_uses_keeps_its_policy_and_the_last_one_is_said_so(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    first, second = fixed(world, arn), fixed(world, other)

    click(world, first)

    ended = world.store.requests.get(first.id)
    assert (world.mode(arn), world.mode(other), attached(world)) == ("PassThrough", "Active", [DAEMON])
    assert ended.note == "role `mute` keeps its permission to send traces: `charge` is traced and uses it too"
    assert world.known(other).verdict is Verdict.TRACED
    assert second.receipt.policy == ""


def test_aws_is_asked_how_those_that_share_a_role_stand_now(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    asked = fixed(world, arn)
    world.aws.seed_tracing_mode(other, "Active", world.clock())  # memory knows nothing of it

    click(world, asked)

    assert attached(world) == [DAEMON]
    assert "`charge` is traced" in world.store.requests.get(asked.id).note


def test_others_of_a_role_that_lost_its_policy_are_known_to_lose_it_too(world: World) -> None:
    arn, other = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    asked = fixed(world, arn)
    assert world.known(other).role_may_write is MayWrite.YES

    click(world, asked)

    assert (attached(world), world.known(other).role_may_write) == ([], MayWrite.NO)


def test_a_second_undo_is_told_who_was_first(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = fixed(world, arn)
    click(world, asked)

    assert said(click(world, asked, BO)) == f"The fix of `refund` was undone already, by <@{ANA}>."
    assert kinds(world, arn) == ["applied", "undo", "undone"]


def test_an_undo_is_for_a_while_only(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = fixed(world, arn)
    world.clock.forward(hours=24)

    assert "could be undone until" in said(click(world, asked))
    assert world.mode(arn) == "Active"


def test_where_the_configuration_says_never_a_fix_cannot_be_undone(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = world.request(arn)
    world.store.requests.claim(asked.id, ANA, world.clock())
    list(carry_out(replace(world.context, policy=FixPolicy(undo_hours=0)), asked.id))

    assert "cannot be undone, or not any more" in said(click(world, asked))


def test_a_fix_that_changed_nothing_cannot_be_undone(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    world.aws.seed_tracing_mode(arn, "Active", world.clock())

    asked = fixed(world, arn)

    assert (asked.state, asked.undo_until) == (RequestState.APPLIED, None)


def test_an_undo_that_aws_refuses_says_so_and_may_be_tried_again(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = fixed(world, arn)
    world.aws.deny(service="iam", action="DetachRolePolicy")

    click(world, asked)

    failed = world.store.requests.get(asked.id)
    assert failed.state is RequestState.APPLIED
    assert failed.outcome.endswith("Allow it, then undo again.")
    row = world.history(arn)[-1]
    assert (row.kind, bool(row.detail["aws_request"])) == (DecisionKind.UNDO_FAILED, True)
    world.aws.forgive()
    click(world, asked, BO)
    assert (world.store.requests.get(asked.id).state, attached(world)) == (RequestState.UNDONE, [])


def test_an_account_that_lets_nobody_in_fails_the_undo_with_a_next_step(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    asked = fixed(world, arn)
    world.aws.deny(service="sts", action="AssumeRole")
    locked_out = world.configured()

    list(undo(world.asks(ANA, value=asked.id), locked_out))

    assert "external id say who may), then undo again." in world.store.requests.get(asked.id).outcome
    assert world.mode(arn) == "Active"


def test_a_newer_request_for_the_function_is_resolved_by_the_undo(world: World) -> None:
    arn = world.served_untraced("refund")
    world.aws.seed_tracing_mode(arn, "PassThrough", MODIFIED)
    world.audit()
    asked = fixed(world, arn, planned=False)  # its alias stays untraced, and a digest asks again
    newer = world.request(arn)
    assert newer.id != asked.id

    click(world, asked)

    assert world.store.requests.get(newer.id).state is RequestState.RESOLVED
    assert world.store.requests.get(asked.id).state is RequestState.UNDONE


def test_a_function_that_was_deleted_is_resolved_and_its_role_freed(world: World) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = fixed(world, arn)
    world.lambdas().delete_function(FunctionName="refund")

    click(world, asked)

    assert world.store.requests.get(asked.id).state is RequestState.RESOLVED
    assert (attached(world), world.store.functions.get(arn)) == ([], None)


@pytest.mark.parametrize("steps", [3, 4, 7])  # every one is cut in test_undoing
def test_an_undo_that_was_cut_short_after_any_step_is_taken_up(world: World, steps: int) -> None:
    arn = served(world)
    world.audit()
    asked = fixed(world, arn)
    assert world.store.undos.claim(asked.id, BO, world.clock())
    running = iter(carry_back(world.context, asked.id))
    for _ in range(steps):
        next(running, None)
    running.close()  # type: ignore[attr-defined]  # it is a generator; this is how its process ends

    list(carry_back(world.context, asked.id))

    assert (world.mode(arn), alias(world), attached(world)) == ("PassThrough", "1", [])
    assert world.store.requests.get(asked.id).state is RequestState.UNDONE
    assert world.writes().count("DetachRolePolicy") <= 1
    assert kinds(world, arn) == ["applied", "undone"]


def made_again(world: World, name: str, mode: str) -> str:
    """Deleted, and another one made under its name."""
    world.lambdas().delete_function(FunctionName=name)
    world.audit()
    return world.function(name, role="mute", mode=mode)


@pytest.mark.parametrize(("mode", "seen"), [("Active", True), ("Active", False), ("PassThrough", True)])
def test_an_undo_leaves_a_function_alone_that_was_made_under_the_name_since(
    world: World, mode: str, seen: bool
) -> None:
    arn = world.function("refund", role="mute")
    world.audit()
    asked = fixed(world, arn)
    made_again(world, "refund", mode)
    if seen:
        world.audit()
    updates = [call for call in world.writes() if call.startswith("UpdateFunction")]

    click(world, asked)

    ended = world.store.requests.get(asked.id)
    assert (ended.state, world.mode(arn)) == (RequestState.RESOLVED, mode)
    assert ended.outcome == NOT_THE_SAME
    assert [call for call in world.writes() if call.startswith("UpdateFunction")] == updates
    assert attached(world) == ([DAEMON] if mode == "Active" else [])
    assert kinds(world, arn)[-2:] == ["undo", "resolved"]

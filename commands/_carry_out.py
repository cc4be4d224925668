"""Carrying out a fix that was approved, and recording what came of it."""

import logging
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from commands import _decide
from commands._audits import NO_LONGER_EXISTS, judge, look_again, remember
from commands._changes import NOT_THE_SAME
from commands._types import Context, Progress, Reply
from commands.aws import remediation
from commands.aws.errors import AwsProblem, Gone
from commands.aws.remediation import FunctionGone, Outcome, RemediationFailed
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind, Function, MayWrite, Verdict

# While a fix is under way the newest messages follow it; when it has ended, all do.
NEWEST = 3
PATIENCE_SECONDS = (1.0, 3.0, 9.0, None)  # between the attempts to look at a function
TRACED_BY_ROLE = "Traced now: its execution role was given the permission in a fix of another function."

log = logging.getLogger(__name__)


def carry_out(context: Context, request_id: str, *, again: bool = False) -> Iterator[Reply]:
    """Do what was approved. Yields what is being done; AWS's refusals are recorded, not raised.

    `again`: an earlier process began this; every step is safe to repeat. To be iterated in one thread, for the
    account's credentials belong to it.
    """
    with context.in_hand.hold(request_id):
        asked = context.store.requests.get(request_id)
        if asked.state is not RequestState.RUNNING:
            return  # somebody else had it in hand, and has ended it
        try:
            outcome = yield from _change(context, asked, again)
            _applied(context, asked, outcome)
        except FunctionGone as gone:
            context.store.functions.mark_gone(asked.function_arn, context.clock())
            _end(context, asked, RequestState.RESOLVED, NO_LONGER_EXISTS, detail=_attached(gone.attached_policy))
        except RemediationFailed as failure:
            detail = {"step": str(failure.step), "code": failure.code, "aws_request": failure.request_id}
            detail |= _attached(failure.attached_policy)
            if failure.attached_policy:
                _look_after_a_failure(context, asked)
            _end(context, asked, RequestState.FAILED, failure.reason, detail=detail)
        except AwsProblem as problem:
            detail = {"step": "access", "code": problem.code, "aws_request": problem.request_id}
            reason = f"AWS did not let Lamplighter in to make the change: {problem}"
            _end(context, asked, RequestState.FAILED, reason, detail=detail)
        except ShownOtherwise as changed:
            _end(context, asked, RequestState.FAILED, str(changed), detail={"step": "read"})
        except Exception:  # a fault of our own must not leave the request running for ever; the caller answers for it
            reason = "Lamplighter itself failed; its log says more. It is safe to approve again."
            _end(context, asked, RequestState.FAILED, reason)
            raise


class ShownOtherwise(Exception):
    """The function, or its execution role, is not the one that was shown to whoever approved."""


def _change(context: Context, asked: FixRequest, again: bool) -> Generator[Reply, None, Outcome]:
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        raise FunctionGone(asked.function_arn, None)
    # Two fixes at once on one role: the second would find the policy attached, and IAM not yet aware of it.
    with context.roles.hold(function.role or function.arn):
        return (yield from _change_alone(context, asked, function, again))


def _change_alone(
    context: Context, asked: FixRequest, function: Function, again: bool
) -> Generator[Reply, None, Outcome]:
    cloud = context.cloud
    made_at = context.store.functions.made_at(function.arn)
    current = _as_it_is_now(context, function)
    if context.store.functions.made_at(function.arn) != made_at:
        raise ShownOtherwise(f"Nothing was changed. {NOT_THE_SAME} Look at it, then approve again.")
    if current.role != function.role:
        raise ShownOtherwise(
            f"Nothing was changed: `{function.role_name}` was shown as its execution role, and now it has "
            f"`{current.role_name}`. Look at it again, then approve again."
        )
    if function.role_may_write is MayWrite.YES and current.role_may_write is MayWrite.NO:
        raise ShownOtherwise(
            f"Nothing was changed: role `{current.role_name}` has lost its permission since it was shown, and a fix "
            "would change the role too. Look at it again, then approve again."
        )
    writes = cloud.fixer(function.account, function.region, function.arn, function.role or "", asked.approved_by)
    with cloud.acting_as(function.account):
        steps = remediation.enable_tracing(
            reads=cloud.clients(function.region),
            writes=writes,
            function_arn=function.arn,
            attached_before=again or _attached_by_an_earlier_try(context, asked),
        )
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            context.store.requests.at_step(asked.id, step.text)
            context.store.posts.redraw_showing(asked.id, newest=NEWEST)
            yield Progress(step.text)


def _as_it_is_now(context: Context, function: Function) -> Function:
    """Patient with an AWS that is busy for a moment. Raises FunctionGone, AwsProblem."""
    for wait in PATIENCE_SECONDS:
        try:
            return look_again(context, function)
        except Gone:
            raise FunctionGone(function.arn, None) from None
        except AwsProblem as problem:
            if not problem.transient or wait is None:
                raise
            log.info("%s, again in %s s", problem, wait)
            time.sleep(wait)
    raise AssertionError("the last of PATIENCE_SECONDS is None")


def _applied(context: Context, asked: FixRequest, outcome: Outcome) -> None:
    """AWS was changed and read back: whatever else goes wrong, that is what is recorded."""
    try:
        _look_after(context, asked, outcome)
    except Exception:  # the fix itself is done; only the rest of the picture is older until the next audit
        log.exception("%s is fixed, and looking at it once more failed", asked.function_arn)
    detail = {
        "changed": outcome.changed,
        "attached_policy": outcome.attached_policy,
        "aws_requests": list(outcome.request_ids),
    }
    _end(
        context,
        asked,
        RequestState.APPLIED,
        note=outcome.note,
        before=str(outcome.before),
        after=str(outcome.after),
        detail=detail,
        undo_until=_undo_until(context, outcome),
    )


def _undo_until(context: Context, outcome: Outcome) -> datetime | None:
    """None where undoing is switched off, or where there is nothing to take back."""
    hours = context.policy.undo_hours
    changed = outcome.changed or outcome.attached_policy
    return context.clock() + timedelta(hours=hours) if hours and changed else None


def _look_after_a_failure(context: Context, asked: FixRequest) -> None:
    """The role was given its policy all the same, and everything that shows the role has to say so."""
    function = context.store.functions.get(asked.function_arn)
    if function is None or function.role is None:
        return
    try:
        seen = look_again(context, function)
        if seen.role_may_write:
            _remember_role(context, function.role, seen.role_may_write)
    except AwsProblem as problem:
        log.warning("%s could not be looked at after its fix failed: %s", asked.function_arn, problem)


def _look_after(context: Context, asked: FixRequest, outcome: Outcome) -> None:
    """Look at the function once more, so that what is remembered is what AWS says now; and at what else has changed."""
    asked_at = context.clock()
    remembered = context.store.functions.get(asked.function_arn)
    if remembered is None:
        return
    try:
        look_again(context, remembered)
    except Gone:
        return
    except AwsProblem:
        seen = replace(remembered, mode=outcome.after, role_may_write=outcome.role_may_write)
        remember(context, [seen], asked_at)
    if outcome.attached_policy and remembered.role:
        _remember_role(context, remembered.role, outcome.role_may_write)


def _remember_role(context: Context, role: str, may_write: MayWrite) -> None:
    """The other functions of a role that was given a policy gain by it, and their messages say so.

    AWS was not asked about those functions, so that what an audit sees of them counts as newer.
    """
    store, now = context.store, context.clock()
    with store.transaction():
        others = [one for one in store.functions.of_role(role) if one.role_may_write is MayWrite.NO]
        for one in judge(context, [replace(one, role_may_write=may_write) for one in others]):
            store.functions.amend(one, now)
            live = store.requests.live(one.arn)
            if live is None:
                continue
            if one.verdict is Verdict.TRACED and store.requests.resolve(live.id, TRACED_BY_ROLE, now):
                _decide.record(
                    context,
                    DecisionKind.RESOLVED,
                    one.arn,
                    actor=THE_CLOCK,
                    request_id=live.id,
                    reason=TRACED_BY_ROLE,
                )
            store.posts.redraw_showing(live.id)


_KINDS = {
    RequestState.APPLIED: DecisionKind.APPLIED,
    RequestState.FAILED: DecisionKind.FAILED,
    RequestState.RESOLVED: DecisionKind.RESOLVED,
}


def _end(
    context: Context,
    asked: FixRequest,
    state: RequestState,
    outcome: str = "",
    *,
    note: str = "",
    before: str | None = None,
    after: str = "",
    detail: Mapping[str, object] | None = None,
    undo_until: datetime | None = None,
) -> None:
    store = context.store
    with store.transaction():
        if store.requests.finish(asked.id, state, context.clock(), outcome=outcome, note=note, undo_until=undo_until):
            _decide.record(
                context,
                _KINDS[state],
                asked.function_arn,
                actor=asked.approved_by,
                request_id=asked.id,
                before=before,
                after=after,
                reason=outcome or note,
                detail=detail,
            )
        store.posts.redraw_showing(asked.id)


def _attached_by_an_earlier_try(context: Context, asked: FixRequest) -> bool:
    return any(row.detail.get("attached_policy") for row in context.store.decisions.of_request(asked.id))


def _attached(policy: str | None) -> dict[str, str]:
    """What stays with the role though the fix did not end well."""
    return {"attached_policy": policy} if policy else {}

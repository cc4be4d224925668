"""Carrying out a fix that was approved, and recording what came of it."""

import logging
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime, timedelta

from msgspec import structs

from commands import _decide
from commands._aftermath import as_it_is_now, look_after, remember_role
from commands._audits import NO_LONGER_EXISTS, look_again, remember
from commands._changes import NOT_THE_SAME
from commands._lesson import teach
from commands._plans import check_still_holds, only_what_was_shown, plan_now
from commands._types import Context, Progress, Reply
from commands.aws import remediation
from commands.aws.advice import entry_advice
from commands.aws.errors import AwsProblem, Gone
from commands.aws.once import Once
from commands.aws.remediation import FunctionGone, Outcome, RemediationFailed
from commands.aws.session_policy import needs_of_plan
from storage.fixes import FixPlan, FixRequest, Receipt, RequestState
from storage.models import DecisionKind, Function, MayWrite
from storage.trouble import trouble

# While a fix is under way the newest messages follow it; when it has ended, all do.
NEWEST = 3

log = logging.getLogger(__name__)


def carry_out(context: Context, request_id: str, *, again: bool = False) -> Iterator[Reply]:
    """Do what was approved. Yields what is being done; AWS's refusals are recorded, not raised.

    `again`: an earlier process began this; every step is safe to repeat. To be iterated in one thread, for the
    account's credentials belong to it.
    """
    with context.in_hand.hold(request_id):
        asked = context.store.requests.get(request_id)
        if asked.state is not RequestState.RUNNING or asked.queued:
            return  # somebody else had it in hand and has ended it, or its batch has yet to begin it
        once = Once()
        try:
            outcome = yield from _change(context, asked, again, once)
        except FunctionGone as gone:
            context.store.functions.mark_gone(asked.function_arn, context.clock())
            _end(context, asked, RequestState.RESOLVED, NO_LONGER_EXISTS, detail=_request(gone.request_id))
        except RemediationFailed as failure:
            detail = {"step": str(failure.step), "code": failure.code, "aws_request": failure.request_id}
            before, after = _mode(context, asked), ""
            receipt = context.store.requests.get(asked.id).receipt
            if not receipt.nothing:
                after = look_after(context, asked.function_arn, role_changed=bool(receipt.policy))
            _end(context, asked, RequestState.FAILED, failure.reason, before=before, after=after, detail=detail)
        except AwsProblem as problem:
            detail = {"step": "access", "code": problem.code, "aws_request": problem.request_id}
            _end(context, asked, RequestState.FAILED, entry_advice(problem), detail=detail)
        except ShownOtherwise as changed:
            _end(context, asked, RequestState.FAILED, str(changed), detail={"step": "read"}, plan=changed.plan)
        except (
            Exception
        ) as fault:  # one of our own must not leave the request running for ever; the caller answers for it
            if trouble(fault):
                raise  # it stays running: whoever takes it up, once the file can be used again, reads AWS first
            reason = "Lamplighter itself failed; its log says more. It is safe to approve again."
            _end(context, asked, RequestState.FAILED, reason)
            raise
        else:  # where this cannot be kept the request stays running, and whoever takes it up reads AWS again
            _applied(context, asked, outcome, once)


class ShownOtherwise(Exception):
    """A fix would do something else now than was shown to whoever approved."""

    def __init__(self, asked: FixRequest, why: str, plan: FixPlan | None = None) -> None:
        so_far = "Nothing was changed" if asked.receipt.nothing else "Nothing more was changed"
        super().__init__(f"{so_far}. {why}")
        self.plan = plan  # as it would be now


def _change(context: Context, asked: FixRequest, again: bool, once: Once) -> Generator[Reply, None, Outcome]:
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        raise FunctionGone(asked.function_arn, None)
    # Two fixes at once on one role: the second would find the policy attached, and IAM not yet aware of it.
    with context.roles.hold(function.role or function.arn):
        return (yield from _change_alone(context, asked, function, again, once))


def _change_alone(
    context: Context, asked: FixRequest, function: Function, again: bool, once: Once
) -> Generator[Reply, None, Outcome]:
    cloud = context.cloud
    with once.remembering():
        plan = _plan_as_approved(context, asked, function)
    once.anew("GetFunctionConfiguration", "ListAliases")  # what the fix changes and compares
    writes = cloud.fixer(
        function.account, function.region, function.arn, plan.role, asked.approved_by, needs_of_plan(plan)
    )
    with cloud.acting_as(function.account):
        steps = remediation.enable_tracing(
            reads=cloud.clients(function.region),
            writes=writes,
            function_arn=function.arn,
            plan=plan,
            receipt=asked.receipt,
            keep=lambda receipt: _keep(context, asked, receipt),
            lagging=again or _was_to_be_attached(context, asked),
            clock=cloud.patience.clock,
            wait=cloud.patience.wait,
        )
        while True:
            try:
                with once.remembering():
                    step = next(steps)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            context.store.requests.at_step(asked.id, step.text)
            context.store.posts.redraw_showing(asked.id, newest=NEWEST)
            yield Progress(step.text)


def _keep(context: Context, asked: FixRequest, receipt: Receipt) -> None:
    context.store.requests.keep_receipt(asked.id, receipt)


def _plan_as_approved(context: Context, asked: FixRequest, function: Function) -> FixPlan:
    """The plan as AWS stands now. Raises ShownOtherwise where it would do what nobody approved."""
    made_at = context.store.functions.made_at(function.arn)
    current = as_it_is_now(context, function)
    if context.store.functions.made_at(function.arn) != made_at:
        raise ShownOtherwise(asked, f"{NOT_THE_SAME} Look at it, then approve again.")
    if context.policy.needs_two_people(current) and asked.asked_by in ("", asked.approved_by) and asked.receipt.nothing:
        raise ShownOtherwise(asked, "It counts as production by now, and its fix takes two people: both have to click.")
    plan = plan_now(context, current)
    if asked.plan is None or asked.plan.remembered:
        plan = only_what_was_shown(plan, function.name)
        why = plan.blocked or _not_as_remembered(function, current)
    else:
        why = check_still_holds(asked.plan, plan)
    if plan.blocked:
        raise ShownOtherwise(asked, plan.blocked, plan)
    if why:
        raise ShownOtherwise(asked, f"{why} Look at it again, then approve again.", plan)
    return plan


def _not_as_remembered(function: Function, current: Function) -> str:
    """What is other than the messages said, which were drawn from memory."""
    if current.role != function.role:
        return f"`{function.role_name}` was shown as its execution role, and now it has `{current.role_name}`."
    if function.role_may_write is MayWrite.YES and current.role_may_write is MayWrite.NO:
        return (
            f"Role `{current.role_name}` has lost its permission since it was shown, and a fix would change the role "
            "too."
        )
    return ""


def _applied(context: Context, asked: FixRequest, outcome: Outcome, once: Once) -> None:
    """AWS was changed and read back: whatever else goes wrong, that is what is recorded."""
    try:
        with once.remembering():
            _look_after(context, asked, outcome)
    except Exception:  # the fix itself is done; only the rest of the picture is older until the next audit
        log.exception("%s is fixed, and looking at it once more failed", asked.function_arn)
    receipt = context.store.requests.get(asked.id).receipt
    detail = {
        "changed": outcome.changed,
        "attached_policy": outcome.attached_policy,
        "published": receipt.published,
        "moved": [f"{move.name}: {move.before} to {move.after}" for move in receipt.moves],
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
    )


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
        seen = structs.replace(remembered, mode=outcome.after, role_may_write=outcome.role_may_write)
        remember(context, [seen], asked_at)
    if outcome.attached_policy and outcome.role_may_write and remembered.role:
        remember_role(context, remembered.role, outcome.role_may_write)


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
    plan: FixPlan | None = None,
) -> None:
    """`plan`: the newest, for whoever is to approve again."""
    store, now = context.store, context.clock()
    with store.transaction():
        kept = _kept(store.requests.get(asked.id).receipt)  # also where this run did not get so far
        undo_until = _undo_until(context, asked, now) if state is RequestState.APPLIED else None
        if store.requests.finish(asked.id, state, now, outcome=outcome, note=note, undo_until=undo_until):
            _decide.record(
                context,
                _KINDS[state],
                asked.function_arn,
                actor=asked.approved_by,
                request_id=asked.id,
                before=before,
                after=after,
                reason=outcome or note,
                detail={**kept, **(detail or {})},
            )
            if plan:
                store.requests.keep_plan(asked.id, plan)
            if state is RequestState.APPLIED:
                store.forecast_checks.plan(asked.id, asked.function_arn, now, store.forecasts.get(asked.function_arn))
                teach(context, asked)
        store.posts.redraw_showing(asked.id)


def _undo_until(context: Context, asked: FixRequest, now: datetime) -> datetime | None:
    """None where undoing is switched off, or where there is nothing to take back."""
    nothing = context.store.requests.get(asked.id).receipt.nothing
    hours = context.policy.undo_hours
    return now + timedelta(hours=hours) if hours and not nothing else None


def _was_to_be_attached(context: Context, asked: FixRequest) -> bool:
    """Whether the role lacked its permission a short while ago: when this was approved, or at an earlier try."""
    if asked.plan is not None and asked.plan.changes_role:
        return True
    return any(row.detail.get("attached_policy") for row in context.store.decisions.of_request(asked.id))


def _kept(receipt: Receipt) -> dict[str, object]:
    """What stays as the fix left it though it did not end well, and the calls that did it."""
    policy: dict[str, object] = {"attached_policy": receipt.policy} if receipt.policy else {}
    return policy | ({"aws_requests": list(receipt.requests)} if receipt.requests else {})


def _mode(context: Context, asked: FixRequest) -> str:
    """Before the fix, as far as is known."""
    receipt, function = context.store.requests.get(asked.id).receipt, context.store.functions.get(asked.function_arn)
    return str(receipt.mode_before or (function.mode if function else None) or "")


def _request(aws_request: str) -> dict[str, str]:
    return {"aws_request": aws_request} if aws_request else {}

"""Carrying out an undo that was decided on: taking a fix back, and recording what came of it."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from commands import _decide
from commands._aftermath import as_it_is_now, look_after
from commands._audits import NO_LONGER_EXISTS
from commands._carry_out import NEWEST
from commands._changes import NOT_THE_SAME
from commands._types import Context, Progress, Reply
from commands.aws import role_users, undoing
from commands.aws.advice import entry_advice
from commands.aws.errors import AwsProblem
from commands.aws.remediation import FunctionGone, RemediationFailed
from commands.aws.session_policy import needs_of_receipt
from commands.aws.undoing import UndoOutcome
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind, Function
from storage.trouble import trouble

_AS_BEFORE = "Tracing is off again."


def carry_back(context: Context, request_id: str) -> Iterator[Reply]:
    """Undo what a fix changed. Yields what is being done; AWS's refusals are recorded, not raised.

    Where an earlier process was cut short it is simply begun again. To be iterated in one thread, as `carry_out`.
    """
    with context.in_hand.hold(request_id):
        asked = context.store.requests.get(request_id)
        if asked.state is not RequestState.UNDOING:
            return  # somebody else had it in hand, and has ended it
        try:
            asked, anew = _what_is_there(context, asked)
            outcome = yield from _take_back(context, asked)
        except RemediationFailed as failure:
            detail: dict[str, object] = {"step": str(failure.step), "code": failure.code}
            detail |= {
                "aws_request": failure.request_id,
                "aws_requests": list(failure.done[len(asked.receipt.requests) :]),
            }
            after = look_after(context, asked.function_arn, role_changed=False)
            _end(context, asked, RequestState.APPLIED, failure.reason, after=after, detail=detail)
        except AwsProblem as problem:
            detail = {"step": "access", "code": problem.code, "aws_request": problem.request_id}
            _end(context, asked, RequestState.APPLIED, entry_advice(problem, "undo"), detail=detail)
        except (
            Exception
        ) as fault:  # one of our own must not leave the request undoing for ever; the caller answers for it
            if trouble(fault):
                raise  # it stays undoing: whoever takes it up, once the file can be used again, reads AWS first
            reason = "Lamplighter itself failed; its log says more. It is safe to undo again."
            _end(context, asked, RequestState.APPLIED, reason)
            raise
        else:  # where this cannot be kept the request stays undoing, and whoever takes it up reads AWS again
            _undone(context, asked, outcome, anew)


def _what_is_there(context: Context, asked: FixRequest) -> tuple[FixRequest, bool]:
    """Another function that was made under the name since is not this fix's to change; the role may be. Whether so."""
    region, account = asked.function_arn.split(":")[3:5]
    by_name = Function(asked.function_arn, account, region, asked.function_name, mode=None)  # memory may think it gone
    with suppress(FunctionGone):
        as_it_is_now(context, context.store.functions.get(asked.function_arn) or by_name)
    made_at = context.store.functions.made_at(asked.function_arn)
    if not (made_at and asked.finished_at and made_at > asked.finished_at):
        return asked, False
    of_role = replace(asked.receipt, mode_before=None, published="", moves=())
    return replace(asked, receipt=of_role), True


def _take_back(context: Context, asked: FixRequest) -> Generator[Reply, None, UndoOutcome]:
    """A fix of another function of the role waits meanwhile: it may need what is about to be taken."""
    _, _, _, region, account, *_ = asked.function_arn.split(":")
    receipt, cloud = asked.receipt, context.cloud
    with context.roles.hold(_role(context, asked) or asked.function_arn):
        writes = cloud.fixer(
            account, region, asked.function_arn, receipt.role, asked.ended_by, needs_of_receipt(receipt)
        )
        with cloud.acting_as(account):
            steps = undoing.undo(
                reads=cloud.clients(region),
                writes=writes,
                function_arn=asked.function_arn,
                receipt=receipt,
                needed_by=lambda: _needed_by(context, asked),
                clock=cloud.patience.clock,
                wait=cloud.patience.wait,
            )
            while True:
                try:
                    step = next(steps)
                except StopIteration as end:
                    outcome: UndoOutcome = end.value
                    return outcome
                context.store.requests.at_step(asked.id, step.text)
                context.store.posts.redraw_showing(asked.id, newest=NEWEST)
                yield Progress(step.text)


def _role(context: Context, asked: FixRequest) -> str | None:
    function = context.store.functions.get(asked.function_arn)
    return asked.receipt.role or (function.role if function else None)


def _needed_by(context: Context, asked: FixRequest) -> str:
    role = asked.receipt.role
    others = [one for one in context.store.functions.of_role(role) if one.arn != asked.function_arn]
    return role_users.needing(
        lambda region: context.cloud.client("lambda", region), role, others, context.cloud.patience
    )


def _undone(context: Context, asked: FixRequest, outcome: UndoOutcome, anew: bool) -> None:
    gone = outcome.after is None
    if gone:
        context.store.functions.mark_gone(asked.function_arn, context.clock())
    else:
        look_after(context, asked.function_arn, role_changed=bool(outcome.detached))
    receipt = asked.receipt
    detail = {
        "detached_policy": outcome.detached,
        "moved_back": [f"{move.name}: {move.after} to {move.before}" for move in receipt.moves],
        "aws_requests": list(outcome.request_ids),
    }
    state, said = (RequestState.RESOLVED, NO_LONGER_EXISTS) if gone else (RequestState.UNDONE, _AS_BEFORE)
    if anew and not gone:
        state, said = RequestState.RESOLVED, NOT_THE_SAME
    elif not gone and receipt.mode_before is None:
        said = ""
    _end(context, asked, state, said, note=outcome.note, after=str(outcome.after or ""), detail=detail)


_KINDS = {
    RequestState.APPLIED: DecisionKind.UNDO_FAILED,
    RequestState.UNDONE: DecisionKind.UNDONE,
    RequestState.RESOLVED: DecisionKind.RESOLVED,
}


def _end(
    context: Context,
    asked: FixRequest,
    state: RequestState,
    outcome: str,
    *,
    note: str = "",
    after: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    store = context.store
    with store.transaction():
        if store.undos.end(asked.id, state, context.clock(), outcome=outcome, note=note):
            _decide.record(
                context,
                _KINDS[state],
                asked.function_arn,
                actor=asked.ended_by,
                request_id=asked.id,
                before="Active" if asked.receipt.mode_before else "",
                after=after,
                reason=f"{outcome} {note}".strip(),
                detail=detail,
            )
        store.posts.redraw_showing(asked.id)

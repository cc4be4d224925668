"""The *Stop* button of a batch: what runs is ended, what has not begun is open again."""

from commands import _decide, _refused
from commands._answers import UNKNOWN_BUTTON
from commands._types import Answer, Context, Request, Say
from commands.views.text import clock_time, count, mention
from storage.fixes import Batch, FixRequest
from storage.models import DecisionKind


def stop(request: Request, context: Context) -> Answer:
    """Answer *Stop*. Whoever may approve for the batch's team may stop it."""
    batch = context.store.batches.with_token(request.value)
    if batch is None:
        yield Say(UNKNOWN_BUTTON)
        return
    permission = context.people.may_approve(request.user, request.workspace, batch.team)
    if not permission.allowed:
        _refused.keep(request, context, _refused.of_batch(batch), permission.why)
        yield Say(f"Nothing was stopped: {permission.why}")
        return
    with context.store.transaction():
        released = context.store.batches.stop(batch.id, request.user, context.clock())
        if released is not None:
            _remember(request, context, batch, released, permission.why)
    if released is None:
        yield Say(_too_late(context.store.batches.get(batch.id)))
    else:
        yield Say(f"Stopped. {count(len(released), 'function')} had not begun and can be approved again.")


def _remember(request: Request, context: Context, batch: Batch, released: list[FixRequest], allowed_by: str) -> None:
    """A row for the batch, and one for each approval that was taken back."""
    detail = {"batch": batch.id, "allowed_by": allowed_by, "released": len(released)}
    for arn, request_id in [("", ""), *((one.function_arn, one.id) for one in released)]:
        _decide.record(
            context,
            DecisionKind.STOPPED,
            arn,
            actor=request.user,
            request=request,
            request_id=request_id,
            detail=detail,
            team=batch.team,
        )
        context.store.posts.redraw_showing(request_id)
    context.store.posts.redraw(batch.post)


def _too_late(batch: Batch) -> str:
    if batch.stopped_at:
        return f"{mention(batch.stopped_by)} stopped it already, at {clock_time(batch.stopped_at)}."
    return "It had ended already: nothing was left to stop."

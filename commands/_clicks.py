"""A click that decides on a request: recorded once, shown wherever the request is, and answered when all is done."""

from collections.abc import Iterable

from commands import _decide
from commands._carry_out import NEWEST
from commands._drawing import item
from commands._history import token_of
from commands._types import Answer, Context, Replace, Reply, Request, Say
from commands.views.functions import card_blocks, item_lines
from storage.fixes import FixRequest
from storage.models import DecisionKind

EVERY = 1_000_000  # messages; more than show one request


def decided(
    request: Request,
    context: Context,
    kind: DecisionKind,
    asked: FixRequest,
    *,
    allowed_by: str,
    reason: str = "",
    newest: int = NEWEST,
) -> None:
    """The click that counts, kept in the transaction in which it was claimed; `newest` messages are drawn again."""
    _decide.record(
        context,
        kind,
        asked.function_arn,
        actor=request.user,
        request=request,
        request_id=asked.id,
        reason=reason,
        detail={"allowed_by": allowed_by},
    )
    posts = context.store.posts
    posts.redraw_showing(asked.id, newest=newest)
    clicked = posts.at(request.channel, request.message)
    if clicked:
        posts.redraw(clicked.id)


def carried(request: Request, context: Context, asked: FixRequest, work: Iterable[Reply]) -> Answer:
    """The work that was decided on, between what the person is shown before and after it."""
    if request.private:
        yield redrawn(context, asked.id)
    yield from work
    if request.private:
        yield redrawn(context, asked.id)
    elif context.store.posts.at(request.channel, request.message) is None:
        # The message that was clicked cannot be drawn again: Slack lost track of it, or will not have it changed.
        yield Say("\n".join(item_lines(item(context, context.store.requests.get(asked.id)))))


def redrawn(context: Context, request_id: str) -> Replace:
    """A private card as it stands now."""
    shown = item(context, context.store.requests.get(request_id))
    history = token_of(context, shown.function.arn) if shown.function else ""
    return Replace(shown.name, tuple(card_blocks(shown, history=history)))

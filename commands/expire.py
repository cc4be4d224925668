"""Every minute: requests that nobody decided on in time end, and before that their approvers are reminded, once.

What is to be done stands in memory and is done by compare-and-set, so that a restart neither repeats nor forgets it.
"""

from collections.abc import Sequence
from datetime import timedelta

from commands import _requests
from commands._types import Answer, Context, Progress, Request
from commands.views.standing import reminder_text
from storage.fixes import FixRequest
from storage.models import PostKind

EXPIRE = "expire"
EVERY = timedelta(minutes=1)
REMIND_BEFORE = timedelta(hours=2)  # or half of the time, where there are less than four hours in all


def expire(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """End requests and undos whose time is over, and remind of those that end soon."""
    ended = _requests.expire_due(context)
    for asked in _to_remind_of(context):
        _remind(context, asked)
    with context.store.transaction():
        for request_id in context.store.requests.end_undo(context.clock()):
            context.store.posts.redraw_showing(request_id)
    if ended:
        yield Progress(f"{ended} requests ran out")


def _to_remind_of(context: Context) -> Sequence[FixRequest]:
    before = min(REMIND_BEFORE, timedelta(hours=context.policy.request_hours) / 2)
    now = context.clock()
    return context.store.requests.to_remind_of(now, now + before)


def _remind(context: Context, asked: FixRequest) -> None:
    """In the thread of the newest message that has its buttons; in the team's channel where there is none."""
    store, now = context.store, context.clock()
    function = store.functions.get(asked.function_arn)
    team = function.team if function else asked.team
    with store.transaction():
        if not store.requests.remind(asked.id, now):
            return
        shown = store.posts.showing(asked.id)
        store.posts.create(
            f"reminder:{asked.id}",
            PostKind.NOTICE,
            shown.channel if shown else context.teams.channel_of(team),
            now,
            team=team,
            text=reminder_text(asked, _requests.who_may_click(context, asked, function)),
            thread=(shown.thread or shown.id) if shown else None,
        )

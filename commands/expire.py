"""Every minute: requests that nobody decided on in time end, and before that their approvers are reminded, once.

What is to be done stands in memory and is done by compare-and-set, so that a restart neither repeats nor forgets it.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from commands import _requests
from commands._types import Answer, Context, Progress, Request
from commands.views.standing import asked_together_text, reminder_text
from storage.fixes import FixRequest
from storage.models import PostKind

EXPIRE = "expire"
EVERY = timedelta(minutes=1)
FEW = 3  # reminders that one person's requests may come to; of more, one tells of all
REMIND_BEFORE = timedelta(hours=2)  # or half of the time, where there are less than four hours in all


def expire(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """End requests and undos whose time is over, and remind of those that end soon."""
    ended = _requests.expire_due(context)
    for together in _by_asker(context, _to_remind_of(context)):
        if len(together) > FEW:
            _remind_of_all(context, together)
        else:
            for asked in together:
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


def _by_asker(context: Context, asked: Sequence[FixRequest]) -> Iterable[Sequence[FixRequest]]:
    """Together: what one person asked for of one team, waiting for the same people."""
    found: dict[tuple[object, ...], list[FixRequest]] = {}
    for one in asked:
        function = context.store.functions.get(one.function_arn)
        whom = _requests.who_may_click(context, one, function)
        found.setdefault((one.asked_by, function.team if function else one.team, whom), []).append(one)
    return found.values()


def _remind_of_all(context: Context, asked: Sequence[FixRequest]) -> None:
    """One message instead of one for each."""
    store, now = context.store, context.clock()
    function = store.functions.get(asked[0].function_arn)
    team = function.team if function else asked[0].team
    with store.transaction():
        reminded = [one for one in asked if store.requests.remind(one.id, now)]
        if reminded:
            store.posts.create(
                f"reminder:{reminded[0].id}",
                PostKind.NOTICE,
                context.teams.channel_of(team),
                now,
                team=team,
                text=asked_together_text(reminded, _requests.who_may_click(context, asked[0], function), again=True),
            )


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

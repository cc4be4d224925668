"""The daily job: audit everything, then tell each owning team which of its functions are untraced."""

from collections.abc import Sequence
from datetime import date, datetime

from commands._types import Answer, Context, Progress, Request
from commands.audit import take_audit
from commands.views.digest import PAGE
from storage.models import Function, Verdict


def daily(request: Request, context: Context) -> Answer:
    """Audit, and leave a digest for each team that has untraced functions; once for a day, however often it is run.

    The digests wait in memory until Slack has them; whoever sends them need not know of this job.
    """
    store = context.store
    day = request.day or request.now.astimezone(context.zone).date()
    if not store.daily_runs.begin(day, context.clock()):
        return
    yield Progress(f"daily audit of {day}")
    taken = take_audit(context, source=request.source)
    teams: list[str | None] = [*store.functions.teams(), None]
    for team in teams:
        untraced = store.functions.of_team(team, Verdict.UNTRACED)
        if untraced:
            post_digest(context, team, untraced, day)
    store.daily_runs.end(day, context.clock())
    yield Progress(f"daily audit of {day}: {taken.functions} functions, {len(taken.not_scanned)} places not fully seen")


def post_digest(context: Context, team: str | None, untraced: Sequence[Function], day: date) -> None:
    """One message for the day, and replies in its thread for what does not fit."""
    store, now = context.store, context.clock()
    with store.transaction():
        requests = [store.requests.open_for(function, "clock", now).id for function in untraced]
        first = _page(context, team, day, 1, requests[:PAGE], None, now)
        if first is None:
            return
        for page, start in enumerate(range(PAGE, len(requests), PAGE), 2):
            _page(context, team, day, page, requests[start : start + PAGE], first, now)


def _page(
    context: Context,
    team: str | None,
    day: date,
    page: int,
    requests: Sequence[str],
    above: int | None,
    now: datetime,
) -> int | None:
    key = f"digest:{team or ''}:{day.isoformat()}:{page}"
    channel = context.teams.channel_of(team)
    post = context.store.posts.create(key, "digest", channel, now, team=team, requests=requests, thread=above)
    return post.id if post else None

"""The daily job: audit everything, then tell each owning team which of its functions are untraced."""

from collections.abc import Sequence
from datetime import date, datetime

from commands import _requests
from commands._audits import take_audit
from commands._types import Answer, Context, Progress, Request
from commands.views.digest import PAGE
from commands.views.text import clip, prose
from storage.models import ORGANIZATION, Audit, Function, PostKind, Verdict

DAILY = "daily"


class NothingSeen(Exception):
    """An audit in which every account refused or was silent: to be made again, not to be taken for an empty cloud."""


def daily(request: Request, context: Context) -> Answer:
    """Audit, and leave a digest for each team that has untraced functions; once for a day, however often it is run.

    The digests wait in memory until Slack has them; whoever sends them need not know of this job.
    """
    store = context.store
    day = request.day or request.now.astimezone(context.zone).date()
    if not store.daily_runs.begin(DAILY, day, context.clock()):
        return
    yield Progress(f"daily audit of {day}")
    taken = take_audit(context, source=request.source)
    if not taken.functions and _places_seen(taken) <= 0:
        raise NothingSeen(f"no account could be read, the first because: {taken.not_scanned[0].reason}")
    if taken.not_scanned:
        _tell_what_was_not_seen(context, taken, day)
    _requests.expire_due(context)  # a message of today is not to show what is over
    teams: list[str | None] = [*store.functions.teams(), None]
    for team in teams:
        untraced = store.functions.of_team(team, Verdict.UNTRACED)
        if untraced:
            post_digest(context, team, untraced, day)
    store.daily_runs.end(DAILY, day, context.clock())
    yield Progress(f"daily audit of {day}: {taken.functions} functions, {len(taken.not_scanned)} places not fully seen")


def _places_seen(taken: Audit) -> int:
    """How many accounts' regions were seen whole."""
    dark = {row.account for row in taken.not_scanned if not row.region and row.account != ORGANIZATION}
    dim = {(row.account, row.region) for row in taken.not_scanned if row.region and row.account not in dark}
    return (taken.accounts - len(dark)) * taken.regions - len(dim)


def _tell_what_was_not_seen(context: Context, taken: Audit, day: date) -> None:
    """Once a day, in the fallback channel; whoever runs Lamplighter reads that one."""
    places = [(f"{one.account} {one.region}".strip(), one.reason) for one in taken.not_scanned[:10]]
    shown = [f"• {prose(f'{where}: {reason}')}" for where, reason in places]
    more = [f"and {len(taken.not_scanned) - 10:,} more"] if len(taken.not_scanned) > 10 else []
    text = "\n".join(["Today's audit could not see everything; coverage is of what it saw.", *shown, *more])
    channel = context.teams.fallback_channel
    context.store.posts.create(f"notice:unseen:{day}", PostKind.NOTICE, channel, context.clock(), text=clip(text, 3000))


def post_digest(context: Context, team: str | None, untraced: Sequence[Function], day: date) -> None:
    """One message for the day, and replies in its thread for what does not fit."""
    store, now = context.store, context.clock()
    with store.transaction():
        requests = [store.requests.open_for(function, now).id for function in untraced]
        for request in requests:
            store.requests.forget_plan(request)
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
    post = context.store.posts.create(
        key, PostKind.DIGEST, channel, now, team=team, requests=requests, page=page, thread=above
    )
    return post.id if post else None

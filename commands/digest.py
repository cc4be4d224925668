"""The daily job: audit everything once a day, then see to each team's digest at the team's own hour."""

import logging
from collections.abc import Iterator
from datetime import date, datetime

from commands import _requests
from commands._audits import take_audit
from commands._forecasts import forecast_due
from commands._renamed import follow_names
from commands._schedule import Slot
from commands._telling import Day, tell
from commands._types import Answer, Context, Progress, Request
from commands.views.text import clip, prose
from storage.models import ORGANIZATION, Audit, PostKind

log = logging.getLogger(__name__)

DAILY = "daily"
AUDIT = "audit"  # the same as the teams without an hour of their own, where no team's hour comes before theirs


class NothingSeen(Exception):
    """An audit in which every account refused or was silent: to be made again, not to be taken for an empty cloud."""


def job_of(slot: Slot, general: Slot) -> str:
    """The name under which a slot's runs are remembered."""
    return DAILY if slot == general else f"{DAILY} {slot}"


def daily(request: Request, context: Context) -> Answer:
    """See to the digests of the slot's teams, once for a day, however often it is run; the day's first slot audits.

    The digests wait in memory until Slack has them; whoever sends them need not know of this job.
    """
    general = context.schedule.general.slot
    slot = request.slot or general
    day = request.day or request.now.astimezone(slot.zone).date()
    job = job_of(slot, general)
    with context.in_hand.hold(DAILY):  # two slots of one moment share an audit
        if not context.store.daily_runs.begin(job, day, context.clock()):
            return
        yield Progress(f"{job} of {day}")
        due = datetime.combine(day, slot.at, slot.zone)
        audited_on = due.astimezone(general.zone).date()
        taken = _audited(request, context, audited_on)
        yield Progress(_forecast(context))
        _requests.expire_due(context)  # a message of today is not to show what is over
        follow_names(context)
        seen = Day.of(context, taken, day, due)
        for team in _teams(context, slot):
            tell(context, team, seen)
        context.store.daily_runs.end(job, day, context.clock())
    yield Progress(f"{job} of {day}: {taken.functions} functions, {len(taken.not_scanned)} places not fully seen")


def _forecast(context: Context) -> str:
    try:
        return forecast_due(context).text
    except Exception as problem:  # digests say what is known, and do not wait for what tracing would cost
        log.exception("the traffic of functions could not be looked at")
        return f"forecasts: none made, for {type(problem).__name__} was not foreseen"


def _teams(context: Context, slot: Slot) -> Iterator[str | None]:
    """Those that are told at this hour; also those that had functions once, for their message is to say so."""
    store, schedule = context.store, context.schedule
    for team in [*dict.fromkeys([*store.functions.teams(), *store.digests.teams()]), None]:
        if schedule.of_team(team).slot == slot:
            yield team


def _audited(request: Request, context: Context, day: date) -> Audit:
    """The day's audit: made now, or by the slot that was first. Raises NothingSeen."""
    store = context.store
    if not store.daily_runs.begin(AUDIT, day, context.clock()):
        known = store.audits.latest()
        if known:
            return known
    taken = take_audit(context, source=request.source)
    if not taken.functions and _places_seen(taken) <= 0:
        raise NothingSeen(f"no account could be read, the first because: {taken.not_scanned[0].reason}")
    if taken.not_scanned:
        _tell_what_was_not_seen(context, taken, day)
    store.daily_runs.end(AUDIT, day, context.clock())
    return taken


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

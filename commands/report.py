"""`/trace-report`, its button, and the weekly post: the figures of a window of time, for one team or for all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from commands import evidence, incidents, spend, usage
from commands._report_posts import FORGOTTEN, post_report
from commands._reports import DAYS, FEWEST, MOST, UnknownTeam, known_teams, make_report, team_of
from commands._types import Answer, Context, Progress, Replace, Request, Say
from commands.digest import AUDIT, DAILY
from commands.views import charts
from commands.views.chart_data import charts_of
from commands.views.report import SHARE, Extras, report_blocks, report_text
from commands.views.text import channel, clip, code, mention

__all__ = ["EVERY", "SHARE", "WEEKLY", "report", "share", "weekly"]

WEEKLY = "weekly-report"
EVERY = timedelta(seconds=10)  # a question to memory alone, so that the report follows soon on what it waits for
KEPT = timedelta(days=7)  # so long a report may be shared that nobody has shared
USAGE = "Write days from `7d` to `365d` or weeks from `1w` to `52w`, as in `/trace-report payments 30d`."
_WINDOW = re.compile(r"(\d{1,4})([dw])", re.IGNORECASE)
_LIKE_A_WINDOW = re.compile(r"[-+]?\d+([.,]\d+)?[a-z]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for; `wrong` says what cannot be meant."""

    team: str = ""
    days: int = DAYS
    wrong: str = ""

    @classmethod
    def read(cls, text: str, is_team: Callable[[str], bool] = lambda _: False) -> "Wanted":
        """A team, a window, both in either order, or neither. `is_team`: one may be called 2fa."""
        words = text.split()
        windows = [word for word in words if _LIKE_A_WINDOW.fullmatch(word) and not is_team(word)]
        team = " ".join(word for word in words if word not in windows)
        if not windows:
            return cls(team)
        if len(windows) > 1:
            both = " and ".join(code(clip(one, 20)) for one in windows[:2])
            return cls(team, wrong=f"There is more than one window in that: {both}.")
        found = _WINDOW.fullmatch(windows[0])
        days = int(found[1]) * (7 if found[2].lower() == "w" else 1) if found else 0
        if not FEWEST <= days <= MOST:
            return cls(team, wrong=f"{code(clip(windows[0], 20))} is no window of time.")
        return cls(team, days)


def report(request: Request, context: Context) -> Answer:
    """Answer `/trace-report [team] [30d]`, from memory alone, and hand over what asks for evidence."""
    if evidence.asks_for_it(request.text, context):
        yield from evidence.evidence(request, context)
        return
    wanted = Wanted.read(request.text, lambda word: context.teams.named(word) in known_teams(context))
    if wanted.wrong:
        yield Say(f"{wanted.wrong} {USAGE}")
        return
    team = team_of(context, wanted.team) if wanted.team else None
    if isinstance(team, UnknownTeam):
        yield Say(team.text)
        return
    if context.store.audits.latest() is None:
        yield Say("No audit has been taken yet, so that there is nothing to report. `/trace-audit` takes one now.")
        return
    yield Progress(f"Working out the figures of {wanted.days} days…")
    made = make_report(context, wanted.days, team)
    report_id = context.store.reports.add(made, context.clock())
    extras = Extras(share=report_id, can_draw=charts.can_draw() or not charts_of(made))
    yield Say(report_text(made), tuple(report_blocks(made, extras)))


def share(request: Request, context: Context) -> Answer:
    """Answer *Post it here*: the same figures for everybody in the channel, with pictures and a CSV file."""
    made = context.store.reports.get(request.value)
    if made is None:
        yield Say(FORGOTTEN)
        return
    if request.channel.startswith("D"):
        yield Say("A report is posted in a channel, and this is a direct message. Type `/trace-report` in a channel.")
        return
    key = f"report:{request.value}:{request.channel}"
    if not post_report(context, request.value, key, request.channel, shared_by=mention(request.user)):
        yield Say("This report was posted here already.")
        return
    if request.private:
        yield Replace(report_text(made), tuple(report_blocks(made)))
    fallback = channel(context.teams.fallback_channel)
    yield Say(f"Posting it here. Where I am no member of this channel, it goes to {fallback}.")


def weekly(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Post the week's report of all teams, once; what that day has yet to read goes first, if it comes in time."""
    store, rules = context.store, context.reporting
    now = context.clock()
    local = now.astimezone(context.zone)
    day = rules.due(local)
    if day is None or store.daily_runs.ended(WEEKLY, day) or store.audits.latest() is None:
        return
    if rules.may_wait(local) and _reads_are_pending(context, day):
        return
    store.reports.forget(now - KEPT)
    made = make_report(context, DAYS, None)
    with store.transaction():
        if not store.daily_runs.begin(WEEKLY, day, now):
            return
        where = rules.channel or context.teams.fallback_channel
        post_report(context, store.reports.add(made, now), f"report:weekly:{day}", where)
        store.daily_runs.end(WEEKLY, day, now)
    yield Progress(f"the weekly report of {day} waits to be posted")


def _reads_are_pending(context: Context, day: date) -> bool:
    """Whether the day's audit is to end, or the forecasts made with it, or what costs and incidents are read from."""
    if not context.store.daily_runs.ended(AUDIT, day) or context.in_hand.held(DAILY):
        return True
    return spend.pending(context) or incidents.pending(context) or usage.pending(context)

"""Making a report: the figures of the days that end today, with no more of each trend than can be drawn or read."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from commands._figures import figures
from commands._types import Context
from commands.views.text import clip, code
from storage.kpis import Day, Figures, Spent, TeamFigures, Window

DAYS = 30
FEWEST, MOST = 7, 365
POINTS = 62  # of a trend: two months by day, a year by week
MONTHS_BEFORE = timedelta(days=155)  # of bills, so that a month is seen beside others
NEAREST = 3


def make_report(context: Context, days: int, team: str | None) -> Figures:
    """From memory alone."""
    window = last_days(context.clock(), days)
    made = figures(context, window, team)
    ends = [one.trend[-1].on for one in (made.whole, *made.by_team.values()) if one.trend]
    newest = max(ends, default=window.last)
    by_team = {name: _fewer(one, newest) for name, one in made.by_team.items()}
    return replace(
        made,
        whole=_fewer(made.whole, newest),
        by_team=by_team,
        earlier=_earlier(context, made),
    )


def last_days(now: datetime, days: int) -> Window:
    """So many dates, today as far as it goes: what a window is said to be is what it is."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return Window(today - timedelta(days=days - 1), now)


def _earlier(context: Context, made: Figures) -> tuple[Spent, ...]:
    """Months before those that the window touches."""
    first = made.window.first.replace(day=1)
    known = context.store.spend.months((made.window.since - MONTHS_BEFORE).date())
    return tuple(one for one in known if one.month < first)


def _fewer(one: TeamFigures, newest: date) -> TeamFigures:
    return replace(one, trend=fewer(one.trend, newest))


def fewer(trend: Sequence[Day], newest: date) -> tuple[Day, ...]:
    """By week, counted back from `newest`, so that all teams keep the same days; all of it where it is short."""
    if len(trend) <= POINTS:
        return tuple(trend)
    return tuple(day for day in trend if (newest - day.on).days % 7 == 0)


@dataclass(frozen=True, slots=True)
class UnknownTeam:
    """A team of which nothing is known, and those that may be meant."""

    said: str
    near: tuple[str, ...]

    @property
    def text(self) -> str:
        meant = f" Did you mean {' or '.join(code(one) for one in self.near)}?" if self.near else ""
        return f"No function is of a team {code(clip(self.said, 60))}.{meant} `/trace-owners` lists the teams."


def team_of(context: Context, said: str) -> str | UnknownTeam:
    """The team that is meant: one that has functions, or had some when it was last told."""
    team, known = context.teams.named(said), known_teams(context)
    return team if team in known else UnknownTeam(said, tuple(difflib.get_close_matches(team, sorted(known), NEAREST)))


def known_teams(context: Context) -> set[str]:
    return {*context.store.functions.teams(), *filter(None, context.store.digests.teams())}

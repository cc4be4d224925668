"""What a report's pictures show, and the same in words for who cannot see them. Draws nothing: charts.py does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from commands.views.amounts import dollars, points, share, span
from commands.views.text import HIDDEN, clip
from storage.kpis import Day, Figures, TeamFigures
from storage.models import Coverage

TEAMS = 7  # that have a picture of their own; of more, the rest are taken together
MONTHS = 6
ALT_LIMIT = 1000  # Slack's for a file
NAME_LIMIT = 60  # of a team in an alt text
NO_TEAM = "no known team"
NO_TEAM_IN_SHORT = "no team"  # as a picture has room for it


@dataclass(frozen=True, slots=True)
class Line:
    """Coverage over time of a team, or of several: percentages by day, oldest first; never without any."""

    name: str
    points: tuple[tuple[date, float], ...]

    @property
    def last(self) -> float:
        return self.points[-1][1]

    @property
    def change(self) -> float | None:
        """In percentage points, from the first day to the last; None with one day alone."""
        return round(self.last - self.points[0][1], 1) if len(self.points) > 1 else None


@dataclass(frozen=True, slots=True)
class CoverageChart:
    """`whole` is of all teams together, or of the one that the report is of; `teams` has most untraced first."""

    whole: Line
    teams: tuple[Line, ...]
    since: date
    until: date

    name = "coverage"

    @property
    def title(self) -> str:
        return "Tracing coverage by team" if self.teams else "Tracing coverage"

    @property
    def alt(self) -> str:
        """With the numbers of both ends of each line."""
        lines = [_in_words(one) for one in (self.whole, *self.teams)]
        kind = "line charts" if self.teams else "a line chart"
        return clip(f"{self.title}, {span(self.since, self.until)}, {kind}. {'; '.join(lines)}.", ALT_LIMIT)


@dataclass(frozen=True, slots=True)
class Bar:
    """What X-Ray cost in a month; an estimate where its bill is not final."""

    month: date
    usd: Decimal
    estimated: bool


@dataclass(frozen=True, slots=True)
class CostChart:
    bars: tuple[Bar, ...]  # oldest first; never none
    budget: Decimal | None
    current: date  # the month that is not over when the report is made

    name = "cost"

    @property
    def title(self) -> str:
        return "X-Ray cost by month" if self.budget is None else "X-Ray cost against the budget"

    def mark(self, bar: Bar) -> str:
        """What is to be known of a bar beside its amount."""
        return "" if not bar.estimated else "so far" if bar.month >= self.current else "est."

    @property
    def alt(self) -> str:
        said = [f"{one.month:%B %Y} {dollars(one.usd)}{_note(self.mark(one))}" for one in self.bars]
        budget = f" The budget is {dollars(self.budget)} a month." if self.budget is not None else ""
        return clip(f"{self.title}, of all accounts, a bar chart. {', '.join(said)}.{budget}", ALT_LIMIT)


Chart = CoverageChart | CostChart


def charts_of(figures: Figures) -> tuple[Chart, ...]:
    """Those for which there is anything to draw."""
    return tuple(one for one in (coverage_chart(figures), cost_chart(figures)) if one)


def coverage_chart(figures: Figures) -> CoverageChart | None:
    """None where no audit of the window saw anything that could be traced."""
    whole = _line(figures.team or "All teams", figures.whole.trend)
    if whole is None:
        return None
    teams = _teams(figures.by_team) if figures.team is None and len(figures.by_team) > 1 else []
    days = [on for line in (whole, *teams) for on, _ in line.points]
    return CoverageChart(whole, tuple(teams), min(days), max(days))


def cost_chart(figures: Figures) -> CostChart | None:
    """None where no bill is known."""
    bars = tuple(Bar(one.month, one.xray_usd, one.estimated) for one in (*figures.earlier, *figures.spent)[-MONTHS:])
    return CostChart(bars, figures.budget_usd, figures.made_at.date().replace(day=1)) if bars else None


def worst_first(by_team: Mapping[str | None, TeamFigures]) -> list[tuple[str | None, TeamFigures]]:
    """Most untraced functions first, and by name where there are as many."""
    return sorted(by_team.items(), key=lambda pair: (-pair[1].coverage.untraced, pair[0] is None, pair[0] or ""))


def _teams(by_team: Mapping[str | None, TeamFigures]) -> list[Line]:
    lines = [(name, _line(name or NO_TEAM_IN_SHORT, one.trend), one.trend) for name, one in worst_first(by_team)]
    known = [(line, trend) for _, line, trend in lines if line]
    shown, rest = (known, []) if len(known) <= TEAMS + 1 else (known[:TEAMS], known[TEAMS:])
    others = _line(f"{len(rest)} other teams", _together(trend for _, trend in rest))
    return [line for line, _ in shown] + ([others] if others else [])


def _together(trends: Iterable[Sequence[Day]]) -> list[Day]:
    by_day: dict[date, list[Coverage]] = {}
    for trend in trends:
        for one in trend:
            by_day.setdefault(one.on, []).append(one.coverage)
    return [Day(on, Coverage.sum(found)) for on, found in sorted(by_day.items())]


def _line(name: str, trend: Iterable[Day]) -> Line | None:
    known = tuple((one.on, one.coverage.percent) for one in trend if one.coverage.percent is not None)
    return Line(HIDDEN.sub("", " ".join(name.split())) or "?", known) if known else None


def _in_words(line: Line) -> str:
    name = clip(line.name, NAME_LIMIT)
    if line.change is None:
        return f"{name}: {share(line.last)}"
    return f"{name}: from {share(line.points[0][1])} to {share(line.last)} ({points(line.change)})"


def _note(mark: str) -> str:
    return f" ({mark})" if mark else ""

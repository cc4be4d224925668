"""What the figures of a report are made of; how each is worked out stands in the README, and in each one's comment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from storage.forecast_checks import ForecastErrors
from storage.models import Coverage


@dataclass(frozen=True, slots=True)
class Window:
    """The days that a figure is of: [since, until), UTC."""

    since: datetime
    until: datetime

    @property
    def first(self) -> date:
        return self.since.astimezone(UTC).date()

    @property
    def last(self) -> date:
        return max(self.first, (self.until.astimezone(UTC) - timedelta(microseconds=1)).date())

    @property
    def days(self) -> int:
        """Dates that it touches."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Median:
    """Of durations that ended in the window; those that go on are counted and left out."""

    seconds: float | None  # None: there is none
    n: int = 0
    going_on: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """Coverage as one day left it."""

    on: date  # UTC
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class TeamFigures:
    """One team's part of the whole; the sums over all teams, None included, are the whole's."""

    coverage: Coverage  # of production functions, as the window's end left it
    before: Coverage | None  # as its start left it; None: no audit was taken by then
    # One for each day with an audit, oldest first; beside other teams, in a window of more than 100 days, one a week.
    trend: tuple[Day, ...] = ()
    traces: float = 0.0  # its traced functions' share of what the organization records, in traces a month
    # What X-Ray cost, shared out by the traces of each month; the whole's has what no team's share can be told of too.
    xray_usd: Decimal | None = None  # None: the cost is not known, or nobody's share
    lambda_usd: Decimal | None = None  # what its functions cost, shared out by GB-seconds


@dataclass(frozen=True, slots=True)
class Spent:
    """What AWS billed in a month, as Cost Explorer had it."""

    month: date  # its first day
    xray_usd: Decimal  # the usage types of Transaction Search included
    lambda_usd: Decimal
    asked_at: datetime
    estimated: bool  # the month is not over, or its bill not final

    @property
    def share(self) -> Decimal | None:
        """X-Ray's cost as a share of Lambda's, 0 to 1 and beyond; None where Lambda cost nothing, or less."""
        return self.xray_usd / self.lambda_usd if self.lambda_usd > 0 else None


@dataclass(frozen=True, slots=True)
class Driver:
    """What a team's functions, or one of them, cost of a bill."""

    team: str | None
    usd: Decimal
    function_arn: str = ""  # "": the team's functions together


@dataclass(frozen=True, slots=True)
class Drivers:
    """Who makes X-Ray cost what it did in a month so far, dearest first; shared out as in a report."""

    teams: tuple[Driver, ...] = ()
    functions: tuple[Driver, ...] = ()
    others: Decimal = Decimal(0)  # of teams that are not named
    open: Decimal = Decimal(0)  # that nobody's share can be told of
    why: str = ""  # sentences: why that is so, or why nothing is known


@dataclass(frozen=True, slots=True)
class Attribution:
    """Of what Lambda cost, how much belongs to functions whose team is known; shared out by GB-seconds."""

    known: float  # 0.0 to 1.0
    how: str  # for people: what it was shared out by, and from when to when


@dataclass(frozen=True, slots=True)
class Figures:
    """A report, of one team or of all. What could not be known is None, and `unknown` says why by field."""

    team: str | None  # None: of all teams
    window: Window
    made_at: datetime
    whole: TeamFigures
    by_team: Mapping[str | None, TeamFigures]  # None: functions of no known team; of one team's report, that one alone
    production_only: bool  # False: nothing says what production is, so that all functions count
    remediation: Median  # from when a function was first seen untraced to when it was seen traced
    mttr_traced: Median | None  # from ALARM to OK, of alarms on functions that were traced when it began
    mttr_untraced: Median | None
    attribution: Attribution | None
    spent: tuple[Spent, ...]  # oldest first
    budget_usd: Decimal | None
    unknown: Mapping[str, str]  # a sentence for each of the fields that are not known
    earlier: tuple[Spent, ...] = ()  # the months before those of `spent`, to compare with; oldest first
    forecasts: ForecastErrors | None = None  # how those of fixed functions did; None: made before that was looked at
    not_seen: int = 0  # accounts and regions that the last audit could not see
    # What X-Ray cost and no team's share can be told of; with the teams' it is the bill. None: it is not shared out.
    open_usd: Decimal | None = None

"""The figures of a report, of one team or of all, from memory alone; how each is worked out stands in the README."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from statistics import median

from commands._chargeback import Money, money
from commands._forecast_errors import forecast_errors
from commands._mttr import mttr
from commands._types import Context
from storage.kpis import Attribution, Day, Figures, Median, TeamFigures, Window
from storage.measures import Counted
from storage.models import Coverage

NOW = timedelta(hours=1)  # a window that ended within it ends now: what was fixed since the last audit counts
DAILY = 100  # in a longer window, each team's trend has a day of each week: nobody reads more of 500 teams
NO_MONEY = Decimal("0.00")
NOT_THEN = "Nothing said at that time which functions are in production."

Team = str | None


@dataclass(frozen=True, slots=True)
class _Covered:
    """Coverage by team as the window's end and its start left it, and day by day."""

    at_end: Mapping[Team, Coverage]
    before: Mapping[Team, Coverage] | None
    days: Mapping[Team, tuple[Day, ...]]
    together: tuple[Day, ...]
    not_seen: int


def figures(context: Context, window: Window, team: str | None) -> Figures:
    """`team`: None for all of them, and those of no known team."""
    rule = context.policy.production
    counts = Counted(rule.counts, by_name=bool(rule.names)) if rule else None
    unknown: dict[str, str] = {}
    covered = _covered(context, window, team, counts, unknown)
    spent = money(context, window)
    incidents = mttr(context, window, team, counts)
    if incidents.unknown:
        names = ("incidents",) if incidents.traced else ("mttr_traced", "mttr_untraced")
        unknown |= dict.fromkeys(names, incidents.unknown)
    unknown |= spent.unknown
    by_team = {one: _of_team(one, covered, spent) for one in _teams(covered, spent, team)}
    whole = by_team[team] if team is not None else _whole(by_team.values(), covered, spent)
    return Figures(
        team=team,
        window=window,
        made_at=context.clock(),
        whole=whole,
        by_team=by_team,
        production_only=counts is not None,
        remediation=_remediation(context, window, team, counts, whole.coverage.untraced),
        mttr_traced=incidents.traced,
        mttr_untraced=incidents.untraced,
        attribution=_of_all(spent.attribution) if team is not None else spent.attribution,
        spent=spent.spent,
        budget_usd=context.budget.monthly_usd,
        unknown=unknown,
        forecasts=forecast_errors(context, window, team),
        not_seen=covered.not_seen,
        open_usd=spent.open_usd,
    )


def _covered(context: Context, window: Window, team: Team, counts: Counted | None, unknown: dict[str, str]) -> _Covered:
    measures, production = context.store.measures, counts is not None
    last, first = measures.audit_before(window.until), measures.audit_before(window.since)
    latest = context.store.audits.latest_start()
    at_end: Mapping[Team, Coverage] | None = None
    if latest and context.clock() <= window.until + NOW:
        at_end = measures.coverage_now(latest, counts)
    elif last:
        at_end = measures.coverage_of(last, production=production)
    if at_end is None:
        unknown["coverage"] = NOT_THEN if last else "no audit had been taken by then."
    before = measures.coverage_of(first, production=production) if first else None
    if before is None:
        unknown["before"] = NOT_THEN if first else "no audit had been taken when the window began."
    weekly = team is None and window.days > DAILY
    return _Covered(
        at_end or {},
        before,
        measures.days(window.since, window.until, team, production=production, weekly=weekly),
        measures.days_together(window.since, window.until, team, production=production),
        measures.not_seen(last) if last else 0,
    )


def _teams(covered: _Covered, spent: Money, team: Team) -> list[Team]:
    """By name, functions of no known team last; of one team's report, that one."""
    if team is not None:
        return [team]
    named = {*covered.at_end, *(covered.before or ()), *covered.days, *spent.traces}
    named |= {*(spent.xray_usd or ()), *(spent.lambda_usd or ())}
    return sorted(named, key=lambda one: (one is None, one or ""))


def _of_team(team: Team, covered: _Covered, spent: Money) -> TeamFigures:
    return TeamFigures(
        coverage=covered.at_end.get(team, Coverage()),
        before=None if covered.before is None else covered.before.get(team, Coverage()),
        trend=covered.days.get(team, ()),
        traces=spent.traces.get(team, 0.0),
        xray_usd=None if spent.xray_usd is None else spent.xray_usd.get(team, NO_MONEY),
        lambda_usd=None if spent.lambda_usd is None else spent.lambda_usd.get(team, NO_MONEY),
    )


def _whole(parts: Collection[TeamFigures], covered: _Covered, spent: Money) -> TeamFigures:
    return TeamFigures(
        coverage=Coverage.sum(one.coverage for one in parts),
        before=None if covered.before is None else Coverage.sum(covered.before.values()),
        trend=covered.together,
        traces=sum(one.traces for one in parts),
        xray_usd=None if spent.xray_usd is None else sum(spent.xray_usd.values(), spent.open_usd or NO_MONEY),
        lambda_usd=None if spent.lambda_usd is None else sum(spent.lambda_usd.values(), NO_MONEY),
    )


def _of_all(told: Attribution | None) -> Attribution | None:
    """A part of one team's cost whose team is known would be all of it."""
    return replace(told, how=f"{told.how}; of all teams together") if told else None


def _remediation(context: Context, window: Window, team: Team, counts: Counted | None, going_on: int) -> Median:
    """From first seen untraced, or untraced again, to traced. Time under an exemption counts too."""
    took = [
        (one.traced_at - one.untraced_at).total_seconds()
        for one in context.store.measures.remediated(window.since, window.until, counts)
        if team in (None, one.team)
    ]
    return Median(median(took) if took else None, len(took), going_on)

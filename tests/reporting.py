"""Figures of a report, made by hand: six teams and functions of none, a month of audits, half a year of bills."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from commands._reports import last_days
from storage.kpis import Attribution, Day, Figures, Median, Spent, TeamFigures
from storage.models import Coverage

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
NAMES = ("payments", "checkout", "search", "identity", "data-platform", "mobile-bff", "fraud", "loyalty", "logistics")
BILLS = (
    *((6, "21.40", "902.10"), (7, "24.85", "911.77"), (8, "31.02", "940.00")),
    *((9, "29.70", "925.18"), (10, "44.16", "981.33"), (11, "38.21", "744.02")),
)


def coverage(whole: int, traced: int, exempt: int = 0, unknown: int = 0) -> Coverage:
    return Coverage(traced, whole - traced - exempt, exempt, 0, unknown)


def team(number: int, days: int = 30, until: date = TODAY) -> TeamFigures:
    """Each begins and ends elsewhere; some get worse."""
    whole, first = 20 + 17 * number % 71, (number * 29) % 60 / 100
    gain = (0.35, 0.12, -0.08, 0.5, 0.0, 0.22)[number % 6]
    trend = []
    for at in range(days):
        share = min(1.0, max(0.0, first + gain * at / max(1, days - 1)))
        trend.append(Day(until - timedelta(days=days - 1 - at), coverage(whole, round(whole * share), number % 3)))
    traces = 1000.0 * (number + 1)
    return TeamFigures(
        trend[-1].coverage, trend[0].coverage, tuple(trend), traces, Decimal(number) + Decimal("0.21"), Decimal(40)
    )


def summed(of: Mapping[str | None, TeamFigures]) -> TeamFigures:
    by_day: dict[date, list[Coverage]] = {}
    for one in of.values():
        for each in one.trend:
            by_day.setdefault(each.on, []).append(each.coverage)
    trend = tuple(Day(on, Coverage.sum(found)) for on, found in sorted(by_day.items()))
    usd = sum((one.xray_usd or Decimal(0) for one in of.values()), Decimal(0))
    traces = sum(one.traces for one in of.values())
    return TeamFigures(trend[-1].coverage, trend[0].coverage, trend, traces, usd, Decimal(400))


def spent(estimated_until: date = date(2026, 11, 1)) -> tuple[Spent, ...]:
    return tuple(
        Spent(date(2026, month, 1), Decimal(xray), Decimal(bill), NOON, date(2026, month, 1) >= estimated_until)
        for month, xray, bill in BILLS
    )


def figures(teams: int = 8, days: int = 30, **given: Any) -> Figures:
    names = [NAMES[at] if at < len(NAMES) else f"team-{at:03}" for at in range(teams)]
    by_team: dict[str | None, TeamFigures] = {name: team(at, days) for at, name in enumerate(names)}
    by_team[None] = team(3, days)
    facts: dict[str, Any] = {
        "team": None,
        "window": last_days(NOON, days),
        "made_at": NOON,
        "whole": summed(by_team),
        "by_team": by_team,
        "production_only": True,
        "remediation": Median(3.2 * 86400, 41, 112),
        "mttr_traced": Median(34 * 60.0, 12, 1),
        "mttr_untraced": Median(71 * 60.0, 9, 0),
        "attribution": Attribution(0.923, "by GB-seconds, 24 Oct to 23 Nov"),
        "spent": spent()[-2:],
        "earlier": spent()[:-2],
        "budget_usd": Decimal(50),
        "unknown": {},
        "not_seen": 1,
    }
    return Figures(**facts | given)


def unknown_figures() -> Figures:
    """As on a first day, with nothing but an audit."""
    now = TeamFigures(coverage(4, 1), None, (Day(NOON.date(), coverage(4, 1)),))
    reasons = {
        "before": "no audit had been taken when the window began.",
        "xray_usd": "Cost Explorer is turned off in lamplighter.toml: [spend] accounts.",
        "mttr_traced": "CloudWatch was not asked for alarms yet.",
        "mttr_untraced": "CloudWatch was not asked for alarms yet.",
        "attribution": "Cost Explorer was not asked yet.",
        "spent": "Cost Explorer is turned off in lamplighter.toml: [spend] accounts.",
        "budget_usd": "No budget is set: [budget] monthly_usd.",
    }
    return figures(
        whole=now,
        by_team={"payments": now},
        production_only=False,
        remediation=Median(None),
        mttr_traced=None,
        mttr_untraced=None,
        attribution=None,
        spent=(),
        earlier=(),
        budget_usd=None,
        unknown=reasons,
        not_seen=0,
    )

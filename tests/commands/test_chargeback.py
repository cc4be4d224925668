"""What is billed is shared out whole: months that cost nothing, bills that come in meanwhile, months that are kept."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from commands._figures import figures
from commands._forecast_rules import ForecastRules
from commands._xray_shares import drivers, keep_shares
from commands.views.report import report_blocks
from commands.views.report_csv import report_csv
from storage.forecasts import Forecast, Range
from storage.kpis import Figures, Window
from storage.models import Function, Verdict
from storage.spend import Bill, Billed
from tests.commands.conftest import HOME, NOON, OTHER, HandClock

DAY = timedelta(days=1)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


def made(context, days: float = 7, team: str | None = None) -> Figures:
    end = context.clock()
    return figures(context, Window(end - days * DAY, end), team)


def billed(context, *bills: tuple[str, str], month: date = NOVEMBER) -> None:
    kept = [Bill(month, account, Billed.XRAY, Decimal(usd)) for account, usd in bills]
    context.store.spend.save(kept, NOON, {month: True})


def recording(context, function: Function, traces: float) -> None:
    known = Range(traces, traces, traces)
    context.store.forecasts.save([Forecast(function.arn, NOON, NOON - 14 * DAY, NOON, 3600, int(traces), known)])


@pytest.fixture
def lit(context, clock: HandClock, remembered: Callable[..., Function]) -> Function:
    """Traced since October began; now it is November."""
    clock.now = datetime(2026, 10, 1, tzinfo=UTC)
    one = remembered("lit", verdict=Verdict.TRACED)
    recording(context, one, 900)
    clock.now = NOON
    return one


def rows(found: Figures, figure: str) -> dict[str, dict[str, str]]:
    told = csv.DictReader(io.StringIO(report_csv(found)))
    return {row["team"]: row for row in told if row["figure"] == figure}


@pytest.mark.parametrize("bills", [(), ((HOME, "0"),), ((OTHER, "0"),)], ids=["no bill", "free tier", "other account"])
def test_of_a_month_that_cost_nothing_every_team_cost_nothing(context, lit, bills):
    """Within the free tier, or where nobody is billed: that is known, and no reason is missing."""
    billed(context, *bills)

    found = made(context)

    assert found.by_team["payments"].xray_usd == found.whole.xray_usd == found.open_usd == 0
    assert "xray_usd" not in found.unknown
    assert all(found.unknown.values()), "each reason says something"
    assert rows(found, "X-Ray cost, shared out")["payments"]["value"] == "0.00"
    assert "X-Ray about $0.00" in str(report_blocks(found))


def test_where_forecasts_are_switched_off_it_is_not_said_that_they_are_to_come(context, remembered):
    billed(context, (HOME, "10"))
    off = replace(context, forecasting=ForecastRules(enabled=False))

    found = made(off)

    assert found.unknown["xray_usd"] == (
        "How many traces each function records is not known: [forecast] enabled is false."
    )
    assert drivers(off, context.store.spend.billed(NOVEMBER)[0], 5).why == found.unknown["xray_usd"]


def test_a_bill_that_comes_in_while_the_report_is_made_is_in_all_of_it_or_in_none(context, clock, lit):
    billed(context, (HOME, "10"))

    def newer() -> None:
        clock.asked = lambda: None
        billed(context, (HOME, "30"), (OTHER, "4"))

    clock.asked = newer
    found = figures(context, Window(NOON - 7 * DAY, NOON), None)

    assert context.store.spend.months(NOVEMBER)[0].xray_usd == 34
    assert found.whole.xray_usd == sum(one.xray_usd for one in found.spent) == 10
    assert found.by_team["payments"].xray_usd == 10


def test_large_sums_read_alike_in_words_and_figures(context, lit):
    billed(context, (HOME, "10"), (OTHER, "1234567.891"))

    found = made(context)

    assert "$1,234,567.89 of X-Ray's cost is not attributed to any team: $1,234,567.89 in " in str(found.unknown)


def test_of_a_kept_month_no_function_is_told_to_have_cost_more_than_its_team(context, clock, lit, remembered):
    """Its traffic may have grown since."""
    clock.now = datetime(2026, 10, 1, tzinfo=UTC)
    theirs = remembered("theirs", team="search", verdict=Verdict.TRACED)
    recording(context, theirs, 100)
    clock.now = NOON
    billed(context, (HOME, "100"), month=OCTOBER)
    keep_shares(context)
    recording(context, theirs, 90_000)

    told = drivers(context, context.store.spend.billed(OCTOBER)[0], 5)

    assert [(one.team, one.usd) for one in told.teams] == [("payments", Decimal(90)), ("search", Decimal(10))]
    assert [(one.function_arn, one.usd) for one in told.functions] == [(lit.arn, 90), (theirs.arn, 10)]

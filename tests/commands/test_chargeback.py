"""What is billed is shared out whole: months that cost nothing, bills that come in meanwhile, months that are kept."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.gauge_families import families
from commands._budget_alerts import look
from commands._budget_rules import BudgetRules
from commands._figures import figures
from commands._forecast_rules import ForecastRules
from commands._reports import make_report
from commands._shares import to_cents
from commands._teams import TeamSettings
from commands._types import Context
from commands._xray_shares import drivers, keep_shares
from commands.aws.accounts import Cloud
from commands.views.report import report_blocks
from commands.views.report_csv import report_csv
from storage.forecasts import Forecast, Range, Unit
from storage.kpis import Figures, Window
from storage.models import Function, TracingMode, Verdict
from storage.spend import Bill, Billed, SpendLookUp
from storage.usage import UsageLook
from tests.commands.conftest import BERLIN, HOME, NOON, OTHER, SETTINGS, HandClock, NamedPeople
from tests.memory import new_store

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


def test_it_is_said_that_x_rays_own_count_goes_before_the_forecast(context, lit):
    billed(context, (HOME, "10"))

    found = made(context)

    assert rows(found, "traces a month")["payments"]["note"] == (
        "X-Ray's count of the week after a fix, else as forecast from traffic"
    )
    assert "shared out by traces (X-Ray's count of the week after a fix, else as forecast" in str(report_blocks(found))


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


def test_a_month_that_is_to_come_by_a_clock_that_was_set_back_alarms_nobody_yet(context, clock, lit):
    billed(context, (HOME, "500"))
    context.store.spend.asked(SpendLookUp(NOON - 90 * DAY, 1, Decimal("0.01")))
    rich = replace(context, budget=BudgetRules(Decimal(100), (100,), ()))
    clock.now = NOON - 30 * DAY

    assert look(rich, clock()) == []

    clock.now = NOON
    assert look(rich, clock()) == ["budget:2026-11:actual:100"]


# ---- the whole, whatever happened

ACCOUNTS, TEAMS = (HOME, OTHER, "333344445555"), ("payments", "search", "not attributed", None)
PLACES = st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(ACCOUNTS))
MONTHS = st.sampled_from([date(2026, 9, 1), OCTOBER, NOVEMBER, date(2026, 12, 1)])
USD = st.decimals(min_value=-5, max_value=20_000, places=8, allow_nan=False) | st.just(Decimal(0))
STEPS = st.one_of(
    st.tuples(st.just("days"), st.floats(-35, 35)),  # the clock goes on, or is set back
    st.tuples(st.just("seen"), PLACES, st.sampled_from([*Verdict]), st.sampled_from(TEAMS)),
    st.tuples(st.just("gone"), PLACES),
    st.tuples(st.just("forecast"), PLACES, st.floats(0, 1e9), st.sampled_from([*Unit])),
    st.tuples(st.just("billed"), MONTHS, st.lists(st.tuples(st.sampled_from(ACCOUNTS), USD, USD), max_size=3)),
    st.tuples(st.just("used"), MONTHS, st.sampled_from(ACCOUNTS), st.floats(0, 1e6), st.floats(0, 1e6)),
    st.tuples(st.just("kept")),
    st.tuples(st.just("renamed"), st.sampled_from(TEAMS[:2]), st.sampled_from(TEAMS[1:3])),
)

# Before all that: two accounts with functions of two teams, and what they were billed.
FIRST = [
    ("days", -40),
    ("seen", ("a", HOME), Verdict.TRACED, "payments"),
    ("seen", ("b", HOME), Verdict.TRACED, "search"),
    ("seen", ("a", OTHER), Verdict.TRACED, None),
    ("days", 30),
    *(("forecast", place, 1e5, Unit.TRACES) for place in (("a", HOME), ("b", HOME), ("a", OTHER))),
    ("used", OCTOBER, HOME, 3.0, 7.0),
    ("billed", OCTOBER, [(HOME, Decimal("10.005"), Decimal(20)), (OTHER, Decimal("0.333"), Decimal("-0.01"))]),
    ("billed", NOVEMBER, [(HOME, Decimal("33.335"), Decimal(70)), ("333344445555", Decimal(1), Decimal(1))]),
    ("days", 9),
]


def happens(context, clock: HandClock, what: str, *given) -> None:
    store = context.store
    match what, *given:
        case "days", days:
            clock.now += timedelta(days=days)
        case "seen", (name, account), verdict, team:
            arn = f"arn:aws:lambda:{BERLIN}:{account}:function:{name}"
            one = Function(arn, account, BERLIN, name, TracingMode.ACTIVE, team=team, verdict=verdict)
            store.functions.save([one], clock(), clock())
        case "gone", (name, account):
            store.functions.mark_gone(f"arn:aws:lambda:{BERLIN}:{account}:function:{name}", clock())
        case "forecast", (name, account), traces, unit:
            arn = f"arn:aws:lambda:{BERLIN}:{account}:function:{name}"
            known, until = Range(traces, traces, traces), clock()
            store.forecasts.save([Forecast(arn, until, until - 14 * DAY, until, 3600, 1, known, unit)])
        case "billed", month, bills:
            xray = {account: usd for account, usd, _ in bills}
            of_lambda = {account: usd for account, _, usd in bills}
            kept = [Bill(month, account, Billed.XRAY, usd) for account, usd in xray.items()]
            kept += [Bill(month, account, Billed.LAMBDA, usd) for account, usd in of_lambda.items()]
            store.spend.save(kept, clock(), {month: True})
        case "used", month, account, one, other:
            used = {"a": {month: one}, "b": {month: other}}
            store.usage.keep((account, BERLIN), used, [month], clock())
            told = UsageLook(account, BERLIN, clock(), functions=2, known=2)
            store.usage.told([month], {"a": "payments", "b": None}, told)
        case "kept", *_:
            keep_shares(context)
        case "renamed", old, new if old != new:
            store.team_names.rename(old, new)


def total(rows: Iterable[Mapping[str, str]], figure: str, of: Callable[[str], bool]) -> Decimal:
    return sum((Decimal(row["value"]) for row in rows if row["figure"] == figure and of(row["team"])), Decimal(0))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=25), st.integers(7, 120))
def test_teams_and_what_is_not_attributed_are_the_bill_to_the_cent(steps, days) -> None:
    with TemporaryDirectory() as folder, closing(new_store(Path(folder) / "memory.db")) as store:
        clock = HandClock()
        context = Context(store, Cloud(SETTINGS), TeamSettings(), NamedPeople(), clock, ZoneInfo("UTC"))
        for step in (*FIRST, *steps):
            happens(context, clock, *step)
        found = make_report(context, days, None)
        told = [(one.spent, drivers(context, one, 2)) for one in store.spend.billed(date(2026, 9, 1))]
        shown = {each.name: each.samples[0].value for each in families(context) if each.samples}

    whole = to_cents(sum((one.xray_usd for one in found.spent), Decimal(0)))
    csv_rows = list(csv.DictReader(io.StringIO(report_csv(found))))
    if found.whole.xray_usd is None:
        assert found.unknown["xray_usd"]
        assert all(one.xray_usd is None for one in found.by_team.values())
    else:
        parts = sum((one.xray_usd or Decimal(0) for one in found.by_team.values()), Decimal(0))
        assert parts + found.open_usd == found.whole.xray_usd == whole
        figure = "X-Ray cost, shared out"
        assert total(csv_rows, figure, "all teams".__eq__) == whole
        assert total(csv_rows, figure, "all teams".__ne__) == whole
    if found.whole.lambda_usd is not None:
        parts = sum((one.lambda_usd or Decimal(0) for one in found.by_team.values()), Decimal(0))
        assert parts == found.whole.lambda_usd == to_cents(sum((one.lambda_usd for one in found.spent), Decimal(0)))
    assert all(found.unknown.values())
    for spent, driven in told:
        named = sum((one.usd for one in driven.teams), Decimal(0))
        assert to_cents(named + driven.others + driven.open) == to_cents(spent.xray_usd)
        assert sum((one.usd for one in driven.functions), Decimal(0)) <= max(Decimal(0), named + driven.others)
        if spent.month == clock.now.date().replace(day=1):
            assert shown["lamplighter_xray_spend_dollars"] == float(spent.xray_usd)

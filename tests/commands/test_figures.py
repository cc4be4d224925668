"""The figures of a report, from memory alone."""

from collections.abc import Callable, Mapping
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
from msgspec import structs

from commands._budget_rules import BudgetRules, SpendRules
from commands._figures import figures
from commands._forecast_rules import ForecastRules
from commands._production import Production
from commands._shares import in_cents, shared_out, to_cents
from commands._teams import TeamSettings
from commands._types import Context, FixPolicy
from commands._xray_shares import keep_shares
from commands.aws.accounts import Cloud
from storage.forecasts import Forecast, Range, Unit
from storage.incidents import Alarm, Transition
from storage.kpis import Figures, Median, TeamFigures, Window
from storage.models import Coverage, Function, Inventory, NotScanned, Source, Verdict
from storage.news import Change, ChangeKind
from storage.spend import Bill, Billed
from storage.usage import UsageLook
from tests.commands.conftest import BERLIN, HOME, NOON, OTHER, SETTINGS, HandClock, NamedPeople
from tests.memory import new_store

Remember = Callable[..., Function]
DAY = timedelta(days=1)
OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture
def audited(context: Context, clock: HandClock) -> Callable[..., None]:
    """An audit that left these totals, `days` ago."""

    def audit(
        days: float,
        coverage: Mapping[str | None, Coverage],
        production: Mapping[str | None, Coverage] | None = None,
        changes: tuple[Change, ...] = (),
        scope: str = "",
        unseen: tuple[NotScanned, ...] = (),
    ) -> None:
        at = clock() - days * DAY
        seen = Inventory((), unseen, (HOME,), (BERLIN,), 1)
        taken = context.store.audits.record(
            seen,
            coverage,
            source=Source.CLOCK,
            scope=scope,
            started_at=at - timedelta(minutes=1),
            finished_at=at,
            production=production,
        )
        context.store.changes.record(taken.id, changes)

    return audit


def made(context: Context, days: float = 30, team: str | None = None, until: datetime | None = None) -> Figures:
    end = until or context.clock()
    return figures(context, Window(end - days * DAY, end), team)


def in_production(context: Context, **rule: tuple[str, ...]) -> Context:
    return replace(context, policy=FixPolicy(production=Production(**rule)))


# ---- coverage


def test_coverage_now_is_what_memory_holds_and_before_what_the_last_audit_then_left(context, audited, remembered):
    audited(40, {"payments": Coverage(1, 9)})
    audited(31, {"payments": Coverage(2, 8), None: Coverage(0, 1)})
    audited(2, {"payments": Coverage(5, 5)})
    audited(0.01, {"payments": Coverage(6, 4)})
    for number in range(3):
        remembered(f"lit-{number}", verdict=Verdict.TRACED)
    remembered("dark", team="search")

    found = made(context)

    assert found.by_team["payments"].coverage == Coverage(traced=3)
    assert found.by_team["search"].coverage == Coverage(untraced=1)
    assert found.whole.coverage == Coverage(3, 1)
    assert found.whole.before == Coverage(2, 9)
    assert [(day.on.day, day.coverage.traced) for day in found.whole.trend] == [(21, 5), (23, 6)]
    assert list(found.by_team) == ["payments", "search", None]
    assert found.remediation.going_on == 1


def test_of_a_window_that_is_over_the_last_audit_in_it_tells(context, audited, remembered):
    audited(20, {"payments": Coverage(5, 5)})
    audited(12, {"payments": Coverage(6, 4)})
    audited(0.01, {"payments": Coverage(9, 1)})
    remembered("lit", verdict=Verdict.TRACED)

    assert made(context, 7, until=NOON - 10 * DAY).whole.coverage == Coverage(6, 4)


def test_an_audit_of_a_part_counts_for_nothing(context, audited):
    audited(40, {"payments": Coverage(1, 1)})
    audited(35, {"payments": Coverage(9, 0)}, scope=HOME)
    audited(5, {"payments": Coverage(2, 2)})
    audited(4, {"payments": Coverage(9, 0)}, scope=HOME)

    found = made(context)

    assert found.whole.before == Coverage(1, 1)
    assert [day.coverage for day in found.whole.trend] == [Coverage(2, 2)]


def test_of_several_audits_a_day_the_last_counts(context, audited):
    audited(1.2, {"payments": Coverage(1, 1)})
    audited(1.1, {"payments": Coverage(2, 0)})

    assert [day.coverage for day in made(context).whole.trend] == [Coverage(2, 0)]


def test_without_an_audit_before_the_window_nobody_knows_what_was_then(context, audited):
    audited(2, {"payments": Coverage(1, 1)})

    found = made(context)

    assert (found.whole.before, found.by_team["payments"].before) == (None, None)
    assert found.unknown["before"] == "no audit had been taken when the window began."


def test_without_any_audit_all_says_why_it_is_not_known(context):
    found = made(context)

    assert found.whole == TeamFigures(Coverage(), None)
    assert found.by_team == {}
    assert (found.mttr_traced, found.attribution, found.spent, found.budget_usd) == (None, None, (), None)
    assert {"coverage", "before", "mttr_traced", "mttr_untraced", "spent", "xray_usd", "lambda_usd", "attribution"} <= (
        set(found.unknown)
    )
    assert all(text.endswith(".") for text in found.unknown.values())


def test_what_the_last_audit_could_not_see_is_counted(context, audited):
    audited(0.01, {"payments": Coverage(1)}, unseen=(NotScanned(OTHER, "", "no"), NotScanned(HOME, BERLIN, "no")))

    assert made(context).not_seen == 2


@pytest.mark.parametrize(
    "rule",
    [{"accounts": (HOME,)}, {"names": ("live-*",)}, {"tags": ("env=prod",)}],
    ids=["accounts", "names", "tags"],
)
def test_where_production_is_named_only_production_counts(context, audited, remembered, rule):
    audited(40, {"payments": Coverage(1, 9)}, production={"payments": Coverage(1, 2)})
    audited(0.01, {"payments": Coverage(2, 8)}, production={"payments": Coverage(2, 1)})
    remembered("live-lit", verdict=Verdict.TRACED, production=True)
    remembered("live-unsure", production=None if "tags" in rule else True)
    remembered("test", account=OTHER, production=False)

    found = made(in_production(context, **rule))

    assert found.production_only
    assert found.whole.coverage == Coverage(1, 1)
    assert found.whole.before == Coverage(1, 2)
    assert [day.coverage for day in found.whole.trend] == [Coverage(2, 1)]


def test_where_nothing_named_production_then_it_is_not_known(context, audited):
    audited(40, {"payments": Coverage(1, 9)})
    audited(5, {"payments": Coverage(1, 9)})
    audited(0.01, {"payments": Coverage(1, 9)}, production={})

    found = made(in_production(context, names=("live-*",)))

    assert found.whole.before is None
    assert found.unknown["before"] == "Nothing said at that time which functions are in production."
    assert [day.coverage for day in found.whole.trend] == [Coverage()]


def test_a_report_of_one_team_has_its_own_figures_alone(context, audited, remembered):
    audited(40, {"payments": Coverage(1, 9), "search": Coverage(3)})
    audited(0.01, {"payments": Coverage(2, 8), "search": Coverage(4)})
    remembered("lit", verdict=Verdict.TRACED)
    remembered("found", team="search", verdict=Verdict.TRACED)

    found, of_all = made(context, team="payments"), made(context)

    assert list(found.by_team) == ["payments"]
    assert found.whole == found.by_team["payments"] == of_all.by_team["payments"]
    assert (found.whole.coverage, found.whole.before) == (Coverage(1), Coverage(1, 9))


def test_of_a_long_window_each_team_keeps_the_same_day_of_each_week(context, audited):
    for days in reversed(range(200)):
        audited(days + 0.01, {"payments": Coverage(days, 1), "search": Coverage(2, days)})

    found = made(context, days=199.5)
    payments, search = found.by_team["payments"].trend, found.by_team["search"].trend
    whole = {day.on: day.coverage for day in found.whole.trend}

    assert len(whole) == 200
    assert [(NOON.date() - day.on).days for day in payments] == list(range(196, -1, -7))
    assert [day.on for day in search] == [day.on for day in payments]
    assert [whole[day.on] for day in payments] == [
        Coverage.sum([one.coverage, other.coverage]) for one, other in zip(payments, search, strict=True)
    ]
    assert len(made(context, days=199.5, team="search").whole.trend) == 200


# ---- remediation


def fixed(function: Function) -> Change:
    return Change(function.arn, ChangeKind.FIXED, Verdict.UNTRACED, Verdict.TRACED)


def hours(median: Median) -> tuple[float | None, int]:
    return (None if median.seconds is None else median.seconds / 3600, median.n)


def seen(context: Context, function: Function, days: float) -> Function:
    context.store.functions.save([function], context.clock() - days * DAY, audited=True)
    return function


def test_remediation_is_from_first_seen_untraced_to_traced(context, audited, remembered, clock):
    clock.forward(days=-10)
    refund = remembered("refund")
    clock.forward(days=10)
    audited(4, {}, changes=(fixed(refund),))

    assert hours(made(context).remediation) == (6 * 24 - 1 / 60, 1)
    assert hours(made(context, days=3).remediation) == (None, 0)


def test_a_fix_counts_from_the_moment_at_which_it_was_read_back(context, audited, remembered, clock):
    clock.forward(days=-10)
    refund = remembered("refund")
    clock.forward(hours=12)
    context.store.functions.save([structs.replace(refund, verdict=Verdict.TRACED)], clock())
    clock.forward(hours=9.5 * 24)
    clock.now = NOON
    audited(4, {}, changes=(fixed(refund),))

    assert hours(made(context).remediation) == (12, 1)


def test_what_was_untraced_again_counts_from_then(context, audited, remembered, clock):
    clock.forward(days=-20)
    refund = remembered("refund")
    clock.now = NOON
    audited(15, {}, changes=(fixed(refund),))
    audited(9, {}, changes=(Change(refund.arn, ChangeKind.REGRESSED, Verdict.TRACED, Verdict.UNTRACED),))
    audited(8, {}, changes=(fixed(refund),))

    assert hours(made(context).remediation) == (pytest.approx(3 * 24 - 1 / 120, abs=0.01), 2)
    assert hours(made(context, days=10).remediation) == (24, 1)


def test_remediation_is_of_the_team_and_of_production_alone_where_it_is_asked_for(context, audited, remembered, clock):
    clock.forward(days=-10)
    ours, theirs = remembered("ours"), remembered("theirs", team="search", account=OTHER)
    clock.now = NOON
    audited(9, {}, changes=(fixed(ours),))
    audited(4, {}, changes=(fixed(theirs),))

    assert made(context).remediation.n == 2
    assert hours(made(context, team="payments").remediation)[0] == pytest.approx(24, abs=0.1)
    assert hours(made(in_production(context, accounts=(OTHER,))).remediation) == (6 * 24 - 1 / 60, 1)


# ---- MTTR


@pytest.fixture
def alarmed(context: Context, remembered: Remember, clock: HandClock) -> Context:
    """A traced function with incidents of 10 and 20 minutes, an untraced one with 60, and one that goes on."""
    clock.forward(days=-20)
    lit = remembered("lit", verdict=Verdict.TRACED)
    dark = remembered("dark", team="search", account=OTHER)
    clock.now = NOON
    for function, minutes in ((lit, (10, 20)), (dark, (60,))):
        place = (function.account, function.region)
        context.store.incidents.watched(place, [Alarm(*place, "errors", (function.arn,))], NOON)
        for number, length in enumerate(minutes):
            began = NOON - timedelta(days=1 + number)
            told = ((began, "ALARM"), (began + timedelta(minutes=length), "OK"))
            context.store.incidents.record(place, [Transition("errors", at, state) for at, state in told])
        context.store.incidents.looked(place, NOON, NOON - 60 * DAY, NOON)
    context.store.incidents.record((OTHER, BERLIN), [Transition("errors", NOON - timedelta(hours=1), "ALARM")])
    return context


def test_mttr_stands_side_by_side_with_its_numbers(alarmed: Context) -> None:
    found = made(alarmed)

    assert found.mttr_traced == Median(15 * 60, 2, 0)
    assert found.mttr_untraced == Median(60 * 60, 1, 1)
    assert "incidents" not in found.unknown


def test_mttr_is_of_the_team_and_of_production_alone_where_it_is_asked_for(alarmed: Context) -> None:
    of_search, of_home = made(alarmed, team="search"), made(in_production(alarmed, accounts=(HOME,)))

    assert (of_search.mttr_traced, of_search.mttr_untraced) == (Median(None, 0, 0), Median(3600, 1, 1))
    assert (of_home.mttr_traced, of_home.mttr_untraced) == (Median(15 * 60, 2, 0), Median(None, 0, 0))


# ---- money


def billed(context: Context, **usd: str) -> None:
    """X-Ray and Lambda in November, by account."""
    kinds = {"x": Billed.XRAY, "l": Billed.LAMBDA}
    accounts = {"home": HOME, "other": OTHER}
    bills = [Bill(NOVEMBER, accounts[name[1:]], kinds[name[0]], Decimal(amount)) for name, amount in usd.items()]
    context.store.spend.save(bills, NOON, {NOVEMBER: True})


def recording(context: Context, function: Function, traces: float) -> None:
    known = Range(traces, traces, traces)
    context.store.forecasts.save([Forecast(function.arn, NOON, NOON - 14 * DAY, NOON, 3600, int(traces), known)])


@pytest.fixture
def since_october(context: Context, clock: HandClock) -> Callable[..., None]:
    """Memory began on 1 October; the clock goes to a day after it."""
    clock.now = datetime(2026, 10, 1, tzinfo=UTC)

    def go(day: datetime = NOON) -> None:
        clock.now = day

    return go


def lights(context: Context, function: Function, verdict: Verdict = Verdict.TRACED, **more: object) -> Function:
    """An audit of now finds it so."""
    found = structs.replace(function, verdict=verdict, **more)
    context.store.functions.save([found], context.clock(), context.clock())
    return found


def xray(found: Figures) -> dict[str | None, Decimal | None]:
    """By team, where there is any; what is open under its name."""
    shares = {team: one.xray_usd for team, one in found.by_team.items() if one.xray_usd}
    assert sum(shares.values(), found.open_usd) == found.whole.xray_usd == sum(one.xray_usd for one in found.spent)
    return {**shares, **({"open": found.open_usd} if found.open_usd else {})}


def test_spans_weigh_as_the_traces_that_they_are_of(context, remembered, since_october):
    """Transaction Search is switched on Region by Region: an account's forecasts may be in both."""
    context.store.spend.save([Bill(NOVEMBER, HOME, Billed.XRAY, Decimal(10))], NOON, {NOVEMBER: True})
    by_trace = remembered("a", team="payments", verdict=Verdict.TRACED)
    by_span = remembered("b", team="search", verdict=Verdict.TRACED)
    since_october()
    recording(context, by_trace, 100)
    spans = Range(200, 350, 500)
    forecast = Forecast(by_span.arn, NOON, NOON - 14 * DAY, NOON, 3600, 100, spans, Unit.SPANS)
    context.store.forecasts.save([forecast])

    found = made(context, 7)

    assert {team: one.traces for team, one in found.by_team.items()} == {"payments": 100, "search": 100}
    assert xray(found) == {"payments": Decimal(5), "search": Decimal(5)}


def test_x_ray_is_shared_out_within_each_account_by_traces(context, remembered, since_october):
    lit = {
        "a": remembered("a", verdict=Verdict.TRACED),
        "b": remembered("b", verdict=Verdict.TRACED, team="search"),
        "c": remembered("c", verdict=Verdict.TRACED, team=None, account=OTHER),
    }
    dark = remembered("dark", team="search")
    since_october()
    for name, traces in (("a", 100), ("b", 300), ("c", 50)):
        recording(context, lit[name], traces)
    recording(context, dark, 1_000_000)  # what it would record if it were traced
    billed(context, xhome="10.00", xother="2.00", lhome="1")

    found = made(context)

    assert xray(found) == {"payments": Decimal("2.50"), "search": Decimal("7.50"), None: Decimal("2.00")}
    assert (found.by_team["search"].traces, found.whole.traces) == (300, 450)
    assert "xray_by_team" not in found.unknown


def test_a_fix_of_today_moves_nothing_of_what_was_billed_before(context, remembered, since_october):
    lit = remembered("lit", verdict=Verdict.TRACED)
    dark = remembered("dark", team="search")
    bills = [Bill(month, HOME, Billed.XRAY, Decimal(31)) for month in (OCTOBER, NOVEMBER)]
    context.store.spend.save(bills, NOON, dict.fromkeys((OCTOBER, NOVEMBER), False))
    for function in (lit, dark):
        recording(context, function, 900)
    since_october(datetime(2026, 11, 11, tzinfo=UTC))
    lights(context, dark)
    since_october(datetime(2026, 11, 21, tzinfo=UTC))

    november, both = made(context, 5), made(context, 30)

    # Of November's 20 days, ten had the one alone, and ten both: 20 and 10 days of equal traces.
    assert xray(november) == {"payments": Decimal("20.67"), "search": Decimal("10.33")}
    assert xray(both) == {"payments": Decimal("51.67"), "search": Decimal("10.33")}
    assert xray(made(context, 10, until=datetime(2026, 11, 1, tzinfo=UTC))) == {"payments": Decimal(31)}
    assert both.by_team["search"].traces == 900


def test_what_was_traced_counts_for_the_team_of_then_though_it_is_gone_now(context, remembered, since_october):
    moves = remembered("moves", verdict=Verdict.TRACED)
    goes = remembered("goes", team="search", verdict=Verdict.TRACED)
    for function in (moves, goes):
        recording(context, function, 900)
    billed(context, xhome="30.00")
    since_october(datetime(2026, 11, 11, tzinfo=UTC))
    lights(context, moves, team="identity")
    context.store.functions.mark_gone(goes.arn, context.clock())
    since_october(datetime(2026, 11, 21, tzinfo=UTC))
    lights(context, structs.replace(moves, team="identity"), Verdict.UNTRACED)

    found = made(context, 5)

    assert xray(found) == dict.fromkeys(("payments", "search", "identity"), Decimal(10))
    assert found.whole.traces == 0


def test_of_days_before_memory_began_nobodys_share_is_told(context, remembered, since_october):
    bills = [Bill(month, HOME, Billed.XRAY, Decimal(30)) for month in (OCTOBER, NOVEMBER)]
    context.store.spend.save(bills, NOON, dict.fromkeys((OCTOBER, NOVEMBER), False))
    since_october(datetime(2026, 11, 11, tzinfo=UTC))
    recording(context, remembered("lit", verdict=Verdict.TRACED), 900)
    since_october(datetime(2026, 11, 16, tzinfo=UTC))

    found = made(context, 30)

    # Of 15 days of November that are over, five are known; of October, none.
    assert xray(found) == {"payments": Decimal(10), "open": Decimal(50)}
    assert found.unknown["xray_by_team"] == (
        "$50.00 of X-Ray's cost is not attributed to any team: "
        "$50.00 of days before Lamplighter knew the account's functions."
    )


def test_where_all_of_it_is_open_no_team_is_told_to_have_cost_nothing(context, remembered):
    """As on the first day."""
    recording(context, remembered("lit", verdict=Verdict.TRACED), 900)
    billed(context, xhome="10.00")

    found = made(context)

    assert (found.by_team["payments"].xray_usd, found.whole.xray_usd, found.open_usd) == (None, None, None)
    assert found.unknown["xray_usd"] == (
        "$10.00 of X-Ray's cost is not attributed to any team: "
        "$10.00 of days before Lamplighter knew the account's functions."
    )


def test_of_a_month_that_is_over_neither_traffic_nor_memory_of_later_changes_the_shares(
    context, remembered, since_october
):
    ours = remembered("ours", verdict=Verdict.TRACED)
    theirs = remembered("theirs", team="search", verdict=Verdict.TRACED)
    hidden = remembered("hidden", team=None, verdict=Verdict.TRACED)
    before = remembered("before", team="before", account=OTHER, verdict=Verdict.UNKNOWN)  # as a reason may be called
    for function in (ours, theirs, hidden, before):
        recording(context, function, 900)
    accounts = {HOME: Decimal(90), OTHER: Decimal("0.01")}
    bills = [Bill(month, *each) for month in (OCTOBER, NOVEMBER) for each in _xray(accounts)]
    context.store.spend.save(bills, NOON, dict.fromkeys((OCTOBER, NOVEMBER), False))
    since_october(datetime(2026, 11, 2, tzinfo=UTC))
    october = datetime(2026, 11, 1, tzinfo=UTC)
    kept = xray(made(context, 10, until=october))
    assert kept == dict.fromkeys(("payments", "search", None), Decimal(30)) | {"open": Decimal("0.01")}

    keep_shares(context)
    recording(context, ours, 90_000)
    context.store.functions.mark_gone(theirs.arn, context.clock())
    since_october()
    keep_shares(context)  # a second time changes nothing

    assert xray(made(context, 10, until=october)) == kept
    assert xray(made(context, 5))["payments"] > 88
    context.store.team_names.rename("search", "payments")
    assert xray(made(context, 10, until=october))["payments"] == 60


def _xray(accounts: Mapping[str, Decimal]) -> list[tuple[str, Billed, Decimal]]:
    return [(account, Billed.XRAY, usd) for account, usd in accounts.items()]


def test_of_an_account_that_came_later_the_days_before_are_open(context, remembered, since_october):
    recording(context, remembered("lit", verdict=Verdict.TRACED), 900)
    billed(context, xhome="20.00", xother="20.00")
    since_october(datetime(2026, 11, 16, tzinfo=UTC))
    recording(context, remembered("later", team="search", account=OTHER, verdict=Verdict.TRACED), 900)
    since_october(datetime(2026, 11, 21, tzinfo=UTC))

    assert xray(made(context, 5)) == {"payments": Decimal(20), "search": Decimal(5), "open": Decimal(15)}


def test_what_nobodys_share_can_be_told_of_is_open_and_is_said(context, remembered, since_october):
    recording(context, remembered("a", verdict=Verdict.TRACED), 7)
    recording(context, remembered("hidden", team="search", verdict=Verdict.UNKNOWN), 21)
    remembered("quiet", verdict=Verdict.TRACED)
    since_october()
    billed(context, xhome="1", xother="4.20")

    found = made(context)

    assert xray(found) == {"payments": Decimal("0.25"), "open": Decimal("4.95")}
    assert found.unknown["xray_by_team"] == (
        "$4.95 of X-Ray's cost is not attributed to any team: "
        "$4.20 in accounts and months where no traced function's traffic is known, "
        "$0.75 of functions of which it is not known whether they were traced then. "
        "Left out: 1 function of unknown traffic, traced or maybe so."
    )


def test_without_any_forecast_the_cost_is_known_and_whose_it_is_is_not(context):
    billed(context, xhome="10.00")

    found = made(context)

    assert found.spent[0].xray_usd == Decimal(10)
    assert found.whole.xray_usd is None
    assert found.unknown["xray_usd"] == "No forecast says yet how many traces each function records."


def ran(context, month, **gb_seconds):
    """Of one function of each team, `none` for that of no known team."""
    place, teams = (HOME, BERLIN), {name: None if name == "none" else name for name in gb_seconds}
    context.store.usage.keep(place, {name: {month: used} for name, used in gb_seconds.items()}, [month], NOON)
    number = len(teams)
    context.store.usage.told([month], teams, UsageLook(*place, NOON, metrics=number, functions=number, known=number))


def test_lambda_is_shared_out_by_gb_seconds_and_attributed_to_known_teams(context):
    ran(context, NOVEMBER, payments=300.0, none=100.0)
    billed(context, lhome="100", lother="20")

    found = made(context)

    assert found.by_team["payments"].lambda_usd == Decimal(75)
    assert found.by_team[None].lambda_usd == Decimal(45)
    assert found.attribution is not None
    assert found.attribution.known == pytest.approx(75 / 120)
    assert "what Lambda cost in November 2026" in found.attribution.how
    assert "$20.00 of accounts whose GB-seconds are not known" in found.attribution.how


def test_a_month_whose_use_is_not_known_goes_by_the_nearest(context):
    ran(context, OCTOBER, payments=300.0, none=100.0)
    billed(context, lhome="100")

    assert made(context, days=5).by_team["payments"].lambda_usd == Decimal(75)


def test_where_no_cost_is_known_gb_seconds_alone_attribute(context):
    ran(context, NOVEMBER, payments=300.0, none=100.0)

    found = made(context)

    assert found.attribution is not None
    assert found.attribution.known == pytest.approx(0.75)
    assert "alone, since what Lambda cost is not known" in found.attribution.how
    assert found.whole.lambda_usd is None
    assert found.unknown["spent"] == "Cost Explorer was not asked yet."


def test_the_budget_is_the_configured_one_and_why_nothing_is_asked_is_told(context):
    found = made(replace(context, budget=BudgetRules(Decimal(200)), spending=SpendRules(enabled=False)))

    assert (found.budget_usd, made(context).budget_usd) == (Decimal(200), None)
    assert found.unknown["spent"] == "Cost Explorer is never asked: [spend] enabled is false."


def test_why_nobody_asks_what_functions_used_is_told(context):
    billed(context, lhome="1")
    assert made(context).unknown["attribution"] == "CloudWatch was not asked yet how long functions ran."

    off = made(replace(context, forecasting=ForecastRules(enabled=False)))
    told = "CloudWatch is not asked how long functions ran: [forecast] enabled is false."
    assert off.unknown["attribution"] == off.unknown["lambda_usd"] == told


def test_the_months_are_those_that_the_window_touches(context):
    bills = [Bill(date(2026, month, 1), HOME, Billed.XRAY, Decimal(month)) for month in (9, 10, 11, 12)]
    context.store.spend.save(bills, NOON, {bill.month: False for bill in bills})

    assert [one.month.month for one in made(context, days=30).spent] == [10, 11]
    assert [one.month.month for one in made(context, 30, until=datetime(2026, 11, 1, tzinfo=UTC)).spent] == [10]


amounts = st.decimals(min_value=-1000, max_value=100_000, places=6, allow_nan=False)
weights = st.dictionaries(
    st.none() | st.text("abc", min_size=1, max_size=3), st.floats(0, 1e9, allow_subnormal=False), max_size=8
)


@given(st.lists(st.tuples(amounts, weights), min_size=1, max_size=5))
def test_parts_add_up_to_the_whole_to_the_cent(bills) -> None:
    parts: dict = {}
    whole = Decimal(0)
    for usd, by in bills:
        shares = shared_out(usd, by)
        whole += usd if shares is not None else 0
        for key, share in (shares or {}).items():
            parts[key] = parts.get(key, 0) + share

    cents = in_cents(parts, whole)

    assert sum(cents.values(), Decimal(0)) == to_cents(whole)
    assert all(abs(cents[key] - part) < Decimal("0.0101") for key, part in parts.items())


# ---- the whole

counts = st.integers(0, 50)
coverages = st.builds(Coverage, counts, counts, counts, counts, counts)
teams = st.none() | st.sampled_from(["payments", "search", "identity"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(teams, coverages, min_size=1), min_size=1, max_size=5))
def test_the_sums_over_teams_are_the_wholes(history) -> None:
    with TemporaryDirectory() as folder, closing(new_store(Path(folder) / "memory.db")) as store:
        context = Context(store, Cloud(SETTINGS), TeamSettings(), NamedPeople(), HandClock(), ZoneInfo("UTC"))
        for number, by_team in enumerate(history):
            at = NOON - (len(history) - number) * DAY
            seen = Inventory((), (), (), (), 0)
            store.audits.record(seen, by_team, source=Source.CLOCK, started_at=at, finished_at=at)
        found = made(context, days=len(history) - 0.5, until=NOON - timedelta(hours=2))

    assert found.whole.coverage == Coverage.sum(one.coverage for one in found.by_team.values())
    assert found.whole.coverage == Coverage.sum(history[-1].values())
    assert found.whole.before == Coverage.sum(history[0].values())
    assert found.whole.before == Coverage.sum(one.before for one in found.by_team.values())
    for day in found.whole.trend:
        parts = [each.coverage for one in found.by_team.values() for each in one.trend if each.on == day.on]
        assert day.coverage == Coverage.sum(parts)
    assert len(found.whole.trend) == len(history) - 1

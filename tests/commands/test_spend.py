"""Once a day, what tracing cost: what is kept, what the requests cost, and who is told of the budget, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from bot.demo.aws.cost_explorer import Line
from commands._budget_rules import BudgetRules, SpendRules
from commands._figures import figures
from commands._schedule import Schedule, Slot
from commands._types import Progress
from commands.spend import turn
from storage.forecasts import Range
from storage.kpis import Window
from storage.models import THE_CLOCK, Function, PostKind, Verdict
from storage.spend import SpendLookUp
from tests.commands.conftest import HOME, OTHER, HandClock, World
from tests.storage.test_forecasts import KNOWN

NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)
BUDGET = BudgetRules(monthly_usd=Decimal(100), channel="#money")


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS's clock is the one that the test moves."""
    return {"clock": clock}


@pytest.fixture
def bill(world: World) -> Callable[..., None]:
    """It is 23 November, noon: 21 days are billed."""
    world.aws.organizations.found(HOME, {HOME: "payer", OTHER: "member"})

    def add(xray: float, **more: Any) -> None:
        by_day = more.pop("by_day", lambda _: xray)
        world.aws.costs.bill(Line(OTHER, "AWS X-Ray", "EUC1-XRay-TracesStored", by_day, **more))

    world.aws.costs.bill(Line(OTHER, "AWS Lambda", "EUC1-Lambda-GB-Second", lambda _: 10.0))
    return add


Bill = Callable[..., None]


def run(world: World, **changes: Any) -> list[str]:
    """One turn of the clock's job; what it says in the log."""
    context = replace(world.context, **changes)
    said = list(turn(world.asks(THE_CLOCK), context))
    assert all(isinstance(one, Progress) for one in said)
    return [one.text for one in said if isinstance(one, Progress)]


def notices(world: World) -> list[str]:
    return [post.text for post in world.store.posts.all(PostKind.NOTICE)]


def asked(world: World) -> int:
    return sum(call.service == "ce" for call in world.aws.calls)


def test_at_first_thirteen_months_are_kept_and_what_asking_costs_is_said(world: World, bill: Bill) -> None:
    bill(1.0)

    said = run(world)

    assert said == ["3 requests to Cost Explorer, $0.03"]
    months = world.store.spend.months(date(2025, 1, 1))
    assert (months[0].month, months[-1].month, len(months)) == (date(2025, 11, 1), NOVEMBER, 13)
    assert (months[-1].xray_usd, months[-1].lambda_usd, months[-1].estimated) == (Decimal(21), Decimal(210), True)
    assert (months[-2].xray_usd, months[-2].estimated) == (Decimal(31), False)
    assert sum(world.store.spend.days(NOVEMBER).values()) == Decimal(21)
    last = world.store.spend.last_asked()
    assert last
    assert (last.requests, last.usd, last.problem, last.told) == (3, Decimal("0.03"), "", True)


def test_it_asks_once_a_day_and_from_then_on_for_two_months_only(world: World, bill: Bill) -> None:
    bill(1.0)
    run(world)
    assert run(world) == []
    world.clock.forward(days=1)

    assert run(world) == ["2 requests to Cost Explorer, $0.02"]  # usage types are asked for once a week

    assert asked(world) == 5
    november, october = (world.store.spend.months(OCTOBER)[number] for number in (1, 0))
    assert (november.xray_usd, november.asked_at) == (Decimal(22), world.clock())
    assert october.asked_at == world.clock()
    world.clock.forward(days=7)
    assert run(world) == ["2 requests to Cost Explorer, $0.02"]  # of the month's first days no forecast can be made
    assert asked(world) == 7


def test_it_waits_for_the_days_hour_but_for_the_first_time(world: World, bill: Bill) -> None:
    bill(1.0)
    slot = Slot(time(15), ZoneInfo("UTC"))
    late = Schedule(replace(Schedule().general, slot=slot))
    assert run(world, schedule=late)
    world.clock.forward(days=1)
    assert run(world, schedule=late) == []
    world.clock.forward(hours=4)
    assert run(world, schedule=late)


def test_it_waits_for_the_days_audit_which_says_more_of_what_drives_the_cost(world: World, bill: Bill) -> None:
    bill(1.0)
    world.clock.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert run(world) == []
    world.clock.forward(minutes=2)
    world.store.daily_runs.begin("daily", date(2026, 11, 23), world.clock())
    assert run(world) == []
    world.store.daily_runs.end("daily", date(2026, 11, 23), world.clock())
    assert run(world)

    world.clock.forward(days=1, minutes=50)
    assert run(world) == []
    world.clock.forward(minutes=10)
    assert run(world)  # an audit that does not end is not waited for


def test_nothing_is_asked_where_the_settings_say_so(world: World, bill: Bill) -> None:
    assert run(world, spending=SpendRules(enabled=False)) == []
    assert asked(world) == 0
    assert world.store.spend.last_asked() is None


def test_transaction_search_counts_as_xray(world: World, bill: Bill) -> None:
    bill(1.0)
    world.aws.costs.bill(Line(OTHER, "AmazonCloudWatch", "EUC1-Application-Signals-Bytes", lambda _: 2.0))

    run(world)

    assert world.store.spend.months(NOVEMBER)[0].xray_usd == Decimal(63)
    assert world.store.spend.billed(NOVEMBER)[0].accounts[0].xray_usd == Decimal(63)


def test_a_refusal_is_said_once_with_the_line_that_mends_it(world: World, bill: Bill) -> None:
    world.aws.deny(service="ce")

    for _ in range(3):
        run(world, budget=BUDGET)
        world.clock.forward(days=1)

    (text,) = notices(world)
    assert "What X-Ray costs is not known" in text
    assert "allow ce:GetCostAndUsage" in text
    assert "enabled = false" in text
    assert world.store.posts.all(PostKind.NOTICE)[0].channel == "#money"
    assert world.store.spend.months(OCTOBER) == ()
    last = world.store.spend.last_asked()
    assert last
    assert (last.told, last.denied) == (False, True)


def test_what_is_not_known_of_transaction_search_leaves_the_rest(world: World, bill: Bill) -> None:
    bill(1.0)
    world.aws.deny(service="ce", action="GetDimensionValues")

    run(world)

    assert world.store.spend.months(NOVEMBER)[0].xray_usd == Decimal(21)
    (text,) = notices(world)
    assert "not known, all of it" in text
    assert "ce:GetDimensionValues" in text


def test_what_passes_by_itself_is_asked_again_on_the_next_turn_up_to_the_cap(world: World, bill: Bill) -> None:
    bill(1.0)
    world.aws.throttle(2, service="ce", action="GetCostAndUsage")

    assert run(world) == [f"2 requests to Cost Explorer, $0.02: {_throttled()}"]
    assert run(world) == []
    world.clock.forward(minutes=15)
    assert run(world) == [f"1 request to Cost Explorer, $0.01: {_throttled()}"]
    world.clock.forward(minutes=15)
    assert run(world) == ["2 requests to Cost Explorer, $0.02"]
    assert run(world) == []
    assert notices(world) == []
    assert world.store.spend.requests_since(world.clock() - timedelta(days=1)) == 5


def _throttled() -> str:
    return f"ce:GetCostAndUsage in account {HOME}: LimitExceededException: Rate exceeded"


def test_a_day_has_no_more_requests_than_the_settings_give_it(world: World, bill: Bill) -> None:
    bill(1.0)
    world.aws.costs.page_size = 2
    few = SpendRules(max_requests_per_day=3)

    run(world, spending=few)
    run(world, spending=few)
    run(world, spending=few)

    assert asked(world) == 3
    (text,) = notices(world)
    assert "max_requests_per_day" in text


# ---- the budget


def test_one_message_tells_of_the_highest_threshold_that_was_reached(world: World, bill: Bill) -> None:
    bill(5.0)  # 105 of 100 dollars

    run(world, budget=BUDGET)

    (post,) = world.store.posts.all(PostKind.NOTICE)
    assert (post.key, post.channel) == ("budget:2026-11:actual:100", "#money")
    assert (
        "X-Ray has cost $105.00 in November 2026 so far: 105\N{NO-BREAK SPACE}% of the budget of $100.00" in post.text
    )
    assert "thresholds of 80 % and 100 % for the actual cost" in post.text
    assert "about $150.00" in post.text
    assert "<@U0ANA>" in post.text
    assert world.store.spend.alerted(NOVEMBER, "actual") == {80, 100}
    assert world.store.spend.alerted(NOVEMBER, "forecast") == {100}  # the forecast has happened


def test_an_alert_is_sent_once_a_month_however_often_it_is_looked_at(world: World, bill: Bill) -> None:
    bill(5.0)
    for _ in range(4):
        run(world, budget=BUDGET)
        world.clock.forward(days=1)
    assert len(notices(world)) == 1

    world.clock.forward(days=20)  # 17 December
    run(world, budget=BUDGET)

    keys = [post.key for post in world.store.posts.all(PostKind.NOTICE)]
    assert keys == ["budget:2026-11:actual:100", "budget:2026-12:forecast:100"]


def test_thresholds_are_told_one_by_one_as_they_are_reached(world: World, bill: Bill) -> None:
    bill(4.0)  # 84 dollars now, 100 on the 27th
    run(world, budget=BUDGET)
    for _ in range(4):
        world.clock.forward(days=1)
        run(world, budget=BUDGET)

    keys = [post.key for post in world.store.posts.all(PostKind.NOTICE)]
    assert keys == ["budget:2026-11:actual:80", "budget:2026-11:forecast:100", "budget:2026-11:actual:100"]
    forecast = notices(world)[1]
    assert "X-Ray is likely to cost about $120.00 in November 2026" in forecast
    assert "21 days billed whole" in forecast


def test_a_forecast_of_fewer_than_seven_days_alarms_nobody(world: World, bill: Bill) -> None:
    bill(9.0)
    world.clock.now = datetime(2026, 11, 8, 12, tzinfo=UTC)  # six days are billed
    run(world, budget=BUDGET)
    assert notices(world) == []
    world.clock.forward(days=1)

    run(world, budget=BUDGET)

    assert [post.key for post in world.store.posts.all(PostKind.NOTICE)] == ["budget:2026-11:forecast:100"]


def test_a_month_that_turns_out_dearer_after_its_end_is_told_too(world: World, bill: Bill) -> None:
    bill(0, by_day=lambda day: 60.0 if day == date(2026, 11, 30) else 1.0)
    world.clock.now = datetime(2026, 11, 30, 12, tzinfo=UTC)
    run(world, budget=BUDGET)
    assert notices(world) == []
    world.clock.forward(days=2)

    run(world, budget=BUDGET)

    (text,) = notices(world)
    assert "X-Ray cost $89.00 in November 2026: 89\N{NO-BREAK SPACE}% of the budget" in text


def test_months_before_the_first_look_alarm_nobody(world: World, bill: Bill) -> None:
    bill(0, by_day=lambda day: 20.0 if day < NOVEMBER else 0.1)

    run(world, budget=BUDGET)
    world.clock.forward(days=1)
    run(world, budget=BUDGET)

    assert notices(world) == []


def test_without_a_budget_nobody_is_told(world: World, bill: Bill) -> None:
    bill(500.0)

    run(world)

    assert notices(world) == []


@pytest.mark.parametrize("daily", [3.5, 5.0], ids=["forecast", "actual"])
def test_an_alert_names_the_teams_and_functions_as_a_report_would(
    world: World, bill: Bill, remembered: Callable[..., Function], daily: float
) -> None:
    now, world.clock.now = world.clock(), datetime(2026, 11, 1, tzinfo=UTC)
    sends = {"verdict": Verdict.TRACED, "account": OTHER}
    loud, quiet = remembered("loud", **sends), remembered("quiet", **{**sends, "team": "search"})
    late = remembered("late", team="identity", account=OTHER)
    remembered("unseen", **sends)
    recorded = {loud.arn: 60_000, quiet.arn: 20_000, late.arn: 1_000_000}
    world.store.forecasts.save(
        replace(KNOWN, function_arn=arn, recorded=Range(its, its, its), usd=Range(999, 999, 999))
        for arn, its in recorded.items()
    )
    world.clock.now = now
    world.store.functions.save(
        [structs.replace(late, verdict=Verdict.TRACED)], now, now
    )  # traced from today on: nothing of the bill is its
    bill(daily)

    run(world, budget=BUDGET)

    text = notices(world)[0]
    window = Window(now - timedelta(days=5), now)
    made = figures(world.context, window, None)
    shares = {team: one.xray_usd for team, one in made.by_team.items() if one.xray_usd}
    (spent,) = made.spent
    assert set(shares) == {"payments", "search"}
    assert sum(shares.values()) + made.open_usd == spent.xray_usd
    teams = f"payments ${shares['payments']}, search ${shares['search']}"
    assert f"*Teams that drive it* (of ${spent.xray_usd:.2f} billed, by their share of traces): {teams}." in text
    assert f"`loud` (payments) ${shares['payments']}, `quiet` (search) ${shares['search']}" in text
    assert "Left out: 1 function of unknown traffic" in text


def test_without_any_look_at_traffic_the_alert_says_so(world: World, bill: Bill) -> None:
    bill(5.0)
    run(world, budget=BUDGET)
    assert "Which teams and functions drive it is not known" in notices(world)[0]


def test_a_job_that_is_cut_short_is_taken_up_and_tells_once(world: World, bill: Bill) -> None:
    bill(5.0)
    going = iter(turn(world.asks(THE_CLOCK), replace(world.context, budget=BUDGET)))
    next(going)  # the answer is kept, and then the power goes

    run(world, budget=BUDGET)
    run(world, budget=BUDGET)

    assert len(notices(world)) == 1
    assert asked(world) == 5


def test_months_in_which_nobody_asked_are_asked_for_later(world: World, bill: Bill) -> None:
    bill(1.0)
    run(world)
    world.clock.forward(days=75)  # to 6 February

    run(world)

    known = {one.month: one for one in world.store.spend.months(NOVEMBER)}
    assert [month.month for month in known] == [11, 12, 1, 2]
    assert (known[NOVEMBER].xray_usd, known[NOVEMBER].estimated) == (Decimal(30), False)


def test_a_look_by_a_clock_that_was_set_back_holds_nothing_up(world: World, bill: Bill) -> None:
    bill(1.0)
    ahead = world.clock() + timedelta(days=300)
    world.store.spend.asked(SpendLookUp(ahead, 1, Decimal("0.01"), "throttled", told=False), ["USE1-Old"])

    run(world, spending=SpendRules(max_requests_per_day=10))

    assert world.store.spend.months(NOVEMBER)
    assert world.store.spend.usage_types() == (world.clock(), ())

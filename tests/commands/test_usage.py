"""GB-seconds of each team, as CloudWatch's Duration and Lambda's memory sizes make them."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from commands._audits import take_audit
from commands._figures import figures
from commands._forecast_rules import ForecastRules
from commands._forecasts import forecast_due
from commands._purse import Purse
from commands._types import Context
from commands.aws.usage import memory_sizes
from commands.usage import LOOK_EVERY, look_at, usage
from storage.kpis import Window
from storage.metrics_asked import Purpose
from storage.models import Source
from tests.commands.conftest import BERLIN, HOME, OTHER, HandClock, World

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS goes by the same clock."""
    return {"clock": clock, "iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def running(world: World) -> World:
    """Two teams, a function of none, and one that never ran; each runs for ten seconds an hour."""
    for name, team, account in (
        ("refund", "payments", HOME),
        ("find", "search", HOME),
        ("stray", None, OTHER),
        ("idle", "search", OTHER),
    ):
        world.function(name, team=team, account=account)
        if name != "idle":
            world.aws.metrics.ran(account, BERLIN, name, lambda _hour: 10_000.0)
    world.lambdas().update_function_configuration(FunctionName="find", MemorySize=1024)
    take_audit(world.context, source=Source.CLOCK)
    return world


def look(world: World) -> list[str]:
    """What the next look says; with new credentials, for AWS's clock has moved on and the machine's has not."""
    return [reply.text for reply in usage(world.asks(), world.configured())]


def used(world: World, account: str, month: date) -> dict[str | None, float]:
    return dict(world.store.usage.by_account().get(account, {}).get(month, {}))


def test_gb_seconds_are_duration_times_memory_by_team_and_month(running: World) -> None:
    look(running)

    whole_october = 31 * 24 * 10  # seconds
    assert used(running, HOME, OCTOBER) == {
        "payments": pytest.approx(whole_october / 8),
        "search": pytest.approx(whole_october),
    }
    assert used(running, OTHER, OCTOBER) == {None: pytest.approx(whole_october / 8)}
    november = 22 * 24 * 10
    assert used(running, HOME, NOVEMBER)["search"] == pytest.approx(november)


def test_what_the_look_costs_is_told(running: World) -> None:
    assert look(running) == [
        "GB-seconds asked for with 4 metrics, $0.00004; 4 metrics asked for today (UTC), $0.00004 of at most $1.00"
    ]
    queries = [call for call in running.aws.calls if call.action == "GetMetricData"]
    assert len(queries) == 2  # one for each account, whatever the number of days


def test_a_look_comes_once_a_week_and_takes_the_place_of_the_one_before(running: World) -> None:
    look(running)
    first = used(running, HOME, NOVEMBER)
    running.clock.forward(days=1)
    assert look(running) == []

    running.clock.forward(days=LOOK_EVERY.days)
    look(running)
    assert used(running, HOME, NOVEMBER)["search"] == pytest.approx(first["search"] + 8 * 24 * 10)
    assert used(running, HOME, OCTOBER)["search"] == pytest.approx(31 * 24 * 10)


@pytest.mark.parametrize(("service", "action"), [("cloudwatch", "GetMetricData"), ("lambda", "ListFunctions")])
def test_a_refused_place_is_a_row_and_keeps_what_was_known(running: World, service: str, action: str) -> None:
    look(running)
    before = running.store.usage.by_account()
    running.aws.deny(account=HOME, service=service, action=action)
    running.clock.forward(days=3)
    running.clock.forward(days=LOOK_EVERY.days - 3)
    (said,) = look(running)

    assert "; 1 place not known in full, the first: " in said
    assert action in said
    assert used(running, HOME, NOVEMBER) == before[HOME][NOVEMBER]
    assert [bool(one.problem) for one in running.store.usage.looks()] == [True, False]


def capped(world: World, metrics: int) -> Context:
    """So many may be asked for in a day."""
    rules = ForecastRules(max_usd_per_day=Decimal(metrics) / 100_000)
    return replace(world.configured(), forecasting=rules)


def told_on(world: World, place: tuple[str, str]) -> dict[str, int]:
    """On which day of November CloudWatch last told of each function."""
    return {name: at.day for name, at in world.store.usage.asked(place, [OCTOBER, NOVEMBER]).items()}


def test_half_of_the_days_money_is_the_most_and_the_rest_waits(running: World) -> None:
    (said,) = usage(running.asks(), capped(running, 3))

    assert said.text == (
        "GB-seconds asked for with 2 metrics, $0.00002; 2 metrics asked for today (UTC), $0.00002 of at most $0.00003; "
        "1 place not known in full, the first: Not asked: today's look-ups have reached `[forecast] max_usd_per_day`."
    )
    assert [(one.metrics, bool(one.problem)) for one in running.store.usage.looks()] == [(2, False), (0, True)]


def test_a_place_that_no_day_has_money_for_is_known_after_some_days_oldest_first(running: World) -> None:
    for name in ("a", "b", "c", "d", "e"):
        running.function(name, team="big", region="us-east-1")
        running.aws.metrics.ran(HOME, "us-east-1", name, lambda _hour: 3_600_000.0)
    running.audit()
    place = (HOME, "us-east-1")

    def said() -> str:
        context = capped(running, 4)
        return look_at(context, place, Purse(context, Purpose.GB_SECONDS, half=True))

    assert (
        said() == "3 of 5 functions wait for another day: today's look-ups have reached `[forecast] max_usd_per_day`."
    )
    assert used(running, HOME, OCTOBER) == {"big": pytest.approx(2 * 31 * 24 * 3600 / 8)}
    how = figures(running.context, window(running), None).attribution.how
    assert how.endswith("; GB-seconds are known of 2 of 5 functions")
    running.clock.forward(days=1)
    assert said().startswith("1 of 5 functions wait")
    running.clock.forward(days=1)
    assert said() == ""
    assert used(running, HOME, OCTOBER) == {"big": pytest.approx(5 * 31 * 24 * 3600 / 8)}
    assert told_on(running, place) == {"a": 23, "b": 23, "c": 24, "d": 24, "e": 25}
    running.clock.forward(days=5)
    assert said() == ""
    assert told_on(running, place) == {"a": 30, "b": 30, "c": 24, "d": 24, "e": 25}
    assert used(running, HOME, OCTOBER) == {"big": pytest.approx(5 * 31 * 24 * 3600 / 8)}
    assert "GB-seconds are known of" not in figures(running.context, window(running), None).attribution.how


def window(world: World) -> Window:
    now = world.clock()
    return Window(now - timedelta(days=30), now)


def test_the_next_day_asks_for_what_was_left_and_no_more(running: World) -> None:
    list(usage(running.asks(), capped(running, 3)))
    assert told_on(running, (HOME, BERLIN)) == {"find": 23, "refund": 23}
    running.clock.forward(days=1)
    list(usage(running.asks(), capped(running, 3)))

    assert told_on(running, (HOME, BERLIN)) == {"find": 23, "refund": 23}
    assert told_on(running, (OTHER, BERLIN)) == {"idle": 24, "stray": 24}


def test_a_function_that_is_gone_counts_no_longer(running: World) -> None:
    look(running)
    running.lambdas().delete_function(FunctionName="find")
    running.clock.forward(days=LOOK_EVERY.days)
    look(running)

    assert set(used(running, HOME, OCTOBER)) == {"payments"}


def test_functions_are_listed_at_the_pace_of_all_calls_to_lambda(running: World) -> None:
    for number in range(150):
        running.function(f"many-{number:03}", region="us-east-1")
    cloud = running.configured(calls_per_second=2).cloud
    assert len(memory_sizes(cloud, HOME, "us-east-1")) == 150
    began = time.monotonic()
    memory_sizes(cloud, HOME, "us-east-1")

    assert time.monotonic() - began >= 1.4  # three pages after those of the call before


def test_where_looking_at_traffic_is_switched_off_nothing_is_asked(running: World) -> None:
    before = len(running.aws.calls)
    off = replace(running.configured(), forecasting=ForecastRules(enabled=False))

    assert list(usage(running.asks(), off)) == []
    assert len(running.aws.calls) == before


def test_more_functions_than_one_call_takes_are_asked_in_several(running: World) -> None:
    for number in range(501):
        running.function(f"many-{number:03}", team="payments", region="us-east-1")
    running.aws.metrics.ran(HOME, "us-east-1", "many-500", lambda _hour: 3_600_000.0)
    running.audit()
    look_at(running.configured(), (HOME, "us-east-1"), Purse(running.context, Purpose.GB_SECONDS))

    assert len([call for call in running.aws.calls if call.action == "GetMetricData"]) == 2
    assert used(running, HOME, OCTOBER) == {"payments": pytest.approx(31 * 24 * 3600 / 8)}


def answering(world: World, change: Callable[[dict[str, Any]], None]) -> Context:
    """What CloudWatch says is changed on its way."""
    context = world.configured()
    events = context.cloud.client("cloudwatch", BERLIN, attempts=1).meta.events
    events.register("after-call.cloudwatch.GetMetricData", lambda parsed, **_: change(parsed))
    return context


def test_an_answer_that_cannot_be_read_is_paid_once_a_day_and_stops_no_other_place(running: World) -> None:
    spoilt: list[object] = []

    def spoil_one(said: dict[str, Any]) -> None:
        if not spoilt:
            spoilt.append(said.pop("MetricDataResults"))

    list(usage(running.asks(), answering(running, spoil_one)))
    for _ in range(3):
        assert look(running) == []

    home, other = running.store.usage.looks()
    assert "CloudWatch's answer could not be read" in home.problem
    assert (home.metrics, other.metrics) == (2, 2)  # AWS bills for them all the same
    assert used(running, OTHER, NOVEMBER)
    running.clock.forward(days=1)
    assert look(running)[0].startswith("GB-seconds asked for with 2 metrics, $0.00002; ")
    assert used(running, HOME, NOVEMBER)


@pytest.mark.parametrize("status", ["Forbidden", "InternalError", "PartialData", "Odd"])
def test_what_is_not_told_whole_is_not_taken_for_idle(running: World, status: str) -> None:
    look(running)
    before = used(running, HOME, NOVEMBER)

    def nothing(said: dict[str, Any]) -> None:
        for result in said["MetricDataResults"]:
            result |= {"StatusCode": status, "Timestamps": [], "Values": []}

    running.clock.forward(days=LOOK_EVERY.days)
    list(usage(running.asks(), answering(running, nothing)))

    assert used(running, HOME, NOVEMBER) == before
    assert running.store.usage.looks()[0].problem


def test_a_look_that_was_cut_short_goes_on_with_the_other_places(running: World) -> None:
    context = answering(running, lambda _: context.ending.set())
    list(usage(running.asks(), context))
    assert len(running.store.usage.looks()) == 1
    context.ending.clear()

    assert look(running)[0].startswith("GB-seconds asked for with 2 metrics, $0.00002; ")
    assert used(running, OTHER, NOVEMBER)


def test_forecasts_and_gb_seconds_share_what_may_be_spent_in_a_day(running: World) -> None:
    rules = ForecastRules(max_usd_per_day=Decimal("0.00005"))
    context = replace(running.configured(), forecasting=rules)
    assert forecast_due(context).looked_up.metrics_requested == 4
    list(usage(running.asks(), context))

    assert [one.metrics for one in running.store.usage.looks()] == [1, 0]
    assert running.store.metrics_asked.on(running.clock().date()) == {Purpose.FORECASTS: 4, Purpose.GB_SECONDS: 1}
    assert forecast_due(context).waiting == 0


def test_a_look_by_a_clock_that_was_set_back_holds_nothing_up(running: World) -> None:
    running.clock.forward(days=300)
    look(running)
    running.clock.forward(days=-300)

    assert look(running)

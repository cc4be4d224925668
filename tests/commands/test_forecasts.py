"""Forecasts from CloudWatch to memory, through the local AWS."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from commands._forecast_rules import ForecastRules
from commands._forecasts import LookedUp, forecast_due, forecast_now
from commands._types import Context, Request
from commands.aws.traffic import window_before
from commands.digest import daily
from storage.forecasts import Range, Unit
from storage.metrics_asked import Purpose
from storage.models import THE_CLOCK, Function, PostKind, Source, TracingMode, Verdict
from storage.store import open_store
from tests.commands.aws import hidden_traffic as hidden
from tests.commands.aws.hidden_traffic import Hidden, hide
from tests.commands.conftest import BERLIN, HOME, NOON, OTHER, VIRGINIA, World

BLANK = Function("", HOME, BERLIN, "", TracingMode.PASS_THROUGH, team="payments", verdict=Verdict.UNTRACED)
SINCE = window_before(NOON + timedelta(minutes=1)).since
HOURS_14_DAYS = 14 * 24


@pytest.fixture
def delays() -> dict[str, object]:
    """AWS's clock stands near Lamplighter's, so that both mean the same fourteen days."""
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0), "clock": lambda: NOON + timedelta(hours=1)}


def invoked(world: World, name: str, hourly: Callable[[datetime], float], account: str = HOME) -> str:
    arn = world.function(name, account=account)
    world.aws.metrics.invoked(account, BERLIN, name, hourly)
    return arn


def looked_up(world: World, *arns: str, **rules: object) -> LookedUp:
    world.audit()
    context = replace(world.context, forecasting=replace(world.context.forecasting, **rules))
    return forecast_now(context, [world.known(arn) for arn in arns])


def asked(world: World, action: str = "GetMetricData") -> int:
    return sum(call.action == action for call in world.aws.calls)


def configured(world: World, **rules: object) -> Context:
    return replace(world.context, forecasting=ForecastRules(**rules))


# ---- what comes of it


def test_a_steady_function_has_its_range_its_price_and_the_window_it_was_seen_in(world: World) -> None:
    arn = invoked(world, "refund", lambda _: 36.0)

    told = looked_up(world, arn)

    known = world.store.forecasts.get(arn)
    assert known == told.forecasts[arn]
    assert known.invocations == 36 * HOURS_14_DAYS
    assert known.recorded.expected == pytest.approx(36 * 24 * 30, rel=0.01)
    assert known.recorded.low < known.recorded.expected < known.recorded.high
    assert known.usd == known.recorded.times(0.000005)
    assert known.price == "$5.00 per million traces recorded in eu-central-1 (AWS's Price List)"
    assert (known.unit, known.period, known.spiky, known.busy) == (Unit.TRACES, 3600, False, False)
    assert (known.since, known.until) == (told.since, told.until) == (SINCE, SINCE + timedelta(days=14))
    assert told.cost == (
        "traffic from 2026-11-09 11:00 to 2026-11-23 11:00 UTC; "
        "the look-up asked CloudWatch for 1 metric and cost $0.00001"
    )


def test_a_function_that_nobody_calls_costs_nothing(world: World) -> None:
    arn = world.function("refund")

    known = looked_up(world, arn).forecasts[arn]

    assert (known.invocations, known.recorded, known.usd) == (0, Range(0, 0, 0), Range(0, 0, 0))


def test_calls_through_an_alias_are_counted_once(world: World) -> None:
    arn = world.served_untraced("refund")  # ten an hour, through `live`

    assert looked_up(world, arn).forecasts[arn].invocations == 10 * HOURS_14_DAYS


SHAPES = {
    "steady": hidden.steady(1.5),
    "weekend idle": hidden.weekend_idle(8),
    "cron": hidden.cron(30),
    "queue": hidden.bursts(200, 5, 0.1),
    "one a second": hidden.one_a_second,
    "half hours": hidden.half_hours(3),
    "a thousand": hidden.steady(1000),
    "daily": hidden.diurnal(40, 0.8),
}


@pytest.mark.parametrize("name", SHAPES)
def test_hidden_traffic_lies_in_its_range_all_the_way(world: World, name: str) -> None:
    truth: Hidden = hide(SHAPES[name], seed=7, first_weekday=SINCE.weekday())
    arn = world.function("refund")
    world.aws.metrics.invoked_by_minute(HOME, BERLIN, "refund", SINCE, truth.counts)

    known = looked_up(world, arn).forecasts[arn]

    assert known.invocations == sum(truth.counts)
    assert known.recorded.low <= truth.month_traces <= known.recorded.high
    if name in ("steady", "a thousand", "daily"):
        assert known.recorded.expected == pytest.approx(truth.month_traces, rel=0.1)


# ---- smaller bins


def test_smaller_bins_are_asked_for_where_the_range_is_wide_and_dear_and_no_further_than_they_tell_news(
    world: World,
) -> None:
    small = invoked(world, "small", lambda _: 36.0)
    even = invoked(world, "even", lambda _: 3600.0)  # a range of $12, and five minutes say what hours said
    rough = world.function("rough")
    truth = hide(hidden.half_hours(3), seed=1, first_weekday=SINCE.weekday())
    world.aws.metrics.invoked_by_minute(HOME, BERLIN, "rough", SINCE, truth.counts)
    dense = invoked(world, "dense", lambda _: 3_600_000.0)  # dear, but no spread of it matters

    told = looked_up(world, small, even, rough, dense)

    assert {arn: one.period for arn, one in told.forecasts.items()} == {small: 3600, even: 300, rough: 60, dense: 300}
    assert told.metrics_requested == 1 + 2 + 3 + 2
    assert told.usd == Decimal("0.00008")
    assert told.forecasts[rough].recorded.expected == pytest.approx(truth.month_traces, rel=0.1)
    assert told.forecasts[dense].busy


def test_nothing_is_looked_at_closer_where_the_settings_ask_for_more_dollars(world: World) -> None:
    arn = invoked(world, "even", lambda _: 3600.0)

    told = looked_up(world, arn, finer_above_usd=100.0, busy_usd=5.0)

    assert (told.forecasts[arn].period, told.metrics_requested, told.forecasts[arn].busy) == (3600, 1, True)


def test_bursts_are_told(world: World) -> None:
    arn = world.function("refund")
    truth = hide(hidden.cron(30), seed=1)
    world.aws.metrics.invoked_by_minute(HOME, BERLIN, "refund", SINCE, truth.counts)

    known = looked_up(world, arn).forecasts[arn]

    assert known.spiky
    assert known.recorded.low < truth.month_traces < known.recorded.expected


# ---- Transaction Search and prices


def test_with_transaction_search_the_forecast_is_in_spans_and_gigabytes_and_says_so(world: World) -> None:
    arn = invoked(world, "refund", lambda _: 36.0)
    plain = looked_up(world, arn).forecasts[arn]
    world.aws.xray.transaction_search(HOME, BERLIN, indexed_percent=5.0)

    known = looked_up(world, arn).forecasts[arn]

    assert known.unit is Unit.SPANS
    assert known.recorded == Range(*(each * by for each, by in zip(ends(plain.recorded), (2, 3.5, 5), strict=True)))
    assert known.gigabytes
    assert known.gigabytes.expected == pytest.approx(known.recorded.expected * 1.5 / 1e6)
    assert known.usd
    spans = known.recorded.expected
    assert known.usd.expected == pytest.approx(known.gigabytes.expected * 0.35 + spans * 0.04 * 0.75 / 1e6)
    assert known.price.startswith("Transaction Search is on: about $0.35 per GB of spans")
    assert "not confirmed" in known.price


def ends(one: Range) -> tuple[float, float, float]:
    return one.low, one.expected, one.high


def test_a_switch_that_is_still_being_made_and_one_that_may_not_be_read_leave_traces_and_are_said(
    world: World,
) -> None:
    arn = invoked(world, "refund", lambda _: 36.0)
    world.aws.xray.transaction_search(HOME, BERLIN, status="PENDING")
    pending = looked_up(world, arn).forecasts[arn]
    world.aws.deny(action="GetTraceSegmentDestination")
    denied = looked_up(world, arn).forecasts[arn]

    assert pending.unit is denied.unit is Unit.TRACES
    assert pending.price.endswith("; Transaction Search is being switched on, and prices change with it")
    assert "; whether Transaction Search is on is not known: xray:GetTraceSegmentDestination in account" in denied.price


def test_indexing_that_may_not_be_read_is_said(world: World) -> None:
    arn = invoked(world, "refund", lambda _: 36.0)
    world.aws.xray.transaction_search(HOME, BERLIN, indexed_percent=5.0)
    world.aws.deny(action="GetIndexingRules")

    known = looked_up(world, arn).forecasts[arn]

    assert known.unit is Unit.SPANS
    assert "how much is indexed is not known, 1 % is taken: xray:GetIndexingRules in account" in known.price


def test_the_price_list_is_asked_once_a_day_for_each_region(world: World) -> None:
    first, second = world.function("refund"), world.function("charge", region=VIRGINIA)
    world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _: 36.0)
    world.aws.metrics.invoked(HOME, VIRGINIA, "charge", lambda _: 36.0)
    world.aws.pricing.traces_cost(VIRGINIA, "0.0000072500")

    told = looked_up(world, first, second)
    looked_up(world, first, second)

    assert asked(world, "GetProducts") == 2
    assert told.forecasts[second].price.startswith("$7.25 per million traces recorded in us-east-1")
    assert ends(told.forecasts[second].usd) == pytest.approx(ends(told.forecasts[second].recorded.times(7.25e-6)))
    world.clock.forward(days=1, minutes=1)
    looked_up(world, first)
    assert asked(world, "GetProducts") == 3


def test_where_the_price_list_may_not_be_read_a_dated_table_serves_and_says_what_it_is(world: World) -> None:
    world.aws.deny(service="pricing")
    arn = invoked(world, "refund", lambda _: 36.0)

    known = looked_up(world, arn).forecasts[arn]

    assert known.usd == known.recorded.times(0.000005)
    assert known.price == (
        "about $5.00 per million traces recorded (AWS's pricing page of 2026-11-23; not confirmed for eu-central-1)"
    )


@pytest.mark.parametrize("usd", ["5.0", "-1", "NaN", "free", "0.0000000000"])
def test_a_price_that_can_be_none_is_not_believed(world: World, usd: str) -> None:
    world.aws.pricing.traces_cost(BERLIN, usd)
    arn = invoked(world, "refund", lambda _: 36.0)

    assert looked_up(world, arn).forecasts[arn].price.startswith("about $5.00")


# ---- what AWS refuses


def test_what_is_refused_in_one_region_is_unknown_there_and_stops_nothing_else(world: World) -> None:
    dark, light = world.function("refund"), world.function("charge", region=VIRGINIA)
    far = world.function("far", account=OTHER)
    world.aws.deny(account=HOME, region=BERLIN, action="GetMetricData")

    told = looked_up(world, dark, light, far)

    assert set(told.forecasts) == {light, far}
    assert set(told.unknown) == {dark}
    assert told.unknown[dark].startswith("cloudwatch:GetMetricData in account 123456789012, eu-central-1: AccessDenied")
    assert world.store.forecasts.get(dark) is None
    assert told.metrics_requested == 3  # AWS does not say that what it refuses is free


def test_an_account_that_lets_nobody_in_is_unknown(world: World) -> None:
    arn, far = world.function("refund"), world.function("far", account=OTHER)
    world.audit()
    functions = [world.known(arn), world.known(far)]
    context = world.configured(role="nobody")

    told = forecast_now(context, functions)

    assert set(told.unknown) == {arn, far}
    assert all("AssumeRole" in why for why in told.unknown.values())


def test_a_throttled_call_is_made_again(world: World) -> None:
    arn = invoked(world, "refund", lambda _: 36.0)
    world.aws.throttle(2, action="GetMetricData")

    told = looked_up(world, arn)

    assert (told.unknown, told.forecasts[arn].invocations) == ({}, 36 * HOURS_14_DAYS)


def test_no_smaller_bins_leave_the_hours_standing(world: World) -> None:
    arn = invoked(world, "even", lambda _: 3600.0)
    world.audit()
    hold = world.aws.hold("GetMetricData", done=True)
    told: list[LookedUp] = []
    look = threading.Thread(target=lambda: told.append(forecast_now(world.context, [world.known(arn)])))
    look.start()
    assert hold.reached.wait(20)
    world.aws.deny(action="GetMetricData")  # from the second call on
    hold.let_go()
    look.join()

    assert (told[0].forecasts[arn].period, told[0].metrics_requested, told[0].unknown) == (3600, 2, {})


# ---- the daily look-up


def test_due_are_those_without_a_forecast_and_those_with_an_old_one(world: World) -> None:
    first = world.function("refund")
    world.audit()
    assert set(forecast_due(world.context).looked_up.forecasts) == {first}

    second = world.function("charge")
    world.function("edge", mode="Active")
    world.audit()
    told = forecast_due(world.context)
    assert first not in told.looked_up.forecasts
    assert second in told.looked_up.forecasts
    assert (len(told.looked_up.forecasts), told.kept, told.waiting) == (2, 1, 0)

    world.clock.forward(days=7, minutes=1)
    assert first in forecast_due(world.context).looked_up.forecasts


def test_the_cap_leaves_the_rest_for_another_day_untraced_ones_first_and_says_so(world: World) -> None:
    lit = [world.function(f"a-{number}", mode="Active") for number in range(3)]
    dark = [world.function(f"z-{number}") for number in range(3)]
    world.audit()
    context = configured(world, max_usd_per_day=Decimal("0.00004"))

    first = forecast_due(context)
    again = forecast_due(context)

    assert set(dark) < set(first.looked_up.forecasts)
    assert (len(first.looked_up.forecasts), first.waiting, first.looked_up.unknown) == (4, 2, {})
    assert (len(again.looked_up.forecasts), again.waiting) == (0, 2)
    assert "4 made, 0 not known, 2 wait for the next day" in first.text
    assert first.text.endswith(
        "asked CloudWatch for 4 metrics and cost $0.00004; "
        "4 metrics asked for today (UTC), $0.00004 of at most $0.00004"
    )
    world.clock.forward(days=1)
    assert set(forecast_due(context).looked_up.forecasts) == set(lit) - set(first.looked_up.forecasts)


def test_who_asks_beyond_the_cap_is_told_why_there_is_none(world: World) -> None:
    arn = world.function("refund")

    told = looked_up(world, arn, max_usd_per_day=Decimal(0))

    assert told.unknown == {arn: "today's look-ups have reached `[forecast] max_usd_per_day`"}
    assert asked(world) == 0


def test_what_is_refused_counts_and_keeps_the_others_waiting_for_one_day_at_most(world: World) -> None:
    for number in range(5):
        world.function(f"a-{number}")
    last = world.function("z", account=OTHER)
    world.aws.deny(account=HOME, action="GetMetricData")
    world.audit()

    context = configured(world, max_usd_per_day=Decimal("0.00002"))

    first = forecast_due(context)
    world.clock.forward(days=1)
    second = forecast_due(context)

    assert (set(first.looked_up.forecasts), first.looked_up.metrics_requested) == (set(), 2)
    assert (set(second.looked_up.forecasts), second.looked_up.metrics_requested) == ({last}, 2)


def test_a_forecast_that_is_made_again_counts_again(world: World) -> None:
    arn = world.function("refund")
    for _ in range(3):
        looked_up(world, arn)

    told = looked_up(world, arn, max_usd_per_day=Decimal("0.00004"))

    assert told.today == "4 metrics asked for today (UTC), $0.00004 of at most $0.00004"
    assert "max_usd_per_day" in looked_up(world, arn, max_usd_per_day=Decimal("0.00004")).unknown[arn]
    world.clock.forward(days=1)
    assert looked_up(world, arn, max_usd_per_day=Decimal("0.00004")).unknown == {}


class Killed(BaseException):
    """The process ends without another word."""


def test_what_was_asked_for_counts_though_the_process_was_killed_before_the_answer(world: World) -> None:
    arn = world.function("refund")
    world.audit()

    def kill(**_: object) -> None:
        raise Killed

    events = world.context.cloud.client("cloudwatch", BERLIN, attempts=1).meta.events
    events.register("before-send.cloudwatch.GetMetricData", kill)
    with pytest.raises(Killed):
        forecast_now(world.context, [world.known(arn)])

    with open_store(world.store.path) as after:
        assert after.metrics_asked.on(world.clock().date()) == {Purpose.FORECASTS: 1}


def test_each_attempt_at_what_aws_throttles_counts_and_none_goes_beyond_the_cap(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    world.aws.throttle(2, action="GetMetricData")

    told = forecast_now(configured(world, max_usd_per_day=Decimal("0.00002")), [world.known(arn)])

    assert (told.metrics_requested, asked(world)) == (2, 2)
    assert "max_usd_per_day" in told.unknown[arn]


def test_forecasts_go_with_their_functions_and_functions_without_x_ray_have_none(
    world: World, remembered: Callable[..., object]
) -> None:
    arn = world.function("refund")
    edge = remembered("viewer", verdict=Verdict.NOT_APPLICABLE)
    world.audit()
    world.store.functions.save([edge], world.clock())
    forecast_due(world.context)
    world.store.functions.mark_gone(arn, world.clock())
    world.clock.forward(days=399)  # until then a report may share out what it recorded
    assert forecast_due(world.context).dropped == 0
    world.clock.forward(days=2)

    told = forecast_due(world.context)

    assert (told.dropped, told.looked_up) == (1, None)
    assert world.store.forecasts.get(arn) is None
    assert world.store.forecasts.get(edge.arn) is None
    assert told.text == "forecasts: none due, 0 kept, 1 dropped with their functions"


def test_nothing_is_asked_where_it_is_switched_off(world: World) -> None:
    world.function("refund")
    world.audit()

    told = forecast_due(configured(world, enabled=False))

    assert (told.looked_up, asked(world)) == (None, 0)
    assert told.text == "forecasts: `[forecast] enabled` is false, and no traffic was looked at"


def test_nothing_is_begun_where_the_bot_ends(world: World) -> None:
    world.function("refund")
    world.audit()
    world.context.ending.set()

    told = forecast_due(world.context)

    assert (told.waiting, asked(world)) == (1, 0)


@pytest.mark.parametrize("refused", [None, "GetMetricData"])
def test_the_daily_job_looks_at_traffic_after_its_audit_and_digests_come_whatever_that_gives(
    world: World, refused: str | None
) -> None:
    invoked(world, "refund", lambda _: 36.0)
    if refused:
        world.aws.deny(action=refused)
    request = Request(user=THE_CLOCK, now=world.clock(), source=Source.CLOCK, day=NOON.date())

    said = [reply.text for reply in daily(request, world.context)]

    made = "forecasts: 0 made, 1 not known" if refused else "forecasts: 1 made, 0 not known"
    assert said[1].startswith(made)
    assert world.store.posts.all(PostKind.DIGEST)
    calls = [call.action for call in world.aws.calls]
    assert calls.index("ListFunctions") < calls.index("GetMetricData")


# ---- many


def test_ten_thousand_functions_take_twenty_calls_and_a_page_more_where_points_are_many(world: World) -> None:
    minutes = 14 * 24 * 60
    once_a_day = [int(minute % 1440 == 600) for minute in range(minutes)]
    functions = []
    for number in range(10_000):
        name = f"fn-{number:05}"
        functions.append(structs.replace(BLANK, arn=f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}", name=name))
        if number < 500:
            world.aws.metrics.invoked(HOME, BERLIN, name, lambda _: 7.0)  # 336 points
        elif number < 1000:
            world.aws.metrics.invoked_by_minute(HOME, BERLIN, name, SINCE, once_a_day)
    world.store.functions.save(functions, world.clock())

    told = forecast_now(world.context, functions)

    calls = Counter(call.action for call in world.aws.calls)
    assert (len(told.forecasts), told.unknown, told.metrics_requested) == (10_000, {}, 10_000)
    assert told.usd == Decimal("0.1")
    assert told.cost.endswith("10,000 metrics and cost $0.10")
    assert calls["GetMetricData"] == 20 + 1  # 168,000 points of the first 500 are two pages
    assert (calls["GetTraceSegmentDestination"], calls["GetProducts"]) == (1, 1)
    counts = {told.forecasts[functions[number].arn].invocations for number in (0, 499)}
    assert counts == {7 * HOURS_14_DAYS}
    assert [told.forecasts[functions[number].arn].invocations for number in (500, 999, 1000)] == [14, 14, 0]


def test_what_nobody_foresaw_of_forecasts_keeps_no_digest_back(world: World) -> None:
    world.function("refund", team="payments")
    context = world.configured()

    def fail(**_: object) -> None:
        raise RuntimeError("nobody foresaw this")

    context.cloud.client("cloudwatch", BERLIN, attempts=1).meta.events.register(
        "after-call.cloudwatch.GetMetricData", fail
    )
    said = [reply.text for reply in daily(world.asks(THE_CLOCK), context)]

    assert "forecasts: none made, for RuntimeError was not foreseen" in said
    assert [post.team for post in world.store.posts.all(PostKind.DIGEST)] == ["payments"]

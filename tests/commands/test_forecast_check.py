"""A week after a fix: the forecast held against what X-Ray saw and what CloudWatch counted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from commands._calibration import calibration, scaled
from commands._figures import figures
from commands._forecast_errors import forecast_errors
from commands._forecast_rules import ForecastRules
from commands._forecasts import forecast_now
from commands._types import Context, Progress, Say
from commands.audit import audit
from commands.fix import approve
from commands.forecast_check import (
    GONE,
    NEVER_FORECAST,
    NOT_TRACED,
    SEARCHED,
    SPANS_FORECAST,
    TOO_LATE,
    UNDONE,
    forecast_check,
)
from commands.undo import undo
from commands.views.report import report_blocks
from storage.fixes import RequestState
from storage.forecast_checks import CheckState, ForecastCheck, median_of
from storage.forecasts import Range
from storage.kpis import Window
from storage.metrics_asked import Purpose
from tests.commands.conftest import ANA, BERLIN, HOME, HandClock, World
from tests.commands.views.test_views import words
from tests.storage.forecasts import forecast


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS goes by the same clock."""
    return {"clock": clock, "iam_delay": timedelta(0), "lambda_update": timedelta(0)}


def steadily(rate: float) -> Callable[[datetime], float]:
    return lambda _hour: 3_600 * rate


QUARTER = steadily(0.25)


def fixed(world: World, name: str = "refund", *, hourly: Callable[[datetime], float] = QUARTER) -> str:
    """A function with traffic, a forecast and an approved fix, by its ARN."""
    arn = world.function(name)
    world.aws.metrics.invoked(HOME, BERLIN, name, hourly)
    world.audit()
    forecast_now(world.context, [world.known(arn)])
    list(approve(world.asks(ANA, value=world.request(arn).id), world.context))
    assert world.mode(arn) == "Active"
    return arn


def later(world: World, days: float = 9, **settings: Any) -> Context:
    """With new credentials, for AWS's clock has moved on and the machine's has not."""
    world.clock.forward(days=days)
    return replace(world.configured(), **settings)


def look(world: World, context: Context) -> list[str]:
    return [one.text for one in forecast_check(world.asks(), context) if isinstance(one, Progress)]


def check_of(world: World, arn: str) -> ForecastCheck:
    (found,) = [*world.store.forecast_checks.waiting(), *filter(None, [world.store.forecast_checks.newest(arn)])]
    assert found.function_arn == arn
    return found


def test_the_forecast_of_a_fix_is_held_against_a_week_of_traces(world: World) -> None:
    arn = fixed(world)
    planned = check_of(world, arn)
    assert planned.forecast == world.store.forecasts.of([arn])[arn].recorded
    assert planned.until - planned.since == timedelta(days=7)

    assert look(world, later(world, days=5)) == []  # its week is not over
    assert look(world, later(world, days=4)) == ["forecasts held against X-Ray: 1 of 1 fixes of a week ago"]

    seen = check_of(world, arn)
    assert seen.state is CheckState.SEEN
    assert seen.seen == pytest.approx(7 * 86_400 / 4, rel=0.001)  # every invocation is a second's first
    assert seen.error == pytest.approx(0, abs=0.01)
    assert seen.within
    assert seen.of_model == pytest.approx(1, abs=0.01)
    assert look(world, later(world, days=0)) == []  # once


def test_other_traffic_is_told_from_a_model_that_is_wrong(world: World) -> None:
    fixed_at = world.clock()
    arn = fixed(world, hourly=lambda hour: 360.0 if hour < fixed_at else 4.0)

    look(world, later(world))

    seen = check_of(world, arn)
    assert seen.error == pytest.approx(-0.99, abs=0.01)
    assert not seen.within
    assert seen.of_model == pytest.approx(1, abs=0.02)


def test_the_look_counts_towards_the_days_money_and_waits_where_it_is_spent(world: World) -> None:
    arn = fixed(world)
    broke = later(world, forecasting=ForecastRules(max_usd_per_day=Decimal("0.00001")))
    forecast_now(broke, [world.known(arn)])
    before = len(world.aws.calls)

    look(world, broke)
    assert check_of(world, arn).why == "Today's look-ups have reached `[forecast] max_usd_per_day`."
    assert len(world.aws.calls) == before

    look(world, later(world, days=1, forecasting=ForecastRules(max_usd_per_day=Decimal("0.00001"))))
    assert check_of(world, arn).state is CheckState.SEEN
    assert world.store.metrics_asked.on(world.clock().date()) == {Purpose.FORECAST_CHECKS: 1}


def test_a_function_whose_traffic_was_not_known_is_said_to_have_had_no_forecast(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    list(approve(world.asks(ANA, value=world.request(arn).id), world.context))

    look(world, later(world))

    assert check_of(world, arn).why == NEVER_FORECAST


def test_what_is_no_longer_as_it_was_fixed_is_not_compared(world: World) -> None:
    undone, gone, off = (fixed(world, name) for name in ("undone", "gone", "off"))
    requests = {one.function_arn: one.request_id for one in world.store.forecast_checks.waiting()}
    list(undo(world.asks(ANA, value=requests[undone]), world.context))
    assert world.store.requests.get(requests[undone]).state is RequestState.UNDONE
    world.lambdas().delete_function(FunctionName="gone")
    world.lambdas().update_function_configuration(FunctionName="off", TracingConfig={"Mode": "PassThrough"})
    world.audit()

    look(world, later(world))

    whys = {arn: check.why for arn in (undone, gone, off) if (check := world.store.forecast_checks.newest(arn))}
    assert whys == {undone: UNDONE, gone: GONE, off: NOT_TRACED}


def test_what_xray_will_not_show_is_asked_for_again_until_it_has_forgotten(world: World) -> None:
    arn = fixed(world)
    world.aws.deny(service="xray", action="GetServiceGraph")

    assert look(world, later(world)) == ["forecasts held against X-Ray: 0 of 1 fixes of a week ago"]
    waiting = check_of(world, arn)
    assert waiting.state is CheckState.DUE
    assert "AccessDenied" in waiting.why
    look(world, later(world, days=30))

    assert check_of(world, arn).why == TOO_LATE


def test_where_transaction_search_is_on_nothing_is_compared(world: World) -> None:
    arn = fixed(world)
    world.aws.xray.transaction_search(HOME, BERLIN)

    look(world, later(world))

    assert check_of(world, arn).why == SEARCHED


def test_a_forecast_in_spans_is_not_compared_with_traces(world: World) -> None:
    """Transaction Search was switched off since, and is to be on again."""
    world.aws.xray.transaction_search(HOME, BERLIN)
    arn = fixed(world)
    world.aws.xray.transaction_search(HOME, BERLIN, status="PENDING")

    look(world, later(world))

    assert check_of(world, arn).why == SPANS_FORECAST


def test_many_functions_of_a_place_take_a_call_for_each_six_hours(world: World) -> None:
    for number in range(4):
        fixed(world, f"f-{number}")

    context = later(world)
    look(world, context)

    assert len([call for call in world.aws.calls if call.action == "GetServiceGraph"]) == 28
    assert len(world.store.forecast_checks.seen_since(world.clock() - timedelta(days=1))) == 4


def test_the_report_and_the_card_tell_of_it(world: World) -> None:
    arn, other = fixed(world), fixed(world, "ledger", hourly=steadily(0.5))
    context = later(world)
    look(world, context)
    now = world.clock() + timedelta(seconds=1)

    window = Window(now - timedelta(days=30), now)
    errors = forecast_errors(context, window, None)
    assert (errors.n, errors.within, errors.pending, errors.unknown) == (2, 2, 0, 0)
    assert {one.function_arn for one in errors.worst} == {arn, other}
    assert forecast_errors(context, window, "search").n == 0
    shown = words(report_blocks(figures(context, window, None)))
    assert "±0\N{NO-BREAK SPACE}% (median of 2 fixes), 2 within their range" in shown
    told = [one for one in audit(world.asks(text="refund"), context) if isinstance(one, Say)]
    assert "*A week after its fix:* 151,200 traces in 7 days; 151,200 were forecast" in words(told[-1].blocks)


def test_forecasts_are_scaled_only_when_told_to(world: World) -> None:
    arns = [fixed(world, f"f-{number}", hourly=steadily(2)) for number in range(5)]
    context = later(world)
    look(world, context)
    store = world.store.forecast_checks
    factor = median_of([one.of_model for one in store.seen_since(world.clock() - timedelta(days=1)) if one.of_model])
    assert factor is not None

    scaling = replace(context, forecasting=ForecastRules(scale=True))
    assert calibration(context).factor(HOME, BERLIN) is None
    assert calibration(scaling).factor(HOME, BERLIN) == factor
    known = forecast_now(scaling, [world.known(arns[0])]).forecasts[arns[0]]
    assert known.recorded.low <= known.recorded.expected <= known.recorded.high
    assert known.scaled == pytest.approx(factor, rel=0.05)


def test_scaling_leaves_the_range_and_stays_within_it() -> None:
    known = replace(forecast("arn", 1.0), recorded=Range(10, 100, 150), usd=Range(1, 10, 15))

    for factor, expected in ((0.5, 50), (9.0, 150), (0.0, 10)):
        made = scaled(known, factor)
        assert (made.recorded.low, made.recorded.expected, made.recorded.high) == (10, expected, 150)
        assert made.usd == Range(1, expected / 10, 15)
        assert made.scaled == expected / 100
    assert scaled(known, None) is known

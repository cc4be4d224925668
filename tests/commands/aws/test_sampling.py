"""The arithmetic of forecasts: what holds for any counts, and that hidden traffic's true traces lie in the range."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from commands.aws.sampling import MONTH_SECONDS, Counted, count, month, recorded, spiky
from storage.forecasts import Range
from tests.commands.aws import hidden_traffic as hidden
from tests.commands.aws.hidden_traffic import Hidden, Shape, hide

HOUR, FIVE_MINUTES, MINUTE = 3600, 300, 60
DAY = 86_400
PERIODS = st.sampled_from([MINUTE, FIVE_MINUTES, HOUR])
BINS = st.lists(st.integers(0, 10**7).map(float), max_size=60)
ODD = st.lists(st.floats() | st.floats(1e14, 1e300), max_size=20)


# ---- for any counts


@given(BINS, PERIODS)
def test_a_range_is_in_order_and_never_beyond_the_invocations(bins: list[float], seconds: int) -> None:
    told = recorded(bins, seconds)

    assert 0 <= told.low <= told.expected <= told.high <= sum(bins)
    assert told.low >= sum(number > 0 for number in bins)  # of each bin's first invocation a trace is sure


@given(ODD, PERIODS)
def test_what_is_no_number_of_invocations_is_passed_over(bins: list[float], seconds: int) -> None:
    good = [number for number in bins if math.isfinite(number) and 0 <= number < 1e15]

    assert recorded(bins, seconds) == recorded(good, seconds)
    assert spiky(bins, seconds) in (True, False)
    assert all(map(math.isfinite, vars_of(month([*bins, *[0.0] * (336 - len(bins))], HOUR))))


def vars_of(told: Range) -> tuple[float, float, float]:
    return told.low, told.expected, told.high


@example([1.0] * 12)
@example([300.0] * 12)
@given(st.lists(st.integers(0, 10**6).map(float), min_size=12, max_size=12))
def test_smaller_bins_narrow_the_range_from_both_sides(fine: list[float]) -> None:
    small, large = count(fine, FIVE_MINUTES), count([sum(fine)], HOUR)

    assert small.invocations == large.invocations
    assert large.seconds.low <= small.seconds.low
    assert small.seconds.high <= large.seconds.high
    # A second is shared the less by chance, the more evenly the smaller bins are known to be filled.
    most = -FIVE_MINUTES * math.log1p(-1 / FIVE_MINUTES)
    assert small.seconds.expected <= large.seconds.expected * most * (1 + 1e-9)


@example([[1.0], [2.0]], MINUTE)
@given(st.lists(BINS, min_size=1, max_size=5), PERIODS)
def test_counts_add_up(parts: list[list[float]], seconds: int) -> None:
    whole = count([number for part in parts for number in part], seconds)
    summed = Counted()
    for part in parts:
        summed += count(part, seconds)

    assert summed.invocations == pytest.approx(whole.invocations)
    assert vars_of(summed.seconds) == pytest.approx(vars_of(whole.seconds))


@given(st.integers(0, 5000), st.sampled_from([MINUTE, HOUR]), st.integers(0, 10**6))
def test_however_a_bins_invocations_are_spread_its_traces_lie_in_the_range(
    number: int, seconds: int, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    busy, _ = hidden.scattered(dice, np.array([number]), int(dice.integers(1, seconds, endpoint=True)))
    traces = int(busy[0] + hidden.binomial(dice, number - busy[0], 0.05))

    told = recorded([float(number)], seconds)
    assert told.low <= traces <= told.high


@given(st.lists(st.integers(0, 10**9), min_size=14, max_size=14), st.integers(1, 24))
def test_a_month_is_in_order_and_keeps_to_the_reservoirs_cap(daily: list[int], hours: int) -> None:
    bins = [float(number // hours) if hour < hours else 0.0 for number in daily for hour in range(24)]

    told = month(bins, HOUR)

    assert 0 <= told.low <= told.expected <= told.high
    most = 30 * max(daily)
    assert told.expected <= 0.95 * MONTH_SECONDS + 0.05 * most * (14 * 24)
    assert told.high < math.inf
    assert (told.high == 0) == (not any(bins))


@given(st.integers(0, 10**9))
def test_of_the_same_each_day_no_more_is_expected_than_the_cap_and_five_percent(daily: int) -> None:
    told = month([daily / 24] * 336, HOUR)

    assert told.expected <= 0.95 * min(MONTH_SECONDS, 30 * daily) + 0.05 * 30 * daily + 1e-3
    assert told.high <= (0.95 * min(MONTH_SECONDS, 30 * daily) + 0.05 * 30 * daily) * 1.01 + 60 + 50 * math.sqrt(daily)


def test_nothing_costs_nothing() -> None:
    assert recorded([], HOUR) == recorded([0.0] * 24, HOUR) == month([0.0] * 336, HOUR) == Range(0, 0, 0)


def test_one_invocation_is_one_trace() -> None:
    assert recorded([0.0, 1.0], HOUR) == Range(1, pytest.approx(1), 1)


@pytest.mark.parametrize("rate", [1, 50, 1000])
def test_a_month_of_any_rate_stays_below_the_cap_and_five_percent(rate: int) -> None:
    told = month([3600.0 * rate] * 336, HOUR)

    assert told.high <= (0.95 * MONTH_SECONDS + 0.05 * rate * MONTH_SECONDS) * 1.01


def test_traffic_that_began_within_the_window_is_scaled_from_its_first_invocation() -> None:
    bins = [0.0] * 240 + [36.0] * 96  # for the last four days

    told = month(bins, HOUR)

    assert told.expected == pytest.approx(30 * 24 * 36, rel=0.01)
    assert told.low <= sum(bins) < told.expected <= told.high


def test_a_week_that_begins_with_a_weekend_did_not_begin_within_the_window() -> None:
    idle = [0.0] * 48
    week = idle + [36.0] * 120

    assert month(week * 2, HOUR).expected == pytest.approx(36 * 240 * 30 / 14, rel=0.01)


@pytest.mark.parametrize(("idle", "fewest", "most"), [((5, 6), 20, 22), ((0, 1, 2, 3, 4), 8, 10)])
def test_at_whatever_hour_the_window_ends_the_two_days_beyond_four_weeks_are_any_two(
    idle: tuple[int, ...], fewest: int, most: int
) -> None:
    """A calendar month of a function that runs on weekdays alone has 20 to 22 of them; at weekends, 8 to 10."""
    week = [0.0 if hour // 24 in idle else 3_600_000.0 for hour in range(168)]
    a_day = 24 * (3600 + 0.05 * (3_600_000 - 3600))

    for hour in range(168):
        told = month((week[hour:] + week[:hour]) * 2, HOUR)
        assert told.low <= fewest * a_day <= most * a_day <= told.high, hour


# ---- hidden traffic

STEADY = {f"steady {rate}/s": hidden.steady(rate) for rate in (0.01, 0.3, 1, 30, 1000)}
WAVES = {"diurnal 0.05/s": hidden.diurnal(0.05, 0.9), "diurnal 2/s": hidden.diurnal(2, 0.8)}
WAVES["diurnal 300/s"] = hidden.diurnal(300, 0.7)
EVEN = {f"evenly {rate}/s": hidden.even(rate) for rate in (0.1, 0.25, 0.5, 1, 1.5, 2, 5)}
EVEN |= {"exactly one a second": hidden.one_a_second, "evenly, by day 1/s": hidden.even(1, 0.8)}
OTHERS = {
    "30 each minute": hidden.cron(30),
    "200 every five minutes": hidden.cron(200, 5),
    "bursts of a queue": hidden.bursts(200, 5, 0.1),
    "rare bursts": hidden.bursts(5000, 20, 1 / 700),
    "weekend idle 0.5/s": hidden.weekend_idle(0.5),
    "weekend idle 100/s": hidden.weekend_idle(100),
    "half hours": hidden.half_hours(3),
    "a nightly batch": hidden.nightly(20_000, 3),
}


def seeds_of(name: str) -> range:
    return range(2 if name in EVEN else 5)  # of what is evenly spaced, chance has a say in the 5 % alone


def cases(shapes: dict[str, Shape]) -> list[object]:
    return [pytest.param(shape, seed, id=f"{name}-{seed}") for name, shape in shapes.items() for seed in seeds_of(name)]


def check(truth: Hidden) -> list[Range]:
    """What is told of the month ahead, of bins of each size."""
    told = []
    for period in (HOUR, FIVE_MINUTES, MINUTE):
        bins = truth.bins(period)
        window, ahead = recorded(bins, period), month(bins, period)
        assert window.low <= truth.window_traces <= window.high, period
        assert ahead.low <= truth.month_traces <= ahead.high, period
        told.append(ahead)
    return told


@pytest.mark.parametrize(("shape", "seed"), cases(STEADY | WAVES | EVEN))
def test_of_steady_and_daily_traffic_what_is_expected_is_true_within_a_tenth(shape: Shape, seed: int) -> None:
    truth = hide(shape, seed, first_weekday=seed % 7)

    for ahead in check(truth):
        assert ahead.expected == pytest.approx(truth.month_traces, rel=0.1)


@pytest.mark.parametrize(("shape", "seed"), cases(OTHERS))
def test_of_any_traffic_the_true_traces_lie_in_the_range(shape: Shape, seed: int) -> None:
    check(hide(shape, seed, first_weekday=seed + 2))


# ---- bursts


@pytest.mark.parametrize("name", ["30 each minute", "200 every five minutes", "bursts of a queue"])
def test_bursts_are_told_from_small_bins(name: str) -> None:
    assert spiky(hide(OTHERS[name], 1).bins(MINUTE), MINUTE)


@pytest.mark.parametrize("name", ["30 each minute", "a nightly batch", "rare bursts"])
def test_some_bursts_are_told_from_hours(name: str) -> None:
    assert spiky(hide(OTHERS[name], 1).bins(HOUR), HOUR)


@pytest.mark.parametrize("period", [HOUR, FIVE_MINUTES, MINUTE])
@pytest.mark.parametrize("name", ["steady 0.01/s", "steady 0.3/s", "steady 1000/s", "diurnal 0.05/s", "diurnal 300/s"])
def test_steady_and_daily_traffic_has_no_bursts(name: str, period: int) -> None:
    assert not spiky(hide((STEADY | WAVES)[name], 1).bins(period), period)


def test_weekends_and_single_invocations_are_no_bursts() -> None:
    assert not spiky(hide(OTHERS["weekend idle 0.5/s"], 1).bins(MINUTE), MINUTE)
    assert not spiky([1.0] * 20_160, MINUTE)
    assert not spiky(hide(EVEN["exactly one a second"], 1).bins(MINUTE), MINUTE)

"""The free tier is taken off once, and sums over teams are the organization's."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.forecasts import Forecast, Range, Unit
from storage.totals import FREE_TRACES, Total

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
PRICE = 0.000005


def forecast(traces: float, price: float | None = PRICE, unit: Unit = Unit.TRACES) -> Forecast:
    recorded = Range(traces / 2, traces, 2 * traces)
    usd = None if price is None else recorded.times(price)
    return Forecast("arn", NOW, NOW - timedelta(days=14), NOW, 3600, 0, recorded, unit, usd=usd)


def fleet_usd(forecasts: Iterable[Forecast], already: float = 0.0) -> Range:
    return Total.of(forecasts).after_free_tier(Range(already, already, already))


def before_free_tier(forecasts: Iterable[Forecast]) -> Range:
    return Total.of(forecasts).usd


@pytest.mark.parametrize(
    ("traces", "already", "dollars"),
    [
        ((60_000, 80_000), 0, 0.2),
        ((60_000, 80_000), 100_000, 0.7),
        ((60_000, 80_000), 40_000, 0.4),
        ((10_000,), 0, 0),
        ((), 0, 0),
    ],
    ids=["once", "used up", "partly used up", "within it", "nothing"],
)
def test_the_free_tier_is_taken_off_the_whole_once(traces: tuple[int, ...], already: int, dollars: float) -> None:
    assert fleet_usd([forecast(one) for one in traces], already).expected == pytest.approx(dollars)


def test_each_end_has_the_free_tier_taken_off() -> None:
    told = fleet_usd([forecast(120_000)])

    assert (told.low, told.expected, told.high) == (0, pytest.approx(0.1), pytest.approx(0.7))


def test_spans_have_no_free_tier_and_what_has_no_price_is_left_out() -> None:
    spans, unpriced = forecast(1_000_000, unit=Unit.SPANS), forecast(1_000_000, price=None)

    assert fleet_usd([spans, unpriced, forecast(50_000)]).expected == pytest.approx(5.0)


TRACES = st.floats(0, 1e9)
PRICES = st.sampled_from([PRICE, 0.00000725])


@given(st.lists(st.tuples(TRACES, PRICES, st.sampled_from("abc"))), st.floats(0, 1e6))
def test_sums_over_teams_are_the_organizations(members: list[tuple[float, float, str]], already: float) -> None:
    made = [(forecast(traces, price), team) for traces, price, team in members]
    teams = [before_free_tier(one for one, its in made if its == team) for team in "abc"]

    whole = before_free_tier(one for one, _ in made)
    together = Range.sum(teams)
    assert together.expected == pytest.approx(whole.expected)
    assert together.high == pytest.approx(whole.high)
    after = fleet_usd((one for one, _ in made), already)
    assert 0 <= after.low <= after.expected * (1 + 1e-9)
    assert after.expected <= after.high * (1 + 1e-9)
    assert whole.high - FREE_TRACES * 0.00000725 <= after.high * (1 + 1e-9) <= whole.high * (1 + 1e-8)

"""Forecasts as they are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage.forecasts import Forecast, Range, Unit
from storage.store import Store

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund"
KNOWN = Forecast(
    ARN, NOW, NOW - timedelta(days=14), NOW, 3600, 1_234, Range(61.7, 100.5, 1_234), usd=Range(0.1, 0.2, 0.3), price="p"
)


def test_a_forecast_comes_back_as_it_was_kept(store: Store) -> None:
    spans = replace(
        KNOWN, function_arn=f"{ARN}-2", unit=Unit.SPANS, gigabytes=Range(1, 2, 3), usd=None, spiky=True, scaled=0.5
    )
    store.forecasts.save([KNOWN, spans])
    assert store.forecasts.of([ARN, f"{ARN}-2", "else"]) == {ARN: KNOWN, f"{ARN}-2": spans}


def test_a_newer_forecast_takes_the_place_of_the_old_one(store: Store) -> None:
    store.forecasts.save([KNOWN])
    newer = replace(KNOWN, invocations=7, usd=None)
    store.forecasts.save([newer])
    assert store.forecasts.get(ARN) == newer


def test_a_function_whose_traffic_was_never_looked_at_has_none(store: Store) -> None:
    assert store.forecasts.get(ARN) is None


def test_ranges_add_up() -> None:
    assert Range.sum([Range(1, 2, 3), Range(4, 5, 6)]) == Range(5, 7, 9)
    assert Range.sum([]) == Range(0, 0, 0)

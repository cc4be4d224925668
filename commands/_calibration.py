"""Scaling forecasts by what earlier ones missed: only where `[forecast] scale` says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from commands._types import Context
from storage.forecast_checks import median_of
from storage.forecasts import Forecast, Range

FEWEST = 5  # checks, of which a median says something
_LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Calibration:
    """By how much what X-Ray saw differed from the model, where it was looked at."""

    by_place: Mapping[tuple[str, str], float]  # account and region, with checks enough of their own
    everywhere: float | None = None  # None: too few were looked at

    def factor(self, account: str, region: str) -> float | None:
        return self.by_place.get((account, region), self.everywhere)


NONE = Calibration({})


def calibration(context: Context) -> Calibration:
    """Of the last 90 days; nothing where nobody asked for it."""
    if not context.forecasting.scale:
        return NONE
    ratios: dict[tuple[str, str], list[float]] = {}
    for check in context.store.forecast_checks.seen_since(context.clock() - _LOOK_BACK):
        if check.of_model is not None:
            region, account = check.function_arn.split(":")[3:5]
            ratios.setdefault((account, region), []).append(check.of_model)
    together = [one for some in ratios.values() for one in some]
    medians = {place: median_of(some) for place, some in ratios.items() if len(some) >= FEWEST}
    return Calibration(
        {place: factor for place, factor in medians.items() if factor is not None},
        median_of(together) if len(together) >= FEWEST else None,
    )


def scaled(forecast: Forecast, factor: float | None) -> Forecast:
    """What is expected, scaled; low and high hold whatever was seen elsewhere, and stay. None: the same."""
    if factor is None:
        return forecast
    known = forecast.recorded
    expected = min(max(known.low, known.expected * factor), known.high)
    by = expected / known.expected if known.expected else 1.0
    return replace(
        forecast,
        recorded=_expecting(known, by),
        gigabytes=_expecting(forecast.gigabytes, by) if forecast.gigabytes else None,
        usd=_expecting(forecast.usd, by) if forecast.usd else None,
        scaled=by,
    )


def _expecting(known: Range, by: float) -> Range:
    return Range(known.low, min(max(known.low, known.expected * by), known.high), known.high)

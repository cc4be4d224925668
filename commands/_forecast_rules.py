"""How often functions' traffic is looked at, and what that may cost: `[forecast]` of lamplighter.toml."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ForecastRules:
    """Dollars are US dollars."""

    enabled: bool = True  # the daily look-up; whoever asks for a forecast gets one anyway
    every_days: float = 7.0  # so old a forecast may become before it is made anew
    max_usd_per_day: Decimal = Decimal("1.00")  # what CloudWatch may cost, whoever asks
    finer_above_usd: float = 1.0  # a month's range that is wider than this is worth smaller bins
    busy_usd: float = 10.0  # a month of a function whose traces are better sampled before they reach it
    scale: bool = False  # by what X-Ray saw of functions that were fixed

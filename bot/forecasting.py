"""[forecast] of lamplighter.toml: how often traffic is looked at, and what that may cost."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from bot.values import says

if TYPE_CHECKING:
    from commands._forecast_rules import ForecastRules

Days = Annotated[float, Meta(ge=1, le=90)]
UsdPerDay = Annotated[float, Meta(ge=0, le=1000)]
Usd = Annotated[float, Meta(ge=0, le=1_000_000)]


class ForecastSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    enabled: Annotated[bool, says("the daily look-up of functions' traffic", True)] = True
    every_days: Annotated[Days, says("so old a forecast becomes before it is made anew", 7)] = 7.0
    max_usd_per_day: Annotated[
        UsdPerDay, says("what CloudWatch may take for look-ups in a day (UTC): $0.01 for 1,000 functions", 1.0)
    ] = 1.0
    finer_above_usd: Annotated[
        Usd, says("a month's range wider than this is worth smaller bins, at two or three times the price", 1.0)
    ] = 1.0
    busy_usd: Annotated[Usd, says("from so many dollars a month on, a function is called busy", 10.0)] = 10.0
    scale: Annotated[
        bool, says("whether *expected* is scaled by what X-Ray saw of functions that were fixed", False)
    ] = False


def forecast_rules(section: ForecastSection) -> "ForecastRules":
    from decimal import Decimal

    from commands._forecast_rules import ForecastRules  # an audit in a terminal forecasts nothing

    return ForecastRules(
        enabled=section.enabled,
        every_days=section.every_days,
        max_usd_per_day=Decimal(str(section.max_usd_per_day)),
        finer_above_usd=section.finer_above_usd,
        busy_usd=section.busy_usd,
        scale=section.scale,
    )

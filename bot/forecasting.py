"""[forecast] of lamplighter.toml: how often traffic is looked at, and what that may cost."""

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from commands._forecast_rules import ForecastRules

Days = Annotated[float, Meta(ge=1, le=90)]
UsdPerDay = Annotated[float, Meta(ge=0, le=1000)]
Usd = Annotated[float, Meta(ge=0, le=1_000_000)]


class ForecastSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key is optional."""

    enabled: bool = True
    every_days: Days = 7.0
    max_usd_per_day: UsdPerDay = 1.0
    finer_above_usd: Usd = 1.0
    busy_usd: Usd = 10.0
    scale: bool = False


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

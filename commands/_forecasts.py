"""What tracing functions would record and cost: asked of CloudWatch, worked out, priced and remembered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from commands._types import Context
from storage.forecasts import Forecast
from storage.models import Function


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up found, and what it cost."""

    forecasts: Mapping[str, Forecast]  # by ARN
    unknown: Mapping[str, str]  # by ARN, why there is none: a phrase for people
    metrics_requested: int
    usd: Decimal  # what CloudWatch bills for the look-up
    since: datetime  # UTC, of the traffic that was looked at
    until: datetime


def forecast_now(context: Context, functions: Sequence[Function]) -> LookedUp:
    """Asks CloudWatch for the last fourteen days of each, prices that, and remembers it. Raises nothing of AWS's."""
    raise NotImplementedError

"""Forecasts as CloudWatch's numbers would give them, for whoever needs some."""

from datetime import UTC, datetime, timedelta
from typing import Any

from storage.forecasts import Forecast, Range

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DOLLARS_A_TRACE = 0.000005


def forecast(arn: str, dollars: float = 1.2, **facts: Any) -> Forecast:
    """Of two weeks before NOON: what costs so many dollars a month, at $5.00 a million traces."""
    traces = dollars / DOLLARS_A_TRACE
    given = {
        "function_arn": arn,
        "asked_at": NOON,
        "since": NOON - timedelta(days=14),
        "until": NOON,
        "period": 3600,
        "invocations": round(traces),
        "recorded": Range(traces / 10, traces, traces * 1.5),
        "usd": Range(dollars / 10, dollars, dollars * 1.5),
        "price": "$5.00 a million traces",
    }
    return Forecast(**{**given, **facts})

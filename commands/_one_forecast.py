"""The forecast of one function for somebody who looks at it or asks for its fix: no older than a day."""

from datetime import timedelta

from commands._forecasts import forecast_now
from commands._types import Context
from storage.models import Function, Verdict

FRESH = timedelta(days=1)


def look_up(context: Context, function: Function) -> str:
    """Why there is none, as a phrase; empty where memory has one now, if need be an older one. One metric, $0.00001."""
    if function.verdict is Verdict.NOT_APPLICABLE:
        return ""
    known = context.store.forecasts.get(function.arn)
    if known and timedelta(0) <= context.clock() - known.asked_at < FRESH:
        return ""
    why = forecast_now(context, [function]).unknown.get(function.arn, "")
    return "" if known else why

"""What memory holds of functions' traffic: for the order of rows, for sums, and to tell a change from a few cents."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta

from commands._mornings import order_key
from commands._types import Context
from storage.connection import to_json
from storage.digests import News
from storage.forecasts import Forecast
from storage.models import Function

OLD = timedelta(days=8)  # a look-up that was due has failed since
# What a message shows is not worth an edit as long as it is off by less.
DOLLARS, SHARE = 0.50, 0.25
KEPT_FROM = 0.05  # less than this is as good as nothing


def forecasts_of(context: Context, functions: Iterable[Function]) -> Mapping[str, Forecast]:
    """By ARN, as far as they are known."""
    return context.store.forecasts.of([one.arn for one in functions])


def is_old(context: Context, forecast: Forecast | None) -> bool:
    return forecast is not None and context.clock() - forecast.until > OLD


def in_order(
    context: Context,
    functions: Iterable[Function],
    news: Mapping[str, News],
    forecasts: Mapping[str, Forecast] | None = None,
) -> list[Function]:
    """As a team's untraced functions stand in its digest, in its list and under `/trace-audit`."""
    functions = list(functions)
    known = forecasts_of(context, functions) if forecasts is None else forecasts
    production = context.policy.production

    def key(one: Function) -> tuple[int, float, bool, str, str]:
        why = news[one.arn].why if one.arn in news else None
        often = known[one.arn].per_day if one.arn in known else None
        return order_key(one, why, production=production.covers(one), per_day=often)

    return sorted(functions, key=key)


def amounts(forecasts: Mapping[str, Forecast]) -> dict[str, float]:
    """Dollars a month by ARN, of those that cost something."""
    return {
        arn: round(one.usd.expected, 2) for arn, one in forecasts.items() if one.usd and one.usd.expected >= KEPT_FROM
    }


def shown_with(shows: str, forecasts: Mapping[str, Forecast], before: str) -> str:
    """What a message shows, a hash of all else included, for the next morning to compare: `before` itself where no
    amount has moved so far that it would read otherwise, so that a few cents a day are no change.
    """
    now = amounts(forecasts)
    known, _, kept = before.partition(" ")
    if known == shows and not moved(json.loads(kept or "{}"), now):
        return before
    return f"{shows} {to_json(now)}"


def moved(before: Mapping[str, float], now: Mapping[str, float]) -> bool:
    """Whether one of these amounts, or all of them together, reads otherwise now."""
    pairs = [(before.get(arn, 0.0), now.get(arn, 0.0)) for arn in {*before, *now}]
    return any(_differs(*pair) for pair in (*pairs, (sum(before.values()), sum(now.values()))))


def _differs(before: float, now: float) -> bool:
    return abs(before - now) >= max(DOLLARS, SHARE * max(before, now))

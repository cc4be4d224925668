"""What tracing many functions costs together: the one place where the free tier is taken off. Pure."""

from collections.abc import Iterable

from storage.forecasts import Forecast, Range, Unit

FREE_TRACES = 100_000  # recorded in a month: once for the payer of all accounts, not for each account or function


def fleet_usd(forecasts: Iterable[Forecast], already_recorded: float = 0.0) -> Range:
    """Dollars a month for all of these together, after what is left of the free tier.

    For the whole organization only: the free tier belongs to none of its teams. What a team's functions cost is
    `before_free_tier`, and these sums over the teams are that of the organization. `already_recorded`: traces a month
    of other functions, which use up the free tier first. Where Regions have different prices, it is taken off at their
    mean. Spans have no free tier here, and what has no price is left out.
    """
    priced = [one for one in forecasts if one.usd]
    traced = [one for one in priced if one.unit is Unit.TRACES]
    recorded, usd = Range.sum(one.recorded for one in traced), before_free_tier(traced)
    free = max(0.0, FREE_TRACES - already_recorded)
    low, expected, high = (
        dollars * max(0.0, traces - free) / traces if traces else 0.0
        for traces, dollars in zip(_ends(recorded), _ends(usd), strict=True)
    )
    return Range.sum([Range(low, expected, high), before_free_tier(one for one in priced if one.unit is Unit.SPANS)])


def before_free_tier(forecasts: Iterable[Forecast]) -> Range:
    """Dollars a month for these, a team's for example; what has no price is left out."""
    return Range.sum(one.usd for one in forecasts if one.usd)


def _ends(one: Range) -> tuple[float, float, float]:
    return one.low, one.expected, one.high

"""What tracing functions would record and cost: asked of CloudWatch, worked out, priced and remembered."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from commands._calibration import calibration
from commands._forecast_place import WAITING, Found, Place
from commands._purse import Purse, exactly, told_today, usd
from commands._types import Context
from commands.aws.prices import Prices
from commands.aws.traffic import Window, window_before
from commands.views.text import count
from storage.forecasts import Forecast
from storage.metrics_asked import Purpose
from storage.models import Function

OnProgress = Callable[[int, int, str], None]

_PLACES_AT_ONCE = 8  # each account and region has rates of its own; what comes in keeps no more cores busy
_AT_ONCE = 5_000  # functions that are held together
_LONGEST = timedelta(minutes=10)  # of the daily look-up: digests wait for it
_KEPT = timedelta(days=400)  # of functions that are gone: so far back a report shares out what X-Ray cost

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a look-up found, and what it cost."""

    forecasts: Mapping[str, Forecast]  # by ARN
    unknown: Mapping[str, str]  # by ARN, why there is none: a phrase for people
    metrics_requested: int
    usd: Decimal  # what CloudWatch bills for the look-up
    since: datetime  # UTC, of the traffic that was looked at
    until: datetime
    today: str  # what all look-ups of this day have cost so far, as a phrase

    @property
    def cost(self) -> str:
        """What was asked and paid for, as a sentence."""
        return (
            f"traffic from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC; "
            f"the look-up asked CloudWatch for {count(self.metrics_requested, 'metric')} and cost {exactly(self.usd)}"
        )


@dataclass(frozen=True, slots=True)
class Due:
    """What the daily look-up did."""

    looked_up: LookedUp | None  # None: there was nothing to look at, or it is switched off
    waiting: int = 0  # whose turn it was and is not yet
    kept: int = 0  # whose forecast is not old enough to be made anew
    dropped: int = 0  # of functions that are gone
    enabled: bool = True

    @property
    def text(self) -> str:
        """A line for the log."""
        if not self.enabled:
            return "forecasts: `[forecast] enabled` is false, and no traffic was looked at"
        told = f"{self.kept:,} kept, {self.dropped:,} dropped with their functions"
        done = self.looked_up
        if done is None:
            return f"forecasts: none due, {told}"
        wait = f", {self.waiting:,} wait for the next day" if self.waiting else ""
        made = f"{len(done.forecasts):,} made, {len(done.unknown):,} not known{wait}, {told}"
        return f"forecasts: {made}; {done.cost}; {done.today}"


def forecast_now(context: Context, functions: Sequence[Function], on_progress: OnProgress | None = None) -> LookedUp:
    """Asks CloudWatch for the last fourteen days of each, prices that, and remembers it. Raises nothing of AWS's.

    What today's forecasts have cost counts towards `[forecast] max_usd_per_day`; functions beyond it are unknown.
    IAM: cloudwatch:GetMetricData, xray:GetTraceSegmentDestination, xray:GetIndexingRules; for the bot's own
    credentials pricing:GetProducts.
    """
    return _look(context, functions, Purse(context, Purpose.FORECASTS), lambda: True, on_progress)


def forecast_due(context: Context) -> Due:
    """The daily look-up: those without a forecast and those with an old one, untraced ones first. Raises nothing of
    AWS's. It ends early where the bot does, after ten minutes, or where the day's money is spent.
    """
    store, rules, began = context.store, context.forecasting, context.clock()
    dropped = store.forecasts.drop_gone(began - _KEPT)
    if not rules.enabled:
        return Due(None, dropped=dropped, enabled=False)
    due = store.forecasts.due(began - timedelta(days=rules.every_days), began)
    purse = Purse(context, Purpose.FORECASTS)

    def go_on() -> bool:
        return not context.ending.is_set() and context.clock() - began < _LONGEST

    parts: list[LookedUp] = []
    looked_at = 0
    while looked_at < len(due) and not purse.empty and go_on():
        arns = due[looked_at : looked_at + min(_AT_ONCE, purse.left)]
        parts.append(_look(context, store.functions.of(arns), purse, go_on))
        looked_at += len(arns)
    whole = _together(parts, context)
    waiting = len(due) - looked_at + sum(why in WAITING for why in whole.unknown.values())
    unknown = {arn: why for arn, why in whole.unknown.items() if why not in WAITING}
    kept = store.forecasts.kept() - len(whole.forecasts)
    made = Due(replace(whole, unknown=unknown) if due else None, waiting, kept, dropped)
    log.debug("%s", made.text)
    return made


def _look(
    context: Context,
    functions: Sequence[Function],
    purse: Purse,
    go_on: Callable[[], bool],
    on_progress: OnProgress | None = None,
) -> LookedUp:
    """Every account and region by itself, the largest first: what fails in one stops no other."""
    places: dict[tuple[str, str], dict[str, Function]] = {}
    for one in functions:
        places.setdefault((one.account, one.region), {})[one.arn] = one
    window, prices, spent = window_before(context.clock()), Prices(context.cloud, context.clock), purse.spent
    largest = sorted(places.values(), key=len, reverse=True)
    found, known = Found(), calibration(context)
    with ThreadPoolExecutor(min(_PLACES_AT_ONCE, max(1, len(largest))), "forecast") as pool:
        looks = [
            pool.submit(Place(context, window, prices, purse, go_on, known).look, list(members.values()))
            for members in largest
        ]
        for done, look in enumerate(as_completed(looks), 1):
            part = look.result()
            found.forecasts |= part.forecasts
            found.unknown |= part.unknown
            if on_progress:
                on_progress(done, len(looks), "accounts' regions asked for their traffic")
    return _looked_up(found, purse.spent - spent, window, context)


def _together(parts: Sequence[LookedUp], context: Context) -> LookedUp:
    whole = Found()
    for part in parts:
        whole.forecasts |= part.forecasts
        whole.unknown |= part.unknown
    metrics = sum(part.metrics_requested for part in parts)
    return _looked_up(whole, metrics, window_before(context.clock()), context)


def _looked_up(found: Found, metrics: int, window: Window, context: Context) -> LookedUp:
    paid, today = usd(metrics), told_today(context)
    return LookedUp(found.forecasts, found.unknown, metrics, paid, window.since, window.until, today)

"""One account and region's part of a look-up: hours for all functions, smaller bins where they may matter."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from commands._calibration import Calibration, scaled
from commands._purse import Purse
from commands._types import Context
from commands.aws.errors import AwsProblem
from commands.aws.metric_data import OVER_CAP
from commands.aws.prices import SPANS_SAY, Price, Prices, as_spans
from commands.aws.sampling import month, spiky
from commands.aws.trace_destination import TraceDestination, trace_destination
from commands.aws.traffic import FIVE_MINUTES, HOUR, MINUTE, Traffic, Window, traffic
from storage.forecasts import Forecast, Range, Unit
from storage.models import Function

NO_TIME = "the look-up was ended before it was its turn"
WAITING = frozenset({OVER_CAP, NO_TIME})

_TOLD_NEWS = 0.1  # by so much smaller bins change what is expected, or still smaller ones would tell nothing either

log = logging.getLogger(__name__)


@dataclass
class Found:
    """What a place's part of a look-up gave."""

    forecasts: dict[str, Forecast] = field(default_factory=dict)  # by ARN
    unknown: dict[str, str] = field(default_factory=dict)  # by ARN, why


class Place:
    """An account and region; `look` may run in any thread. Raises nothing of AWS's."""

    def __init__(
        self,
        context: Context,
        window: Window,
        prices: Prices,
        purse: Purse,
        go_on: Callable[[], bool],
        known: Calibration,
    ) -> None:
        """`go_on` is asked before each batch; `known` is what earlier forecasts missed."""
        self._context, self._window, self._prices, self._known = context, window, prices, known
        self._purse, self._go_on = purse, go_on
        self._found = Found()
        self._expected: dict[str, float] = {}  # by ARN: traces in a month, by the smallest bins so far

    def look(self, functions: Sequence[Function]) -> Found:
        """All of one account and region."""
        first, found = functions[0], self._found
        try:
            if not self._purse.empty and self._go_on():
                with self._context.cloud.acting_as(first.account):
                    self._look(first.account, first.region, {one.name: one for one in functions})
        except AwsProblem as problem:
            log.warning("no traffic of functions in %s %s: %s", first.account, first.region, problem)
            self._context.store.forecasts.refused(first.account, first.region, self._context.clock())
            self._leave_unknown(functions, str(problem))
        self._leave_unknown(functions, OVER_CAP if self._purse.empty else NO_TIME)
        return found

    def _leave_unknown(self, functions: Sequence[Function], why: str) -> None:
        for one in functions:
            if one.arn not in self._found.forecasts:
                self._found.unknown.setdefault(one.arn, why)

    def _look(self, account: str, region: str, functions: Mapping[str, Function]) -> None:
        cloud = self._context.cloud
        billing = Billing(self._prices.of(region), trace_destination(cloud, account, region))
        for batch in self._read(account, region, list(functions), HOUR):
            self._found.unknown |= {functions[one.name].arn: one.unknown for one in batch if one.unknown}
            self._keep(functions, batch, HOUR, billing)
        if self._found.forecasts:
            self._context.store.forecasts.told(account, region)
        try:
            self._look_closer(account, region, functions, billing)
        except AwsProblem as problem:
            log.warning("no smaller bins of functions in %s %s: %s", account, region, problem)

    def _look_closer(self, account: str, region: str, functions: Mapping[str, Function], billing: "Billing") -> None:
        """Five minutes where a month's range is wide in dollars; minutes where those five told something new."""
        wide = sorted((name for name in functions if self._width(functions[name].arn)), key=self._narrowness(functions))
        before = dict(self._expected)
        for batch in self._read(account, region, wide, FIVE_MINUTES):
            self._keep(functions, batch, FIVE_MINUTES, billing)
        told = [name for name in wide if self._told_news(functions[name].arn, before)]
        for batch in self._read(account, region, told, MINUTE):
            self._keep(functions, batch, MINUTE, billing)

    def _narrowness(self, functions: Mapping[str, Function]) -> Callable[[str], float]:
        return lambda name: -self._width(functions[name].arn)

    def _width(self, arn: str) -> float:
        """Of a month's range in dollars; 0 where it is narrow enough, or no price is known."""
        known = self._found.forecasts.get(arn)
        width = known.usd.high - known.usd.low if known and known.usd else 0.0
        return width if width > self._context.forecasting.finer_above_usd else 0.0

    def _told_news(self, arn: str, before: Mapping[str, float]) -> bool:
        return abs(self._expected[arn] - before[arn]) > _TOLD_NEWS * before[arn]

    def _read(self, account: str, region: str, names: Sequence[str], period: int) -> Iterator[list[Traffic]]:
        for batch in traffic(self._context.cloud, account, region, names, self._window, period, self._purse.take):
            yield batch
            if not self._go_on():
                return

    def _keep(
        self, functions: Mapping[str, Function], batch: Sequence[Traffic], period: int, billing: "Billing"
    ) -> None:
        made = [self._forecast(functions[one.name].arn, one, period, billing) for one in batch if not one.unknown]
        self._context.store.forecasts.save(made)
        self._found.forecasts |= {one.function_arn: one for one in made}

    def _forecast(self, arn: str, seen: Traffic, period: int, billing: "Billing") -> Forecast:
        traces = month(seen.bins, period)
        self._expected[arn] = traces.expected
        made = Forecast(
            function_arn=arn,
            asked_at=self._context.clock(),
            since=self._window.since,
            until=self._window.until,
            period=period,
            invocations=round(sum(seen.bins)),
            recorded=traces,
            spiky=spiky(seen.bins, period),
        )
        region, account = arn.split(":")[3:5]
        made = scaled(billing.bill(made, traces), self._known.factor(account, region))
        return replace(made, busy=made.usd is not None and made.usd.expected >= self._context.forecasting.busy_usd)


@dataclass(frozen=True, slots=True)
class Billing:
    """How AWS bills what is recorded in an account and region."""

    price: Price
    destination: TraceDestination

    def bill(self, forecast: Forecast, traces: Range) -> Forecast:
        """The same with what AWS takes for so many traces in a month."""
        doubt = f"; {self.destination.doubt}" if self.destination.doubt else ""
        if self.destination.searched:
            spans = as_spans(traces, self.destination.indexed_percent)
            return replace(
                forecast,
                unit=Unit.SPANS,
                recorded=spans.spans,
                gigabytes=spans.gigabytes,
                usd=spans.usd,
                price=SPANS_SAY + doubt,
            )
        usd = None if self.price.usd is None else traces.times(self.price.usd)
        return replace(forecast, recorded=traces, usd=usd, price=self.price.says + doubt)

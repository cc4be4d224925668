"""What CloudWatch may still be asked for today: one purse for all, filled by `[forecast] max_usd_per_day`."""

import threading
from datetime import UTC, date
from decimal import Decimal

from commands._types import Context
from commands.aws.metric_data import METRICS_A_DOLLAR
from commands.views.text import count
from storage.metrics_asked import Purpose


class Purse:
    """For many threads, and for several processes that share the file. Days are UTC's; midnight fills it anew."""

    def __init__(self, context: Context, purpose: Purpose, *, half: bool = False) -> None:
        """`half`: no more than that of a day's money may go for this purpose."""
        self._context, self._purpose, self._half = context, purpose, half
        self._lock = threading.Lock()
        self.spent = 0  # metrics that were taken from this one

    @property
    def left(self) -> int:
        """Metrics that may still be asked for."""
        asked = self._context.store.metrics_asked.on(_today(self._context))
        of_it = self._most_of_it - asked.get(self._purpose, 0)
        return max(0, min(_most(self._context) - sum(asked.values()), of_it))

    @property
    def empty(self) -> bool:
        return self.left <= 0

    def take(self, wanted: int) -> int:
        """So many of them may be asked for. They count from now on, whatever comes of the request."""
        shelf, most = self._context.store.metrics_asked, _most(self._context)
        given = shelf.take(_today(self._context), self._purpose, wanted, most, self._most_of_it)
        with self._lock:
            self.spent += given
        return given

    @property
    def _most_of_it(self) -> int:
        most = _most(self._context)
        return (most + 1) // 2 if self._half else most


def usd(metrics: int) -> Decimal:
    """What CloudWatch takes for so many."""
    return Decimal(metrics) / METRICS_A_DOLLAR


def exactly(amount: Decimal) -> str:
    """With as many decimals as it takes, and two at least: a metric costs $0.00001."""
    exact = f"{amount:,.5f}"
    return f"${exact[:-3]}{exact[-3:].rstrip('0')}"


def asked_today(context: Context) -> int:
    """Metrics, by all that asked."""
    return sum(context.store.metrics_asked.on(_today(context)).values())


def told_today(context: Context) -> str:
    """What today's look-ups have cost so far, as a phrase."""
    metrics, most = asked_today(context), exactly(context.forecasting.max_usd_per_day)
    return f"{count(metrics, 'metric')} asked for today (UTC), {exactly(usd(metrics))} of at most {most}"


def _today(context: Context) -> date:
    return context.clock().astimezone(UTC).date()


def _most(context: Context) -> int:
    return int(context.forecasting.max_usd_per_day * METRICS_A_DOLLAR)

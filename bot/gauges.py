"""/metrics: what memory knows, for Prometheus.

Nobody has to prove who they are on an address of its own, which therefore belongs on loopback or in a network that only
Prometheus reaches; beside Slack's requests it takes a token.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from bot.gauge_families import families
from bot.serving import Application, Serving, answer
from commands._types import Context

log = logging.getLogger(__name__)

CACHE_SECONDS = 5.0  # several Prometheus servers, or an impatient one, cost no more than one
THREADS = 2


class Gauges(Collector):
    """Asks memory when it is scraped."""

    def __init__(self, context: Context, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._context, self._monotonic = context, monotonic
        self._lock = threading.Lock()
        self._known: list[Metric] = []
        self._until = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when it is registered."""
        return ()

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if not self._known or self._monotonic() >= self._until:
                self._known = list(families(self._context))
                self._until = self._monotonic() + CACHE_SECONDS
            yield from self._known


def metrics_app(context: Context) -> Application:
    """Prometheus's text or OpenMetrics, at whatever path it is asked."""
    registry = CollectorRegistry()
    registry.register(Gauges(context))
    return cast("Application", make_wsgi_app(registry))


class MetricsDoor:
    """Serves /metrics and nothing else, where [metrics] listen names another address than [health] listen."""

    def __init__(self, context: Context, listen: str) -> None:
        """Raises ConfigProblem where the address cannot be used."""
        metrics = metrics_app(context)

        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == "/metrics":
                return metrics(environ, start_response)
            return answer(start_response, "404 Not Found", "only /metrics is here\n")

        self._serving = Serving("[metrics] listen", listen, serve, THREADS)
        self._listen = listen

    def open(self) -> None:
        self._serving.open()
        log.info("metrics for Prometheus at http://%s/metrics", self._listen)

    def close(self) -> None:
        self._serving.close()

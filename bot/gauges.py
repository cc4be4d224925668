"""/metrics: what memory knows, for Prometheus, on an address of its own; off unless `[metrics] listen` names one.

It is never beside Slack's requests: what is public there would be public here. Nobody has to prove who they are, so the
address belongs on loopback or in a network that only Prometheus reaches.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from waitress import create_server

from bot.config import ConfigProblem
from bot.gauge_families import families
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


class MetricsDoor:
    """Serves /metrics, in Prometheus's text or OpenMetrics, and nothing else."""

    def __init__(self, context: Context, listen: str) -> None:
        """Raises ConfigProblem where the address cannot be used."""
        registry = CollectorRegistry()
        registry.register(Gauges(context))
        metrics = make_wsgi_app(registry)

        def serve(environ, start_response):  # type: ignore[no-untyped-def] # WSGI's own shapes
            if environ.get("PATH_INFO") == "/metrics":
                return metrics(environ, start_response)
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"only /metrics is here\n"]

        host, _, port = listen.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            bound = socket.create_server((host.strip("[]"), int(port)), family=family)
        except OSError as problem:
            raise ConfigProblem(
                f"lamplighter.toml: [metrics] listen: {listen} cannot be used ({problem.strerror}). "
                "Choose another port, or an address of this machine."
            ) from problem
        self._server = create_server(serve, sockets=[bound], threads=THREADS)
        self._listen = listen
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def open(self) -> None:
        self._thread.start()
        log.info("metrics for Prometheus at http://%s/metrics", self._listen)

    def close(self) -> None:
        self._closing = True
        self._server.close()

    def _run(self) -> None:
        try:
            self._server.run()
        except OSError:  # it may be waiting for the socket that is closed under it
            if not self._closing:
                raise

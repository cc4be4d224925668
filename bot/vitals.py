"""How the bot is, from its first moment to its last: what is watched, and the address where that is asked for."""

import logging
import threading
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from bot.config import Config, ConfigProblem
from bot.doors import HttpDoor, door_for
from bot.health import Alive, Health
from bot.probes import Probes
from bot.running import OFF
from bot.serving import Application, Serving
from bot.watch import Watch
from commands._types import Context

log = logging.getLogger(__name__)

THREADS = 2
SETTING = "[health] listen"


class Vitals:
    """The door for Slack's requests is among it: over HTTP it is there before Slack answers, and tells how it is."""

    def __init__(self, config: Config, ask_slack: Callable[[], object], clock: Callable[[], datetime]) -> None:
        """`ask_slack`: auth.test. Raises ConfigProblem where an address cannot be used."""
        self._health = Health(clock)
        self.door = door_for(config, self._health)
        self._probes = Probes(self._health, told=True)
        self._serving = self._local(config)
        self._watch = Watch(self._health, config.database, ask_slack, self.door.connected, clock)

    def start(self) -> None:
        self._watch.start()
        self.watch_over("watch", lambda: self._watch.alive)
        self.door.prepare()
        if self._serving:
            self._serving.open()

    def measure(self, context: Context) -> None:
        """From now on there is something to show under /metrics."""
        metrics = _once_asked(context)
        self._probes.metrics = metrics
        if isinstance(self.door, HttpDoor):
            self.door.probes.metrics = metrics

    def watch_over(self, part: str, alive: Alive) -> None:
        self._health.watch_over(part, alive)

    def slack_answered(self) -> None:
        self._watch.slack_answered()

    def slack_failed(self, problem: Exception) -> None:
        self._watch.slack_failed(problem)

    def running(self) -> None:
        """All of it has been started."""
        self.watch_over("door", lambda: self.door.alive)
        self._health.running()

    def ending(self) -> None:
        self._health.ending()

    def stop(self) -> None:
        self._health.ending()
        self._watch.stop()
        self.door.end()
        if self._serving:
            self._serving.close()

    def _local(self, config: Config) -> Serving | None:
        """An address that nobody chose is no reason not to start."""
        listen = config.health_listen
        if listen == OFF:
            return None
        chosen = config.file.health.listen or config.file.metrics.listen
        setting = SETTING if config.file.health.listen else "[metrics] listen"
        try:
            serving = Serving(setting if chosen else SETTING, listen, self._probes, THREADS)
        except ConfigProblem as problem:
            if chosen:
                raise
            log.warning("nobody can ask how this bot is: %s", problem)
            return None
        log.info("how it is: http://%s/healthz and /readyz; for Prometheus: http://%s/metrics", listen, listen)
        return serving


def _once_asked(context: Context) -> Application:
    """Who is never asked for metrics need not load their library."""
    lock = threading.Lock()
    made: list[Application] = []

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with lock:
            if not made:
                from bot.gauges import metrics_app

                made.append(metrics_app(context))
        return made[0](environ, start_response)

    return serve

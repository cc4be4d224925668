"""Whether the bot is alive and whether it is ready, each in parts with their reasons; asked as often as anybody likes.

Nothing is looked at when it is asked: what the watch found last stands in memory, so that a probe waits for no lock, no
disk and no Slack.
"""

import json
import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

log = logging.getLogger(__name__)

Alive = Callable[[], bool]
BOT, SLACK = "bot", "slack"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing. `reason` is for people, also where it is well."""

    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A finding, and since when it is so."""

    check: str
    ok: bool
    since: datetime
    reason: str

    @property
    def json(self) -> str:
        since = self.since.isoformat(timespec="seconds")
        return json.dumps({"check": self.check, "ok": self.ok, "since": since, "reason": self.reason})


class Health:
    """`ready` and `alive`; a change of either is a line in the log."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()  # held for a moment each time, and over no call
        self._lines: dict[str, Line] = {}
        self._parts: dict[str, Alive] = {}
        self._since: dict[str, tuple[bool, datetime]] = {}
        self._ending = False
        self.refresh: Callable[[], None] = lambda: None  # what costs nothing to be found anew
        self.found(BOT, Finding(False, "starting"))
        self.found(SLACK, Finding(False, "Slack has not been asked yet"))

    # ---- what is told of it

    def found(self, check: str, finding: Finding) -> None:
        """What was found just now."""
        with self._lock:
            before = self._lines.get(check)
            same = before is not None and before.ok == finding.ok
            since = before.since if before is not None and same else self._clock()
            self._lines[check] = Line(check, finding.ok, since, finding.reason)
        if check != BOT and not same and (before or (not finding.ok and check != SLACK)):
            level = logging.INFO if finding.ok else logging.WARNING
            log.log(level, "%s: %s (%s)", check, "well" if finding.ok else "not well", finding.reason)

    def watch_over(self, part: str, alive: Alive) -> None:
        """From now on the bot is alive only as long as this is."""
        with self._lock:
            self._parts[part] = alive

    def running(self) -> None:
        self.found(BOT, Finding(True, "running"))

    def ending(self) -> None:
        """Its parts end one after the other, and that is as it should be."""
        with self._lock:
            self._ending, self._parts = True, {}
        self.found(BOT, Finding(False, "told to stop: what runs is ended, and nothing new is begun"))

    # ---- what is asked of it

    def alive(self) -> list[Line]:
        with self._lock:
            parts, ending = dict(self._parts), self._ending
        now = self._clock()
        if ending or not parts:
            return [Line(BOT, True, self._lines[BOT].since, self._lines[BOT].reason)]
        lines = []
        for part, alive in parts.items():
            lives = alive()
            was, since = self._since.get(part, (lives, now))
            if was != lives:
                since = now
                log.error("%s has died; restart the bot", part)
            self._since[part] = lives, since
            lines.append(Line(part, lives, since, "alive" if lives else "has died: restart the bot"))
        return lines

    def ready(self, without: Collection[str] = ()) -> list[Line]:
        """All checks but those; nothing is ready in which something has died."""
        self.refresh()
        dead = [line for line in self.alive() if not line.ok]
        with self._lock:
            lines = [line for line in self._lines.values() if line.check not in without]
        return [*lines, *dead]

"""Looks every few seconds whether Slack, the database and the audits are as they should be, in a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from bot.health import SLACK, Finding, Health
from bot.slack_errors import NO_ANSWER, TOKEN_REFUSED, error_code
from storage.writable import Look, Writable, inode_of, look

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
ROUND_SECONDS = 3.0
ASK_SLACK_SECONDS = 60.0
SLACK_WITHIN = timedelta(seconds=180)  # two of three may fail
BUSY_FOR = timedelta(minutes=5)  # no transaction of the bot is meant to take minutes
AUDIT_WITHIN = timedelta(hours=26)  # one is due each day; of 25 hours, when a clock is set back, and one to make it
LATE_SECONDS = 90.0  # the watch itself

Connected = Callable[[], tuple[bool, str]]


class Watch:
    """`ask_slack`: auth.test, which raises one of NO_ANSWER; `connected`: whether requests can come in, and why not."""

    def __init__(
        self,
        health: Health,
        database: Path,
        ask_slack: Callable[[], object],
        connected: Connected,
        clock: Callable[[], datetime],
    ) -> None:
        self._health, self._database, self._ask, self._clock = health, database, ask_slack, clock
        self._connected = connected
        self._inode = inode_of(database)
        self._busy_since: datetime | None = None
        self._answered_at: datetime | None = None
        self._slack_said = "has not been asked yet"
        self._asked = self._looked = self._beat = -1e9
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        health.refresh = self.look_at_slack

    def start(self) -> None:
        self.round()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    @property
    def alive(self) -> bool:
        """Also where it stands still, since what it said then would be said for ever."""
        return self._thread.is_alive() and time.monotonic() - self._beat < LATE_SECONDS

    def slack_answered(self) -> None:
        self._answered_at, self._slack_said = self._clock(), ""
        self._asked = time.monotonic()
        self.look_at_slack()

    def slack_failed(self, problem: Exception) -> None:
        self._asked = time.monotonic()
        error = error_code(problem)
        self._slack_said = f"answers {error}" if getattr(problem, "response", None) else f"cannot be reached ({error})"
        if error in TOKEN_REFUSED:
            self._answered_at = None
            self._slack_said += ". Check SLACK_BOT_TOKEN and that the app is still installed"
        self.look_at_slack()

    def round(self, *, ask: bool = False) -> None:
        """One look at whatever is due. `ask`: Slack too."""
        self._beat = time.monotonic()
        if self._beat - self._looked >= LOOK_SECONDS:
            self._looked = self._beat
            self.look_at_database()
        if ask and self._beat - self._asked >= ASK_SLACK_SECONDS:
            self._asked = self._beat
            self.ask_slack()
        self.look_at_slack()

    def ask_slack(self) -> None:
        try:
            self._ask()
        except NO_ANSWER as problem:
            self.slack_failed(problem)
        else:
            self.slack_answered()

    def look_at_database(self) -> None:
        seen = look(self._database, self._inode)
        now = self._clock()
        self._busy_since = (self._busy_since or now) if seen.writable is Writable.BUSY else None
        self._health.found("database", self._of_database(seen, now))
        if seen.writable is not Writable.NO:
            self._health.found("audit", _of_audit(seen, now))

    def _of_database(self, seen: Look, now: datetime) -> Finding:
        if seen.writable is Writable.NO:
            return Finding(False, f"{seen.why}. What is decided now cannot be kept")
        if self._busy_since is None:
            return Finding(True, "can be written to")
        if now - self._busy_since < BUSY_FOR:
            return Finding(True, "is being written to")
        return Finding(False, f"something has kept it locked for {_long(now - self._busy_since)}: end that program")

    def look_at_slack(self) -> None:
        ok, why = self._connected()
        answered = self._answered_at is not None and self._clock() - self._answered_at < SLACK_WITHIN
        if not answered:
            self._health.found(SLACK, Finding(False, f"Slack {self._slack_said or 'has not answered for long'}"))
        else:
            self._health.found(SLACK, Finding(ok, why))

    def _run(self) -> None:
        while not self._stop.wait(ROUND_SECONDS):
            try:
                self.round(ask=True)
            except Exception:  # it goes on looking whatever it finds
                log.exception("the watch stumbled, and goes on")


def _of_audit(seen: Look, now: datetime) -> Finding:
    """A fresh installation has as long as any other until its first."""
    since = seen.audited_at or seen.made_at
    if seen.audited_at is None and since and now - since < AUDIT_WITHIN:
        return Finding(True, "the first daily audit is still to come")
    if seen.audited_at is None:
        return Finding(False, "no audit has ended yet, though one is due every day: the log says why")
    ago = now - seen.audited_at
    ended = f"the last audit of everything ended {_long(ago)} ago"
    if ago < AUDIT_WITHIN:
        return Finding(True, ended)
    return Finding(False, f"{ended}, and one is due every day: the log says why")


def _long(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // 1440} days"

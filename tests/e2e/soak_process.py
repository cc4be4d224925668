"""The soaked bot's process, from outside, and the clock that it is given."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any

from bot.demo.show import ROOT

BEGIN = clock_time(8, 40)
PATIENCE_SECONDS = 30.0  # of whoever stops a bot, as of ECS and Kubernetes; then it is killed


class Clock:
    """The machine's, and so many seconds more."""

    def __init__(self) -> None:
        real = datetime.now(UTC)
        monday = real.date() + timedelta(days=7 - real.weekday())
        self.ahead = (datetime.combine(monday, BEGIN, UTC) - real).total_seconds()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)


class Bot:
    """The process, started as often as it ends."""

    def __init__(self, folder: Path, environment: dict[str, str], clock: Clock) -> None:
        self.log, self._environment, self._clock = folder / "bot.log", environment, clock
        self._process: subprocess.Popen[str] | None = None
        self.starts = self._logged = 0

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def was_up(self) -> bool:
        """Whether it has come so far, since its last start, that it asks Slack."""
        return "bot.service" in self.log.read_text(errors="replace")[self._logged :]

    def start(self) -> None:
        self.starts += 1
        self._logged = len(self.log.read_text(errors="replace")) if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.soak_bot", str(self._clock.ahead)],
                cwd=ROOT, env=self._environment, stderr=log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip

    def end(self, how: signal.Signals) -> int:
        """Its exit code."""
        assert self._process
        self._process.send_signal(how)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGUSR1)  # the log says then where it stands
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)
            self._process.kill()
            return self._process.wait()
        finally:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    pipe.close()

    def ask(self, order: str) -> dict[str, Any]:
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(order + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the bot ended by itself\n{self.log.read_text()[-3000:]}"
        found: dict[str, Any] = json.loads(answer)
        return found

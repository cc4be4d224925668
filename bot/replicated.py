"""Litestream beside the bot: the replica is restored where there is no database yet, and kept up until the end.

Litestream could start the bot itself (`-exec`), but then the bot's exit code would be lost, and its end would be
Litestream's to see to.
"""

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import IO, Self

from bot.config import Config, ConfigProblem
from bot.environment import SECRETS

log = logging.getLogger(__name__)

SETTINGS = Path(__file__).with_name("litestream.yml")
END_SECONDS = 12.0  # see `shutdown-sync-timeout` in litestream.yml
LOOK_SECONDS = 0.05
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 60.0
NOT_ITS = tuple(name.upper() for name in SECRETS)  # its own address is given to it anew


def replicated(config: Config, told: threading.Event) -> "AbstractContextManager[Replicated | None]":
    """Nothing at all where no replica is named. `told`: to end, which a restore must not keep waiting."""
    url = config.environment.litestream_replica_url
    return Replicated(config.database, url, told) if url else nullcontext()


class Replicated:
    """To be entered by the one bot of the database, before it is opened. Raises ConfigProblem."""

    def __init__(self, database: Path, url: str, told: threading.Event) -> None:
        binary = shutil.which("litestream")
        if binary is None:
            raise ConfigProblem(
                "LITESTREAM_REPLICA_URL is set, and there is no litestream on PATH. Install it (the image has it), or "
                "unset the variable to run without a replica."
            )
        self._binary, self._url, self._told = binary, url, told
        self._database = database.resolve()
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep_up, name="replica", daemon=True)
        self.restored = False  # whether there was no database, and there is one from the replica now

    def __enter__(self) -> Self:
        self._lock = self._alone()
        try:
            self._restore()
            self._thread.start()
        except BaseException:
            self._lock.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """The database is closed: what of it is not replicated yet goes now."""
        self._stop.set()
        if self._process:
            self._process.terminate()
        self._thread.join(END_SECONDS)
        if self._thread.is_alive() and self._process:
            self._process.kill()
        self._last_time()
        self._lock.close()

    def _last_time(self) -> None:
        """Litestream leaves what it has not looked at yet when it is told to end; and only this says if it failed."""
        if not self._database.exists():
            return
        said = self._run("replicate", "-once", "-config", str(SETTINGS), seconds=END_SECONDS)
        if said:
            log.error("the last moments are not replicated: %s. They are on this disk; the next start goes on", said)

    def _alone(self) -> IO[str]:
        """A lock that lives as long as Litestream does: one that outlived a bot that was killed is ended first."""
        path = self._database.with_name(f"{self._database.name}.litestream.lock")
        file = os.fdopen(os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "a+")
        until = time.monotonic() + END_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            except BlockingIOError as problem:
                file.seek(0)
                number = file.read().strip()
                if number and not told:
                    told = True
                    log.warning("a litestream of an earlier start still runs (process %s): ending it", number)
                    with suppress(ProcessLookupError):
                        os.kill(int(number), signal.SIGTERM)
                if time.monotonic() > until:
                    file.close()
                    raise ConfigProblem(
                        f"{path}: a litestream of an earlier start does not end. End process {number} first."
                    ) from problem
            # A lock tells nobody that it was let go of, and a wait in flock itself would have no end.
            time.sleep(LOOK_SECONDS)

    def _restore(self) -> None:
        """Where a replica is there and cannot be read, the bot does not begin with an empty memory instead."""
        if self._database.exists():
            return
        # With `-if-replica-exists`, only a place that answers and holds none is no failure.
        options = ("-if-db-not-exists", "-if-replica-exists", "-integrity-check", "quick")
        said = self._run("restore", "-config", str(SETTINGS), *options, str(self._database), told=self._told)
        if said and not self._told.is_set():
            raise ConfigProblem(
                f"LITESTREAM_REPLICA_URL: the replica cannot be read: {said}. Mend that, or unset "
                "the variable; the bot does not begin with an empty memory while there may be a replica of it."
            )
        self.restored = self._database.exists()
        if self.restored:
            self._database.chmod(0o600)
            log.warning("there was no %s: it was restored from its replica", self._database)
        else:
            log.warning("there is no %s, and no replica of it yet: beginning with an empty memory", self._database)

    def _keep_up(self) -> None:
        pause = FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            began = time.monotonic()
            self._process = self._start()
            if self._stop.is_set():  # it was told to end before there was anything to end
                self._process.terminate()
            code = self._process.wait()
            if self._stop.is_set():
                return
            if time.monotonic() - began > LONGEST_WAIT_SECONDS:
                pause = FIRST_WAIT_SECONDS
            log.error("litestream ended with exit code %d: nothing is replicated; again in %.0f s", code, pause)
            self._stop.wait(pause)
            pause = min(LONGEST_WAIT_SECONDS, pause * 2)

    def _start(self) -> "subprocess.Popen[bytes]":
        self._lock.seek(0)
        self._lock.truncate()
        process = subprocess.Popen(  # noqa: S603 - ours
            [self._binary, "replicate", "-config", str(SETTINGS)],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            umask=0o077,
            pass_fds=[self._lock.fileno()],
            start_new_session=True,  # ctrl-C is the bot's to hear: it ends first
        )
        self._lock.write(str(process.pid))
        self._lock.flush()
        return process

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in NOT_ITS}
        return kept | {"LAMPLIGHTER_DATABASE": str(self._database), "LITESTREAM_REPLICA_URL": self._url}

    def _run(self, *words: str, seconds: float = float("inf"), told: threading.Event | None = None) -> str:
        """What Litestream said last where it failed, did not end in time or was not let to; else nothing."""
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(  # noqa: S603 - ours
                [self._binary, *words],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                umask=0o077,
                start_new_session=True,
            )
            until, why = time.monotonic() + seconds, ""
            while process.poll() is None:
                if time.monotonic() > until or (told and told.is_set()):
                    process.kill()
                    process.wait()
                    return "it did not end in time"
                time.sleep(LOOK_SECONDS)  # both its end and the bot's being told are looked for
            if process.returncode:
                said.seek(0)
                why = (said.read().strip() or "no reason given").splitlines()[-1]
        return why.removeprefix("Error: ").replace(self._url, "the replica")  # an address may hold a password

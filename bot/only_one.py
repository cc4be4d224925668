"""One bot for each database: two would post and fix the same things."""

import errno
import fcntl
import logging
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Self

from bot.config import ConfigProblem
from storage.lock import lock_of

log = logging.getLogger(__name__)

TAKEN = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)


class OnlyOne:
    """Held from the start to the end; the system lets go of it when the process dies. Raises ConfigProblem."""

    def __init__(self, database: Path) -> None:
        self._database = database.resolve()  # one file by whatever symbolic link
        self._path = lock_of(database)
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._taken()
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def again(self) -> None:
        """To be asked now and again: who takes the lock's file for a leftover and deletes it lets a second bot start.
        Where none has, the lock is taken anew; else this raises ConfigProblem, and this bot must end."""
        before = self._file
        if before is None or _same(before, self._path):
            return
        self._file = self._taken()
        before.close()
        log.warning("%s was deleted while this bot ran, and is there again: do not delete it", self._path)

    def _taken(self) -> IO[str]:
        try:
            file = self._path.open("a+", encoding="utf-8")
        except OSError as problem:
            raise ConfigProblem(
                f"cannot open the database {self._database}: {problem.strerror}, for {self._path.name} beside it. "
                "Set LAMPLIGHTER_DATABASE to a file in a folder that exists and can be written to."
            ) from problem
        try:
            self._take(file)
        except BaseException:
            file.close()
            raise
        return file

    def _take(self, file: IO[str]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            if problem.errno in TAKEN:
                raise ConfigProblem(
                    f"{self._path}: another Lamplighter runs on this database ({_holder(file)}). Stop it, or set "
                    "LAMPLIGHTER_DATABASE to another file."
                ) from problem
            raise ConfigProblem(
                f"{self._path}: this file system gives no locks ({problem.strerror}), and two bots could run at once. "
                "Keep the database on a local disk or a block volume."
            ) from problem
        self._refuse_two_names()
        with suppress(OSError):  # a disk that is full is told of where something is to be kept
            who = f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), who.encode(), 0)

    def _refuse_two_names(self) -> None:
        """By a hard link a second bot would have another lock, and SQLite another log: what one writes, the other does
        not see, and a crash damages the file."""
        if self._database.exists() and self._database.stat().st_nlink > 1:
            raise ConfigProblem(
                f"{self._database}: the file has a second name (a hard link), by which another program could write to "
                "it unseen. Remove the other name, or make a copy of the file and use that."
            )


def _same(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read(200).strip() or "which one is not known"

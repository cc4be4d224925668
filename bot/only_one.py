"""One bot for each database: two would post and fix the same things."""

import fcntl
from pathlib import Path
from typing import IO, Self

from bot.config import ConfigProblem


class OnlyOne:
    """Held from the start to the end; the system lets go of it when the process dies. Raises ConfigProblem."""

    def __init__(self, database: Path) -> None:
        resolved = database.resolve()  # one file by whatever name
        self._path = resolved.with_name(resolved.name + ".lock")
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        self._file = self._path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            self._file.close()
            raise ConfigProblem(
                f"{self._path}: another Lamplighter runs on this database. Stop it, or set LAMPLIGHTER_DATABASE "
                "to another file."
            ) from problem
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

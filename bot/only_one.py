"""One bot for each database: two would post and fix the same things."""

from pathlib import Path
from typing import IO, Self

from bot.config import ConfigProblem
from storage.lock import hold, lock_of


class OnlyOne:
    """Held from the start to the end; the system lets go of it when the process dies. Raises ConfigProblem."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        path = lock_of(self._database)
        try:
            self._file = hold(self._database)
        except OSError as problem:
            raise ConfigProblem(
                f"{path}: cannot be written: {problem.strerror}. "
                "Set LAMPLIGHTER_DATABASE to a file in a folder that exists and can be written to."
            ) from problem
        if self._file is None:
            raise ConfigProblem(
                f"{path}: another Lamplighter runs on this database. Stop it, or set LAMPLIGHTER_DATABASE "
                "to another file."
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

"""A look at the SQLite file beside whoever works with it: read only, and nothing is made, migrated or locked."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.connection import Connection, StorageProblem
from storage.schema import migrations
from storage.sqlite import Database
from storage.store import Store

BUSY_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Shape:
    """The file's schema beside the one of this version."""

    behind: int  # migrations that the file has yet to go through
    ahead: tuple[str, ...]  # those that it went through and this version does not know: a newer one wrote it


class _ReadOnly(Connection):
    """The file as it is. Raises StorageProblem where it cannot be read or is no database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            self._sqlite = sqlite3.connect(_address(path), uri=True, timeout=BUSY_SECONDS, check_same_thread=False)
            self._db = Database(self._sqlite, execute_plugins=False)
            self._sqlite.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.DatabaseError as problem:
            raise StorageProblem(f"cannot read the database {path}: {problem}") from problem

    def shape(self) -> Shape:
        known = {one.name for one in migrations._migrations}  # sqlite-utils names them nowhere else
        applied = [one.name for one in migrations.applied(self._db)]
        return Shape(len(known - set(applied)), tuple(name for name in applied if name not in known))


@contextmanager
def look_into(path: Path) -> Iterator[tuple[Store, Shape]]:
    """Memory as somebody else left it, or is writing it. Raises StorageProblem.

    Inside `readable`, whatever would write raises StorageProblem too; so does what a file with an older schema has not
    got, and a page that is torn.
    """
    connection = _ReadOnly(path)
    try:
        yield Store(path, connection), connection.shape()
    finally:
        connection.close()


@contextmanager
def readable() -> Iterator[None]:
    """What SQLite refuses inside becomes a StorageProblem in its words."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        raise StorageProblem(str(problem)) from problem


def _address(path: Path) -> str:
    """Where nobody has the file open, it is opened as one that does not change: SQLite would make two files beside it
    otherwise, and leave them there."""
    resolved = path.resolve()
    in_use = resolved.with_name(resolved.name + "-wal").exists()
    return f"{resolved.as_uri()}?mode=ro{'' if in_use else '&immutable=1'}"

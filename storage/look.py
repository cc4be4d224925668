"""A look at the SQLite file beside whoever works with it: read only, and nothing is made, migrated or locked."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.connection import StorageProblem
from storage.read_only import ReadOnly
from storage.schema import migrations
from storage.store import Store


@dataclass(frozen=True, slots=True)
class Shape:
    """The file's schema beside the one of this version."""

    behind: int  # migrations that the file has yet to go through
    ahead: tuple[str, ...]  # those that it went through and this version does not know: a newer one wrote it


class _Shaped(ReadOnly):
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
    connection = _Shaped(path)
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

"""One connection to the SQLite file, behind one lock; every read and write of the storage package goes through it."""

import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.schema import migrations
from storage.sqlite import Database

Row = dict[str, Any]

BUSY_TIMEOUT_SECONDS = 15.0


def _none(_: None) -> None:
    """None as SQLite's null, which is what it becomes in any case.

    Python's sqlite3 would look for an adapter of it each time, by way of errors that it forgets: 5 % of what an audit
    of 10,000 functions takes, each of which has some nine of them.
    """


sqlite3.register_adapter(type(None), _none)


class StorageProblem(Exception):
    """The file cannot be used; the message says why and what to do."""


class Connection:
    """The file, opened and brought to the newest schema.

    Threads share it: whoever reads or writes holds the lock, and a transaction holds it to its end.
    Raises StorageProblem where the path cannot be opened or is no database.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        try:
            # A file that names who decided what is nobody else's to read.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._sqlite = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
            # A new file's pages hold several functions each; of a file that is there, the size stays what it was.
            for pragma in ("page_size = 8192", "journal_mode = wal", "foreign_keys = on", "synchronous = full"):
                self._sqlite.execute(f"pragma {pragma}")
            self._sqlite.create_function("regexp", 2, _regexp, deterministic=True)
            # What other packages would add to every connection is not wanted here, and takes long to look for.
            self._db = Database(self._sqlite, execute_plugins=False)
            with self.transaction():
                migrations.apply(self._db)
        except OSError as problem:
            raise StorageProblem(
                f"cannot open the database {self.path}: {problem.strerror}. "
                "Set LAMPLIGHTER_DATABASE to a file in a folder that exists and can be written to."
            ) from problem
        except sqlite3.DatabaseError as problem:
            raise StorageProblem(
                f"cannot use the database {self.path}: {problem}. "
                "Set LAMPLIGHTER_DATABASE to another file, or restore this one."
            ) from problem

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside another transaction of the same thread it joins that one.

        BEGIN IMMEDIATE, because a deferred one fails at once ("database is locked") when two writers meet.
        Never hold one over a call to AWS or Slack.
        """
        with self._lock:
            if self._sqlite.in_transaction:
                yield
                return
            self._db.execute("begin immediate")
            try:
                yield
                self._db.commit()  # where it fails, what was left open would take with it all that follows
            except BaseException:
                self._db.rollback()
                raise

    def rows(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
        with self._lock:
            return list(self._db.query(sql, _plain(parameters)))

    def tuples(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Iterator[tuple[Any, ...]]:
        """For many rows that are looked at one by one; to be read to its end, for it holds the lock."""
        with self._lock:
            yield from self._sqlite.execute(sql, _plain(parameters))

    def row(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
        return next(iter(self.rows(sql, parameters)), None)

    def change(self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """How many rows changed."""
        with self.transaction():
            return self._db.execute(sql, _plain(parameters)).rowcount

    def change_many(self, sql: str, parameters: Iterable[Mapping[str, Any] | Sequence[Any]]) -> None:
        """Once for each; taken as they come, so that 100,000 rows need no room beside each other."""
        with self.transaction():
            self._sqlite.executemany(sql, parameters)

    def change_what_can(self, sql: str, parameters: Iterable[Sequence[Any]]) -> list[Sequence[Any]]:
        """As `change_many`; those by which no row was changed."""
        left: list[Sequence[Any]] = []

        def watched() -> Iterator[Sequence[Any]]:
            for one in parameters:
                before = self._sqlite.total_changes
                yield one
                if self._sqlite.total_changes == before:
                    left.append(one)

        self.change_many(sql, watched())
        return left

    def insert(self, table: str, row: Row) -> int:
        """The new row's id."""
        with self.transaction():
            columns, marks = ", ".join(row), ", ".join(f":{column}" for column in row)
            sql = f"insert into {table} ({columns}) values ({marks})"  # noqa: S608 - the names are ours
            return int(self._db.execute(sql, row).lastrowid or 0)

    def close(self) -> None:
        with self._lock:
            self._sqlite.close()


def _regexp(pattern: str, text: str) -> bool:
    """SQL's `text regexp pattern`, which SQLite leaves to its users; `re` keeps what it has compiled."""
    return re.match(pattern, text) is not None


def _plain(parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | dict[str, Any]:
    return dict(parameters) if isinstance(parameters, Mapping) else parameters


def to_text(time: datetime) -> str:
    """UTC with microseconds, so that the text sorts as the time does. Refuses a time without a zone."""
    if time.tzinfo is None:
        raise ValueError("a time needs a zone")
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.isoformat(timespec="microseconds")


def to_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def maybe_text(time: datetime | None) -> str | None:
    return None if time is None else to_text(time)


def maybe_time(text: str | None) -> datetime | None:
    return None if text is None else to_time(text)


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)

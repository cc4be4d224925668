"""One connection to the SQLite file, behind one lock; every read and write of the storage package goes through it."""

import json
import os
import re
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.schema import migrations
from storage.sqlite import Database
from storage.turns import LONGEST_SECONDS, Turns

Row = dict[str, Any]

STEPS = tuple(step.name for step in migrations._migrations)  # to ask for them otherwise takes a database
MIGRATIONS = migrations.migrations_table
NOT_OURS = ("sqlite_", MIGRATIONS, "_litestream_")  # tables that tools keep, whatever the file is

BUSY_TIMEOUT_SECONDS = 15.0
OPENING_SECONDS = 60.0  # for a migration that another process is at
EMPTY_SECONDS = 3.0  # between another process's making a file and writing to it lie milliseconds
LOOK_AGAIN_SECONDS = 0.02


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
    Raises StorageProblem where the path cannot be opened, is no database of ours or of a newer version, is damaged, or
    could not be copied before it is migrated.
    """

    def __init__(self, path: Path | str, *, sole: bool = False) -> None:
        """`sole`: whoever opens it is the one bot that may run on it; see `_refuse_under_a_bot`."""
        self.path = Path(path)
        self.patience = BUSY_TIMEOUT_SECONDS  # how long a write waits for another process's to end
        self._lock = Turns()
        self._own = threading.local()
        try:
            self._open(sole)
        except OSError as problem:
            raise StorageProblem(
                f"cannot open the database {self.path}: {problem.strerror}. "
                "Set LAMPLIGHTER_DATABASE to a file in a folder that exists and can be written to."
            ) from problem
        except sqlite3.DatabaseError as problem:
            from storage.trouble import trouble

            why = trouble(problem)
            raise StorageProblem(
                f"cannot use the database {self.path}: {problem}{f' ({why})' if why else ''}. "
                "Mend that, set LAMPLIGHTER_DATABASE to another file, or restore this one."
            ) from problem

    def _open(self, sole: bool) -> None:
        try:
            # A file that names who decided what is nobody else's to read.
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            os.close(os.open(self.path, os.O_RDWR))
            self._refuse_empty()
        self._sqlite = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
        try:
            known = steps_of(self._sqlite, self.path)  # before anything is written: what is not ours stays as it is
            # A new file's pages hold several functions each; of a file that is there, the size stays what it was.
            # Full: a commit is on the disk when it returns, so that a power cut takes back nothing that was answered.
            for pragma in ("page_size = 8192", "journal_mode = wal", "foreign_keys = on", "synchronous = full"):
                self._sqlite.execute(f"pragma {pragma}")
            self._sqlite.create_function("regexp", 2, _regexp, deterministic=True)
            # What other packages would add to every connection is not wanted here, and takes long to look for.
            self._db = Database(self._sqlite, execute_plugins=False)
            if len(known) < len(STEPS):
                self._migrate(sole)
        except BaseException:
            self._sqlite.close()
            raise

    def _refuse_empty(self) -> None:
        """Raises StorageProblem for a file of no bytes: what was lost is not begun anew as if nothing had been."""
        until = time.monotonic() + EMPTY_SECONDS
        while not self.path.stat().st_size:
            if time.monotonic() > until:  # another process may be making it this very moment
                raise StorageProblem(
                    f"the database {self.path} is there and holds nothing, not even what a new one does. Restore it "
                    "from a backup (python -m bot restore FILE), or delete it to begin with an empty memory."
                )
            time.sleep(LOOK_AGAIN_SECONDS)

    def _migrate(self, sole: bool) -> None:
        """To the newest schema, in one transaction: cut short, the file is as it was. A copy of it comes first."""
        with self.transaction(OPENING_SECONDS):
            done = steps_of(self._sqlite, self.path)
            if len(done) == len(STEPS):  # another process was first
                return
            if done:
                from storage import copies  # nothing that a start without a migration need load

                if not sole:
                    self._refuse_under_a_bot()
                copies.before_migration(self.path, next(step for step in STEPS if step not in done))
                copies.forget_oldest(self.path)
            from storage.schema_views import drop_views, make_views

            # Views stand on tables that a step may make anew: they go before the steps, and come again after them.
            drop_views(self._db)
            migrations.apply(self._db)
            make_views(self._db)

    def _refuse_under_a_bot(self) -> None:
        """Raises StorageProblem where a bot runs on the file: it is of an older version, and would meet a schema that
        it does not know."""
        from storage.lock import is_held

        if is_held(self.path):
            raise StorageProblem(
                f"the database {self.path} is of an older version of Lamplighter, and a bot of that version runs on "
                "it. Stop that bot and start one of this version, which migrates the file; then ask again."
            )

    @contextmanager
    def transaction(self, patience: float | None = None) -> Iterator[None]:
        """All or nothing. Inside another transaction of the same thread it joins that one.

        BEGIN IMMEDIATE, because a deferred one fails at once ("database is locked") when two writers meet.
        Never hold one over a call to AWS or Slack.
        """
        with self._lock:
            joins = self._sqlite.in_transaction
            if joins:
                yield
        if joins:
            return
        self._begin(self.patience if patience is None else patience)
        try:
            try:
                yield
                self._db.commit()  # where it fails, what was left open would take with it all that follows
            except BaseException:
                self._db.rollback()
                raise
            self._own.kept = self.kept + 1
        finally:
            self._lock.release()

    def _begin(self, patience: float) -> None:
        """Leaves with the lock held. While another process writes, this one's threads go on reading."""
        until = time.monotonic() + patience
        while True:
            self._lock.acquire()
            try:
                self._sqlite.execute("pragma busy_timeout = 0")
                try:
                    self._db.execute("begin immediate")
                finally:
                    self._sqlite.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000:.0f}")
                return
            except sqlite3.OperationalError as problem:
                self._lock.release()
                from storage.trouble import is_busy

                if not is_busy(problem) or time.monotonic() > until:
                    raise
            except BaseException:
                self._lock.release()
                raise
            time.sleep(LOOK_AGAIN_SECONDS)

    def check(self) -> None:
        """Raises StorageProblem where a page of the file is damaged, or nothing can be written to it."""
        from storage.copies import refuse_damaged
        from storage.trouble import trouble

        with self._lock:
            refuse_damaged(self._sqlite, self.path)
        try:
            with self.transaction():
                (version,) = self._sqlite.execute("pragma user_version").fetchone()
                self._sqlite.execute(f"pragma user_version = {version}")  # as it is, and written all the same
        except sqlite3.OperationalError as problem:
            raise StorageProblem(
                f"cannot write to the database {self.path}: {trouble(problem) or problem}."
            ) from problem

    def asking(self, longest_seconds: float = LONGEST_SECONDS) -> AbstractContextManager[None]:
        """What this thread reads meanwhile is for a question, and others go before it, for so long at most."""
        return self._lock.asking(longest_seconds)

    @property
    def kept(self) -> int:
        """How many transactions of this thread were kept so far."""
        return getattr(self._own, "kept", 0)

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


def steps_of(file: sqlite3.Connection, path: Path) -> set[str]:
    """The migrations that a file has had. Raises StorageProblem where it is not one of ours."""
    tables = {name for (name,) in file.execute("select name from sqlite_master where type = 'table'")}
    done: set[str] = set()
    if MIGRATIONS in tables:
        of_ours = f"select name from {MIGRATIONS} where migration_set = ?"  # noqa: S608 - a name of ours
        done = {name for (name,) in file.execute(of_ours, [migrations.name])}
    newer = sorted(done.difference(STEPS))
    if newer:
        raise StorageProblem(
            f"the database {path} is of a newer version of Lamplighter ({newer[0]} is not known to this one). "
            "Run that version or a newer one; or restore a copy that was made before the upgrade, as in "
            f"{path.name}.before-{newer[0].partition('_')[0]}."
        )
    if not done and any(not name.startswith(NOT_OURS) for name in tables):
        raise StorageProblem(f"the database {path} is another program's. Set LAMPLIGHTER_DATABASE to another file.")
    return done


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

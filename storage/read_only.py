"""The file for whoever only looks: nothing in it is changed, none is made, and no right to write is needed."""

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

from storage.connection import BUSY_TIMEOUT_SECONDS, Connection, StorageProblem, _regexp
from storage.schema import migrations
from storage.sqlite import Database
from storage.turns import Turns


class ReadOnly(Connection):
    """As it is, of whatever version: no migration. Raises StorageProblem where it cannot be read or is no database.

    A copy with no `-wal` beside it is read as one that nobody changes, for SQLite would want to write a `-shm`.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = Turns()
        if not self.path.is_file():
            raise StorageProblem(f"there is no database {self.path}. Name the file with --database.")
        try:
            self._sqlite = self._opened()
            self._sqlite.create_function("regexp", 2, _regexp, deterministic=True)
            self._db = Database(self._sqlite, execute_plugins=False)
        except sqlite3.DatabaseError as problem:
            mend = "Name the bot's SQLite file, or take the copy anew."
            if self._wal_size():
                mend = "What its -wal file holds has to be read too: copy both into a folder that you may write to."
            raise StorageProblem(f"cannot read the database {self.path}: {problem}. {mend}") from problem

    def refuse_older(self) -> None:
        """Raises StorageProblem where the file has yet to be brought to the newest schema, for who reads all of it."""
        if migrations.pending(self._db):
            self.close()
            raise StorageProblem(
                f"the database {self.path} is of an older version, and nothing was changed. "
                "Start the bot on it, or on a copy, once: that brings it up to date."
            )

    def _opened(self) -> sqlite3.Connection:
        if self._wal_size() is None:
            return self._connected("immutable=1")
        try:
            return self._connected("mode=ro")
        except sqlite3.OperationalError:
            if self._wal_size():
                raise
            return self._connected("immutable=1")

    def _connected(self, how: str) -> sqlite3.Connection:
        where = f"{self.path.resolve().as_uri()}?{how}"
        made = sqlite3.connect(where, uri=True, timeout=BUSY_TIMEOUT_SECONDS, check_same_thread=False)
        try:
            made.execute("pragma query_only = on")
            made.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.DatabaseError:
            made.close()
            raise
        return made

    def _wal_size(self) -> int | None:
        """None where there is none: nobody has the file open."""
        try:
            return Path(f"{self.path}-wal").stat().st_size
        except FileNotFoundError:
            return None

    def transaction(self) -> AbstractContextManager[None]:  # type: ignore[override] # it raises, and gives out none
        """Refused: what is opened so is not changed."""
        raise StorageProblem(f"the database {self.path} is opened for reading only")

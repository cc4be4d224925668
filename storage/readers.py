"""Connections that only read, beside the one that writes: what is looked up keeps nobody from deciding."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.sqlite import Database, over

CACHE_KIB = 16 * 1024  # of the file, each at most: a look at 100,000 functions goes to most pages more than once


class Readers:
    """So many of them. Each statement sees what was committed before it began, and no transaction waits for it."""

    def __init__(self, path: Path, count: int, patience: float) -> None:
        """All are opened at once: what is put at `path` later is another file. Raises sqlite3.DatabaseError."""
        self._own = threading.local()
        self._freed = threading.Condition()
        self._all: list[sqlite3.Connection] = []
        try:
            self._free = [self._opened(path, patience) for _ in range(count)]
        except BaseException:
            self.close()
            raise

    @contextmanager
    def one(self) -> Iterator[Database]:
        """Waits until one is free. Who has one already, at an outer query's rows, goes on with that."""
        mine: Database | None = getattr(self._own, "reader", None)
        if mine is not None:
            yield mine
            return
        with self._freed:
            self._freed.wait_for(lambda: self._free)
            mine = self._own.reader = self._free.pop()
        try:
            yield mine
        finally:
            self._own.reader = None
            with self._freed:
                self._free.append(mine)
                self._freed.notify()

    def close(self) -> None:
        """When nobody reads any more."""
        for one in self._all:
            one.close()

    def _opened(self, path: Path, patience: float) -> Database:
        where = f"{path.resolve().as_uri()}?mode=ro"
        made = sqlite3.connect(where, uri=True, timeout=patience, check_same_thread=False)
        self._all.append(made)
        made.execute("pragma query_only = on")
        made.execute(f"pragma cache_size = -{CACHE_KIB}")
        made.execute("select count(*) from sqlite_master").fetchone()  # only now is all of it open
        return over(made)

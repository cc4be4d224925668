"""Whether the database can be written to by now: looked at beside the bot's own connection, and in nobody's way."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

from storage.connection import maybe_time

BUSY_SECONDS = 0.5  # so long it is waited for whoever writes
PROBE_BYTES = 64 * 1024  # as much as a few decisions and the log that they go through first


class Writable(StrEnum):
    YES = "yes"
    BUSY = "busy"  # somebody is writing, and so it can be written to
    NO = "no"


@dataclass(frozen=True, slots=True)
class Look:
    writable: Writable
    why: str = ""
    audited_at: datetime | None = None  # when the newest audit of everything ended
    made_at: datetime | None = None  # when the file was made


def inode_of(path: Path) -> int:
    """By which a file is the same under whatever name; 0 where there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def look(path: Path, inode: int) -> Look:
    """`inode`: of the file that the bot has open.

    A transaction is begun and taken back, which needs the lock and leaves the file as it is, so that nothing is copied
    to a replica; and since that asks nothing of the disk, some bytes are written beside it, and away again.
    """
    try:
        if inode_of(path) != inode:
            return Look(Writable.NO, f"{path} is no longer the file that was opened: it was moved, deleted or replaced")
        _write_beside(path)
        with closing(_open(path)) as database:
            writable = _begin(database)
            audited_at, made_at = _times(database)
            return Look(writable, "another transaction is under way" * (writable is Writable.BUSY), audited_at, made_at)
    except OSError as problem:
        return Look(Writable.NO, f"nothing can be written beside {path}: {problem.strerror}")
    except sqlite3.Error as problem:
        return Look(Writable.NO, f"{path}: {problem}")


def _open(path: Path) -> sqlite3.Connection:
    """Never makes a file."""
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _begin(database: sqlite3.Connection) -> Writable:
    try:
        database.execute("begin immediate")
    except sqlite3.OperationalError as problem:
        if problem.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return Writable.BUSY
        raise
    try:
        database.execute("delete from audits where false")  # of a read-only file, a transaction is let begin
    finally:
        database.execute("rollback")
    return Writable.YES


def _times(database: sqlite3.Connection) -> tuple[datetime | None, datetime | None]:
    """Readers wait for nobody here."""
    (audited_at,) = database.execute(
        "select finished_at from audits where scope = '' order by id desc limit 1"
    ).fetchone() or (None,)
    (made_at,) = database.execute("select min(applied_at) from _sqlite_migrations").fetchone()
    return maybe_time(audited_at), maybe_time(made_at)


def _write_beside(path: Path) -> None:
    """Where the disk is full, over its quota, read-only or broken, this shows it."""
    probe = path.with_name(path.name + ".probe")
    handle = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        data = bytes(PROBE_BYTES)
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
        with suppress(OSError):
            probe.unlink()

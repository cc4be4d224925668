"""What is the matter with the file, in words: where it is full, busy, read-only or damaged, everything else stands."""

import sqlite3

_WHY = {
    sqlite3.SQLITE_BUSY: "another process keeps it busy",
    sqlite3.SQLITE_LOCKED: "another process keeps it busy",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it can only be read",
    sqlite3.SQLITE_PERM: "the system does not let it be written to",
    sqlite3.SQLITE_IOERR: "the disk does not take what is written to it; it may be full or gone",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is damaged",
}
_PRIMARY = 0xFF  # SQLite puts the finer reason into the bits above


def trouble(problem: BaseException | None) -> str | None:
    """Why the file cannot be used just now, to follow "it": None where something else went wrong.

    A fault of ours (a constraint that does not hold, SQL that is wrong) is no trouble of the file.
    """
    if not isinstance(problem, sqlite3.Error):
        return None
    code = getattr(problem, "sqlite_errorcode", None)  # Python's own errors have none
    return None if code is None else _WHY.get(code & _PRIMARY)


def is_busy(problem: BaseException) -> bool:
    return getattr(problem, "sqlite_errorcode", 0) & _PRIMARY == sqlite3.SQLITE_BUSY

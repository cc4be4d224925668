"""Copies of the file: whole while it is written to, for their owner alone, and never over something that is there."""

import glob
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from storage.connection import Connection, StorageProblem, steps_of
from storage.decisions import Decisions
from storage.models import Decision
from storage.sqlite import Database
from storage.turns import Turns

KEPT = 3  # copies that were made before a migration; the oldest go
ROOM = 8 << 20  # bytes that are left free beside a copy, for what a migration itself writes


def copy(source: Path, target: Path) -> None:
    """All that `source` holds at this moment, what stands in its WAL included, as one file that needs no other.

    Whoever writes to it meanwhile is neither waited for nor kept waiting. Raises StorageProblem, and leaves nothing
    of `target` behind then.
    """
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as problem:
        raise StorageProblem(f"cannot write the copy {target}: {problem.strerror}") from problem
    try:
        read = f"{source.resolve().as_uri()}?mode=rw"  # it must be there; a WAL is read by way of a file beside it
        with closing(sqlite3.connect(read, uri=True)) as original, closing(sqlite3.connect(target)) as made:
            original.backup(made)
            made.execute("pragma journal_mode = delete")  # a copy has no WAL that could be forgotten
            refuse_damaged(made, target)
        _to_disk(target)
        _to_disk(target.parent)
    except BaseException as problem:
        for one in (target, target.with_name(f"{target.name}-journal")):
            with suppress(OSError):
                one.unlink()
        if isinstance(problem, sqlite3.Error | OSError):
            raise StorageProblem(f"cannot copy {source} to {target}: {problem}") from problem
        raise


def refuse_damaged(file: sqlite3.Connection, path: Path) -> None:
    """Raises StorageProblem where a page is torn or a row is not what its table says; a second for 300 MB."""
    try:
        found = [str(line) for (line,) in file.execute("pragma quick_check(1)")]
    except sqlite3.DatabaseError as problem:
        found = [str(problem)]
    if found != ["ok"]:
        raise StorageProblem(
            f"the database {path} is damaged: {' '.join(found[0].split())}. Restore it from a backup: python -m bot "
            "restore FILE, which keeps this one beside it."
        )


@dataclass(frozen=True)
class Copied:
    """What stands in a copy."""

    size: int  # bytes
    decisions: int
    last: Decision | None
    broken: str | None  # where the chain of decisions does not hold


def look_into(path: Path) -> Copied:
    """Of a file of any version up to this one's. Raises StorageProblem where it is none of ours."""
    try:
        with closing(_Reader(path)) as file:
            steps_of(file.sqlite, path)
            decisions = Decisions(file)
            (count,) = file.sqlite.execute("select count(*) from decisions").fetchone()
            return Copied(path.stat().st_size, count, decisions.last(), decisions.verify())
    except sqlite3.DatabaseError as problem:
        raise StorageProblem(f"{path} is no database of Lamplighter: {problem}") from problem


class _Reader(Connection):
    """A file that is only read, in the schema that it has."""

    def __init__(self, path: Path) -> None:
        self.path, self._lock = path, Turns()
        self.sqlite = self._sqlite = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
        self._db = Database(self._sqlite, execute_plugins=False)


def put_in_place(copied: Path, path: Path, now: datetime) -> Path | None:
    """A copy becomes the database; the one that was there is kept beside it, under the name that is answered.

    Nobody may have it open. Cut short, there is the one or the other, and never none.
    """
    aside = path.with_name(f"{path.name}.replaced-{now:%Y%m%dT%H%M%S}")
    was_there = path.exists()
    if was_there:
        os.link(path, aside)
        if wal_of(path).exists():  # it belongs to the file that goes, and would be read into the one that comes
            wal_of(path).replace(wal_of(aside))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    shutil.rmtree(path.with_name(f".{path.name}-litestream"), ignore_errors=True)  # how far the other was replicated
    copied.replace(path)
    _to_disk(path.parent)
    return aside if was_there else None


def before_migration(path: Path, step: str) -> Path:
    """A copy of the file as it is, beside it, named after the first step that is about to be made.

    Raises StorageProblem where there is no room, or it cannot be made: then nothing may be migrated.
    """
    target = path.with_name(f"{path.name}.before-{step.partition('_')[0]}")
    mend = f"The database {path} stays as it was: of an older version of Lamplighter, which can still use it."
    size = sum(one.stat().st_size for one in (path, wal_of(path)) if one.exists())
    free = shutil.disk_usage(path.parent).free
    if free < size + ROOM:
        raise StorageProblem(
            f"there is no room to copy {path} before it is migrated: {_mega(size + ROOM)} are needed in {path.parent}, "
            f"and {_mega(free)} are free. Make room and start again. {mend}"
        )
    making = target.with_name(f"{target.name}.part")
    try:
        making.unlink(missing_ok=True)  # of a start that was cut short
        copy(path, making)
        making.replace(target)  # one of an earlier try held no more than this one does
        _to_disk(target.parent)
    except (StorageProblem, OSError) as problem:
        raise StorageProblem(f"{problem}. It is copied before it is migrated. {mend}") from problem
    return target


def forget_oldest(path: Path) -> None:
    """Of the copies that were made before migrations."""
    made = sorted(path.parent.glob(f"{glob.escape(path.name)}.before-m[0-9][0-9][0-9]"))
    for old in made[:-KEPT]:
        with suppress(OSError):
            old.unlink()


def wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _to_disk(path: Path) -> None:
    """What the system still holds back of a file, or of a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mega(size: int) -> str:
    return f"{max(1, size >> 20):,} MB"

"""The SQLite file, which is only looked at: whether it can be written, is whole, and what it says of the bot's work."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.config import Config
from bot.doctor.settings import writable
from storage.connection import StorageProblem
from storage.diagnosis import Diagnosis, Outcome
from storage.look import Shape, look_into, readable
from storage.store import Store

AREA = "Memory"
_LEAST_FREE, _LITTLE_FREE = 100 * 1024**2, 1024**3  # bytes; a year of 100,000 functions takes 0.24 GB
_AUDIT_IS_LATE = timedelta(hours=26)
_POST_IS_LATE = timedelta(minutes=10)
_LOCKS = Path("/proc/locks")


@dataclass(frozen=True, slots=True)
class Memory:
    """What could be opened of it."""

    store: Store | None  # None: there is no file yet, or it cannot be read
    found: tuple[Diagnosis, ...]


@contextmanager
def opened(path: Path) -> Iterator[Memory]:
    """As it is, whoever works with it meanwhile."""
    found = [*room(path)]
    if not path.exists():
        yield Memory(None, tuple(found))
        return
    try:
        with look_into(path) as (store, shape):
            found += [*_shape(shape), *_running(path, shape)]
            yield Memory(store, tuple(found))
    except StorageProblem as problem:
        how = "name another file in LAMPLIGHTER_DATABASE, or restore this one from a backup"
        found.append(Diagnosis(AREA, Outcome.FAIL, "database", str(problem), how))
        yield Memory(None, tuple(found))


def look(store: Store, config: Config, now: datetime) -> Iterator[Diagnosis]:
    """What is in it."""
    for ask in (_chain, _audit, _posts, _events):
        yield from _answered(ask, store, config, now)


def _answered(
    ask: Callable[[Store, Config, datetime], Iterator[Diagnosis]], store: Store, config: Config, now: datetime
) -> list[Diagnosis]:
    try:
        with readable():
            return list(ask(store, config, now))
    except StorageProblem as problem:
        said = f"cannot be read: {problem}"
        how = "start the bot once, if an older Lamplighter wrote the file; else restore it from a backup"
        return [Diagnosis(AREA, Outcome.FAIL, ask.__name__.strip("_"), said, how)]


def room(path: Path) -> Iterator[Diagnosis]:
    """Whether there is a place for it, that can be written and has space."""
    folder = path.resolve().parent
    if not folder.is_dir():
        said = f"the folder {folder} does not exist"
        yield Diagnosis(AREA, Outcome.FAIL, "database", said, "make it, or name another file in LAMPLIGHTER_DATABASE")
        return
    shut = [one for one in (path, folder) if one.exists() and not writable(one)]
    if shut:
        said = f"{shut[0]} cannot be written (SQLite makes files beside the database, too)"
        yield Diagnosis(
            AREA,
            Outcome.FAIL,
            "database",
            said,
            "give it to whom the bot runs as, or name another file in LAMPLIGHTER_DATABASE",
        )
    else:
        said = "can be written" if path.exists() else "is made at the first start"
        yield Diagnosis(AREA, Outcome.OK, "database", f"{path} {said}")
    free = shutil.disk_usage(folder).free
    said = f"{free / 1024**3:,.1f} GB are free there"
    if free >= _LITTLE_FREE:
        yield Diagnosis(AREA, Outcome.OK, "disk", said)
    else:
        found = Outcome.FAIL if free < _LEAST_FREE else Outcome.WARN
        yield Diagnosis(AREA, found, "disk", said, "make room; a full disk loses no decision, and takes none either")


def _shape(shape: Shape) -> Iterator[Diagnosis]:
    if shape.ahead:
        said = f"a newer Lamplighter wrote this file ({shape.ahead[-1]})"
        yield Diagnosis(AREA, Outcome.FAIL, "schema", said, "run that version, or restore a backup from before it")
    elif shape.behind:
        steps = f"{shape.behind} step{'' if shape.behind == 1 else 's'}"
        yield Diagnosis(AREA, Outcome.OK, "schema", f"an older Lamplighter's: the next start brings it {steps} further")
    else:
        yield Diagnosis(AREA, Outcome.OK, "schema", "of this version")


def _running(path: Path, shape: Shape) -> Iterator[Diagnosis]:
    """Whether a bot holds the file's lock. It is not tried: a bot that starts in that moment would be turned away."""
    lock = path.resolve().with_name(path.resolve().name + ".lock")
    try:
        held = lock.exists() and re.search(rf"FLOCK .*:{lock.stat().st_ino} ", _LOCKS.read_text(encoding="ascii"))
    except OSError:
        return
    if held:
        yield Diagnosis(AREA, Outcome.OK, "bot", "one runs on this database")
    elif shape.behind == 0:
        how = "start it: `python -m bot run`"
        yield Diagnosis(AREA, Outcome.WARN, "bot", "none runs on this database, on this machine", how)


def _chain(store: Store, config: Config, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - as all that are asked
    broken = store.chain.verify().problem
    if broken:
        how = "restore a backup from before, and find out who wrote to the file: only the bot is to"
        yield Diagnosis(AREA, Outcome.FAIL, "chain of decisions", broken, how)
    else:
        yield Diagnosis(AREA, Outcome.OK, "chain of decisions", "whole: nothing was changed, removed or put in")


def _audit(store: Store, config: Config, now: datetime) -> Iterator[Diagnosis]:
    newest = store.audits.latest()
    if newest is None:
        said = f"none yet; the first is at {config.file.schedule.daily}, or now: `python -m bot audit`"
        yield Diagnosis(AREA, Outcome.OK, "last audit", said)
        return
    said = f"ended {ago(now - newest.finished_at)} ago, with {newest.functions:,} functions"
    if now - newest.finished_at > _AUDIT_IS_LATE:
        how = "see that the bot runs; its log says why an audit did not end"
        yield Diagnosis(AREA, Outcome.WARN, "last audit", said, how)
    elif newest.not_scanned:
        first = newest.not_scanned[0]
        where = f"{first.account} {first.region}".strip()
        others = len(newest.not_scanned) - 1
        more = f"; not seen whole: {where}{f' and {others:,} more' if others else ''}"
        yield Diagnosis(
            AREA, Outcome.WARN, "last audit", said + more, "see what is said of AWS, and `python -m bot audit`"
        )
    else:
        yield Diagnosis(AREA, Outcome.OK, "last audit", said)


def _posts(store: Store, config: Config, now: datetime) -> Iterator[Diagnosis]:  # noqa: ARG001 - as all that are asked
    number, oldest = store.posts.waiting()
    if oldest is None or now - oldest.created_at < _POST_IS_LATE:
        yield Diagnosis(AREA, Outcome.OK, "messages to Slack", f"{number:,} wait" if number else "none wait")
        return
    why = f": {oldest.error}" if oldest.error else ""
    said = f"{number:,} wait, the oldest for {oldest.channel} since {ago(now - oldest.created_at)}{why}"
    how = "see that the bot runs, and what is said of Slack and its channels"
    yield Diagnosis(AREA, Outcome.WARN, "messages to Slack", said, how)


def _events(store: Store, config: Config, now: datetime) -> Iterator[Diagnosis]:
    if not config.events.queue_url:
        return
    state, newest = store.events.queue(), store.events.newest()
    if state and state.failing_since:
        said = f"the queue has not answered the bot since {ago(now - state.failing_since)}: {state.problem}"
        yield Diagnosis("Events", Outcome.FAIL, "listening", said, "what is said of the queue says how")
    if newest is None:
        said = "none has come yet"
        how = "deploy a function in an account: its event should come within a minute"
        yield Diagnosis("Events", Outcome.UNKNOWN, "newest event", said, how, asked=False)
    else:
        yield Diagnosis("Events", Outcome.OK, "newest event", f"came {ago(now - newest)} ago")


def ago(length: timedelta) -> str:
    """ "3 min", "5 h", "2 days"."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"

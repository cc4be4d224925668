"""`python -m bot backup` and `restore`: copies of the database, and the way back."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.config import ConfigProblem, load
from storage.copies import Copied, copy, look_into, put_in_place
from storage.lock import hold, lock_of

WHOLE, BROKEN = 0, 1


def backup(file: Path) -> int:
    """The exit code. Raises ConfigProblem or StorageProblem."""
    database = load().database
    if not database.exists():
        raise ConfigProblem(f"there is no {database} to copy. Set LAMPLIGHTER_DATABASE to the file that the bot uses.")
    copy(database, file)
    return _told(file, look_into(file))


def restore(file: Path) -> int:
    """The exit code. Raises ConfigProblem or StorageProblem, and nothing was changed then."""
    database = load().database
    if not file.exists():
        raise ConfigProblem(f"there is no {file} to restore from.")
    held = hold(database)
    if held is None:
        raise ConfigProblem(f"{lock_of(database)}: a bot runs on this database. Stop it first; then restore.")
    with closing(held):
        seen = look_into(file)
        coming = database.with_name(f"{database.name}.restoring")
        coming.unlink(missing_ok=True)  # of a restore that was cut short
        copy(file, coming)
        aside = put_in_place(coming, database, datetime.now(UTC))
    if aside:
        click.echo(f"what was there before is kept as {aside}", err=True)
    return _told(database, seen)


def _told(file: Path, seen: Copied) -> int:
    last = seen.last
    newest = f"; the last is of {last.at:%Y-%m-%d %H:%M:%S} UTC, {last.hash[:16]}…" if last else ""
    held = f"but the chain does not hold: {seen.broken}" if seen.broken else "and the chain holds"
    click.echo(f"{file}: {max(1, seen.size >> 20):,} MB, whole; {seen.decisions:,} decisions, {held}{newest}")
    return BROKEN if seen.broken else WHOLE

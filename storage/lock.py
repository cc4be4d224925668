"""The lock of the one bot that may run on a database; the system lets go of it when the process dies."""

import fcntl
from contextlib import suppress
from pathlib import Path
from typing import IO


def lock_of(database: Path) -> Path:
    resolved = database.resolve()  # one file by whatever name
    return resolved.with_name(resolved.name + ".lock")


def hold(database: Path) -> IO[str] | None:
    """Close the answer to let go; None where another process holds it. Raises OSError where it cannot be written."""
    file = lock_of(database).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    except BaseException:
        file.close()
        raise
    return file


def is_held(database: Path) -> bool:
    """Whether a bot runs on it just now, be it this one."""
    with suppress(FileNotFoundError), lock_of(database).open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False

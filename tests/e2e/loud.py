"""`python -m tests.e2e.loud …`: `python -m bot …`, each logger saying all that it knows, whoever sets its level.

It also says which files were written that are not beside the database, and which programs were begun.
"""

import logging
import os
import sys
from pathlib import Path

MARK = "LOUD:"
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PROGRAMS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"}
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "sqlite3.connect"}


class Loud(logging.Logger):
    """A logger that nobody can quieten."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the library's name
        return True


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Python's own audit hook: what it is told of cannot be kept from it."""
    if event in PROGRAMS:
        say(f"{event} {arguments}")
    elif event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & WRITING and not allowed(path):
            say(f"wrote {path}")
    elif event in CHANGES and not allowed(arguments[0]):
        say(f"{event} {arguments}")


def allowed(path: object) -> bool:
    """The image's one volume; and what goes to /dev/null is written nowhere."""
    if not isinstance(path, str | bytes | os.PathLike):
        return True  # a file that is open already
    where = Path(os.fsdecode(path).removeprefix("file:").partition("?")[0]).absolute()  # SQLite's addresses too
    volume = Path(os.environ["LAMPLIGHTER_DATABASE"]).absolute().parent
    return where.is_relative_to(volume) or where == Path(os.devnull)


def say(what: str) -> None:
    os.write(2, f"{MARK} {what}\n".encode())


if __name__ == "__main__":
    sys.addaudithook(watch)
    logging.setLoggerClass(Loud)
    from bot.cli import main  # after that, so that every logger is one of these

    main(prog_name="python -m bot")

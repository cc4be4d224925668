"""A new file of Lamplighter's memory: every migration is run once in a process, and then its outcome is copied.

To run them takes a new file some 30 ms of CPU and a wait for the disk, which is more than most tests take. What is
about migrations, or about opening a file, opens one of its own.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.store import Store


def new_store(path: Path) -> Store:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(_newest())
    return Store(path)


@cache
def _newest() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "memory.db"
        Store(path).close()  # the last to close a file leaves all of it in the one file
        return path.read_bytes()

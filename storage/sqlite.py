"""sqlite-utils, without numpy and pandas: it looks for both, for columns of their types, and nothing here has any.

Where pictures are drawn numpy is installed, and to load it beside would add a tenth to the time and a sixth to the
memory of an audit in a terminal.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NOT_NEEDED = ("numpy", "pandas")


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """As if these were not installed; what is loaded already stays as it is."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]  # None: Python's way to say that there is none
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _without(_NOT_NEEDED):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations", "over"]


def over(connection: sqlite3.Connection) -> Database:
    """With what the package's SQL uses and SQLite leaves to its users."""
    connection.create_function("regexp", 2, _regexp, deterministic=True)
    # What other packages would add to every connection is not wanted here, and takes long to look for.
    return Database(connection, execute_plugins=False)


def _regexp(pattern: str, text: str) -> bool:
    """SQL's `text regexp pattern`; `re` keeps what it has compiled."""
    return re.match(pattern, text) is not None

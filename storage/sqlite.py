"""sqlite-utils, without numpy and pandas: it looks for both, for columns of their types, and nothing here has any.

Where pictures are drawn numpy is installed, and to load it beside would add a tenth to the time and a sixth to the
memory of an audit in a terminal.
"""

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

__all__ = ["Database", "Migrations"]

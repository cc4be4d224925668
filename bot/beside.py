"""What an audit in a terminal needs only at its end, made ready while AWS is being asked."""

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from storage.store import Store


class Memory:
    """The database, and the modules that fill and print it: to load them takes as long as several answers of AWS.

    Raises StorageProblem where it is opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._store: Store | None = None

    def open(self) -> None:
        from bot import terminal  # noqa: F401 - loaded for whoever prints
        from commands import _audits  # noqa: F401 - loaded for whoever remembers
        from storage.store import Store

        self._store = self._store or Store(self._path)

    @property
    def store(self) -> "Store":
        self.open()
        assert self._store is not None  # noqa: S101 - `open` has just seen to it
        return self._store

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._store is not None:
            self._store.close()

"""The one thing that the rest of Lamplighter opens: the file, and a shelf for each noun."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from storage.audits import Audits
from storage.batches import Batches
from storage.changes import Changes
from storage.connection import Connection
from storage.decisions import Decisions
from storage.digests import Digests
from storage.exempted import Exempted
from storage.exemptions import Exemptions
from storage.forecasts import Forecasts
from storage.functions import Functions
from storage.grace import GraceNotices
from storage.overview import Overview
from storage.owners import Owners
from storage.places import Places
from storage.posts import Posts
from storage.requests import Requests
from storage.runs import DailyRuns
from storage.snoozes import Snoozes
from storage.spend import Spend
from storage.undos import Undos


class Store:
    """Raises connection.StorageProblem where the file cannot be used."""

    def __init__(self, path: Path | str) -> None:
        self._connection = Connection(path)
        self.audits = Audits(self._connection)
        self.functions = Functions(self._connection)
        self.forecasts = Forecasts(self._connection)
        self.requests = Requests(self._connection)
        self.undos = Undos(self._connection)
        self.batches = Batches(self._connection)
        self.grace = GraceNotices(self._connection)
        self.decisions = Decisions(self._connection)
        self.exemptions = Exemptions(self._connection)
        self.exempted = Exempted(self._connection)
        self.posts = Posts(self._connection)
        self.changes = Changes(self._connection)
        self.overview = Overview(self._connection)
        self.places = Places(self._connection)
        self.owners = Owners(self._connection)
        self.digests = Digests(self._connection)
        self.snoozes = Snoozes(self._connection)
        self.spend = Spend(self._connection)
        self.daily_runs = DailyRuns(self._connection)

    @property
    def path(self) -> Path:
        return self._connection.path

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes that stand or fall together; see Connection.transaction."""
        return self._connection.transaction()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def open_store(path: Path | str) -> Iterator[Store]:
    store = Store(path)
    try:
        yield store
    finally:
        store.close()

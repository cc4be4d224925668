"""The one thing that the rest of Lamplighter opens: the file, and a shelf for each noun.

What every audit reads or writes is there at once; the other shelves are loaded when something is first asked of them,
since an audit in a terminal starts afresh each time.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from storage.audits import Audits
from storage.changes import Changes
from storage.connection import Connection
from storage.decisions import Decisions
from storage.exempted import Exempted
from storage.exemptions import Exemptions
from storage.functions import Functions
from storage.owners import Owners
from storage.places import Places
from storage.posts import Posts
from storage.requests import Requests
from storage.turns import LONGEST_SECONDS

if TYPE_CHECKING:
    from storage.approvers import Approvers
    from storage.batches import Batches
    from storage.chain import Chain
    from storage.dashboards import Dashboards
    from storage.deployments import Deployments
    from storage.digests import Digests
    from storage.events import Events
    from storage.evidence import EvidenceShelf
    from storage.forecast_checks import ForecastChecks
    from storage.forecasts import Forecasts
    from storage.grace import GraceNotices
    from storage.history import History
    from storage.incidents import Incidents
    from storage.maps import Maps
    from storage.measures import Measures
    from storage.metrics_asked import MetricsAsked
    from storage.overview import Overview
    from storage.past import Past
    from storage.reports import Reports
    from storage.runs import DailyRuns
    from storage.snoozes import Snoozes
    from storage.spend import Spend
    from storage.team_names import TeamNames
    from storage.tips import Tips
    from storage.totals import Totals
    from storage.trace_shares import TraceShares
    from storage.traces import TraceHistory
    from storage.undos import Undos
    from storage.usage import Usage


class Store:
    """Raises connection.StorageProblem where the file cannot be used. `read_only`: as it is, and nothing is changed."""

    def __init__(
        self,
        path: Path | str,
        connection: Connection | None = None,
        *,
        sole: bool = False,
        read_only: bool = False,
    ) -> None:
        """`connection`: another than this would open; `sole`: see Connection."""
        self._connection = connection or (_read_only(path) if read_only else Connection(path, sole=sole))
        self.audits = Audits(self._connection)
        self.functions = Functions(self._connection)
        self.requests = Requests(self._connection)
        self.decisions = Decisions(self._connection)
        self.exemptions = Exemptions(self._connection)
        self.exempted = Exempted(self._connection)
        self.posts = Posts(self._connection)
        self.changes = Changes(self._connection)
        self.places = Places(self._connection)
        self.owners = Owners(self._connection)

    @cached_property
    def chain(self) -> "Chain":
        from storage.chain import Chain

        return Chain(self._connection)

    @cached_property
    def history(self) -> "History":
        from storage.history import History

        return History(self._connection)

    @cached_property
    def undos(self) -> "Undos":
        from storage.undos import Undos

        return Undos(self._connection)

    @cached_property
    def batches(self) -> "Batches":
        from storage.batches import Batches

        return Batches(self._connection)

    @cached_property
    def grace(self) -> "GraceNotices":
        from storage.grace import GraceNotices

        return GraceNotices(self._connection)

    @cached_property
    def overview(self) -> "Overview":
        from storage.overview import Overview

        return Overview(self._connection)

    @cached_property
    def digests(self) -> "Digests":
        from storage.digests import Digests

        return Digests(self._connection)

    @cached_property
    def events(self) -> "Events":
        from storage.events import Events

        return Events(self._connection)

    @cached_property
    def deployments(self) -> "Deployments":
        from storage.deployments import Deployments

        return Deployments(self._connection)

    @cached_property
    def snoozes(self) -> "Snoozes":
        from storage.snoozes import Snoozes

        return Snoozes(self._connection)

    @cached_property
    def daily_runs(self) -> "DailyRuns":
        from storage.runs import DailyRuns

        return DailyRuns(self._connection)

    @cached_property
    def forecasts(self) -> "Forecasts":
        from storage.forecasts import Forecasts

        return Forecasts(self._connection)

    @cached_property
    def forecast_checks(self) -> "ForecastChecks":
        from storage.forecast_checks import ForecastChecks

        return ForecastChecks(self._connection)

    @cached_property
    def spend(self) -> "Spend":
        from storage.spend import Spend

        return Spend(self._connection)

    @cached_property
    def incidents(self) -> "Incidents":
        from storage.incidents import Incidents

        return Incidents(self._connection)

    @cached_property
    def measures(self) -> "Measures":
        from storage.measures import Measures

        return Measures(self._connection)

    @cached_property
    def usage(self) -> "Usage":
        from storage.usage import Usage

        return Usage(self._connection)

    @cached_property
    def tips(self) -> "Tips":
        from storage.tips import Tips

        return Tips(self._connection)

    @cached_property
    def metrics_asked(self) -> "MetricsAsked":
        from storage.metrics_asked import MetricsAsked

        return MetricsAsked(self._connection)

    @cached_property
    def totals(self) -> "Totals":
        from storage.totals import Totals

        return Totals(self._connection)

    @cached_property
    def traces(self) -> "TraceHistory":
        from storage.traces import TraceHistory

        return TraceHistory(self._connection)

    @cached_property
    def trace_shares(self) -> "TraceShares":
        from storage.trace_shares import TraceShares

        return TraceShares(self._connection)

    @cached_property
    def team_names(self) -> "TeamNames":
        from storage.team_names import TeamNames

        return TeamNames(self._connection)

    @cached_property
    def reports(self) -> "Reports":
        from storage.reports import Reports

        return Reports(self._connection)

    @cached_property
    def maps(self) -> "Maps":
        from storage.maps import Maps

        return Maps(self._connection)

    @cached_property
    def past(self) -> "Past":
        from storage.past import Past

        return Past(self._connection)

    @cached_property
    def dashboards(self) -> "Dashboards":
        from storage.dashboards import Dashboards

        return Dashboards(self._connection)

    @cached_property
    def approvers(self) -> "Approvers":
        from storage.approvers import Approvers

        return Approvers(self._connection)

    @cached_property
    def evidence(self) -> "EvidenceShelf":
        from storage.evidence import EvidenceShelf

        return EvidenceShelf(self._connection)

    @property
    def path(self) -> Path:
        return self._connection.path

    @property
    def kept(self) -> int:
        """How many transactions of this thread were kept so far."""
        return self._connection.kept

    def check(self) -> None:
        """Raises StorageProblem where a page of the file is damaged, or nothing can be written to it."""
        self._connection.check()

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes that stand or fall together; see Connection.transaction."""
        return self._connection.transaction()

    def asking(self, longest_seconds: float = LONGEST_SECONDS) -> AbstractContextManager[None]:
        """What this thread reads meanwhile is for a question, and whoever works or decides goes before it; it is put
        off for so long at most."""
        return self._connection.asking(longest_seconds)

    def close(self) -> None:
        self._connection.close()


def _read_only(path: Path | str) -> Connection:
    from storage.read_only import ReadOnly

    opened = ReadOnly(path)
    opened.refuse_older()
    return opened


@contextmanager
def open_store(path: Path | str, *, read_only: bool = False) -> Iterator[Store]:
    store = Store(path, read_only=read_only)
    try:
        yield store
    finally:
        store.close()

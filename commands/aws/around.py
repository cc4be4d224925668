"""What X-Ray's service graph has around one function: who calls it, and what it calls. Reads only.

Lambda sends two segments for an invocation, and X-Ray makes two nodes of them: Lambda taking the call ("AWS::Lambda"),
and the function that ran ("AWS::Lambda::Function"). Here they are one.
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
https://docs.aws.amazon.com/xray/latest/api/API_GetServiceGraph.html
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from commands.aws.asking import Patience
from commands.aws.errors import AwsProblem, BadAnswer
from commands.aws.service_graph import AT_ONCE, FUNCTION, SERVICE, WAIT_SECONDS, asked_where, pages
from commands.aws.wire import STRANGE
from storage.maps import CLIENT, Around, Edge, Statistics

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_MOST_EDGES = 200  # of a side that are kept, those with most calls
_LINK = "link"  # X-Ray's EdgeType of what goes by a message
_TOO_LONG = "reading it took too long"


def around(
    cloud: "Cloud",
    account: str,
    region: str,
    name: str,
    since: datetime,
    until: datetime,
    *,
    go_on: Callable[[], bool] = lambda: True,
    patience: Patience | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Around:
    """To be asked inside `acting_as`. The newest six hours come first, so that what is left out is the oldest.

    `go_on` is asked before each further page: the graph of a busy region has many. Raises AwsProblem where not even the
    newest six hours could be read. The graph holds what was traced: UNCONFIRMED that its counts are of the sampled
    requests alone. IAM: xray:GetServiceGraph.
    """
    sums, end, why = _Sums(), until, ""
    while end > since:
        start = max(since, end - AT_ONCE)
        if end != until and not go_on():
            why = _TOO_LONG
            break
        try:
            reading = _Reading(account, region, name)
            _window(cloud, reading, (start, end), patience or cloud.patience, wait_seconds, go_on)
            reading.add_to(sums)
        except AwsProblem as problem:
            if end == until:
                raise
            why = _TOO_LONG if problem.message == _TOO_LONG else str(problem)
            break
        end = start
    return sums.told(end, until, since, why)


def _window(
    cloud: "Cloud",
    reading: "_Reading",
    window: tuple[datetime, datetime],
    patience: Patience,
    wait_seconds: float,
    go_on: Callable[[], bool],
) -> None:
    """Of at most six hours. Raises AwsProblem."""
    where, first = asked_where(reading.account, reading.region), True
    for page in pages(cloud.client("xray", reading.region), *window, where, patience, wait_seconds):
        if not (first or go_on()):
            raise AwsProblem("TooLong", _TOO_LONG, own_words=True, **where)
        first = False
        try:
            reading.take(page)
        except STRANGE as error:
            raise BadAnswer("BadAnswer", "X-Ray's answer could not be read", own_words=True, **where) from error


class _Node(NamedTuple):
    kind: str
    name: str
    account: str  # "" for that of the function


@dataclass
class _Sum:
    """Of one edge or node, over all windows."""

    calls: float = 0
    errors: float = 0
    throttles: float = 0
    faults: float = 0
    seconds: float = 0
    answered: Counter[float] = field(default_factory=Counter)  # by seconds, how many within them
    asynchronous: bool = False

    def add(self, told: Mapping[str, Any]) -> None:
        """An edge or a node of X-Ray's."""
        numbers = told.get("SummaryStatistics") or {}
        errors, faults = numbers.get("ErrorStatistics") or {}, numbers.get("FaultStatistics") or {}
        throttles = _number(errors.get("ThrottleCount"))
        self.calls += _number(numbers.get("TotalCount"))
        self.throttles += throttles
        self.errors += max(0.0, _number(errors.get("TotalCount")) - throttles)
        self.faults += _number(faults.get("TotalCount"))
        self.seconds += _number(numbers.get("TotalResponseTime"))
        for one in told.get("ResponseTimeHistogram") or ():
            self.answered[_number(one.get("Value"))] += int(_number(one.get("Count")))
        self.asynchronous = self.asynchronous or told.get("EdgeType") == _LINK

    def statistics(self) -> Statistics:
        return Statistics(
            round(self.calls),
            round(self.errors),
            round(self.throttles),
            round(self.faults),
            self.seconds,
            self._within(0.95),
        )

    def _within(self, share: float) -> float | None:
        wanted, seen = share * self.answered.total(), 0
        for seconds, number in sorted(self.answered.items()):
            seen += number
            if number and seen >= wanted:
                return seconds
        return None


@dataclass
class _Sums:
    own: dict[str, _Sum] = field(default_factory=dict)  # by kind: what ran, and Lambda taking the call
    callers: dict[_Node, _Sum] = field(default_factory=dict)
    callees: dict[_Node, _Sum] = field(default_factory=dict)

    def told(self, read_from: datetime, until: datetime, since: datetime, why: str) -> Around:
        own = self.own.get(FUNCTION) or self.own.get(SERVICE)
        return Around(
            read_from,
            until,
            own.statistics() if own else None,
            _edges(self.callers),
            _edges(self.callees),
            not_read=max(timedelta(0), read_from - since),
            not_read_why=why,
        )


def _edges(sums: Mapping[_Node, _Sum]) -> tuple[Edge, ...]:
    made = [
        Edge(node.name, node.kind, one.statistics(), node.account, asynchronous=one.asynchronous)
        for node, one in sums.items()
    ]
    return tuple(sorted(made, key=lambda one: (-one.statistics.calls, one.name, one.kind, one.account))[:_MOST_EDGES])


class _Reading:
    """One window's graph: edges name nodes by a number that holds for this window alone, on whichever page they are."""

    def __init__(self, account: str, region: str, name: str) -> None:
        self.account, self.region, self._name = account, region, name
        self._nodes: dict[int, _Node] = {}
        self._edges: list[tuple[int, Mapping[str, Any]]] = []  # from which node, and what X-Ray says of it
        self._own: list[tuple[str, Mapping[str, Any]]] = []

    def take(self, page: Mapping[str, Any]) -> None:
        for told in page.get("Services") or ():
            number = told.get("ReferenceId")
            node = _Node(str(told.get("Type") or ""), str(told.get("Name") or ""), self._elsewhere(told))
            if self._is_own(node):
                self._own.append((node.kind, told))
            if number is not None:
                self._nodes[number] = node
                self._edges += [(number, edge) for edge in told.get("Edges") or ()]

    def add_to(self, sums: _Sums) -> None:
        for kind, told in self._own:
            sums.own.setdefault(kind, _Sum()).add(told)
        for number, edge in self._edges:
            source, target = self._nodes[number], self._nodes.get(edge.get("ReferenceId", -1))
            if target is None:
                continue
            if self._is_own(source):
                if not (self._is_own(target) and source.kind == SERVICE):  # Lambda runs what was called: no call
                    sums.callees.setdefault(_shown(target), _Sum()).add(edge)
            elif self._is_own(target):
                sums.callers.setdefault(_shown(source), _Sum()).add(edge)

    def _is_own(self, node: _Node) -> bool:
        return node.kind in (FUNCTION, SERVICE) and node.name == self._name and not node.account

    def _elsewhere(self, told: Mapping[str, Any]) -> str:
        account = str(told.get("AccountId") or "")
        return "" if account == self.account else account


def _shown(node: _Node) -> _Node:
    """Both of a function's nodes are the function; a client has no name but that of what it calls."""
    if node.kind == CLIENT:
        return _Node(CLIENT, "", "")
    return node._replace(kind=FUNCTION) if node.kind == SERVICE else node


def _number(value: object) -> float:
    """What is no count and no time counts for nothing."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0.0

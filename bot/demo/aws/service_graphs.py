"""X-Ray's service graph: what Lambda's sampling recorded of the seeded traffic, and the calls declared of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.demo.aws.functions import Functions
from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.metrics import Metrics
from bot.demo.aws.protocol import AwsError, Request

LAMBDA, FUNCTION = "AWS::Lambda", "AWS::Lambda::Function"
KEPT = timedelta(days=30)
LONGEST = timedelta(hours=6)
_PAGE = 50  # nodes
# Of all answers, the share that came within this part of the average.
_SPREAD = ((0.6, 0.6), (1.2, 0.34), (3.0, 0.06))


@dataclass(frozen=True, slots=True)
class Called:
    """One side of an edge: what a function calls, or what calls it."""

    name: str
    kind: str  # X-Ray's type of node
    each: float = 1.0  # calls for each recorded invocation
    seconds: float = 0.05  # on average
    errors: float = 0.0  # shares of the calls: 4xx, 429, 5xx
    throttles: float = 0.0
    faults: float = 0.0
    asynchronous: bool = False


@dataclass
class _Node:
    """An entry of GetServiceGraph's `Services` on its way."""

    kind: str
    name: str
    account: str
    edges: list[tuple["_Node", Mapping[str, Any]]] = field(default_factory=list)
    own: Mapping[str, Any] = field(default_factory=dict)


class ServiceGraphs:
    """One for each account and region; a function's two segments are two nodes, as with Lambda."""

    def __init__(self, functions: Functions, metrics: Metrics, knobs: Knobs) -> None:
        self._functions, self._metrics, self._knobs = functions, metrics, knobs
        self._observed: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self._calls: dict[tuple[str, str, str], Sequence[Called]] = {}
        self._fed: dict[tuple[str, str, str], Sequence[Called]] = {}

    def observed(self, account: str, region: str, services: Sequence[Mapping[str, Any]]) -> None:
        """What the graph shows: entries of GetServiceGraph's `Services`, whatever window is asked for."""
        self._observed[account, region] = list(services)

    def calls(self, account: str, region: str, name: str, *called: Called) -> None:
        """What the instrumented code of a function calls; without this, only Lambda's own segments are sent."""
        self._calls[account, region, name] = called

    def fed(self, account: str, region: str, name: str, *callers: Called) -> None:
        """Who calls a function and sends traces too, functions apart; the rest of its calls are a client's."""
        self._fed[account, region, name] = callers

    def called_by(self, account: str, region: str, name: str) -> Sequence[Called]:
        """What the function calls."""
        return self._calls.get((account, region, name), ())

    def answer(self, request: Request) -> Mapping[str, Any]:
        """GetServiceGraph's."""
        start, end = within(request, self._knobs.clock())
        place = (request.account, request.region)
        nodes = self._observed.get(place)
        if nodes is None:
            nodes = list(self._services(*place, start, end))
        refusal = AwsError("InvalidRequestException", "Invalid NextToken")
        token = request.params.get("NextToken")
        shown, after = page(nodes, _PAGE, token, lambda node: f"{node['ReferenceId']:09}", refusal)
        times = {"StartTime": aware(request.params["StartTime"]), "EndTime": end}
        return {**times, "Services": shown, **({"NextToken": after} if after else {})}

    def recorded(self, account: str, region: str, name: str, start: datetime, end: datetime) -> float:
        """How many invocations Lambda's sampling took: evenly spaced, while the function was Active."""
        between = self._metrics.invocations(account, region, name)
        if between is None:
            return 0.0
        total = 0.0
        for since, until in self._functions.traced_between(account, region, name, start, end):
            for _, invoked in between.by_period(since.replace(second=0, microsecond=0), until, 60):
                seconds = min(invoked, 60)
                total += seconds + 0.05 * (invoked - seconds)
        return total

    def _services(self, account: str, region: str, start: datetime, end: datetime) -> Iterator[Mapping[str, Any]]:
        nodes: dict[tuple[str, str], _Node] = {}

        def node(kind: str, name: str) -> _Node:
            return nodes.setdefault((kind, name), _Node(kind, name, account))

        counted = {
            name: number
            for name in self._functions.names(account, region)
            if (number := round(self.recorded(account, region, name, start, end)))
        }
        taken = dict.fromkeys(counted, 0)
        for name, number in counted.items():
            ran, took = node(FUNCTION, name), node(LAMBDA, name)
            took.edges.append(
                (ran, _edge(number, Called(name, FUNCTION, seconds=self._seconds(account, region, name))))
            )
            for one in self._calls.get((account, region, name), ()):
                kind = LAMBDA if one.kind == FUNCTION else one.kind
                ran.edges.append((node(kind, one.name), _edge(number, one)))
                if one.kind == FUNCTION and one.name in taken:
                    taken[one.name] += round(number * one.each)
            ran.own, took.own = _own(took.edges[0][1]), _own(took.edges[0][1])
            for one in self._fed.get((account, region, name), ()):
                node(one.kind, one.name).edges.append((took, _edge(number, one)))
                taken[name] += round(number * one.each)
        for name, number in counted.items():
            if number > taken[name]:
                seconds = self._seconds(account, region, name)
                edge = _edge(number - taken[name], Called(name, "client", seconds=seconds))
                node("client", name).edges.append((node(LAMBDA, name), edge))
        yield from _numbered(list(nodes.values()))

    def _seconds(self, account: str, region: str, name: str) -> float:
        called = self._calls.get((account, region, name), ())
        return 0.02 + sum(one.each * one.seconds for one in called if not one.asynchronous)


def within(request: Request, now: datetime) -> tuple[datetime, datetime]:
    """The window that is asked about, as far as X-Ray keeps it. Raises AwsError where it is too long."""
    start, end = aware(request.params["StartTime"]), aware(request.params["EndTime"])
    if end - start > LONGEST:
        raise AwsError("InvalidRequestException", "Time range cannot be longer than 6 hours")
    return max(start, now - KEPT), end


def _edge(number: float, one: Called) -> Mapping[str, Any]:
    calls = round(number * one.each)
    errors, throttles, faults = (round(calls * share) for share in (one.errors, one.throttles, one.faults))
    statistics = {
        "OkCount": calls - errors - throttles - faults,
        "ErrorStatistics": {"ThrottleCount": throttles, "OtherCount": errors, "TotalCount": errors + throttles},
        "FaultStatistics": {"OtherCount": faults, "TotalCount": faults},
        "TotalCount": calls,
        "TotalResponseTime": 0.0 if one.asynchronous else calls * one.seconds,
    }
    if one.asynchronous:
        return {"SummaryStatistics": statistics, "EdgeType": "link"}
    histogram = [{"Value": part * one.seconds, "Count": round(share * calls)} for part, share in _SPREAD]
    return {"SummaryStatistics": statistics, "ResponseTimeHistogram": histogram, "Aliases": []}


def _own(edge: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: edge[name] for name in ("SummaryStatistics", "ResponseTimeHistogram")}


def _numbered(nodes: Sequence[_Node]) -> Iterator[Mapping[str, Any]]:
    numbers = {id(node): number for number, node in enumerate(nodes)}
    for number, node in enumerate(nodes):
        known = {} if node.kind in ("client", "remote") else {"AccountId": node.account}
        edges = [{"ReferenceId": numbers[id(target)], **edge} for target, edge in node.edges]
        yield {
            "ReferenceId": number,
            "Name": node.name,
            "Names": [node.name],
            "Type": node.kind,
            "State": "unknown" if node.kind == "client" else "active",
            "Edges": edges,
            **known,
            **node.own,
        }

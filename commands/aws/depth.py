"""How far a traced function's traces go into it: from X-Ray's graph, and where that leaves it open, from a few traces.

https://docs.aws.amazon.com/xray/latest/api/API_GetTraceSummaries.html
https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws.around import around
from commands.aws.asking import Patience, ask
from commands.aws.errors import AwsProblem, BadAnswer, Where
from commands.aws.service_graph import AT_ONCE
from commands.aws.trace_destination import trace_destination
from commands.aws.trace_documents import Shown, shown
from commands.aws.wire import STRANGE
from storage.depth import Depth, Reach
from storage.maps import LAMBDA, Around

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

TRACES = 5  # as many as BatchGetTraces takes, and as are looked into
# X-Ray bills what it scans: it is asked about little time first. Of longer windows than six hours it says nothing.
_WINDOWS = (timedelta(minutes=10), timedelta(hours=1), AT_ONCE)
_GRAPH_SECONDS = 30.0  # for all pages of the graph; after that, traces have to do
_PAGES = 4  # of summaries in one window: with a filter, a page may have none
_WAIT_SECONDS = 8.0  # for each question, while X-Ray is busy: somebody waits for the answer
_NAMED = 4


def look(
    cloud: "Cloud", account: str, region: str, name: str, now: datetime, patience: Patience | None = None
) -> Depth:
    """To be asked inside `acting_as`; never raises. At most one graph of six hours and five traces are read.

    IAM: xray:GetServiceGraph, xray:GetTraceSummaries, xray:BatchGetTraces; each is done without where it is refused.
    """
    look = _Look(cloud, account, region, name, now, patience or cloud.patience)
    return look.graph() or look.traces() or Depth(Reach.UNKNOWN, doubts=tuple(look.doubts))


class _Look:
    def __init__(self, cloud: "Cloud", account: str, region: str, name: str, now: datetime, patience: Patience) -> None:
        self._cloud, self._account, self._region, self._name = cloud, account, region, name
        self._now, self._patience = now, patience
        self._around: Around | None = None
        self.doubts: list[str] = []

    def graph(self) -> Depth | None:
        """Edges to other functions alone are taken for no proof. UNCONFIRMED: that AWS's SDKs hand the trace header on
        without instrumentation, and that the function called then hangs on this one's node."""
        place = (self._cloud, self._account, self._region)
        elapsed = self._patience.clock
        end = elapsed() + _GRAPH_SECONDS
        try:
            found = around(
                *place,
                self._name,
                self._now - AT_ONCE,
                self._now,
                go_on=lambda: elapsed() < end,
                patience=self._patience,
                wait_seconds=_WAIT_SECONDS,
            )
        except AwsProblem as problem:
            self.doubts.append(f"X-Ray's graph could not be read: {problem}")
            return None
        self._around = found
        names = [edge.name for edge in found.callees if edge.kind != LAMBDA]
        return (
            Depth(Reach.CALLS, f"X-Ray's graph of the last 6 hours has its calls: {_named(names)}") if names else None
        )

    def traces(self) -> Depth | None:
        try:
            seen = self._look_into(self._some())
        except AwsProblem as problem:
            self.doubts.append(f"no trace of it could be read: {problem}")
            return self._by_graph_alone()
        if not seen:
            self.doubts.append(self._why_none())
            return self._by_graph_alone()
        deep = [one for one in seen if one.instrumented]
        if not deep:
            which = (
                "the one trace that was read has" if len(seen) == 1 else f"all {len(seen)} traces that were read have"
            )
            return Depth(Reach.SURFACE, f"{which} only Lambda's own segments", tuple(self.doubts))
        calls = Counter(call for one in deep for call in one.calls)
        what = f"calls: {_named([name for name, _ in calls.most_common()])}" if calls else "spans of its own code"
        return Depth(Reach.CALLS, f"{len(deep)} of {len(seen)} traces that were read have {what}", tuple(self.doubts))

    def _by_graph_alone(self) -> Depth | None:
        """It ran, and nothing shows that it called anything."""
        found = self._around
        if found is None or found.own is None or found.callees:
            return None
        many = f"{found.own.calls:,} invocations of it" if found.own.calls != 1 else "an invocation of it"
        return Depth(
            Reach.SURFACE, f"X-Ray's graph of the last 6 hours has {many} and no call that it made", tuple(self.doubts)
        )

    def _why_none(self) -> str:
        if trace_destination(self._cloud, self._account, self._region).searched:
            return "Transaction Search is on there: its traces are in CloudWatch, and X-Ray hands out none of them"
        return "X-Ray has no trace of it in the last 6 hours"

    def _some(self) -> Sequence[str]:
        """The ids of its newest traces."""
        for length in _WINDOWS:
            found: list[str] = []
            for page in self._summaries(self._now - length):
                found += [str(one["Id"]) for one in page.get("TraceSummaries") or () if one.get("Id")]
                if len(found) >= TRACES:
                    break
            if found:
                return found[:TRACES]
        return ()

    def _summaries(self, since: datetime) -> Iterator[Mapping[str, Any]]:
        asked = {
            "StartTime": since,
            "EndTime": self._now,
            "Sampling": True,
            "FilterExpression": f'service(id(name: "{self._name}", type: "{LAMBDA}"))',
        }
        yield from self._pages("get_trace_summaries", "GetTraceSummaries", asked)

    def _look_into(self, ids: Sequence[str]) -> list[Shown]:
        """What each trace shows of the function; those that cannot be read, or do not have it, are left out."""
        if not ids:
            return []
        documents: dict[str, list[str]] = {}
        for page in self._pages("batch_get_traces", "BatchGetTraces", {"TraceIds": list(ids)}):
            for trace in page.get("Traces") or ():
                segments = trace.get("Segments") or ()
                documents.setdefault(str(trace.get("Id")), []).extend(str(one.get("Document")) for one in segments)
        seen = (shown(each, self._name) for each in documents.values())
        return [one for one in seen if one is not None]

    def _pages(self, method: str, action: str, asked: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        client = self._cloud.client("xray", self._region)
        where: Where = {"account": self._account, "region": self._region, "service": "xray", "action": action}
        token = ""
        for _ in range(_PAGES):
            more = {"NextToken": token} if token else {}
            call = partial(ask, partial(getattr(client, method), **asked, **more), **where)
            try:
                page: Mapping[str, Any] = self._patience.ask(call, _WAIT_SECONDS)
            except STRANGE as error:
                raise BadAnswer("BadAnswer", "X-Ray's answer could not be read", own_words=True, **where) from error
            yield page
            token = str(page.get("NextToken") or "")
            if not token:
                return


def _named(names: Sequence[str]) -> str:
    quoted = [f"`{name.replace('`', chr(39))}`" for name in names]
    more = f" and {len(quoted) - _NAMED:,} more" if len(quoted) > _NAMED else ""
    return ", ".join(quoted[:_NAMED]) + more

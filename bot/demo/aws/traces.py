"""X-Ray's traces: of each minute in which Lambda's sampling took an invocation, one that can be found and read."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.protocol import AwsError, Request
from bot.demo.aws.service_graphs import FUNCTION, LAMBDA, Called, ServiceGraphs, within

CLASSIC, NEW, OTEL = "classic", "new", "otel"  # how a function's segment is written
MOST_IDS = 5  # of BatchGetTraces
_PAGE, _BATCH_PAGE = 4, 2  # traces; AWS gives more, and as few as it likes
_MOST_MINUTES = 120  # that are looked through for traces
_FILTER = re.compile(r'service\(id\(name: "([\w-]+)", type: "AWS::Lambda::Function"\)\)')
_KNOWN = {"AWS::DynamoDB::Table": "DynamoDB", "AWS::S3::Bucket": "S3", "AWS::SNS::Topic": "SNS", FUNCTION: "Lambda"}


class Traces:
    """Found by the name of a function; what is in them is what was declared of its calls."""

    def __init__(self, graphs: ServiceGraphs, knobs: Knobs) -> None:
        self._graphs, self._knobs = graphs, knobs
        self._given: dict[tuple[str, str], dict[str, tuple[str, datetime]]] = {}  # by place: id -> function, when
        self._written: dict[tuple[str, str], str] = {}
        self.hidden: set[tuple[str, str]] = set()  # places whose traces Transaction Search keeps elsewhere

    def written(self, account: str, region: str, form: str) -> None:
        """How documents there are written from now on: CLASSIC, NEW or OTEL."""
        self._written[account, region] = form

    def summaries(self, request: Request) -> Mapping[str, Any]:
        start, end = within(request, self._knobs.clock())
        expression = request.params.get("FilterExpression") or ""
        asked = _FILTER.fullmatch(expression)
        if expression and not asked:
            raise AwsError("InvalidRequestException", f"This pretend X-Ray does not know the filter {expression}")
        found = self._found(request.account, request.region, asked[1], start, end) if asked else []
        refusal = AwsError("InvalidRequestException", "Invalid NextToken")
        newest_first = [*enumerate(found)]
        token = request.params.get("NextToken")
        shown, after = page(newest_first, _PAGE, token, lambda one: f"{one[0]:09}", refusal)
        told = {"TraceSummaries": [one for _, one in shown], "TracesProcessedCount": len(found), "ApproximateTime": end}
        return {**told, **({"NextToken": after} if after else {})}

    def batch(self, request: Request) -> Mapping[str, Any]:
        ids = list(request.params.get("TraceIds") or ())
        if len(ids) > MOST_IDS:
            raise AwsError("InvalidRequestException", f"At most {MOST_IDS} trace ids may be asked for at once")
        place = (request.account, request.region)
        given = {} if place in self.hidden else self._given.get(place, {})
        known = [one for one in ids if one in given]
        refusal = AwsError("InvalidRequestException", "Invalid NextToken")
        shown, after = page(known, _BATCH_PAGE, request.params.get("NextToken"), str, refusal)
        traces = [self._trace(*place, one, *given[one]) for one in shown]
        unknown = [] if place in self.hidden else [one for one in ids if one not in given]
        return {"Traces": traces, "UnprocessedTraceIds": unknown, **({"NextToken": after} if after else {})}

    def _found(
        self, account: str, region: str, name: str, start: datetime, end: datetime
    ) -> Sequence[Mapping[str, Any]]:
        made, at = [], end.replace(second=0, microsecond=0)
        for _ in range(_MOST_MINUTES):
            at -= timedelta(minutes=1)
            if at < start:
                break
            if self._graphs.recorded(account, region, name, at, at + timedelta(minutes=1)) >= 1:
                made.append(self._summary(account, region, name, at))
        return made

    def _summary(self, account: str, region: str, name: str, at: datetime) -> Mapping[str, Any]:
        unique = hashlib.sha256(f"{account} {region} {name} {at}".encode()).hexdigest()[:24]
        trace_id = f"1-{int(at.timestamp()):08x}-{unique}"
        self._given.setdefault((account, region), {})[trace_id] = (name, at)
        ids = [{"Name": name, "Names": [name], "Type": kind, "AccountId": account} for kind in (LAMBDA, FUNCTION)]
        known = {"HasFault": False, "HasError": False, "HasThrottle": False, "IsPartial": False}
        return {"Id": trace_id, "StartTime": at, "Duration": 0.1, "ResponseTime": 0.1, "ServiceIds": ids, **known}

    def _trace(self, account: str, region: str, trace_id: str, name: str, at: datetime) -> Mapping[str, Any]:
        called = self._graphs.called_by(account, region, name)
        form = self._written.get((account, region), CLASSIC)
        write = _spans if form == OTEL else _segments
        documents = write(trace_id, name, called, at.timestamp(), form)
        segments = [{"Id": str(one.get("id") or one.get("spanId")), "Document": json.dumps(one)} for one in documents]
        return {"Id": trace_id, "Duration": 0.1, "LimitExceeded": False, "Segments": segments}


def _segments(trace_id: str, name: str, called: Sequence[Called], at: float, form: str) -> list[dict[str, Any]]:
    """Lambda's two, and one that X-Ray infers for each thing that is called and sends none itself."""

    def of(text: str) -> str:
        return hashlib.sha256(f"{trace_id} {text}".encode()).hexdigest()[:16]

    times = {"start_time": at, "end_time": at + 0.1}
    inside: list[dict[str, Any]] = [
        {
            **times,
            "id": of(one.name),
            "name": _KNOWN.get(one.kind, one.name),
            "namespace": "aws" if one.kind.startswith("AWS::") else "remote",
        }
        for one in called
    ]
    if form == CLASSIC:
        work: dict[str, Any] = {**times, "id": of("work"), "name": "Invocation", "subsegments": inside}
        own = [{**times, "id": of("begin"), "name": "Initialization"}, work]
        own.append({**times, "id": of("end"), "name": "Overhead"})
    else:
        own = [{**times, "id": of("begin"), "name": "Init"}, *inside]
    service = {**times, "id": of("lambda"), "trace_id": trace_id, "name": name, "origin": LAMBDA}
    function = {**times, "id": of("function"), "trace_id": trace_id, "parent_id": service["id"], "name": name}
    function |= {"origin": FUNCTION, "subsegments": own, "annotations": {"aws.responseLatency": 3.1}}
    inferred = [
        {**times, "id": of(f"in {one.name}"), "trace_id": trace_id, "parent_id": of(one.name), "name": one.name}
        | {"origin": one.kind, "inferred": True}
        for one in called
        if one.kind != FUNCTION
    ]
    return [*inferred, function, service]


def _spans(trace_id: str, name: str, called: Sequence[Called], at: float, _form: str) -> list[dict[str, Any]]:
    """As OpenTelemetry writes them."""

    def of(text: str) -> str:
        return hashlib.sha256(f"{trace_id} {text}".encode()).hexdigest()[:16]

    trace = {"traceId": trace_id.replace("1-", "", 1).replace("-", ""), "startTimeUnixNano": int(at * 1e9)}
    resource = {"attributes": {"cloud.platform": "aws_lambda", "faas.name": name}}
    function = {
        **trace,
        "spanId": of("function"),
        "name": name,
        "kind": "SERVER",
        "resource": resource,
        "attributes": {},
    }
    calls = [
        {**trace, "spanId": of(one.name), "parentSpanId": of("function"), "name": f"{one.name}.call", "kind": "CLIENT"}
        | {"resource": resource, "attributes": {"rpc.service": _KNOWN.get(one.kind, one.name)}}
        for one in called
    ]
    return [*calls, function]

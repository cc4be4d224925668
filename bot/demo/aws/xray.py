"""X-Ray: its settings and its service graph. moto lacks both, and cannot load its X-Ray without more packages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.demo.aws.functions import Functions
from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.metrics import Metrics
from bot.demo.aws.protocol import AwsError, Handler, Request

_PAGE = 50  # nodes
_KEPT = timedelta(days=30)
_LONGEST = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)

_DEFAULT_RULE = {
    "RuleName": "Default",
    "RuleARN": "arn:aws:xray:::sampling-rule/Default",
    "ResourceARN": "*",
    "Priority": 10_000,
    "FixedRate": 0.05,
    "ReservoirSize": 1,
    "ServiceName": "*",
    "ServiceType": "*",
    "Host": "*",
    "HTTPMethod": "*",
    "URLPath": "*",
    "Version": 1,
    "Attributes": {},
}


class XRay:
    """Where traces go and how they are sampled."""

    def __init__(self, functions: Functions, metrics: Metrics, knobs: Knobs) -> None:
        self._functions, self._metrics, self._knobs = functions, metrics, knobs
        self._searched: dict[tuple[str, str], tuple[str, float]] = {}  # the switch's status, the percentage indexed
        self._graphs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "GetTraceSegmentDestination": self._destination,
            "GetIndexingRules": self._indexing_rules,
            "GetServiceGraph": self._graph,
            "GetTraceSummaries": lambda _: {"TraceSummaries": [], "TracesProcessedCount": 0},
            "BatchGetTraces": lambda _: {"Traces": [], "UnprocessedTraceIds": []},
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": [{"SamplingRule": _DEFAULT_RULE}]},
        }

    def transaction_search(
        self, account: str, region: str, *, status: str = "ACTIVE", indexed_percent: float = 1.0
    ) -> None:
        """Switch Transaction Search on: spans go to CloudWatch Logs, and so does their price. "PENDING": not yet."""
        self._searched[account, region] = (status, indexed_percent)

    def observed(self, account: str, region: str, services: Sequence[Mapping[str, Any]]) -> None:
        """What the service graph shows: entries of GetServiceGraph's `Services`, whatever window is asked for."""
        self._graphs[account, region] = list(services)

    def _graph(self, request: Request) -> Mapping[str, Any]:
        start, end = aware(request.params["StartTime"]), aware(request.params["EndTime"])
        if end - start > _LONGEST:
            raise AwsError("InvalidRequestException", "Time range cannot be longer than 6 hours")
        place = (request.account, request.region)
        nodes = self._graphs.get(place)
        if nodes is None:
            nodes = list(self._nodes(*place, max(start, self._knobs.clock() - _KEPT), end))
        refusal = AwsError("InvalidRequestException", "Invalid NextToken")
        shown, after = page(nodes, _PAGE, request.params.get("NextToken"), lambda node: str(node["Name"]), refusal)
        return {"StartTime": start, "EndTime": end, "Services": shown, **({"NextToken": after} if after else {})}

    def _nodes(self, account: str, region: str, start: datetime, end: datetime) -> Iterator[Mapping[str, Any]]:
        """What Lambda's sampling recorded of the seeded traffic, evenly spaced, while each function was Active."""
        for number, name in enumerate(self._functions.names(account, region)):
            between = self._metrics.invocations(account, region, name)
            if between is None:
                continue
            total = 0.0
            for since, until in self._functions.traced_between(account, region, name, start, end):
                at = since.replace(second=0, microsecond=0)
                while at < until:
                    invoked = between(at, at + _MINUTE)
                    seconds = min(invoked, 60)
                    total += seconds + 0.05 * (invoked - seconds)
                    at += _MINUTE
            if round(total):
                summary = {"OkCount": round(total), "TotalCount": round(total)}
                kind = "AWS::Lambda::Function"
                yield {
                    "ReferenceId": number,
                    "Name": name,
                    "AccountId": account,
                    "Type": kind,
                    "SummaryStatistics": summary,
                }

    def _destination(self, request: Request) -> Mapping[str, Any]:
        searched = self._searched.get((request.account, request.region))
        if searched is None:
            return {"Destination": "XRay", "Status": "ACTIVE"}
        return {"Destination": "CloudWatchLogs", "Status": searched[0]}

    def _indexing_rules(self, request: Request) -> Mapping[str, Any]:
        _, percent = self._searched.get((request.account, request.region), ("", 1.0))
        percentage = {"DesiredSamplingPercentage": percent, "ActualSamplingPercentage": percent}
        return {"IndexingRules": [{"Name": "Default", "Rule": {"Probabilistic": percentage}}]}

"""X-Ray: its settings and its service graph. moto lacks both, and cannot load its X-Ray without more packages."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from bot.demo.aws.protocol import AwsError, Handler, Request

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

    def __init__(self) -> None:
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
        start, end = request.params["StartTime"], request.params["EndTime"]
        if end - start > timedelta(hours=6):
            raise AwsError("InvalidRequestException", "Time range cannot be longer than 6 hours")
        return {"StartTime": start, "EndTime": end, "Services": self._graphs.get((request.account, request.region), [])}

    def _destination(self, request: Request) -> Mapping[str, Any]:
        searched = self._searched.get((request.account, request.region))
        if searched is None:
            return {"Destination": "XRay", "Status": "ACTIVE"}
        return {"Destination": "CloudWatchLogs", "Status": searched[0]}

    def _indexing_rules(self, request: Request) -> Mapping[str, Any]:
        _, percent = self._searched.get((request.account, request.region), ("", 1.0))
        percentage = {"DesiredSamplingPercentage": percent, "ActualSamplingPercentage": percent}
        return {"IndexingRules": [{"Name": "Default", "Rule": {"Probabilistic": percentage}}]}

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
        self._searched: set[tuple[str, str]] = set()
        self._graphs: dict[tuple[str, str], list[Mapping[str, Any]]] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "GetTraceSegmentDestination": self._destination,
            "GetIndexingRules": lambda _: {"IndexingRules": [_indexing()]},
            "GetServiceGraph": self._graph,
            "GetTraceSummaries": lambda _: {"TraceSummaries": [], "TracesProcessedCount": 0},
            "BatchGetTraces": lambda _: {"Traces": [], "UnprocessedTraceIds": []},
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": [{"SamplingRule": _DEFAULT_RULE}]},
        }

    def transaction_search(self, account: str, region: str) -> None:
        """Switch Transaction Search on: spans go to CloudWatch Logs, and so does their price."""
        self._searched.add((account, region))

    def observed(self, account: str, region: str, services: Sequence[Mapping[str, Any]]) -> None:
        """What the service graph shows: entries of GetServiceGraph's `Services`, whatever window is asked for."""
        self._graphs[account, region] = list(services)

    def _graph(self, request: Request) -> Mapping[str, Any]:
        start, end = request.params["StartTime"], request.params["EndTime"]
        if end - start > timedelta(hours=6):
            raise AwsError("InvalidRequestException", "Time range cannot be longer than 6 hours")
        return {"StartTime": start, "EndTime": end, "Services": self._graphs.get((request.account, request.region), [])}

    def _destination(self, request: Request) -> Mapping[str, Any]:
        searched = (request.account, request.region) in self._searched
        return {"Destination": "CloudWatchLogs" if searched else "XRay", "Status": "ACTIVE"}


def _indexing() -> dict[str, Any]:
    percentage = {"DesiredSamplingPercentage": 1.0, "ActualSamplingPercentage": 1.0}
    return {"Name": "Default", "Rule": {"Probabilistic": percentage}}

"""X-Ray: where traces go, and how they are sampled. moto lacks both, and to load its X-Ray takes more packages."""

from collections.abc import Mapping
from typing import Any

from bot.demo.aws.functions import Functions
from bot.demo.aws.knobs import Knobs
from bot.demo.aws.metrics import Metrics
from bot.demo.aws.protocol import Handler, Request
from bot.demo.aws.service_graphs import ServiceGraphs
from bot.demo.aws.traces import Traces

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
        self.graphs = ServiceGraphs(functions, metrics, knobs)
        self.traces = Traces(self.graphs, knobs)
        self._searched: dict[tuple[str, str], tuple[str, float]] = {}  # the switch's status, the percentage indexed

    def handlers(self) -> dict[str, Handler]:
        return {
            "GetTraceSegmentDestination": self._destination,
            "GetIndexingRules": self._indexing_rules,
            "GetServiceGraph": self.graphs.answer,
            "GetTraceSummaries": self.traces.summaries,
            "BatchGetTraces": self.traces.batch,
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": [{"SamplingRule": _DEFAULT_RULE}]},
        }

    def transaction_search(
        self, account: str, region: str, *, status: str = "ACTIVE", indexed_percent: float = 1.0
    ) -> None:
        """Switch Transaction Search on: spans go to CloudWatch Logs, and so does their price. "PENDING": not yet."""
        self._searched[account, region] = (status, indexed_percent)
        if status == "ACTIVE":
            self.traces.hidden.add((account, region))

    def _destination(self, request: Request) -> Mapping[str, Any]:
        searched = self._searched.get((request.account, request.region))
        if searched is None:
            return {"Destination": "XRay", "Status": "ACTIVE"}
        return {"Destination": "CloudWatchLogs", "Status": searched[0]}

    def _indexing_rules(self, request: Request) -> Mapping[str, Any]:
        _, percent = self._searched.get((request.account, request.region), ("", 1.0))
        percentage = {"DesiredSamplingPercentage": percent, "ActualSamplingPercentage": percent}
        return {"IndexingRules": [{"Name": "Default", "Rule": {"Probabilistic": percentage}}]}

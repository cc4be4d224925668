"""X-Ray's settings of an account and region, which moto lacks; traces themselves are moto's."""

from collections.abc import Mapping
from typing import Any

from bot.demo.aws.protocol import Handler, Request

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

    def handlers(self) -> dict[str, Handler]:
        return {
            "GetTraceSegmentDestination": self._destination,
            "GetIndexingRules": lambda _: {"IndexingRules": [_indexing()]},
            "GetSamplingRules": lambda _: {"SamplingRuleRecords": [{"SamplingRule": _DEFAULT_RULE}]},
        }

    def transaction_search(self, account: str, region: str) -> None:
        """Switch Transaction Search on: spans go to CloudWatch Logs, and so does their price."""
        self._searched.add((account, region))

    def _destination(self, request: Request) -> Mapping[str, Any]:
        searched = (request.account, request.region) in self._searched
        return {"Destination": "CloudWatchLogs" if searched else "XRay", "Status": "ACTIVE"}


def _indexing() -> dict[str, Any]:
    percentage = {"DesiredSamplingPercentage": 1.0, "ActualSamplingPercentage": 1.0}
    return {"Name": "Default", "Rule": {"Probabilistic": percentage}}

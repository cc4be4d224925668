"""Where X-Ray sends what it takes in an account and region: to itself, or to CloudWatch (Transaction Search).

Transaction Search moves all of an account and region from a price for each trace to one for each gigabyte of spans.
"""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws.asking import ask
from commands.aws.errors import AwsProblem, Where
from commands.aws.wire import STRANGE

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_DEFAULT_PERCENT = 1.0  # what AWS indexes unless somebody sets more


@dataclass(frozen=True, slots=True)
class TraceDestination:
    """What is billed there."""

    searched: bool  # by the spans; False where that is not known
    indexed_percent: float = _DEFAULT_PERCENT  # of the spans
    doubt: str = ""  # what is not known of it, as a phrase for people


def trace_destination(cloud: "Cloud", account: str, region: str) -> TraceDestination:
    """To be asked inside `acting_as`; never raises. IAM: xray:GetTraceSegmentDestination, xray:GetIndexingRules.

    One that is still being switched over (PENDING) counts as what it was: traces.
    """
    client = cloud.client("xray", region)
    where: Where = {"account": account, "region": region, "service": "xray"}
    try:
        said = ask(client.get_trace_segment_destination, **where)
    except AwsProblem as problem:
        return TraceDestination(False, doubt=f"whether Transaction Search is on is not known: {problem}")
    if said.get("Destination") != "CloudWatchLogs":
        return TraceDestination(False)
    if said.get("Status") != "ACTIVE":
        return TraceDestination(False, doubt="Transaction Search is being switched on, and prices change with it")
    try:
        return TraceDestination(True, _indexed(client, where))
    except (AwsProblem, *STRANGE) as problem:
        return TraceDestination(True, doubt=f"how much is indexed is not known, 1 % is taken: {problem}")


def _indexed(client: Any, where: Where) -> float:
    """The largest share of any rule; there is no paginator for them."""
    found: list[float] = []
    asked: dict[str, str] = {}
    while True:
        said = ask(partial(client.get_indexing_rules, **asked), **where)
        for rule in said.get("IndexingRules") or ():
            known = rule.get("Rule", {}).get("Probabilistic", {})
            percent = known.get("ActualSamplingPercentage", known.get("DesiredSamplingPercentage"))
            if isinstance(percent, int | float) and 0 <= percent <= 100:
                found.append(float(percent))
        following = said.get("NextToken")
        if not following or following == asked.get("NextToken"):
            return max(found, default=_DEFAULT_PERCENT)
        asked = {"NextToken": following}

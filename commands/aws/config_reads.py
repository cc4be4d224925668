"""What is asked of an aggregator of AWS Config over the wire, page by page. What its rows mean is in `config_rows`."""

from collections.abc import AsyncIterator
from typing import Any

from commands.aws import reads
from commands.aws.calls import Call
from commands.aws.errors import AwsProblem, Denied
from commands.aws.keys import Identity
from commands.aws.wire import Wire

_MOST = 100  # on a page


def rows(wire: Wire, who: Identity, region: str, aggregator: str, query: str) -> AsyncIterator[list[Any]]:
    """What a query gives: texts that should be JSON. IAM: config:SelectAggregateResourceConfig."""
    asked = {"ConfigurationAggregatorName": aggregator, "Expression": query, "Limit": _MOST}
    return reads.tokens(wire, who, _call("SelectAggregateResourceConfig", region), asked, "Results", "NextToken", list)


def sources(wire: Wire, who: Identity, region: str, aggregator: str) -> AsyncIterator[list[Any]]:
    """How the last update from each account and region went.

    IAM: config:DescribeConfigurationAggregatorSourcesStatus.
    """
    asked = {"ConfigurationAggregatorName": aggregator, "Limit": _MOST}
    call = _call("DescribeConfigurationAggregatorSourcesStatus", region)
    return reads.tokens(wire, who, call, asked, "AggregatedSourceStatusList", "NextToken", list)


def _call(action: str, region: str) -> Call:
    return reads.targeted("config", region, f"StarlingDoveService.{action}", "1.1")


def explained(problem: AwsProblem, aggregator: str) -> AwsProblem:
    """What to do about it, in one line."""
    place = f"account {problem.account}, {problem.region}"
    if problem.code == "NoSuchConfigurationAggregatorException":
        words = (
            f"AWS Config has no aggregator {aggregator} in {place}: correct aggregator or aggregator_region in [aws]"
        )
        return AwsProblem(problem.code, words, own_words=True)
    if isinstance(problem, Denied):
        words = (
            f"AWS Config's aggregator {aggregator} in {place} may not be read: allow "
            f'{problem.service}:{problem.action} to the credentials, or set source = "lambda" in [aws]. '
            f"AWS says {problem.code}: {problem.message}"
        )
        return type(problem)(problem.code, words, own_words=True)
    return problem

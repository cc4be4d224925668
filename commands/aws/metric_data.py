"""GetMetricData, page by page: what each request for metrics costs is asked for before it is sent.

AWS bills $0.01 for 1,000 metrics requested, whatever number of points, and nothing of it is free. It does not say
whether it bills those of a request that it refuses or throttles, so each attempt counts. A following page is no request
for new metrics.
https://aws.amazon.com/cloudwatch/pricing/
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from commands.aws.asking import Patience, ask
from commands.aws.errors import AwsProblem, BadAnswer, Where

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

METRICS_A_DOLLAR = 100_000
QUERIES = 500  # in a call, AWS's limit
OVER_CAP = "today's look-ups have reached `[forecast] max_usd_per_day`"
UNREADABLE = "CloudWatch's answer could not be read"
REFUSED = {
    "Forbidden": "CloudWatch may not show it (cloudwatch:GetMetricData)",
    "InternalError": "CloudWatch failed to answer",
    "PartialData": "CloudWatch gave only a part of it",
}

Take = Callable[[int], int]  # of so many metrics that are wanted, how many may be asked for; they count from then on

_WAIT_SECONDS = 30.0  # for one page, where AWS throttles or fails


def pages(
    cloud: "Cloud", account: str, region: str, asked: Mapping[str, Any], take: Take, patience: Patience | None = None
) -> Iterator[Mapping[str, Any]]:
    """To be read inside `acting_as`, in its thread. `take` has given the metrics of the first attempt already; each
    one that follows takes them anew. IAM: cloudwatch:GetMetricData. Raises AwsProblem."""
    client = cloud.client("cloudwatch", region, attempts=1)  # of which none would be counted
    where: Where = {"account": account, "region": region, "service": "cloudwatch", "action": "GetMetricData"}
    patience, metrics, attempts = patience or cloud.patience, len(asked["MetricDataQueries"]), 0

    def call(token: str) -> Mapping[str, Any]:
        nonlocal attempts
        if not token:
            attempts += 1
            if attempts > 1 and take(metrics) < metrics:
                raise AwsProblem("Capped", OVER_CAP, own_words=True)
        more = {"NextToken": token} if token else {}
        told: Mapping[str, Any] = ask(lambda: client.get_metric_data(**asked, **more), **where)
        return told

    token = ""
    while True:
        page = patience.ask(lambda: call(token), _WAIT_SECONDS)  # noqa: B023 - called at once
        yield page
        following = page.get("NextToken") or ""
        if not following:
            return
        if following == token:
            raise BadAnswer("BadAnswer", "CloudWatch gave the same page twice", own_words=True, **where)
        token = following

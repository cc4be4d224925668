"""X-Ray's service graph, page by page, and how many traces its nodes say were recorded of each function. Reads only."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws.asking import Patience, ask
from commands.aws.errors import BadAnswer, Where
from commands.aws.wire import STRANGE

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

AWS_KEEPS = timedelta(days=30)
AT_ONCE = timedelta(hours=6)  # the longest that one question may be about
FUNCTION, SERVICE = "AWS::Lambda::Function", "AWS::Lambda"  # what ran, and Lambda taking the call
WAIT_SECONDS = 60.0  # for AWS, beyond boto3's own attempts


def recorded_traces(
    cloud: "Cloud", account: str, region: str, since: datetime, until: datetime, patience: Patience | None = None
) -> Mapping[str, float]:
    """By function name, of all in an account's region; who is missing had none. To be asked inside `acting_as`.

    A call for each six hours, whatever the number of functions. UNCONFIRMED: that what a node counts are the sampled
    requests alone. Raises AwsProblem. IAM: xray:GetServiceGraph.
    """
    client = cloud.client("xray", region)
    where = asked_where(account, region)
    found: dict[str, float] = {}
    start = since
    while start < until:
        end = min(start + AT_ONCE, until)
        counts: dict[str, dict[str, float]] = {FUNCTION: {}, SERVICE: {}}
        for page in pages(client, start, end, where, patience or cloud.patience):
            try:
                _add(counts, page, account)
            except STRANGE as error:
                raise BadAnswer("BadAnswer", "X-Ray's answer could not be read", own_words=True, **where) from error
        for name in counts[FUNCTION] | counts[SERVICE]:
            found[name] = found.get(name, 0.0) + counts[FUNCTION].get(name, counts[SERVICE].get(name, 0.0))
        start = end
    return found


def _add(counts: Mapping[str, dict[str, float]], page: Mapping[str, Any], account: str) -> None:
    for node in page.get("Services") or ():
        of_kind = counts.get(node.get("Type"))
        if of_kind is None or node.get("AccountId") not in (None, "", account):
            continue
        number = float((node.get("SummaryStatistics") or {}).get("TotalCount") or 0)
        name = str(node.get("Name"))
        of_kind[name] = of_kind.get(name, 0.0) + number


def asked_where(account: str, region: str) -> Where:
    return {"account": account, "region": region, "service": "xray", "action": "GetServiceGraph"}


def pages(
    client: Any,
    start: datetime,
    end: datetime,
    where: Where,
    patience: Patience,
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[Mapping[str, Any]]:
    """Of at most six hours. A node's `ReferenceId` is what edges on any of its pages go by. Raises AwsProblem."""
    token = ""
    while True:
        more = {"NextToken": token} if token else {}
        call = partial(ask, partial(client.get_service_graph, StartTime=start, EndTime=end, **more), **where)
        page: Mapping[str, Any] = patience.ask(call, wait_seconds)
        yield page
        following = page.get("NextToken") or ""
        if not following:
            return
        if following == token:
            raise BadAnswer("BadAnswer", "X-Ray gave the same page twice", own_words=True, **where)
        token = following

"""How many GB-seconds each function used: CloudWatch's Duration times the memory size that Lambda lists. Reads only."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from commands.aws.asking import ask
from commands.aws.errors import BadAnswer, Where

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

QUERIES = 500  # AWS's most in one call
DAY = 86_400  # seconds: the period, so that a month is told in 31 points
_MB_IN_GB = 1024
_MS_IN_SECOND = 1000
_T = TypeVar("_T")


def memory_sizes(cloud: "Cloud", account: str, region: str) -> dict[str, int]:
    """MB by function name, of those that exist. IAM: lambda:ListFunctions. Raises AwsProblem."""
    where = Where(account=account, region=region, service="lambda", action="ListFunctions")
    found: dict[str, int] = {}
    marker = ""
    while True:
        given = {"MaxItems": 50, **({"Marker": marker} if marker else {})}
        with cloud.acting_as(account):
            page: Mapping[str, Any] = ask(lambda: cloud.client("lambda", region).list_functions(**given), **where)  # noqa: B023 - called at once
        found |= {one["FunctionName"]: int(one.get("MemorySize") or 128) for one in page.get("Functions") or ()}
        following = page.get("NextMarker") or ""
        if not following:
            return found
        if following == marker:
            raise BadAnswer("BadAnswer", "AWS gave the same page twice", **where)
        marker = following


def gb_seconds(
    cloud: "Cloud", account: str, region: str, memory: Mapping[str, int], since: date, until: date
) -> Iterator[tuple[str, date, float]]:
    """A function's name, a month's first day, and what it used in that month; on the days in [since, until), UTC.

    One metric for each function, which is what AWS bills for: $0.01 for 1,000.
    IAM: cloudwatch:GetMetricData. Raises AwsProblem.
    """
    start, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    for names in _batches(sorted(memory), QUERIES):
        for name, points in _durations(cloud, account, region, names, start, end).items():
            by_month: dict[date, float] = {}
            for at, milliseconds in points:
                month = at.astimezone(UTC).date().replace(day=1)
                by_month[month] = by_month.get(month, 0.0) + milliseconds
            for month, milliseconds in by_month.items():
                yield name, month, milliseconds / _MS_IN_SECOND * memory[name] / _MB_IN_GB


def _durations(
    cloud: "Cloud", account: str, region: str, names: Sequence[str], start: datetime, end: datetime
) -> dict[str, list[tuple[datetime, float]]]:
    """The days' sums of Duration, in milliseconds, by function; a day without a point had no invocation."""
    asked = {
        "MetricDataQueries": [
            {"Id": f"m{number}", "ReturnData": True, "MetricStat": _duration_of(name)}
            for number, name in enumerate(names)
        ],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    where = Where(account=account, region=region, service="cloudwatch")
    found: dict[str, list[tuple[datetime, float]]] = {name: [] for name in names}
    token = ""
    while True:
        given = {**asked, **({"NextToken": token} if token else {})}
        with cloud.acting_as(account):
            call: Callable[..., Any] = cloud.client("cloudwatch", region).get_metric_data
            page: Mapping[str, Any] = ask(lambda: call(**given), **where)  # noqa: B023 - called at once
        for result in page["MetricDataResults"]:
            name = names[int(result["Id"][1:])]
            found[name] += zip(result["Timestamps"], result["Values"], strict=True)
        following = page.get("NextToken") or ""
        if not following or following == token:
            return found
        token = following


def _duration_of(name: str) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Duration",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
    }
    return {"Metric": metric, "Period": DAY, "Stat": "Sum"}


def _batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch

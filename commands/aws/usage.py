"""How many GB-seconds each function used: CloudWatch's Duration times the memory size that Lambda lists. Reads only."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from commands.aws.asking import Patience, ask
from commands.aws.errors import BadAnswer, Where
from commands.aws.traffic import REFUSED, UNREADABLE
from commands.aws.wire import STRANGE

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

QUERIES = 500  # AWS's most in one call
DAY = 86_400  # seconds: the period, so that a month is told in 31 points
_MB_IN_GB = 1024
_MS_IN_SECOND = 1000
_WAIT_SECONDS = 30.0  # for one page, where AWS throttles
_PATIENT = Patience()
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
) -> Iterator[tuple[int, list[tuple[str, date, float]]]]:
    """Batch by batch, how many metrics AWS bills for it, and of each function and month, by its first day, what was
    used on the days in [since, until), UTC.

    One metric for each function: $0.01 for 1,000, also where it tells less than it was asked for, which is raised.
    IAM: cloudwatch:GetMetricData. Raises AwsProblem.
    """
    start, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    for names in _batches(sorted(memory), QUERIES):
        points, refused = _durations(cloud, account, region, names, start, end)
        used: list[tuple[str, date, float]] = []
        for name, told in points.items():
            by_month: dict[date, float] = {}
            for at, milliseconds in told:
                month = at.astimezone(UTC).date().replace(day=1)
                by_month[month] = by_month.get(month, 0.0) + milliseconds
            used += [
                (name, month, milliseconds / _MS_IN_SECOND * memory[name] / _MB_IN_GB)
                for month, milliseconds in by_month.items()
            ]
        yield len(names), [] if refused else used
        if refused:
            raise BadAnswer("BadAnswer", refused, own_words=True, **_where(account, region))


def _where(account: str, region: str) -> Where:
    return Where(account=account, region=region, service="cloudwatch", action="GetMetricData")


def _durations(
    cloud: "Cloud", account: str, region: str, names: Sequence[str], start: datetime, end: datetime
) -> tuple[dict[str, list[tuple[datetime, float]]], str]:
    """The days' sums of Duration, in milliseconds, by function, and why they are not all that there is; a day without
    a point had no invocation."""
    asked = {
        "MetricDataQueries": [
            {"Id": f"m{number}", "ReturnData": True, "MetricStat": _duration_of(name)}
            for number, name in enumerate(names)
        ],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
    }
    found: dict[str, list[tuple[datetime, float]]] = {name: [] for name in names}
    status = dict.fromkeys(names, "")  # the last that AWS said of each
    token = ""
    while True:
        given = {**asked, **({"NextToken": token} if token else {})}
        with cloud.acting_as(account):
            call: Callable[..., Any] = cloud.client("cloudwatch", region).get_metric_data
            page: Mapping[str, Any] = _PATIENT.ask(
                lambda: ask(lambda: call(**given), **_where(account, region)),  # noqa: B023 - called at once
                _WAIT_SECONDS,
            )
        try:
            for result in page["MetricDataResults"]:
                name = names[int(result["Id"][1:])]
                found[name] += zip(result["Timestamps"], map(float, result["Values"]), strict=True)
                status[name] = result.get("StatusCode") or "Complete"
        except STRANGE:
            return found, UNREADABLE
        following = page.get("NextToken") or ""
        if not following or following == token:
            return found, next((_refused(each) for each in status.values() if each != "Complete"), "")
        token = following


def _refused(status: str) -> str:
    return REFUSED.get(status, f"CloudWatch answered {status}") if status else "CloudWatch did not answer for all"


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

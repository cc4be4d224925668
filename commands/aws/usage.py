"""How many GB-seconds each function used: CloudWatch's Duration times the memory size that Lambda lists. Reads only."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from commands.aws.asking import ask
from commands.aws.errors import BadAnswer, Where
from commands.aws.metric_data import QUERIES, REFUSED, UNREADABLE, Take, pages
from commands.aws.wire import STRANGE

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

DAY = 86_400  # seconds: the period, so that a month is told in 31 points
_MB_IN_GB = 1024
_MS_IN_SECOND = 1000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Told:
    """What CloudWatch said of a batch of functions."""

    used: Mapping[str, Mapping[date, float]]  # GB-seconds by name and month's first day; none: it never ran
    refused: Mapping[str, str]  # by name, why it is not known, as a phrase for people


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
    cloud: "Cloud",
    place: tuple[str, str],
    memory: Mapping[str, int],
    names: Sequence[str],
    days: tuple[date, date],
    take: Take,
) -> Iterator[Told]:
    """Batch by batch, what each of `names` used in an account's region on the days in [since, until), UTC.

    `memory`: MB by function.

    Each is one metric that AWS bills, and is taken before its batch is asked for; those that `take` does not
    give are left out. IAM: cloudwatch:GetMetricData. Raises AwsProblem.
    """
    start, end = (datetime.combine(day, time(), UTC) for day in days)
    for batch in _batches(names, QUERIES):
        given = batch[: take(len(batch))]
        if not given:
            return
        points, refused = _durations(cloud, *place, given, start, end, take)
        used = {name: _by_month(told, memory[name]) for name, told in points.items() if name not in refused}
        yield Told(used, refused)


def _by_month(told: Sequence[tuple[datetime, float]], memory: int) -> dict[date, float]:
    found: dict[date, float] = {}
    for at, milliseconds in told:
        month = at.astimezone(UTC).date().replace(day=1)
        found[month] = found.get(month, 0.0) + milliseconds / _MS_IN_SECOND * memory / _MB_IN_GB
    return found


def _durations(
    cloud: "Cloud", account: str, region: str, names: Sequence[str], start: datetime, end: datetime, take: Take
) -> tuple[dict[str, list[tuple[datetime, float]]], dict[str, str]]:
    """The days' sums of Duration, in milliseconds, by function, and of which they are not all that there is, with why;
    a day without a point had no invocation."""
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
    with cloud.acting_as(account):
        for page in pages(cloud, account, region, asked, take):
            try:
                for result in page["MetricDataResults"]:
                    name = names[int(result["Id"][1:])]
                    found[name] += zip(result["Timestamps"], map(float, result["Values"]), strict=True)
                    status[name] = result.get("StatusCode") or "Complete"
            except STRANGE as error:
                where: Where = {
                    "account": account,
                    "region": region,
                    "service": "cloudwatch",
                    "action": "GetMetricData",
                }
                raise BadAnswer("BadAnswer", UNREADABLE, own_words=True, **where) from error
    return found, {name: _refused(said) for name, said in status.items() if said != "Complete"}


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

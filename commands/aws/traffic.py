"""How often functions were invoked, as CloudWatch counted it: GetMetricData, many functions a call."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from commands.aws.asking import Patience
from commands.aws.errors import BadAnswer, Where
from commands.aws.metric_data import QUERIES, REFUSED, UNREADABLE, Take, pages
from commands.aws.sampling import WINDOW_DAYS, is_count
from commands.aws.wire import STRANGE

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

HOUR, FIVE_MINUTES, MINUTE = 3600, 300, 60  # seconds; 60 s are kept for 15 days, 300 s for 63, 3600 s for 455

_POINTS_AT_ONCE = 1_000_000  # of a call's functions, which are held together: 8 MB
_SETTLED = timedelta(minutes=10)  # Lambda's counts of an hour come in for a few minutes after it


@dataclass(frozen=True, slots=True)
class Window:
    """[since, until), whole hours, UTC: two weeks, so that each day of the week is in it twice."""

    since: datetime
    until: datetime

    def bins(self, period: int) -> int:
        return int((self.until - self.since).total_seconds()) // period


def window_before(now: datetime) -> Window:
    """The last fourteen days that CloudWatch can be expected to have in full."""
    until = (now.astimezone(UTC) - _SETTLED).replace(minute=0, second=0, microsecond=0)
    return Window(until - timedelta(days=WINDOW_DAYS), until)


@dataclass(frozen=True, slots=True)
class Traffic:
    """One function's invocations in each bin of a window, oldest first; those without any are 0."""

    name: str
    bins: Sequence[float]
    unknown: str = ""  # why they are not known, as a phrase for people


def traffic(
    cloud: "Cloud",
    account: str,
    region: str,
    names: Sequence[str],
    window: Window,
    period: int,
    take: Take,
    patience: Patience | None = None,
) -> Iterator[list[Traffic]]:
    """Batch by batch, so that no more than a batch's points are held; to be read inside `acting_as`, in its thread.

    Each name is one metric that AWS bills, and is taken before its batch is asked for; those that `take` does not give
    are left out. Raises AwsProblem for the batch that cannot be had. IAM: cloudwatch:GetMetricData.
    """
    for batch in batches(names, window, period):
        reading = _Batch(batch[: take(len(batch))], window, period)
        if not reading.names:
            return
        for page in pages(cloud, account, region, reading.asked(), take, patience):
            try:
                reading.take(page)
            except STRANGE as error:
                where: Where = {
                    "account": account,
                    "region": region,
                    "service": "cloudwatch",
                    "action": "GetMetricData",
                }
                raise BadAnswer("BadAnswer", UNREADABLE, own_words=True, **where) from error
        yield reading.ended()


def batches(names: Sequence[str], window: Window, period: int) -> Iterator[Sequence[str]]:
    """As many functions as a call may name, and as their points leave room for."""
    size = max(1, min(QUERIES, _POINTS_AT_ONCE // window.bins(period)))
    return (names[start : start + size] for start in range(0, len(names), size))


@dataclass
class _Batch:
    """The points of one call's functions as its pages bring them, in any order."""

    names: Sequence[str]
    window: Window
    period: int
    bins: list["array[float]"] = field(init=False)
    status: dict[int, str] = field(default_factory=dict)  # by place: the last that AWS said of it
    odd: set[int] = field(default_factory=set)  # places with a value that is no number of invocations

    def __post_init__(self) -> None:
        empty = bytes(8 * self.window.bins(self.period))
        self.bins = [array("d", empty) for _ in self.names]

    def asked(self) -> dict[str, Any]:
        return {
            "MetricDataQueries": [self._query(place, name) for place, name in enumerate(self.names)],
            "StartTime": self.window.since,
            "EndTime": self.window.until,
            "ScanBy": "TimestampAscending",
        }

    def _query(self, place: int, name: str) -> dict[str, Any]:
        dimensions = [{"Name": "FunctionName", "Value": name}]
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions}
        return {"Id": f"m{place}", "MetricStat": {"Metric": metric, "Period": self.period, "Stat": "Sum"}}

    def take(self, page: Mapping[str, Any]) -> None:
        for result in page.get("MetricDataResults") or ():
            place = self._place(result.get("Id"))
            if place is None:
                continue
            self.status[place] = result.get("StatusCode") or "Complete"
            self._add(place, result.get("Timestamps") or (), result.get("Values") or ())

    def _place(self, identity: object) -> int | None:
        text = str(identity)
        place = int(text[1:]) if text[:1] == "m" and text[1:].isdecimal() else -1
        return place if 0 <= place < len(self.names) else None

    def _add(self, place: int, times: Sequence[datetime], values: Sequence[float]) -> None:
        bins, start, period = self.bins[place], self.window.since.timestamp(), self.period
        for time, value in zip(times, values, strict=False):
            number = int((time.timestamp() - start) // period)
            if not is_count(value):
                self.odd.add(place)
            elif 0 <= number < len(bins):
                bins[number] += value

    def ended(self) -> list[Traffic]:
        return [Traffic(name, self.bins[place], self._unknown(place)) for place, name in enumerate(self.names)]

    def _unknown(self, place: int) -> str:
        if place in self.odd:
            return "CloudWatch gave a number of invocations that can be none"
        status = self.status.get(place)
        if status is None:
            return "CloudWatch did not answer for it"
        return "" if status == "Complete" else REFUSED.get(status, f"CloudWatch answered {status}")

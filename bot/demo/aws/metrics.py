"""CloudWatch's AWS/Lambda metrics, computed from seeded traffic; every other metric is moto's.

moto's own GetMetricData looks at every stored point for every query, which for a fleet takes minutes.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.demo.aws.invocations import Between, ByHour, ByMinute, HourlyRate, SumOf, by_chance, evenly, in_bursts
from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.protocol import AwsError, Handler, Request

_NAMESPACE = "AWS/Lambda"
_PAGE = 500
_POINTS = 100_800
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_FAST = (1, 5, 10, 20, 30)  # periods of metrics that are stored by the second, which Lambda's are not
# So old may a point be that is still kept, by the period that it is asked with.
_KEPT = ((3600, timedelta(days=455)), (300, timedelta(days=63)), (60, timedelta(days=15)))

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one set of dimensions."""

    metric: str
    dimensions: tuple[tuple[str, str], ...]
    between: Between

    def points(self, start: datetime, end: datetime, period: int) -> Iterator[Point]:
        """The sums of all periods that begin in [start, end); a period without invocations has no point."""
        at = datetime.fromtimestamp(start.timestamp() // period * period, UTC)
        return ((begin, float(total)) for begin, total in self.between.by_period(at, end, period) if total)


class Metrics:
    """Seeded series, and the three calls that read them."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._series: dict[tuple[str, str], dict[tuple[str, tuple[tuple[str, str], ...]], Series]] = {}
        self._waiting: dict[str, _Rest] = {}  # by NextToken

    def handlers(self) -> dict[str, Handler]:
        return {"ListMetrics": self._list, "GetMetricData": self._data, "GetMetricStatistics": self._statistics}

    def invoked(
        self,
        account: str,
        region: str,
        function: str,
        hourly: HourlyRate,
        *,
        qualifier: str | None = None,
        version: str | None = None,
        seed: str = "",
        bursts: bool = False,
    ) -> None:
        """Give a function traffic, through an alias or version where `qualifier` says so.

        Within an hour it is spread evenly; with a `seed` by chance, or all of each quarter in one minute.

        Lambda reports it under FunctionName, under FunctionName and Resource (`fn` or `fn:live`), and for an alias also
        with the ExecutedVersion.
        """
        split = in_bursts if bursts else by_chance(seed) if seed else evenly
        self._add(account, region, function, ByHour(hourly, split), qualifier, version)

    def invoked_by_minute(
        self, account: str, region: str, function: str, first: datetime, counts: Sequence[int]
    ) -> None:
        """Give a function so many invocations in each minute from `first` on, a whole one."""
        self._add(account, region, function, ByMinute(first, counts), None, None)

    def _add(
        self, account: str, region: str, function: str, between: Between, qualifier: str | None, version: str | None
    ) -> None:
        resource = f"{function}:{qualifier}" if qualifier else function
        sets = [(("FunctionName", function),), (("FunctionName", function), ("Resource", resource))]
        known = self._series.setdefault((account, region), {})
        if version:
            sets.append((*sets[1], ("ExecutedVersion", version)))
        for dimensions in sets:
            before = known.get(("Invocations", dimensions))
            both = SumOf(before.between, between) if before else between
            known["Invocations", dimensions] = Series("Invocations", dimensions, both)

    def ran(self, account: str, region: str, function: str, hourly: HourlyRate) -> None:
        """Say for how many milliseconds of each hour a function runs, all its invocations together."""
        dimensions = (("FunctionName", function),)
        self._series.setdefault((account, region), {})["Duration", dimensions] = Series(
            "Duration", dimensions, ByHour(hourly, evenly)
        )

    def invocations(self, account: str, region: str, function: str) -> Between | None:
        """None for one without any."""
        series = self._series.get((account, region), {}).get(("Invocations", (("FunctionName", function),)))
        return series.between if series else None

    def _list(self, request: Request) -> Mapping[str, Any] | None:
        asked = request.params
        if asked.get("Namespace") != _NAMESPACE:
            return None
        wanted = [(item["Name"], item.get("Value")) for item in asked.get("Dimensions") or []]
        found = [
            series
            for series in self._of(request)
            if asked.get("MetricName") in (None, series.metric)
            and all(_has(series, name, value) for name, value in wanted)
            and self._active(series, asked.get("RecentlyActive"))
        ]
        refusal = AwsError("InvalidParameterValue", "Invalid nextToken")
        shown, after = page(found, _PAGE, asked.get("NextToken"), lambda series: repr(series.dimensions), refusal)
        return {"NextToken": after, "Metrics": [_described(series) for series in shown]}

    def _active(self, series: Series, recently: str | None) -> bool:
        """ListMetrics shows what had points in the last two weeks, or in the last three hours where asked."""
        now = self._knobs.clock()
        since = timedelta(hours=3) if recently == "PT3H" else timedelta(days=14)
        return any(series.points(now - since, now, 3600))

    def _data(self, request: Request) -> Mapping[str, Any] | None:
        asked, queries = request.params, request.params["MetricDataQueries"]
        if not any(_namespace(query) == _NAMESPACE for query in queries):
            return None
        _check(asked)
        token = asked.get("NextToken")
        if token:
            rest = self._waiting.pop(token, None)
            if rest is None or rest.asked != _same(asked):
                raise AwsError("InvalidParameterValue", "The service cannot process the NextToken")
        else:
            rest = _Rest(_same(asked), self._all_points(request, asked))
        return self._page_of(rest, int(asked.get("MaxDatapoints") or _POINTS), queries)

    def _all_points(self, request: Request, asked: Mapping[str, Any]) -> "list[tuple[datetime, int, float]]":
        """Of all queries, in the order in which they are given."""
        start, end = aware(asked["StartTime"]), aware(asked["EndTime"])
        stats = [query["MetricStat"] for query in asked["MetricDataQueries"]]
        found = [
            (at, place, value)
            for place, stat in enumerate(stats)
            for at, value in self._points(request, stat["Metric"], start, end, int(stat["Period"]))
        ]
        found.sort(key=lambda one: one[0], reverse=asked.get("ScanBy") != "TimestampAscending")
        return found

    def _page_of(self, rest: "_Rest", most: int, queries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Each query is answered on every page; what has more on another page says so."""
        shown, left = rest.points[:most], rest.points[most:]
        results = [
            {
                "Id": query["Id"],
                "Label": query.get("Label") or query["MetricStat"]["Metric"]["MetricName"],
                "Timestamps": [],
                "Values": [],
                "StatusCode": "Complete",
            }
            for query in queries
        ]
        for at, place, value in shown:
            results[place]["Timestamps"].append(at)
            results[place]["Values"].append(value)
        for place in {place for _, place, _ in left}:
            results[place]["StatusCode"] = "PartialData"
        answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
        if left:
            answer["NextToken"] = token = uuid.uuid4().hex
            self._waiting[token] = _Rest(rest.asked, left)
        return answer

    def _statistics(self, request: Request) -> Mapping[str, Any] | None:
        asked = request.params
        if asked["Namespace"] != _NAMESPACE:
            return None
        points = self._points(request, asked, aware(asked["StartTime"]), aware(asked["EndTime"]), int(asked["Period"]))
        datapoints = [{"Timestamp": at, "Sum": value, "Unit": "Count"} for at, value in points]
        return {"Label": asked["MetricName"], "Datapoints": datapoints}

    def _points(
        self, request: Request, metric: Mapping[str, Any], start: datetime, end: datetime, period: int
    ) -> Iterator[tuple[datetime, float]]:
        dimensions = tuple((item["Name"], item["Value"]) for item in metric.get("Dimensions") or [])
        series = self._find(request, metric["MetricName"], dimensions)
        now = self._knobs.clock()
        kept = next((age for whole, age in _KEPT if period % whole == 0), timedelta(hours=3))
        if series and period % 60 == 0:
            yield from (one for one in series.points(start, min(end, now), period) if now - one[0] <= kept)

    def _find(self, request: Request, metric: str, dimensions: tuple[tuple[str, str], ...]) -> Series | None:
        """By its dimensions, in whatever order they are named."""
        known = self._series.get((request.account, request.region), {})
        found = known.get((metric, dimensions))
        if found or len(dimensions) < 2:
            return found
        same = (one for one in known.values() if one.metric == metric and sorted(one.dimensions) == sorted(dimensions))
        return next(same, None)

    def _of(self, request: Request) -> list[Series]:
        return list(self._series.get((request.account, request.region), {}).values())


@dataclass(frozen=True, slots=True)
class _Rest:
    """What the following pages of a call hold."""

    asked: str  # the call, which every page has to repeat
    points: "list[tuple[datetime, int, float]]"


def _same(asked: Mapping[str, Any]) -> str:
    return repr({key: value for key, value in asked.items() if key != "NextToken"})


def _check(asked: Mapping[str, Any]) -> None:
    """AWS's rules for a call, in its words where they are known."""
    queries = asked["MetricDataQueries"]
    names = [query["Id"] for query in queries]
    if len(queries) > _PAGE:
        raise _refusal("The collection MetricDataQueries must not have a size greater than 500.")
    if bad := next((name for name in names if not _ID.fullmatch(name)), None):
        raise _refusal(f"The value {bad} for parameter Id in MetricDataQueries does not match ^[a-z][a-zA-Z0-9_]*$.")
    if len(set(names)) < len(names):
        raise _refusal("The values for parameter Id in MetricDataQueries are not unique.")
    if aware(asked["StartTime"]) >= aware(asked["EndTime"]):
        raise _refusal("The parameter StartTime must be less than the parameter EndTime.")
    if not 1 <= int(asked.get("MaxDatapoints") or _POINTS) <= _POINTS:
        raise _refusal("The value for parameter MaxDatapoints must be between 1 and 100800.")
    for query in queries:
        stat = query.get("MetricStat") or {}
        if _namespace(query) != _NAMESPACE or stat.get("Stat") != "Sum":
            raise _refusal("The stand-in computes sums of AWS/Lambda metrics, nothing beside them")
        period = int(stat["Period"])
        if period < 1 or (period % 60 and period not in _FAST):
            raise _refusal("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")


def _refusal(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _namespace(query: Mapping[str, Any]) -> str | None:
    found: str | None = query.get("MetricStat", {}).get("Metric", {}).get("Namespace")
    return found


def _described(series: Series) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in series.dimensions]
    return {"Namespace": _NAMESPACE, "MetricName": series.metric, "Dimensions": dimensions}


def _has(series: Series, name: str, value: str | None) -> bool:
    return any(key == name and value in (None, given) for key, given in series.dimensions)

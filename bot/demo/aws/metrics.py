"""CloudWatch's AWS/Lambda metrics, computed from seeded traffic; every other metric is moto's.

moto's own GetMetricData looks at every stored point for every query, which for a fleet takes minutes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.demo.aws.knobs import Knobs, aware, page
from bot.demo.aws.protocol import AwsError, Handler, Request

_NAMESPACE = "AWS/Lambda"
_PAGE = 500
_POINTS = 100_800
HourlyRate = Callable[[datetime], float]  # invocations in the hour that begins then


@dataclass(frozen=True, slots=True)
class Series:
    """One metric of one set of dimensions."""

    metric: str
    dimensions: tuple[tuple[str, str], ...]
    hourly: HourlyRate

    def points(self, start: datetime, end: datetime, period: int) -> Iterator[tuple[datetime, float]]:
        """The sums of all periods that begin in [start, end); a period without invocations has no point."""
        at = datetime.fromtimestamp(start.timestamp() // period * period, UTC)
        while at < end:
            total = self._between(at, at + timedelta(seconds=period))
            if total >= 1:
                yield at, float(round(total))
            at += timedelta(seconds=period)

    def _between(self, start: datetime, end: datetime) -> float:
        total, at = 0.0, start
        while at < end:
            hour = at.replace(minute=0, second=0, microsecond=0)
            until = min(end, hour + timedelta(hours=1))
            total += self.hourly(hour) * (until - at).total_seconds() / 3600
            at = until
        return total


class Metrics:
    """Seeded series, and the three calls that read them."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._series: dict[tuple[str, str], dict[tuple[str, tuple[tuple[str, str], ...]], Series]] = {}

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
    ) -> None:
        """Give a function traffic, through an alias or version where `qualifier` says so.

        Lambda reports it under FunctionName, under FunctionName and Resource (`fn` or `fn:live`), and for an alias also
        with the ExecutedVersion.
        """
        resource = f"{function}:{qualifier}" if qualifier else function
        sets = [(("FunctionName", function),), (("FunctionName", function), ("Resource", resource))]
        known = self._series.setdefault((account, region), {})
        if version:
            sets.append((*sets[1], ("ExecutedVersion", version)))
        for dimensions in sets:
            before = known.get(("Invocations", dimensions))
            rate = _sum_of(before.hourly, hourly) if before else hourly
            known["Invocations", dimensions] = Series("Invocations", dimensions, rate)

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
        if len(queries) > _PAGE:
            raise AwsError("ValidationError", "The collection MetricDataQueries must not have a size greater than 500.")
        start, end = aware(asked["StartTime"]), aware(asked["EndTime"])
        results = []
        for query in queries:
            if _namespace(query) != _NAMESPACE:
                raise AwsError(
                    "ValidationError", "The stand-in computes sums of AWS/Lambda metrics, nothing beside them"
                )
            stat = query["MetricStat"]
            points = list(self._points(request, stat["Metric"], start, end, int(stat["Period"])))
            if asked.get("ScanBy") != "TimestampAscending":
                points.reverse()
            results.append(
                {
                    "Id": query["Id"],
                    "Label": query.get("Label") or stat["Metric"]["MetricName"],
                    "Timestamps": [at for at, _ in points],
                    "Values": [value for _, value in points],
                    "StatusCode": "Complete",
                }
            )
        if sum(len(result["Values"]) for result in results) > _POINTS:
            raise AwsError(
                "ValidationError", f"The stand-in gives at most {_POINTS} points a call and has no pages of them"
            )
        return {"MetricDataResults": results, "Messages": []}

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
        dimensions = tuple(sorted((item["Name"], item["Value"]) for item in metric.get("Dimensions") or []))
        for series in self._of(request):
            if series.metric == metric["MetricName"] and tuple(sorted(series.dimensions)) == dimensions:
                yield from series.points(start, min(end, self._knobs.clock()), period)

    def _of(self, request: Request) -> list[Series]:
        return list(self._series.get((request.account, request.region), {}).values())


def _namespace(query: Mapping[str, Any]) -> str | None:
    found: str | None = query.get("MetricStat", {}).get("Metric", {}).get("Namespace")
    return found


def _described(series: Series) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in series.dimensions]
    return {"Namespace": _NAMESPACE, "MetricName": series.metric, "Dimensions": dimensions}


def _has(series: Series, name: str, value: str | None) -> bool:
    return any(key == name and value in (None, given) for key, given in series.dimensions)


def _sum_of(first: HourlyRate, second: HourlyRate) -> HourlyRate:
    return lambda hour: first(hour) + second(hour)

"""The seeded traffic by itself, and that what is written of it quickly is what moto would write."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model

from bot.demo.aws.invocations import Between, ByHour, ByMinute, SumOf, by_chance, evenly, in_bursts
from bot.demo.aws.protocol import Request, success

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
COUNTS = ByMinute(MIDNIGHT + timedelta(minutes=100), [minute % 7 for minute in range(1000)])
TRAFFIC = {
    "by chance, seldom": ByHour(lambda hour: hour.hour * 9, by_chance("seed")),
    "by chance, often": ByHour(lambda hour: hour.hour * 9000 + 5, by_chance("seed")),
    "in bursts": ByHour(lambda hour: hour.hour + 7, in_bursts),
    "evenly": ByHour(lambda hour: hour.hour + 7, evenly),
    "by minute": COUNTS,
    "two ways": SumOf(COUNTS, ByHour(lambda _: 50, evenly)),
}


@pytest.mark.parametrize("between", TRAFFIC.values(), ids=TRAFFIC)
@pytest.mark.parametrize("period", [60, 300, 420, 1800, 3600, 5400, 7200, 86_400])
def test_a_period_is_the_sum_of_its_minutes(between: Between, period: int) -> None:
    start, end, minute = MIDNIGHT + timedelta(seconds=period), MIDNIGHT + timedelta(days=2), timedelta(minutes=1)

    found = list(between.by_period(start, end, period))

    assert [at for at, _ in found] == [start + n * timedelta(seconds=period) for n in range(len(found))]
    assert found[-1][0] < end <= found[-1][0] + timedelta(seconds=period)
    for at, number in found[:50]:
        minutes = (at + n * minute for n in range(period // 60))
        assert number == between(at, at + timedelta(seconds=period)) == sum(between(at, at + minute) for at in minutes)


@pytest.mark.parametrize("second", [MIDNIGHT, MIDNIGHT.replace(microsecond=345_678), MIDNIGHT.replace(tzinfo=None)])
@pytest.mark.parametrize("first", [MIDNIGHT, MIDNIGHT.astimezone(timezone(timedelta(hours=2)))])
def test_lists_of_times_and_numbers_are_written_as_moto_writes_them(first: datetime, second: datetime) -> None:
    result = {"Id": "m0", "Timestamps": [first, second], "Values": [1.0, 2.5], "StatusCode": "Complete"}
    answer = {"MetricDataResults": [result, {"Id": "m1", "Timestamps": [], "Values": [1]}], "Messages": []}
    operation = get_service_model("cloudwatch").operation_model("GetMetricData")

    written = success(Request("cloudwatch", "GetMetricData", "", "", "json", {}), answer)

    assert written.body.decode() == get_serializer_class("cloudwatch", "json")(operation).serialize(answer)["body"]

"""CloudWatch over HTTP: the invocations that were seeded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, refusal

ONCE = Config(retries={"total_max_attempts": 1}, max_pool_connections=16)
KEYS = {"aws_access_key_id": "AKIAPRETEND", "aws_secret_access_key": "pretend"}


@pytest.fixture
def cloudwatch(aws: AwsStandIn, client: Any) -> Any:
    """refund is called 3,600 times an hour by itself, checkout 60 times through its alias."""
    aws.metrics.invoked(ACCOUNT, REGION, "refund", lambda _: 3600)
    aws.metrics.invoked(ACCOUNT, REGION, "checkout", lambda _: 60, qualifier="live", version="3")
    return client("cloudwatch")


def query(name: str, period: int = 3600) -> dict[str, Any]:
    metric = {
        "Namespace": "AWS/Lambda",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": "FunctionName", "Value": name}],
    }
    return {"Id": f"q{name}", "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def test_series_name_the_function_the_alias_and_the_version(cloudwatch: Any) -> None:
    listed = cloudwatch.list_metrics(Namespace="AWS/Lambda", MetricName="Invocations")["Metrics"]

    series = [{item["Name"]: item["Value"] for item in metric["Dimensions"]} for metric in listed]
    assert len(series) == 5
    for expected in (
        {"FunctionName": "refund", "Resource": "refund"},
        {"FunctionName": "checkout"},
        {"FunctionName": "checkout", "Resource": "checkout:live"},
        {"FunctionName": "checkout", "Resource": "checkout:live", "ExecutedVersion": "3"},
    ):
        assert expected in series


def test_series_are_found_by_their_dimensions(cloudwatch: Any) -> None:
    def count(**dimension: str) -> int:
        return len(cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=[dimension])["Metrics"])

    assert count(Name="Resource") == 3
    assert count(Name="Resource", Value="checkout:live") == 2
    assert count(Name="FunctionName", Value="nobody") == 0


def test_other_namespaces_are_motos(cloudwatch: Any, clock: Any) -> None:
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Orders", "Value": 3}])

    assert [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace="Shop")["Metrics"]] == ["Orders"]


def test_sums_follow_the_period(cloudwatch: Any, clock: Any) -> None:
    window = {"StartTime": clock.now - timedelta(hours=3), "EndTime": clock.now}
    hours = cloudwatch.get_metric_data(MetricDataQueries=[query("refund"), query("checkout")], **window)
    minutes = cloudwatch.get_metric_data(MetricDataQueries=[query("refund", 60)], **window)

    assert [result["Values"] for result in hours["MetricDataResults"]] == [[3600.0] * 3, [60.0] * 3]
    assert minutes["MetricDataResults"][0]["Values"] == [60.0] * 180
    newest = hours["MetricDataResults"][0]["Timestamps"][0]
    assert newest.astimezone(UTC) == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_function_that_nobody_calls_has_no_points(cloudwatch: Any, clock: Any) -> None:
    window = {"StartTime": clock.now - timedelta(days=14), "EndTime": clock.now}

    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query("nobody")], **window)["MetricDataResults"]

    assert result["Values"] == []


def day(clock: Any, days: float = 1) -> dict[str, Any]:
    """The last days until this hour."""
    return {"StartTime": clock.now - timedelta(days=days), "EndTime": clock.now}


def test_at_most_five_hundred_queries_are_answered(cloudwatch: Any, clock: Any) -> None:
    queries = [{**query("refund"), "Id": f"m{number}"} for number in range(501)]

    code, _, message = refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **day(clock))
    assert (code, "must not have a size greater than 500" in message) == ("ValidationError", True)
    assert cloudwatch.get_metric_data(MetricDataQueries=queries[:500], **day(clock))["MetricDataResults"]


@pytest.mark.parametrize("identity", ["M1", "1m", "_m", "m-1", "m 1"])
def test_an_id_begins_with_a_small_letter_and_has_no_signs(cloudwatch: Any, clock: Any, identity: str) -> None:
    queries = [{**query("refund"), "Id": identity}]

    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **day(clock))[0] == "ValidationError"


def test_no_id_comes_twice(cloudwatch: Any, clock: Any) -> None:
    queries = [query("refund"), query("refund")]

    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **day(clock))[0] == "ValidationError"


@pytest.mark.parametrize(
    "more",
    [{"MaxDatapoints": 100_801}, {"EndTime": datetime(2026, 1, 1, tzinfo=UTC)}],
    ids=["too many points", "an end before the start"],
)
def test_what_cannot_be_is_refused(cloudwatch: Any, clock: Any, more: dict[str, Any]) -> None:
    asked = {"MetricDataQueries": [query("refund")], **day(clock), **more}

    assert refusal(cloudwatch.get_metric_data, **asked)[0] == "ValidationError"


@pytest.mark.parametrize("period", [45, 90, 3601])
def test_a_period_is_of_whole_minutes(cloudwatch: Any, clock: Any, period: int) -> None:
    queries = [query("refund", period)]

    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **day(clock))[0] == "ValidationError"


@pytest.mark.parametrize("scan", ["TimestampAscending", "TimestampDescending"])
def test_points_come_in_pages_in_the_order_of_time_over_all_queries(cloudwatch: Any, clock: Any, scan: str) -> None:
    asked = {"MetricDataQueries": [query("refund"), query("checkout")], **day(clock), "ScanBy": scan}
    whole = cloudwatch.get_metric_data(**asked)
    assert "NextToken" not in whole

    pages = [cloudwatch.get_metric_data(**asked, MaxDatapoints=20)]
    while token := pages[-1].get("NextToken"):
        pages.append(cloudwatch.get_metric_data(**asked, MaxDatapoints=20, NextToken=token))

    assert [sum(len(one["Values"]) for one in page["MetricDataResults"]) for page in pages] == [20, 20, 8]
    statuses = [{one["StatusCode"] for one in page["MetricDataResults"]} for page in pages]
    assert statuses == [{"PartialData"}, {"PartialData"}, {"Complete"}]
    for place, result in enumerate(whole["MetricDataResults"]):
        parts = [page["MetricDataResults"][place] for page in pages]
        assert [time for part in parts for time in part["Timestamps"]] == result["Timestamps"]


def test_a_token_serves_once_and_for_its_own_call(cloudwatch: Any, clock: Any) -> None:
    asked = {"MetricDataQueries": [query("refund")], **day(clock), "MaxDatapoints": 20}
    token = cloudwatch.get_metric_data(**asked)["NextToken"]
    other = asked | {"MetricDataQueries": [query("checkout")]}

    assert refusal(cloudwatch.get_metric_data, **other, NextToken=token)[0] == "InvalidParameterValue"
    assert refusal(cloudwatch.get_metric_data, **asked, NextToken="made-up")[0] == "InvalidParameterValue"


def test_a_hundred_thousand_eight_hundred_points_fill_a_page(cloudwatch: Any, clock: Any) -> None:
    queries = [{**query("refund"), "Id": f"m{number}"} for number in range(301)]

    first = cloudwatch.get_metric_data(MetricDataQueries=queries, **day(clock, 14))

    assert sum(len(one["Values"]) for one in first["MetricDataResults"]) == 100_800
    assert first["NextToken"]


@pytest.mark.parametrize(("period", "kept"), [(60, 15), (300, 63), (3600, 455)])
def test_points_are_kept_for_as_long_as_their_period_says(cloudwatch: Any, clock: Any, period: int, kept: int) -> None:
    window = {"StartTime": clock.now - timedelta(days=kept, hours=6), "EndTime": clock.now - timedelta(days=kept - 1)}

    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query("refund", period)], **window)["MetricDataResults"]

    assert min(result["Timestamps"]).astimezone(UTC) == clock.now - timedelta(days=kept)


def test_periods_of_seconds_have_no_points_for_lambda_counts_by_the_minute(cloudwatch: Any, clock: Any) -> None:
    (result,) = cloudwatch.get_metric_data(MetricDataQueries=[query("refund", 10)], **day(clock))["MetricDataResults"]

    assert result["Values"] == []


def test_traffic_of_single_minutes_adds_up_in_all_periods(aws: AwsStandIn, client: Any, clock: Any) -> None:
    counts = [minute % 7 for minute in range(1440)]
    aws.metrics.invoked_by_minute(ACCOUNT, REGION, "refund", clock.now - timedelta(days=1), counts)
    cloudwatch = client("cloudwatch")

    def values(period: int) -> list[float]:
        asked = {"MetricDataQueries": [query("refund", period)], **day(clock), "ScanBy": "TimestampAscending"}
        found: list[float] = cloudwatch.get_metric_data(**asked)["MetricDataResults"][0]["Values"]
        return found

    assert values(60) == [float(number) for number in counts if number]
    assert values(3600) == [float(sum(counts[start : start + 60])) for start in range(0, 1440, 60)]


@pytest.mark.parametrize("how", [{"seed": "s"}, {"bursts": True}, {}], ids=["by chance", "bursts", "evenly"])
@pytest.mark.parametrize("rate", [7.0, 100_000.0])
def test_an_hour_has_the_same_sum_however_it_is_split(
    aws: AwsStandIn, client: Any, clock: Any, how: dict[str, Any], rate: float
) -> None:
    aws.metrics.invoked(ACCOUNT, REGION, "refund", lambda _: rate, **how)
    asked = [query("refund", 60) | {"Id": "minutes"}, query("refund") | {"Id": "hours"}]

    minutes, hours = client("cloudwatch").get_metric_data(MetricDataQueries=asked, **day(clock))["MetricDataResults"]

    assert sum(minutes["Values"]) == sum(hours["Values"]) == 24 * rate
    assert (max(minutes["Values"]) > 2 * rate / 60) == (how == {"bursts": True} or rate == 7)


def test_fifty_calls_a_second_are_let_through(clock: Any) -> None:
    aws = AwsStandIn(clock=clock)
    aws.start()
    try:
        client = boto3.client("cloudwatch", REGION, endpoint_url=aws.url, config=ONCE, **KEYS)
        aws.metrics.invoked(ACCOUNT, REGION, "refund", lambda _: 60)
        asked = {"MetricDataQueries": [query("refund")], **day(clock)}
        with ThreadPoolExecutor(16) as pool:
            said = list(pool.map(lambda _: outcome(client.get_metric_data, **asked), range(400)))
    finally:
        aws.stop()
    assert set(said) <= {"", "Throttling"}
    assert said.count("") >= 50


def outcome(call: Any, **asked: Any) -> str:
    try:
        call(**asked)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_statistics_give_the_same_sums(cloudwatch: Any, clock: Any) -> None:
    dimension = [{"Name": "FunctionName", "Value": "refund"}]
    answer = cloudwatch.get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=dimension,
        StartTime=clock.now - timedelta(days=2),
        EndTime=clock.now,
        Period=86_400,
        Statistics=["Sum"],
    )

    assert max(point["Sum"] for point in answer["Datapoints"]) == 86_400

"""CloudWatch over HTTP: the invocations that were seeded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, refusal


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


def test_at_most_five_hundred_queries_are_answered(cloudwatch: Any, clock: Any) -> None:
    queries = [{**query("refund"), "Id": f"m{number}"} for number in range(501)]
    window = {"StartTime": clock.now - timedelta(hours=1), "EndTime": clock.now}

    assert refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **window)[0] == "ValidationError"


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

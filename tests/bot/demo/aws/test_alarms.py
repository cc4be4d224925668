"""The history of alarms over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, connect, refusal


def states(items: list[dict[str, Any]]) -> list[str]:
    return [json.loads(item["HistoryData"])["newState"]["stateValue"] for item in items]


def test_an_incident_is_told_newest_first_or_oldest_first(aws: AwsStandIn, client: Any, clock: Any) -> None:
    cloudwatch = client("cloudwatch")
    aws.alarms.watch(ACCOUNT, REGION, "refund-errors", "refund")
    started = clock.now - timedelta(days=2)
    aws.alarms.incident(ACCOUNT, REGION, "refund-errors", started, started + timedelta(minutes=40))

    newest = cloudwatch.describe_alarm_history(AlarmName="refund-errors", HistoryItemType="StateUpdate")
    oldest = cloudwatch.describe_alarm_history(ScanBy="TimestampAscending")

    assert states(newest["AlarmHistoryItems"]) == ["OK", "ALARM"]
    assert states(oldest["AlarmHistoryItems"]) == ["ALARM", "OK"]
    assert oldest["AlarmHistoryItems"][0]["Timestamp"] == started
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["StateValue"]) == ("refund-errors", "OK")
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": "refund"}]


def test_history_is_kept_for_thirty_days(aws: AwsStandIn, client: Any, clock: Any) -> None:
    aws.alarms.watch(ACCOUNT, REGION, "refund-errors", "refund")
    aws.alarms.incident(ACCOUNT, REGION, "refund-errors", clock.now - timedelta(days=31), None)

    answer = client("cloudwatch").describe_alarm_history(StartDate=clock.now - timedelta(days=60))

    assert answer["AlarmHistoryItems"] == []


def test_history_comes_in_pages(aws: AwsStandIn, client: Any, clock: Any) -> None:
    for hours in range(1, 126):
        started = clock.now - timedelta(hours=hours)
        aws.alarms.incident(ACCOUNT, REGION, "refund-errors", started, started + timedelta(minutes=5))

    pages = list(client("cloudwatch").get_paginator("describe_alarm_history").paginate())

    assert [len(page["AlarmHistoryItems"]) for page in pages] == [100, 100, 50]


def test_a_change_of_state_over_http_is_remembered(aws: AwsStandIn, client: Any) -> None:
    cloudwatch = client("cloudwatch")
    aws.alarms.watch(ACCOUNT, REGION, "refund-errors", "refund")
    cloudwatch.set_alarm_state(AlarmName="refund-errors", StateValue="ALARM", StateReason="too many")
    cloudwatch.set_alarm_state(AlarmName="refund-errors", StateValue="ALARM", StateReason="still")

    items = cloudwatch.describe_alarm_history()["AlarmHistoryItems"]

    assert [item["HistorySummary"] for item in items] == ["Alarm updated from OK to ALARM"]


def test_alarms_come_in_pages_of_at_most_a_hundred(aws: AwsStandIn, client: Any) -> None:
    cloudwatch = client("cloudwatch")
    for number in range(120):
        aws.alarms.watch(ACCOUNT, REGION, f"errors-{number:03}", "refund")

    usual = cloudwatch.describe_alarms()
    most = cloudwatch.describe_alarms(MaxRecords=100)
    rest = cloudwatch.describe_alarms(MaxRecords=100, NextToken=most["NextToken"])

    assert [len(page["MetricAlarms"]) for page in (usual, most, rest)] == [50, 100, 20]
    assert "NextToken" not in rest
    for call in (cloudwatch.describe_alarms, cloudwatch.describe_alarm_history):
        assert refusal(call, MaxRecords=101)[0] == "ValidationError"


def test_an_alarm_on_metric_math_names_its_metrics_and_no_dimensions(client: Any) -> None:
    cloudwatch = client("cloudwatch")
    dimensions = [{"Name": "FunctionName", "Value": "refund"}]
    errors = {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": dimensions}}
    cloudwatch.put_metric_alarm(
        AlarmName="rate",
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=1,
        Metrics=[
            {"Id": "m1", "MetricStat": {**errors, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
            {"Id": "e1", "Expression": "m1 * 100", "ReturnData": True},
        ],
    )

    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]

    assert "Dimensions" not in alarm
    assert alarm["Metrics"][0]["MetricStat"]["Metric"]["Dimensions"] == dimensions
    assert alarm["Metrics"][1]["Expression"] == "m1 * 100"


def test_composite_alarms_are_told_only_to_who_asks_for_them(aws: AwsStandIn, client: Any, clock: Any) -> None:
    started = clock.now - timedelta(days=1)
    aws.alarms.incident(ACCOUNT, REGION, "all-of-it", started, None, "CompositeAlarm")
    cloudwatch = client("cloudwatch")

    usual = cloudwatch.describe_alarm_history()["AlarmHistoryItems"]
    asked = cloudwatch.describe_alarm_history(AlarmTypes=["CompositeAlarm"])["AlarmHistoryItems"]

    assert (usual, [item["AlarmName"] for item in asked]) == ([], ["all-of-it"])


def test_the_history_survives_its_alarm(aws: AwsStandIn, client: Any, clock: Any) -> None:
    cloudwatch = client("cloudwatch")
    aws.alarms.watch(ACCOUNT, REGION, "refund-errors", "refund")
    aws.alarms.incident(ACCOUNT, REGION, "refund-errors", clock.now - timedelta(days=2), clock.now)
    cloudwatch.delete_alarms(AlarmNames=["refund-errors"])

    assert cloudwatch.describe_alarms()["MetricAlarms"] == []
    assert states(cloudwatch.describe_alarm_history()["AlarmHistoryItems"]) == ["OK", "ALARM"]


def test_the_history_is_told_three_times_a_second() -> None:
    with AwsStandIn() as aws:
        cloudwatch = connect(aws, "cloudwatch")
        for _ in range(3):
            cloudwatch.describe_alarm_history()

        assert refusal(cloudwatch.describe_alarm_history)[0] == "Throttling"

"""The history of alarms over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION


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

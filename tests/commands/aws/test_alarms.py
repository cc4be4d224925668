"""What alarms and their history say of functions, whatever they are made of."""

import json
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.accounts import Cloud
from commands.aws.alarms import read_alarms, transition
from storage.incidents import Transition
from tests.commands.conftest import BERLIN, HOME, SETTINGS, World

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
USUAL = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}

anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["newState", "stateValue", "OK"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["newState", "stateValue"]), inner),
    max_leaves=6,
)


def metric(name: str = "Errors", namespace: str = "AWS/Lambda", **dimensions: str) -> dict[str, Any]:
    named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": named}


def watched(world: World, **alarm: Any) -> list[tuple[str, ...]]:
    """The functions of the one alarm, if it is on functions."""
    boto3.client("cloudwatch", BERLIN).put_metric_alarm(AlarmName="alarm", **USUAL, **alarm)
    return [
        tuple(one.split(":")[-1] for one in found.functions) for found in read_alarms(Cloud(SETTINGS), HOME, BERLIN)
    ]


def query(name: str, **of: Any) -> dict[str, Any]:
    return {"Id": name, "MetricStat": {"Metric": metric(**of), "Period": 60, "Stat": "Sum"}, "ReturnData": False}


@pytest.mark.parametrize(
    ("alarm", "functions"),
    [
        ({**metric(FunctionName="refund"), "Period": 60, "Statistic": "Sum"}, [("refund",)]),
        ({**metric(Resource="refund:live"), "Period": 60, "Statistic": "Sum"}, [("refund",)]),
        ({**metric("Slow", "Shop/Checkout", FunctionName="refund"), "Period": 60, "Statistic": "Sum"}, [("refund",)]),
        ({**metric("Size", "AWS/SQS", QueueName="refunds"), "Period": 60, "Statistic": "Sum"}, []),
        ({**metric(), "Period": 60, "Statistic": "Sum"}, []),
        (
            {
                "Metrics": [
                    query("a", FunctionName="refund"),
                    query("b", FunctionName="refund", Resource="refund:live"),
                    query("c", FunctionName="charge"),
                    {"Id": "d", "Expression": "a + b + c"},
                ]
            },
            [("charge", "refund")],
        ),
        ({"Metrics": [{"Id": "q", "Expression": 'SELECT SUM(Errors) FROM "AWS/Lambda"', "Period": 60}]}, []),
    ],
    ids=["function", "alias", "own metric", "queue", "all functions", "metric math", "query"],
)
def test_an_alarm_watches_the_functions_that_its_metrics_name(world: World, alarm, functions) -> None:
    assert watched(world, **alarm) == functions


def test_what_is_not_a_change_of_state_is_none() -> None:
    told = {"AlarmName": "a", "Timestamp": AT, "HistoryData": json.dumps({"newState": {"stateValue": "OK"}})}

    assert transition(told) == Transition("a", AT, "OK")
    assert transition({**told, "Timestamp": AT.replace(tzinfo=None)}) == Transition("a", AT, "OK")
    assert transition({**told, "AlarmName": ""}) is None
    assert transition({**told, "Timestamp": None}) is None
    assert transition({**told, "HistoryData": json.dumps({"newState": {"stateValue": "MAYBE"}})}) is None


def test_where_the_data_cannot_be_read_the_summary_tells() -> None:
    told = {"AlarmName": "a", "Timestamp": AT, "HistoryData": "{", "HistorySummary": "Alarm updated from OK to ALARM"}

    assert transition(told) == Transition("a", AT, "ALARM")


@given(st.text() | anything.map(json.dumps), st.text(max_size=40))
def test_nothing_that_the_history_holds_breaks_it(data: str, summary: str) -> None:
    found = transition({"AlarmName": "a", "Timestamp": AT, "HistoryData": data, "HistorySummary": summary})

    assert found is None or found.state in ("OK", "ALARM", "INSUFFICIENT_DATA")

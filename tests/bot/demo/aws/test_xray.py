"""The stand-in's X-Ray keeps AWS's rules: graphs with edges, pages of any size, six hours and five traces at most."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.service_graphs import Called
from bot.demo.aws.traces import NEW
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, refusal

FILTER = 'service(id(name: "refund", type: "AWS::Lambda::Function"))'


@pytest.fixture
def xray(aws: AwsStandIn, client: Callable[[str], Any], clock: Any) -> Any:
    """With a traced function of 600 calls an hour."""
    role = aws.create_role(ACCOUNT, "tracer", {"Version": "2012-10-17", "Statement": []})
    spec = {"FunctionName": "refund", "Role": role, "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b""}}
    arn = aws.seed_function(ACCOUNT, REGION, spec, clock.now - timedelta(days=3))
    aws.seed_tracing_mode(arn, "Active", clock.now - timedelta(days=3))
    aws.metrics.invoked(ACCOUNT, REGION, "refund", lambda _hour: 600)
    aws.xray.graphs.calls(ACCOUNT, REGION, "refund", Called("payments", "AWS::DynamoDB::Table", each=2, faults=0.5))
    return client("xray")


def window(clock: Any, hours: float = 6) -> dict[str, Any]:
    return {"StartTime": clock.now - timedelta(hours=hours), "EndTime": clock.now}


def summaries(xray: Any, clock: Any, **more: Any) -> list[str]:
    pages = xray.get_paginator("get_trace_summaries").paginate(**window(clock), FilterExpression=FILTER, **more)
    return [one["Id"] for page in pages for one in page["TraceSummaries"]]


def test_a_function_is_two_nodes_with_a_client_before_and_its_calls_behind(xray: Any, clock: Any) -> None:
    nodes = xray.get_service_graph(**window(clock, 1))["Services"]

    by_type = {one["Type"]: one for one in nodes}
    assert set(by_type) == {"client", "AWS::Lambda", "AWS::Lambda::Function", "AWS::DynamoDB::Table"}
    numbers = {kind: one["ReferenceId"] for kind, one in by_type.items()}
    (edge,) = by_type["AWS::Lambda::Function"]["Edges"]
    assert edge["ReferenceId"] == numbers["AWS::DynamoDB::Table"]
    assert edge["SummaryStatistics"]["TotalCount"] == 1200
    assert edge["SummaryStatistics"]["FaultStatistics"]["TotalCount"] == 600
    assert by_type["client"]["Edges"][0]["ReferenceId"] == numbers["AWS::Lambda"]
    assert by_type["AWS::Lambda"]["Edges"][0]["ReferenceId"] == numbers["AWS::Lambda::Function"]


def test_a_large_graph_comes_in_pages(aws: AwsStandIn, xray: Any, clock: Any) -> None:
    nodes = [{"ReferenceId": number, "Name": "same", "Type": "remote", "Edges": []} for number in range(120)]
    aws.xray.graphs.observed(ACCOUNT, REGION, nodes)

    pages = list(xray.get_paginator("get_service_graph").paginate(**window(clock)))

    assert [len(page["Services"]) for page in pages] == [50, 50, 20]
    assert {one["ReferenceId"] for page in pages for one in page["Services"]} == set(range(120))


def test_traces_are_found_by_function_newest_first_and_page_by_page(xray: Any, clock: Any) -> None:
    found = summaries(xray, clock)

    assert len(found) == 120
    assert found == sorted(found, key=lambda one: one.split("-")[1], reverse=True)
    assert (
        refusal(xray.get_trace_summaries, **window(clock, 7), FilterExpression=FILTER)[0] == "InvalidRequestException"
    )
    assert refusal(xray.get_trace_summaries, **window(clock), FilterExpression="fault")[0] == "InvalidRequestException"
    assert (
        xray.get_trace_summaries(**window(clock), FilterExpression=FILTER.replace("refund", "x"))["TraceSummaries"]
        == []
    )


def test_five_traces_at_once_in_pages_and_unknown_ids_apart(xray: Any, clock: Any) -> None:
    ids = summaries(xray, clock)
    unknown = "1-00000000-000000000000000000000000"

    pages = list(xray.get_paginator("batch_get_traces").paginate(TraceIds=[*ids[:4], unknown]))

    assert [one["Id"] for page in pages for one in page["Traces"]] == sorted(ids[:4])
    assert pages[0]["UnprocessedTraceIds"] == [unknown]
    assert len(pages) == 2
    assert refusal(xray.batch_get_traces, TraceIds=ids[:6])[0] == "InvalidRequestException"


def test_documents_are_written_in_the_form_that_is_set(aws: AwsStandIn, xray: Any, clock: Any) -> None:
    (first,) = summaries(xray, clock)[:1]

    def subsegments() -> list[str]:
        segments = xray.batch_get_traces(TraceIds=[first])["Traces"][0]["Segments"]
        documents = [json.loads(one["Document"]) for one in segments]
        (own,) = [one for one in documents if one.get("origin") == "AWS::Lambda::Function"]
        return [one["name"] for one in own["subsegments"]]

    assert subsegments() == ["Initialization", "Invocation", "Overhead"]
    aws.xray.traces.written(ACCOUNT, REGION, NEW)
    assert subsegments() == ["Init", "DynamoDB"]


def test_transaction_search_keeps_traces_elsewhere(aws: AwsStandIn, xray: Any, clock: Any) -> None:
    ids = summaries(xray, clock)
    aws.xray.transaction_search(ACCOUNT, REGION)

    assert xray.batch_get_traces(TraceIds=ids[:1])["Traces"] == []

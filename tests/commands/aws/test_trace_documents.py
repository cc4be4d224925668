"""What the documents of a trace show of a function, in each form that they are handed out in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.trace_documents import Shown, shown

FUNCTION, LAMBDA = "AWS::Lambda::Function", "AWS::Lambda"


def service(**more: Any) -> dict[str, Any]:
    return {"id": "s1", "name": "refund", "origin": LAMBDA, "subsegments": [{"id": "s2", "name": "Dwell Time"}]} | more


def function(*subsegments: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As Lambda sends it; its metrics are annotations, and are no work of the function's."""
    told = {"id": "f1", "parent_id": "s1", "name": "refund", "origin": FUNCTION}
    return told | {"annotations": {"aws.responseLatency": 2.1}, "subsegments": list(subsegments)} | more


def part(name: str, *inside: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": f"p-{name}", "name": name, "subsegments": list(inside)} | more


def read(*documents: Any) -> Shown | None:
    return shown([json.dumps(one) for one in documents], "refund")


CALL = part("DynamoDB", namespace="aws")


@pytest.mark.parametrize(
    "documents",
    [
        [service(), function(part("Initialization"), part("Invocation"), part("Overhead"))],
        [service(), function(part("Init"))],
        [service(), function(part("Restore"), part("Invocation"))],
        [function()],
    ],
)
def test_lambdas_own_segments_show_no_work_of_the_function(documents: list[Any]) -> None:
    assert read(*documents) == Shown()


@pytest.mark.parametrize(
    "documents",
    [
        [service(), function(part("Initialization"), part("Invocation", CALL), part("Overhead"))],
        [service(), function(part("Init"), CALL)],
        [function(part("Invocation", part("## handler", CALL)))],
        [CALL | {"type": "subsegment", "parent_id": "f1"}, function()],
        [{"id": "i", "parent_id": "f1", "name": "DynamoDB", "inferred": True}, function()],
        [
            {"id": "b", "type": "subsegment", "parent_id": "a", "name": "DynamoDB", "namespace": "aws"},
            {"id": "a", "type": "subsegment", "parent_id": "f1", "name": "Invocation"},
            function(),
        ],
    ],
    ids=["under Invocation", "directly", "under its own", "by itself", "inferred", "in any order"],
)
def test_a_call_is_found_wherever_it_stands(documents: list[Any]) -> None:
    found = read(*documents)

    assert found
    assert found.calls == ("DynamoDB",)


def test_a_subsegment_of_its_own_is_instrumentation_without_a_call() -> None:
    assert read(function(part("Invocation", part("## handler")))) == Shown(own=("## handler",))


def test_what_other_functions_of_the_trace_do_is_not_its_work() -> None:
    other = function(
        part("Invocation", part("S3", namespace="aws", id="o9"), id="o8"), id="o1", name="ledger", parent_id="f1"
    )
    inferred = {"id": "o2", "parent_id": "o9", "name": "bucket", "inferred": True}

    assert read(service(), function(part("Invocation")), other, inferred) == Shown()


def span(name: str, kind: Any, parent: str = "", **more: Any) -> dict[str, Any]:
    return {"traceId": "t", "spanId": name, "parentSpanId": parent, "name": name, "kind": kind, **more}


RESOURCE = {"attributes": {"faas.name": "refund", "cloud.platform": "aws_lambda"}}
TYPED = {"attributes": [{"key": "service.name", "value": {"stringValue": "refund"}}]}


@pytest.mark.parametrize(("resource", "server", "client"), [(RESOURCE, "SERVER", "CLIENT"), (TYPED, 2, 3)])
def test_spans_of_opentelemetry_are_read_too(resource: Any, server: Any, client: Any) -> None:
    own = span("refund", server, resource=resource)
    attributes = {"rpc.service": "DynamoDB"}
    call = span("DynamoDB.GetItem", client, "work", resource=resource, attributes=attributes)
    inner = span("work", "INTERNAL", "refund", resource=resource)

    assert read(own) == Shown()
    assert read(call, inner, own) == Shown(("DynamoDB",), ("work",))


def test_spans_of_another_service_are_not_its_work() -> None:
    other = span("ledger", "SERVER", "refund", resource={"attributes": {"faas.name": "ledger"}})
    theirs = span("S3", "CLIENT", "ledger", resource={"attributes": {"faas.name": "ledger"}})

    assert read(span("refund", "SERVER", resource=RESOURCE), other, theirs) == Shown()


@pytest.mark.parametrize(
    "documents", [[], ["not json"], ["null"], ["[1, 2]"], [json.dumps(service())], ["[" * 100_000]]
)
def test_where_the_function_has_no_segment_nothing_is_said(documents: list[str]) -> None:
    assert shown(documents, "refund") is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["id", "parent_id", "name", "origin", "subsegments", "type", "namespace", "inferred"])
            | st.sampled_from(["spanId", "parentSpanId", "kind", "resource", "attributes", "key", "value"]),
            inner | st.sampled_from([FUNCTION, "refund", "subsegment", "aws", "CLIENT", "f1"]),
            max_size=8,
        )
    ),
    max_leaves=20,
)


@given(st.lists(anything, max_size=6))
def test_any_document_is_read_or_left_out(documents: list[Any]) -> None:
    read(*documents)

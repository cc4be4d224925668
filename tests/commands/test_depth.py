"""How far a function's traces go: on its card, from X-Ray's graph and a few traces, each where it may be asked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.demo.aws.service_graphs import Called
from bot.demo.aws.traces import CLASSIC, NEW, OTEL
from commands._depth import depth_now
from commands._types import Say
from commands.audit import audit
from storage.depth import Depth, Reach
from storage.maps import LAMBDA
from tests.commands.conftest import ANA, BERLIN, HOME, HandClock, World
from tests.commands.views.test_views import words

TABLE = "AWS::DynamoDB::Table"
XRAY = ("GetServiceGraph", "GetTraceSummaries", "BatchGetTraces", "GetTraceSegmentDestination")


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS goes by the same clock."""
    return {"clock": clock, "iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def refund(world: World) -> str:
    """A traced function with traffic, of whose instrumentation nothing shows."""
    arn = world.function("refund", mode="Active")
    world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _hour: 600)
    world.audit()
    return arn


def depth(world: World, arn: str) -> Depth:
    found = depth_now(world.context, world.known(arn))
    assert found
    return found


def calls(world: World, *called: Called) -> None:
    world.aws.xray.graphs.calls(HOME, BERLIN, "refund", *called)


def asked(world: World) -> list[str]:
    return [call.action for call in world.aws.calls if call.action in XRAY]


def card(world: World) -> str:
    (answer,) = [one for one in audit(world.asks(ANA, text="refund"), world.context) if isinstance(one, Say)]
    return words(list(answer.blocks)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_graph_alone_says_what_it_calls(world: World, refund: str) -> None:
    calls(world, Called("payments", TABLE), Called("api.psp.example.com", "remote"))

    found = depth(world, refund)

    assert found.reach is Reach.CALLS
    assert found.seen == "X-Ray's graph of the last 6 hours has its calls: `api.psp.example.com`, `payments`"
    assert asked(world) == ["GetServiceGraph"]


@pytest.mark.parametrize("form", [CLASSIC, NEW, OTEL])
def test_where_the_graph_leaves_it_open_five_traces_say(world: World, refund: str, form: str) -> None:
    world.aws.xray.traces.written(HOME, BERLIN, form)

    found = depth(world, refund)

    assert found.reach is Reach.SURFACE
    assert found.seen == "all 5 traces that were read have only Lambda's own segments"
    assert asked(world) == ["GetServiceGraph", *["GetTraceSummaries"] * 2, *["BatchGetTraces"] * 3]


@pytest.mark.parametrize("form", [CLASSIC, NEW, OTEL])
def test_traces_show_calls_where_the_graph_may_not_be_read(world: World, refund: str, form: str) -> None:
    calls(world, Called("payments", TABLE))
    world.aws.xray.traces.written(HOME, BERLIN, form)
    world.aws.deny(service="xray", action="GetServiceGraph")

    found = depth(world, refund)

    assert found.reach is Reach.CALLS
    assert found.seen.startswith("5 of 5 traces that were read have calls: `DynamoDB`")
    (doubt,) = found.doubts
    assert "X-Ray's graph could not be read: xray:GetServiceGraph in account" in doubt


def test_calls_of_other_functions_alone_are_no_proof(world: World, refund: str) -> None:
    world.aws.xray.graphs.observed(HOME, BERLIN, linked("refund", "ledger"))

    assert depth(world, refund).reach is Reach.SURFACE


def linked(first: str, second: str) -> list[dict[str, Any]]:
    """Two functions of which one's node has an edge to the other's."""
    count = {"SummaryStatistics": {"TotalCount": 9}}
    return [
        {"ReferenceId": 1, "Name": first, "Type": LAMBDA, "Edges": [{"ReferenceId": 2, **count}], **count},
        {"ReferenceId": 2, "Name": second, "Type": "AWS::Lambda", "Edges": [], **count},
    ]


@pytest.mark.parametrize("action", ["GetTraceSummaries", "BatchGetTraces"])
def test_where_no_trace_may_be_read_the_graph_says_what_it_can(world: World, refund: str, action: str) -> None:
    world.aws.deny(service="xray", action=action)

    found = depth(world, refund)

    assert found.reach is Reach.SURFACE
    assert found.seen == "X-Ray's graph of the last 6 hours has 3,610 invocations of it and no call that it made"
    (doubt,) = found.doubts
    assert f"no trace of it could be read: xray:{action} in account {HOME}, {BERLIN}: AccessDenied" in doubt


def test_where_nothing_may_be_read_the_configuration_is_all_there_is(world: World, refund: str) -> None:
    world.aws.deny(service="xray")

    found = depth(world, refund)
    said = card(world)

    assert found.reach is Reach.UNKNOWN
    assert len(found.doubts) == 2
    assert "How deep its traces go is not known" in said
    assert "xray:GetServiceGraph" in said
    assert "xray:GetTraceSummaries" in said
    assert "is instrumentation that we recognise" in said  # the finding stays
    assert "AWSOpenTelemetryDistroPython" in said


def test_a_function_that_nobody_calls_has_no_traces_to_look_at(world: World) -> None:
    arn = world.function("idle", mode="Active")
    world.audit()

    found = depth(world, arn)

    assert found == Depth(Reach.UNKNOWN, doubts=("X-Ray has no trace of it in the last 6 hours",))
    assert asked(world).count("GetTraceSummaries") == 3


def test_transaction_search_is_named_as_the_reason(world: World, refund: str) -> None:
    world.aws.xray.transaction_search(HOME, BERLIN)
    world.aws.xray.graphs.observed(HOME, BERLIN, [])

    (doubt,) = depth(world, refund).doubts

    assert doubt.startswith("Transaction Search is on there")


def test_an_untraced_function_is_not_asked_about(world: World) -> None:
    arn = world.function("dark")
    world.audit()

    assert depth_now(world.context, world.known(arn)) is None
    assert asked(world) == []


def test_no_audit_asks_for_graphs_or_traces(world: World, refund: str) -> None:
    world.audit()

    assert asked(world) == []


def test_the_card_says_it_and_gives_the_lines_for_its_runtime(world: World, refund: str) -> None:
    said = card(world)

    assert "Surface only: all 5 traces that were read have only Lambda's own segments." in said.replace("*", "")
    assert "To see what it calls* (`python3.13`)" in said
    assert "AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument" in said
    assert "Keep TracingConfig Active." in said
    assert "https://aws-otel.github.io/docs/getting-started/lambda" in said
    assert "recognise" not in said  # the guess from layers and settings gives way to what was seen


def test_what_traces_show_is_stronger_than_what_the_configuration_hides(world: World, refund: str) -> None:
    assert "surface_only" in [str(one.check) for one in world.known(refund).findings]
    calls(world, Called("payments", TABLE))

    said = card(world)

    assert "Instrumented:* X-Ray's graph of the last 6 hours has its calls: `payments`." in said
    assert "recognise" not in said
    assert "AWSOpenTelemetryDistro" not in said


def test_an_account_that_cannot_be_entered_is_a_reason(world: World, refund: str) -> None:
    context = replace(world.context, cloud=world.configured(role="nobody").cloud)

    found = depth_now(context, world.known(refund))

    assert found
    assert found.reach is Reach.UNKNOWN
    assert "its traces could not be looked at: " in found.doubts[0]

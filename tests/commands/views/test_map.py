"""A trace map in words: within Slack's limits and inert whatever things are called, true to its numbers, and whole."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views.console import trace_map_url, traces_url
from commands.views.map import (
    ALT_LIMIT,
    BLOCK_ALT_LIMIT,
    Extras,
    alt_text,
    map_blocks,
    map_lines,
    map_text,
    not_read,
)
from commands.views.map_data import MOST, kind_words, latency, most_failing, percent, shown, slowest
from commands.views.text import HIDDEN
from storage.maps import LAMBDA, Around, Edge, SilentCaller, Statistics, TraceMap
from tests.commands.views.test_hostile import NASTY
from tests.commands.views.test_views import words

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:482915067331:function:refund"
TABLE = "AWS::DynamoDB::Table"
OURS = re.compile(r"<https://eu-central-1\.console\.aws\.amazon\.com/[^<>|]*\|[^<>|]*>|<@U0ANA>")


def edge(name: str, calls: int, seconds: float = 0.1, kind: str = TABLE, **more: Any) -> Edge:
    return Edge(name, kind, Statistics(calls, seconds=calls * seconds, **more))


def traced(callers: list[Edge] = [], callees: list[Edge] = [], **more: Any) -> TraceMap:  # noqa: B006 - only read
    around = Around(NOW - timedelta(hours=6), NOW, Statistics(1000, seconds=200.0), tuple(callers), tuple(callees))
    return TraceMap(ARN, "482915067331", "eu-central-1", "refund", around, **more)


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


statistics = st.builds(
    Statistics,
    calls=st.integers(0, 10**12),
    errors=st.integers(0, 10**12),
    throttles=st.integers(0, 10**12),
    faults=st.integers(0, 10**12),
    seconds=st.floats(0, 1e15),
    p95=st.none() | st.floats(0, 1e6),
)
edges = st.lists(
    st.builds(Edge, name=NASTY, kind=NASTY, statistics=statistics, asynchronous=st.booleans()), max_size=20
)
silent = st.lists(st.builds(SilentCaller, name=NASTY, kind=NASTY, why=NASTY), max_size=6).map(tuple)


@given(edges, edges, silent, st.lists(NASTY, max_size=3).map(tuple), NASTY, st.booleans())
@settings(max_examples=80, deadline=None)
def test_no_name_breaks_slacks_limits_or_says_what_we_did_not(
    callers: list[Edge], callees: list[Edge], dark: Any, notes: Any, name: str, picture: bool
) -> None:
    made = replace(traced(callers, callees, silent=dark, notes=notes), name=name)
    extras = Extras("opaque", "<@U0ANA>", "F0MAP" if picture else "", "No picture: none.")
    laid = map_blocks(made, extras)

    known = [{**one, "slack_file": {"id": "F0MAP"}} if one["type"] == "image" else one for one in laid]
    assert message_problems(known) == []
    assert not blocks_are_too_long(known)
    texts = [map_text(made)]
    for block in laid:
        if block["type"] == "section":
            texts.append(block["text"]["text"])
        if block["type"] == "context":
            texts += [one["text"] for one in block["elements"]]
    for said in texts:
        assert "<" not in OURS.sub("", said)
        assert not HIDDEN.search(said)
    assert len(alt_text(made)) <= ALT_LIMIT
    assert len(alt_text(made, BLOCK_ALT_LIMIT)) <= BLOCK_ALT_LIMIT
    assert map_lines(made)


def test_every_edge_that_is_shown_is_in_the_words_of_each_kind() -> None:
    made = traced([edge("gateway", 900)], [edge("payments", 5000), edge("ledger", 40, kind=LAMBDA)])

    for said in (words(map_blocks(made)), alt_text(made), "\n".join(map_lines(made))):
        for name in ("gateway", "payments", "ledger"):
            assert name in said
        assert "5,000 calls, none failed, 100 ms on average" in plain(said)


def test_beside_its_picture_only_what_stands_out_is_said() -> None:
    made = traced([edge("gateway", 900)], [edge("payments", 5000)])
    laid = map_blocks(made, Extras(picture="F0MAP"))

    (image,) = [one for one in laid if one["type"] == "image"]
    assert "payments (DynamoDB table): 5,000 calls" in image["alt_text"]
    assert "Called by" not in words([one for one in laid if one["type"] != "image"])


def test_twelve_are_shown_and_the_rest_is_counted() -> None:
    callers = [edge(f"caller-{one}", 1000 - one) for one in range(20)]
    callees = [edge(f"callee-{one}", 1000 - one) for one in range(3)]

    room = shown(traced(callers, callees))

    assert len(room.callers) + len(room.callees) == MOST
    assert [one.name for one in room.callees] == ["callee-0", "callee-1", "callee-2"]
    assert room.more_callers == f"and 11 more callers with {sum(1000 - one for one in range(9, 20)):,} calls"


def test_what_stands_out_is_shown_though_little_is_called() -> None:
    callees = [edge(f"table-{one}", 1000 - one) for one in range(20)]
    callees += [edge("slow", 12, 9.0), edge("broken", 11, faults=11)]

    names = [one.name for one in shown(traced([], callees)).callees]

    assert names[-2:] == ["slow", "broken"]
    assert len(names) == MOST


def test_room_is_shared_where_both_sides_have_much() -> None:
    many = [edge(f"one-{one}", 100 - one) for one in range(20)]
    dark = tuple(SilentCaller(f"dark-{one}", LAMBDA, "may call it") for one in range(5))

    room = shown(traced(many, many, silent=dark))

    assert (len(room.callers), len(room.silent), len(room.callees)) == (3, 3, 6)
    assert room.more_callers.endswith("and 2 more that may call it")


def test_a_few_calls_do_not_make_the_slowest_edge_or_the_most_failing_one() -> None:
    few, many = edge("few", 2, 30.0, faults=2), edge("many", 500, 0.4, faults=5)

    assert slowest([few, many]) is many
    assert most_failing([few, many]) is many
    assert slowest([few]) is few
    assert most_failing([few]) is few
    assert most_failing([edge("fine", 100)]) is None
    assert slowest([edge("queue", 100, 0.0)]) is None


def test_the_slowest_call_is_named_beside_a_caller_that_waits_for_it() -> None:
    (slow, failing) = [
        one
        for one in plain(map_text(traced([edge("gateway", 100, 2.0)], [edge("psp", 80, 1.5, faults=8)]))).split(". ")
        if one.startswith(("Slowest", "Most"))
    ]

    assert (
        slow == "Slowest: `gateway` → `refund`, 2.0 s on average; of what it calls, `refund` → `psp`, 1.5 s on average"
    )
    assert failing == "Most failing: `refund` → `psp`, 10 % failed (5xx faults) of 80 calls."


def test_what_was_not_read_is_said() -> None:
    made = traced()
    around = replace(made.around, not_read=timedelta(hours=18), not_read_why="reading it took too long")

    said = not_read(replace(made, around=around))

    assert said == ("Of the 24 hours that were asked for, the oldest 18 hours are not in it: reading it took too long.")
    assert not_read(made) == ""


def test_a_side_without_edges_says_so() -> None:
    said = words(map_blocks(traced()))

    assert "*Called by*\nnothing that X-Ray's graph shows" in said
    assert "either it calls nothing, or its calls are not instrumented" in said


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_links_go_to_the_partitions_own_console(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:lambda:{region}:482915067331:function:refund-worker"

    assert trace_map_url(arn) == f"https://{host}/cloudwatch/home?region={region}#xray:service-map/map"
    assert traces_url(arn) == (
        f"https://{host}/cloudwatch/home?region={region}#xray:traces/query?~(query~(expression~'service*28id*28name*3a*20"
        "*22refund-worker*22*2c*20type*3a*20*22AWS*3a*3aLambda*3a*3aFunction*22*29*29)~context~(timeRange~(delta~21600000)))"
    )


def test_where_no_console_is_known_there_is_no_link() -> None:
    arn = "arn:aws-iso:lambda:us-iso-east-1:482915067331:function:refund"

    assert (trace_map_url(arn), traces_url(arn)) == ("", "")
    assert "console" not in words(map_blocks(replace(traced(), function_arn=arn)))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, ""),
        (0.0004, "under 1 ms"),
        (0.0384, "38 ms"),
        (0.9996, "1.0 s"),
        (12.34, "12.3 s"),
        (99.97, "1.7 min"),
        (7200, "120.0 min"),
    ],
)
def test_latency_in_its_unit(seconds: float | None, said: str) -> None:
    assert plain(latency(seconds)) == said


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (0.0001, "under 0.1 %"), (0.0234, "2.3 %"), (0.9999, "over 99.9 %"), (1, "100 %")],
)
def test_a_share_is_never_nothing_or_all_unless_it_is(share: float, said: str) -> None:
    assert plain(percent(share)) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (TABLE, "DynamoDB table"),
        (LAMBDA, "Lambda function"),
        ("AWS::S3::Bucket", "S3 bucket"),
        ("AWS::ApiGateway::Stage", "API Gateway stage"),
        ("AWS::SNS", "SNS"),
        ("remote", "remote service"),
        ("AWS::", "AWS::"),
        ("Something else", "Something else"),
        ("", "unknown kind"),
    ],
)
def test_types_read_as_words(kind: str, said: str) -> None:
    assert kind_words(kind) == said

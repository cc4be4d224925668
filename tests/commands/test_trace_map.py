"""`/trace-map`: what it reads of X-Ray's graph, what it says where there is nothing, and the button that shares it."""

from datetime import timedelta
from typing import Any

import pytest

from bot.demo.aws.service_graphs import Called
from commands._maps import LONGEST_SECONDS, make_map
from commands._types import Progress, Reply, Say
from commands.trace_map import Asked, share, trace_map
from commands.views.map import SHARE
from storage.maps import LAMBDA, TraceMap
from storage.metrics_asked import Purpose
from storage.models import PostKind
from tests.commands.conftest import ANA, BERLIN, HOME, OTHER, VIRGINIA, HandClock, World
from tests.commands.views.test_views import words

TABLE = "AWS::DynamoDB::Table"


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS goes by the same clock."""
    return {"clock": clock, "iam_delay": timedelta(0), "lambda_update": timedelta(0)}


def traced(world: World, name: str = "refund", *, hourly: float = 100.0, **more: Any) -> str:
    arn = world.function(name, mode="Active", **more)
    world.aws.metrics.invoked(more.get("account", HOME), more.get("region", BERLIN), name, lambda _hour: hourly)
    return arn


@pytest.fixture
def payments(world: World) -> World:
    """A function with a caller, a client, a table and an untraced function that may call it."""
    traced(world, "refund")
    traced(world, "ledger", hourly=50)
    world.function("replay", variables={"REFUND_FUNCTION": "refund"})
    graphs = world.aws.xray.graphs
    graphs.calls(
        HOME,
        BERLIN,
        "refund",
        Called("payments", TABLE, each=2, seconds=0.01, throttles=0.01),
        Called("ledger", LAMBDA, seconds=0.4, faults=0.1),
    )
    graphs.fed(HOME, BERLIN, "refund", Called("prod", "AWS::ApiGateway::Stage", each=0.75, seconds=0.5))
    world.audit()
    return world


def ask(world: World, text: str) -> list[Reply]:
    return list(trace_map(world.asks(ANA, text=text), world.context))


def said(world: World, text: str) -> Say:
    (found,) = [one for one in ask(world, text) if isinstance(one, Say)]
    return found


def made(world: World, text: str = "refund") -> TraceMap:
    (button,) = [block for block in said(world, text).blocks if block["type"] == "actions"]
    found = world.store.maps.get(button["elements"][0]["value"])
    assert found
    return found


def plain(answer: Say) -> str:
    """All of its blocks, with spaces that may break."""
    return words(list(answer.blocks)).replace("\N{NO-BREAK SPACE}", " ")


def figures(edges: Any) -> dict[str, tuple[int, int]]:
    return {f"{one.kind} {one.name}".strip(): (one.statistics.calls, one.statistics.failed) for one in edges}


@pytest.mark.parametrize(
    ("text", "hours"), [("refund", 6), ("refund 24h", 24), ("refund 2D", 48), ("refund 111122223333 1h eu-west-1", 1)]
)
def test_a_window_may_stand_anywhere_after_the_name(text: str, hours: int) -> None:
    asked = Asked.read(text)

    assert (asked.wanted.name, asked.length, asked.wanted.rest) == ("refund", timedelta(hours=hours), "")


@pytest.mark.parametrize("window", ["0h", "8d", "169h", "2w", "1.5h", "9999h", "-1h"])
def test_what_is_no_window_is_one_clear_line(payments: World, window: str) -> None:
    (reply,) = ask(payments, f"refund {window}")

    assert isinstance(reply, Say)
    assert f"`{window}` is no window of time that X-Ray is asked about. Write hours from `1h` or days to" in reply.text


def test_callers_callees_and_what_stands_out(payments: World) -> None:
    progress, answer = ask(payments, "refund")
    found = made(payments)

    assert progress == Progress("Reading X-Ray's graph around `refund`…")
    assert isinstance(answer, Say)
    assert found.around.own
    assert found.around.own.calls == 600
    assert figures(found.around.callers) == {"AWS::ApiGateway::Stage prod": (450, 0), "client": (150, 0)}
    assert figures(found.around.callees) == {f"{TABLE} payments": (1200, 12), f"{LAMBDA} ledger": (600, 60)}
    text = plain(answer)
    assert "`prod` (API Gateway stage): 450 calls, none failed, 500 ms on average" in text
    assert "`payments` (DynamoDB table): 1,200 calls, 1 % failed (throttled), 10 ms on average" in text
    assert "Slowest: `prod` → `refund`, 500 ms on average, 95 % within 1.5 s; of what it calls, `refund` →" in text
    assert "Most failing: `refund` → `ledger`, 10 % failed (5xx faults) of 600 calls." in text
    assert f"https://{BERLIN}.console.aws.amazon.com/cloudwatch/home?region={BERLIN}#xray:service-map/map" in text


def test_an_untraced_function_that_may_call_it_is_shown_as_such(payments: World) -> None:
    (silent,) = made(payments).silent

    assert (silent.name, silent.kind, silent.account) == ("replay", LAMBDA, "")
    assert "`replay` (Lambda function): no traces. May call it, and sends no traces." in plain(said(payments, "refund"))


def test_both_nodes_of_a_function_are_one_on_its_callers_map_too(payments: World) -> None:
    assert figures(made(payments, "ledger").around.callers) == {f"{LAMBDA} refund": (600, 60)}


def test_longer_windows_are_summed_and_asked_for_by_six_hours(payments: World) -> None:
    before = len(payments.aws.calls)

    found = made(payments, "refund 24h")

    asked = [call for call in payments.aws.calls[before:] if call.action == "GetServiceGraph"]
    assert len(asked) == 4
    assert found.around.own
    assert found.around.own.calls == 2400
    assert found.around.until - found.around.since == timedelta(hours=24)


def test_what_takes_too_long_is_cut_off_at_its_oldest_and_says_so(payments: World) -> None:
    ticks = iter([0.0, 1.0, LONGEST_SECONDS + 1])

    found = make_map(
        payments.context,
        payments.known(f"arn:aws:lambda:{BERLIN}:{HOME}:function:refund"),
        timedelta(hours=24),
        ticks.__next__,
    )

    assert isinstance(found, TraceMap)
    assert found.around.own
    assert found.around.own.calls == 1200
    assert found.around.until - found.around.since == timedelta(hours=12)
    assert found.notes == (
        "Of the 24 hours that were asked for, the oldest 12 hours are not in it: reading it took too long.",
    )


def test_the_same_name_elsewhere_is_another_function(payments: World) -> None:
    traced(payments, "refund", account=OTHER, hourly=7)
    payments.audit()

    text = said(payments, "refund").text

    assert "2 functions are called `refund`" in text
    assert f"`/trace-map refund {OTHER} {BERLIN}`" in text
    assert made(payments, f"refund {OTHER} {BERLIN}").around.own.calls == 42  # type: ignore[union-attr]  # it is there


# -- Nothing to show


def test_a_function_that_is_not_traced_says_so(world: World) -> None:
    world.function("dark")
    world.audit()

    assert said(world, "dark").text == (
        "X-Ray's graph has nothing of `dark` in the last 6 hours. It is not traced: its tracing mode is PassThrough. "
        "`/trace-fix dark` asks for it to be turned on."
    )


def test_a_function_whose_role_may_not_write_says_so(world: World) -> None:
    world.function("mute", mode="Active", role="mute")
    world.audit()

    assert "its role `mute` may not write to X-Ray: its traces are lost." in said(world, "mute").text


def test_a_traced_function_without_traffic_says_so(world: World) -> None:
    traced(world, "idle", hourly=0)
    world.audit()

    text = said(world, "idle").text

    assert "It is traced, and CloudWatch counts no invocation since Nov 23 06:01 UTC." in text
    today = world.clock().date()
    assert world.store.metrics_asked.on(today) == {Purpose.MAPS: 1}
    world.store.metrics_asked.take(today, Purpose.FORECASTS, 10**6, 100_000, 100_000)
    assert "was sampled: today's look-ups have reached `[forecast] max_usd_per_day`." in said(world, "idle").text
    assert "`/trace-map idle 7d` looks further back" in text


def test_invocations_without_a_trace_are_told_with_what_may_starve_it(world: World) -> None:
    traced(world, "starved", hourly=60)
    world.function("caller", variables={"STARVED_FUNCTION": "starved"})
    world.aws.xray.graphs.observed(HOME, BERLIN, [])
    world.audit()

    text = said(world, "starved").text

    assert "It is traced, and CloudWatch counts 3" in text
    assert "may have decided that they are not sampled" in text
    assert "caller may call it and sends no traces" in text


def test_where_cloudwatch_will_not_say_either_that_is_said(world: World) -> None:
    traced(world, "idle", hourly=0)
    world.audit()
    world.aws.deny(service="cloudwatch", action="GetMetricData")

    text = said(world, "idle").text

    assert "Either it was not invoked, or no invocation was sampled: cloudwatch:GetMetricData" in text
    assert "AccessDenied" in text


def test_transaction_search_is_named_where_there_is_nothing_and_beside_what_there_is(payments: World) -> None:
    payments.aws.xray.transaction_search(HOME, BERLIN, indexed_percent=5)
    text = plain(said(payments, "refund"))
    payments.aws.xray.graphs.observed(HOME, BERLIN, [])

    assert "Transaction Search is on in this account and region" in text
    assert "of which X-Ray indexes 5 %" in text
    assert "Transaction Search is on in this account and region" in said(payments, "refund").text


def test_a_refusal_names_the_permission(payments: World) -> None:
    payments.aws.deny(service="xray", action="GetServiceGraph")

    text = said(payments, "refund").text

    assert f"xray:GetServiceGraph in account {HOME}, {BERLIN}: AccessDenied" in text
    assert text.endswith("Allow `xray:GetServiceGraph` to the audit role, then ask again.")


def test_what_was_traced_until_lately_still_has_a_map_that_says_so(payments: World) -> None:
    payments.lambdas().update_function_configuration(FunctionName="refund", TracingConfig={"Mode": "PassThrough"})

    found = made(payments)

    (note,) = found.notes
    assert note.startswith(
        "No new traces come in. It is not traced: its tracing mode is PassThrough. `/trace-fix refund`"
    )


def test_a_function_that_nobody_knows_is_asked_back(payments: World) -> None:
    assert "Did you mean `refund`?" in said(payments, "refnd").text
    assert said(payments, "").text.startswith("Say which function: `/trace-map ")
    assert f"`refund` is not in {VIRGINIA}" in said(payments, f"refund {VIRGINIA}").text


# -- The button


def click(world: World, value: str, **more: Any) -> list[Reply]:
    return list(share(world.asks(ANA, value=value, **more), world.context))


def test_the_button_posts_the_same_map_once(payments: World) -> None:
    (button,) = [block for block in said(payments, "refund").blocks if block["type"] == "actions"]
    assert button["elements"][0]["action_id"] == SHARE
    value = button["elements"][0]["value"]

    redrawn, told = click(payments, value, private=True)
    again = click(payments, value)

    assert "Posting it here." in told.text  # type: ignore[union-attr]  # it says something
    assert not [block for block in redrawn.blocks if block["type"] == "actions"]  # type: ignore[union-attr]  # drawn anew
    assert again == [Say("This map was posted here already.")]
    (post,), (files,) = payments.store.posts.all(PostKind.MAP), payments.store.posts.all(PostKind.MAP_FILES)
    assert files.thread == post.id
    assert post.channel == "C0PAY"
    assert payments.store.maps.of_post(post.id) == payments.store.maps.get(value)


def test_a_map_that_nobody_shared_is_forgotten_and_one_that_was_is_kept(payments: World) -> None:
    first, second = (made(payments), made(payments))
    kept = payments.store.maps.add(first, payments.clock())
    lost = payments.store.maps.add(second, payments.clock())
    click(payments, kept)
    payments.clock.forward(days=8)

    payments.store.maps.forget(payments.clock() - timedelta(days=7))

    assert payments.store.maps.get(kept) == first
    assert "This map is no longer kept." in click(payments, lost)[0].text  # type: ignore[union-attr]  # it says something
    assert "direct message" in click(payments, kept, channel="D0ANA")[0].text  # type: ignore[union-attr]  # the same

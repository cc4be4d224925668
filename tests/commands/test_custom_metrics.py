"""CloudWatch custom metrics: once for each audit, by the bot's own credentials, and never in an audit's way."""

import logging
from dataclasses import replace

import pytest
from moto.cloudwatch.models import cloudwatch_backends

from commands import custom_metrics
from commands._types import Context, Progress
from commands.aws.custom_metrics import AT_ONCE, Datum, put
from storage.models import Source
from tests.commands.conftest import BERLIN, HOME, World


def sent(world: World) -> int:
    return sum(call.action.startswith("PutMetricData") for call in world.aws.calls)


def turn(world: World, context: Context) -> list[str]:
    replies = custom_metrics.send(world.asks("clock", source=Source.CLOCK), context)
    return [reply.text for reply in replies if isinstance(reply, Progress)]


def values(name: str, team: str | None = None) -> list[float]:
    """As CloudWatch was told them; moto's statistics would mix in what has other dimensions."""
    told = cloudwatch_backends[HOME][BERLIN].metric_data
    wanted = [team] if team else []
    return [
        one.value
        for one in told
        if (one.namespace, one.name, [each.value for each in one.dimensions]) == ("Lamplighter", name, wanted)
    ]


@pytest.fixture
def asked_for(world: World) -> Context:
    world.function("refund")
    world.function("charge", mode="Active")
    world.function("export", mode="Active", team=None)
    return replace(world.context, custom_metrics=True)


def test_the_newest_audit_is_told_once(world: World, asked_for: Context) -> None:
    assert turn(world, asked_for) == []  # no audit yet
    world.audit()

    told = turn(world, asked_for)

    price = "at most $7.20 a month (AWS's list price of $0.30 each for the first 10,000)"
    assert told == [f"custom metrics of audit 1: 24 CloudWatch metrics, {price}"]
    assert (turn(world, asked_for), sent(world)) == ([], 1)
    assert values("Coverage") == [66.7]
    assert (values("Coverage", "payments"), values("Untraced", "payments")) == ([50], [1])
    assert (values("Traced", "(none)"), values("PlacesNotScanned")) == ([1], [0])
    audit = world.store.audits.latest()
    assert audit is not None
    assert values("AuditAwsCalls") == [audit.aws_calls]
    world.audit()
    assert (len(turn(world, asked_for)), sent(world)) == (1, 2)


def test_without_being_asked_for_nothing_is_sent(world: World, asked_for: Context) -> None:
    world.audit()

    assert (turn(world, world.context), sent(world)) == ([], 0)


def test_an_audit_that_is_too_old_for_cloudwatch_is_not_sent(world: World, asked_for: Context) -> None:
    world.audit()
    world.clock.forward(days=14)

    assert (turn(world, asked_for), sent(world)) == ([], 0)


def test_where_aws_does_not_answer_the_log_says_so_and_the_next_turn_tries_again(
    world: World, asked_for: Context, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.audit()
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setenv("AWS_ACCESS_KEY_ID", "")
        broken.setenv("AWS_SECRET_ACCESS_KEY", "")
        assert turn(world, replace(asked_for, cloud=type(asked_for.cloud)(asked_for.cloud.settings))) == []

    assert "the custom metrics of audit 1 were not sent, and are again in a while" in caplog.text
    assert len(turn(world, asked_for)) == 1


def test_more_than_a_request_takes_goes_in_several(world: World, asked_for: Context) -> None:
    many = [Datum("Traced", "Count", number, f"größe-{number}") for number in range(AT_ONCE + 1)]

    assert put(asked_for.cloud, many, world.clock()) == 2
    assert sent(world) == 2
    assert values("Traced", "gr\\xf6\\xdfe-1000") == [1000]

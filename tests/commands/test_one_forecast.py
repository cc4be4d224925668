"""What is asked of CloudWatch where somebody looks at one function, and what is said where it does not answer."""

from datetime import timedelta

import pytest

from commands._drawing import draw
from commands._types import Say
from commands.audit import audit
from commands.fix import fix
from storage.models import PostKind
from tests.commands.conftest import BERLIN, HOME, NOON, World
from tests.commands.views.test_views import words
from tests.storage.forecasts import forecast


@pytest.fixture
def delays() -> dict[str, object]:
    """AWS's clock stands near Lamplighter's, so that both mean the same fourteen days."""
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0), "clock": lambda: NOON + timedelta(hours=1)}


@pytest.fixture
def refund(world: World) -> str:
    """Invoked once a second, so that each invocation is a trace."""
    arn = world.function("refund")
    world.aws.metrics.invoked(HOME, BERLIN, "refund", lambda _: 3_600.0)
    world.audit()
    return arn


def card(world: World) -> str:
    told = [one for one in audit(world.asks(text="refund"), world.context) if isinstance(one, Say)][-1]
    return words(told.blocks)


def looks(world: World) -> int:
    return sum(call.action == "GetMetricData" for call in world.aws.calls)


def test_a_card_has_a_forecast_of_now_and_the_next_ones_of_the_day_have_the_same(world: World, refund: str) -> None:
    first = card(world)
    asked = looks(world)
    second = card(world)

    assert "*Cost:* about $12.96 a month" in first
    assert "before the free tier: ≈\N{NO-BREAK SPACE}2.6 million traces" in first
    assert "(1,209,600 invocations, by " in first
    assert "per million traces recorded in eu-central-1" in first
    assert "*Cost:* about $12.96 a month" in second
    assert looks(world) == asked > 0


def test_what_is_asked_for_shows_the_forecast_in_its_plan_and_keeps_it(world: World, refund: str) -> None:
    list(fix(world.asks(text="refund"), world.context))

    (post,) = world.store.posts.all(PostKind.REQUEST)
    assert "*Cost:* about $12.96 a month" in words(draw(world.context, post)[1])
    plan = world.request(refund).plan
    assert plan
    assert plan.forecast == world.store.forecasts.get(refund)


def test_an_old_forecast_is_made_anew(world: World, refund: str) -> None:
    world.store.forecasts.save([forecast(refund, 400.0)])
    world.clock.forward(hours=25)

    shown = card(world)

    assert "*Cost:* about $" in shown
    assert "$400" not in shown


def test_where_cloudwatch_refuses_the_card_and_the_plan_say_why_and_all_else_goes_on(world: World, refund: str) -> None:
    world.aws.deny(service="cloudwatch")

    shown = card(world)
    list(fix(world.asks(text="refund"), world.context))

    assert "*Cost:* not known: " in shown
    assert "GetMetricData" in shown
    (post,) = world.store.posts.all(PostKind.REQUEST)
    text = words(draw(world.context, post)[1])
    assert "*Cost:* not known: " in text
    assert "GetMetricData" in text


def test_an_older_forecast_stands_where_no_newer_one_can_be_had(world: World, refund: str) -> None:
    world.store.forecasts.save([forecast(refund, 400.0)])
    world.clock.forward(hours=25)
    world.aws.deny(service="cloudwatch")

    assert "*Cost:* about $400 a month ($40.00–$600)" in card(world)

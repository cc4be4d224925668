"""What a team is told once, after its first fix, and how anybody asks for more."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from commands import COMMANDS
from commands._renamed import follow_names
from commands._teams import TeamSettings
from commands._types import Slash
from commands.fix import approve
from commands.help import help_for
from commands.views.reading import guide, lesson
from storage.forecasts import Forecast, Range, Unit
from storage.models import CheckName, Finding, Function, Post, PostKind
from tests.commands.conftest import ANA, World
from tests.commands.views.test_views import words
from tests.storage.forecasts import NOON

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund"
REFUND = Function(ARN, "111122223333", "eu-central-1", "refund", None, team="payments")
TWO_WEEKS = timedelta(days=14)
AUDIT = next(one for one in COMMANDS if isinstance(one, Slash) and one.command == "/trace-audit")


def of(invocations: int, traces: float, unit: Unit = Unit.TRACES) -> Forecast:
    """Two weeks' invocations, and 30 days' traces."""
    return Forecast(ARN, NOON, NOON - TWO_WEEKS, NOON, 3600, invocations, Range(0, traces, traces), unit)


def fixed(world: World, name: str, team: str = "payments", *, shown: bool = True) -> Post | None:
    """Where it was shown."""
    arn = world.function(name, team=team)
    world.audit()
    asked = world.request(arn)
    post = world.post(asked) if shown else None
    list(approve(world.asks(ANA, value=asked.id), world.context))
    assert world.mode(arn) == "Active"
    return post


def told(world: World) -> list[Post]:
    return world.store.posts.all(PostKind.NOTICE)


def test_a_team_is_told_once_in_the_thread_of_what_showed_its_first_fix(world: World) -> None:
    shown = fixed(world, "refund")

    (notice,) = told(world)
    assert shown is not None
    assert (notice.thread, notice.channel, notice.team) == (shown.id, shown.channel, "payments")
    assert "How to read what X-Ray shows of `refund`" in notice.text

    fixed(world, "invoice")
    assert told(world) == [notice]

    other = fixed(world, "index", team="search")
    assert other is not None
    assert [one.thread for one in told(world)] == [shown.id, other.id]


def test_a_fix_that_no_message_shows_leaves_it_to_the_next_one(world: World) -> None:
    fixed(world, "refund", shown=False)
    assert told(world) == []

    shown = fixed(world, "invoice")
    assert shown is not None
    assert [one.thread for one in told(world)] == [shown.id]


def test_it_is_told_nothing_of_a_function_that_no_team_owns(world: World) -> None:
    fixed(world, "refund", team="")

    assert told(world) == []


@pytest.mark.parametrize(
    ("forecast", "said"),
    [
        (of(14 * 48_000, 30 * 3_600), "Of its 48,000 invocations a day, about 3,600 will have one."),
        (of(14 * 40, 30 * 40), "Of its 40 invocations a day, nearly each will have one."),
        (of(0, 0), "It was not invoked in the days that were looked at: its next invocation makes its first trace."),
    ],
)
def test_its_numbers_are_the_functions_own(forecast: Forecast, said: str) -> None:
    assert said in lesson(REFUND, forecast)


def test_what_is_not_known_is_not_said() -> None:
    """Of spans, Transaction Search keeps all; without a look at its traffic there are no numbers."""
    for unknown in (None, of(14 * 48_000, 30 * 48_000, Unit.SPANS)):
        assert "invocations a day" not in lesson(REFUND, unknown)


def test_the_way_to_deeper_traces_is_said_where_nothing_instruments_the_code() -> None:
    bare = structs.replace(REFUND, findings=(Finding(CheckName.SURFACE_ONLY, "nothing"),))

    assert "OpenTelemetry" in lesson(bare, None)
    assert "OpenTelemetry" not in lesson(REFUND, None)


def test_links_go_to_the_functions_own_region_and_there_are_none_where_no_console_is_known() -> None:
    assert "<https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#xray:" in lesson(
        REFUND, None
    )
    secret = structs.replace(REFUND, arn=ARN.replace(":aws:", ":aws-iso:"))
    assert "<http" not in lesson(secret, None)
    assert "`/trace-map refund` draws it here." in lesson(secret, None)


def test_help_names_its_topics_and_tells_of_one() -> None:
    assert "How to read a trace map and traces: `/trace-audit help reading`" in words(help_for(AUDIT, "help").blocks)
    assert words(help_for(AUDIT, "help reading").blocks) == words(guide())
    assert help_for(AUDIT, "help me").text == help_for(AUDIT, "help").text


def test_a_team_that_gets_another_name_is_not_told_again(world: World) -> None:
    fixed(world, "refund", team="pay")
    world.context = replace(world.context, teams=TeamSettings(aliases={"pay": "payments"}))
    follow_names(world.context)
    fixed(world, "invoice")

    (notice,) = told(world)
    assert notice.team == "payments"
    world.context = replace(world.context, teams=TeamSettings())
    fixed(world, "other", team="pay")  # another team, which took the name that was free
    assert [one.team for one in told(world)] == ["payments", "pay"]


def test_two_fixes_that_end_at_once_tell_it_once(world: World) -> None:
    arns = [world.function(name) for name in ("refund", "invoice")]
    world.audit()
    requests = [world.request(arn) for arn in arns]
    world.post(*requests)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda asked: list(approve(world.asks(ANA, value=asked.id), world.context)), requests))

    assert [world.mode(arn) for arn in arns] == ["Active", "Active"]
    assert len(told(world)) == 1

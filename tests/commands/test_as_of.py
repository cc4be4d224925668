"""`/trace-audit … on <date>`: how it was, from memory alone."""

from dataclasses import replace

import pytest

from commands._production import Production
from commands._types import Context, FixPolicy, Say
from commands.audit import audit
from storage.models import Source, Verdict
from tests.commands.conftest import ANA, HOME, OTHER, HandClock, World
from tests.commands.views.test_views import words


def said(world: World, text: str, context: Context | None = None) -> str:
    """What is answered, its plain text first; AWS is asked nothing."""
    before = len(world.aws.calls)
    replies = list(audit(world.asks(ANA, source=Source.SLASH, text=text), context or world.context))
    assert len(world.aws.calls) == before
    assert len(replies) == 1
    assert isinstance(replies[0], Say)
    return "\n".join([replies[0].text, words(replies[0].blocks)])


@pytest.fixture
def three_days(world: World) -> World:
    """23 November: two dark, one lit. The 24th: one of the dark is exempt. The 25th: the other is gone."""
    refund, charge = world.function("refund"), world.function("charge")
    world.function("export", mode="Active", team="data")
    world.audit()
    world.clock.forward(days=1)
    world.store.functions.set_verdict(refund, Verdict.EXEMPT, world.clock())
    world.clock.forward(days=1)
    world.store.functions.mark_gone(charge, world.clock())
    world.clock.forward(days=1)
    return world


@pytest.mark.parametrize(
    ("day", "line"),
    [
        ("2026-11-23", "1 of 3 traced (33.3\N{NO-BREAK SPACE}%) · 0 exempt"),
        ("2026-11-24", "1 of 3 traced (33.3\N{NO-BREAK SPACE}%) · 1 exempt"),
        ("2026-11-25", "1 of 2 traced (50\N{NO-BREAK SPACE}%) · 1 exempt"),
    ],
)
def test_coverage_of_everything_is_as_the_day_ended(three_days: World, day: str, line: str) -> None:
    told = said(three_days, f"on {day}")

    assert told.startswith(f"Tracing coverage on Nov {day[-2:]}, 2026: {line}")
    assert "*data*: 0 untraced · 1 of 1 traced" in told
    assert f"As known at the end of Nov {day[-2:]}, 2026 (Europe/Berlin)" in told
    assert "The newest audit of everything began" in told


def test_a_team_of_then_and_its_untraced_functions(three_days: World) -> None:
    told = said(three_days, "Payments ON 2026-11-24")

    assert told.startswith("payments on Nov 24, 2026: 1 untraced")
    assert f"`charge` {HOME} eu-central-1 · so from" in told
    assert "refund" not in told


def test_a_function_that_is_gone_is_still_told_of(three_days: World) -> None:
    assert "`charge` on Nov 24, 2026: untraced" in said(three_days, "charge on 2026-11-24")
    assert "nothing was known on 2026-11-25" in said(three_days, "charge on 2026-11-25")
    assert "`refund` on Nov 25, 2026: exempt" in said(three_days, f"`refund` {HOME} on 2026-11-25")
    assert "nothing was known on 2026-11-25" in said(three_days, f"refund {OTHER} on 2026-11-25")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("on 2026-11-26", "2026-11-26 is not over yet: leave the date out to see how it is now."),
        ("on 2027-01-01", "2027-01-01 has not come yet: leave the date out to see how it is now."),
        ("on 2026-11-22", "There is no history of 2026-11-22: the first audit was taken on 2026-11-23."),
        ("on 0001-01-01", "There is no history of 0001-01-01: the first audit was taken on 2026-11-23."),
        ("payments on 2026-02-30", "'2026-02-30' is no date: write it like 2026-10-03."),
        ("on <!channel>", "'&lt;!channel&gt;' is no date: write it like 2026-10-03."),
    ],
)
def test_a_day_of_which_nothing_can_be_told_gets_one_line(three_days: World, text: str, line: str) -> None:
    assert said(three_days, text).strip() == line


def test_before_any_audit_there_is_no_history(world: World) -> None:
    assert said(world, "on 2026-11-20").strip() == "No audit was taken yet, so there is no history."


def test_the_day_ends_where_the_schedule_says(world: World) -> None:
    world.clock.now = world.clock.now.replace(hour=23, minute=30)  # half past midnight in Berlin: the 24th
    world.function("refund")
    world.audit()
    world.clock.forward(days=2)

    assert "no history of 2026-11-23" in said(world, "on 2026-11-23")
    assert "0 of 1 traced" in said(world, "on 2026-11-24")


def test_a_team_that_is_called_so_is_no_date(world: World) -> None:
    world.function("pager", team="on call")
    world.audit()

    replies = list(audit(world.asks(ANA, source=Source.SLASH, text="on call"), world.context))

    assert isinstance(replies[-1], Say)
    assert replies[-1].text.startswith("on-call: 1 untraced")


def test_production_is_told_beside_the_whole(three_days: World) -> None:
    policy = FixPolicy(production=Production(names=("ref*", "exp*")))
    context = replace(three_days.context, policy=policy)

    told = said(three_days, "on 2026-11-23", context)

    assert "In production, as the settings of now and the tags of then say: 1 of 2 traced" in told
    assert "0 of 1 traced" in said(three_days, "payments on 2026-11-23", context)


def test_what_that_audit_could_not_see_is_said(world: World, clock: HandClock) -> None:
    world.function("refund")
    context = world.configured(accounts=(HOME, "333333333333"))
    world.audit(context)
    clock.forward(days=1)

    assert "Not fully seen: 333333333333" in said(world, "on 2026-11-23", context)

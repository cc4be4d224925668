"""Mornings in a row: which message a team has, what it says, and when it stays silent."""

from dataclasses import replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from commands._drawing import draw
from commands._schedule import Frequency, Plan, Schedule, Slot
from commands._types import Context, Request
from commands.digest import AUDIT, DAILY, daily
from storage.fixes import RequestState
from storage.models import THE_CLOCK, Decision, DecisionKind, Post, PostKind, PostState, Source
from tests.commands.conftest import ANA, OTHER, World

MONDAY = date(2026, 11, 23)


class Mornings:
    """A week in the life of a team, at noon of each day; Slack takes all that is sent."""

    def __init__(self, world: World) -> None:
        self.world, self.store, self.context = world, world.store, world.context
        self.monday = world.clock.now

    def come(self, day: int, context: Context | None = None, slot: Slot | None = None) -> list[str]:
        """The keys of the messages that the morning so many days after Monday brings."""
        self.world.clock.now = self.monday + timedelta(days=day)
        before = {post.id for post in self.store.posts.all()}
        asked = Request(THE_CLOCK, self.world.clock(), Source.CLOCK, day=MONDAY + timedelta(days=day), slot=slot)
        list(daily(asked, context or self.context))
        return [post.key for post in self.store.posts.all() if post.id not in before]

    def send(self) -> int:
        """Slack takes what waits and shows what is to be drawn again; how many edits that were."""
        edits = 0
        while due := self.store.posts.due(self.world.clock()):
            post, now = due[0], self.world.clock
            edits += post.state is PostState.SENT
            draw(self.context, post)
            if post.state is PostState.WAITING:
                self.store.posts.sent(post.id, "C0PAY", f"1.{post.id}", post.wanted_version)
            else:
                self.store.posts.redrawn(post.id, post.wanted_version)
            now.forward(seconds=1)
        return edits

    def digest(self, day: int = 0) -> Post:
        found = self.store.posts.find(f"digest:payments:{MONDAY + timedelta(days=day)}:1")
        assert found
        return found

    def shows(self, day: int = 0) -> str:
        text, blocks = draw(self.context, self.digest(day))
        return f"{text} {blocks}"

    def lit(self, arn: str) -> None:
        self.world.aws.seed_tracing_mode(arn, "Active", self.world.clock())

    def dark(self, arn: str) -> None:
        self.world.aws.seed_tracing_mode(arn, "PassThrough", self.world.clock())


@pytest.fixture
def week(world: World) -> Mornings:
    return Mornings(world)


def test_a_week_has_a_message_for_what_is_new_edits_for_the_rest_and_a_last_word(world: World, week: Mornings) -> None:
    refund, charge = world.function("refund"), world.function("charge")
    assert week.come(0) == ["digest:payments:2026-11-23:1"]
    week.send()

    assert (week.come(1), week.send()) == ([], 0)  # no change is silence

    fresh = world.function("fresh")
    assert week.come(2) == ["digest:payments:2026-11-25:1"]
    assert week.send() == 1  # the old one
    assert "*new* on Nov 25" in week.shows(2)

    week.lit(charge)
    assert (week.come(3), week.send()) == ([], 1)
    assert "2 Lambda functions without active tracing" in week.shows(2)

    for arn in (refund, fresh):
        week.lit(arn)
    assert week.come(4) == ["zero:payments:2026-11-27"]
    week.send()
    notice = world.store.posts.find("zero:payments:2026-11-27")
    assert notice
    assert "All 3 functions of *payments* are traced since" in notice.text
    assert notice.text in week.shows(2)

    for day in range(5, 16):
        assert (week.come(day), week.send()) == ([], 0)


def test_the_old_message_keeps_its_buttons_until_slack_has_the_new_one_and_then_points_to_it(
    world: World, week: Mornings
) -> None:
    world.function("refund")
    week.come(0)
    week.send()
    world.function("fresh")
    week.come(1)
    old, new = week.digest(0), week.digest(1)
    assert old.newer == new.id
    assert "approve-fix" in week.shows(0)
    assert not world.is_to_be_redrawn(old)

    world.store.posts.sent(new.id, "C0PAY", "2.1", new.wanted_version)
    world.store.posts.keep_permalink(new.id, "https://slack.example/p21")

    assert world.is_to_be_redrawn(old)
    assert "approve-fix" not in week.shows(0)
    assert "was replaced by <https://slack.example/p21|a newer one>" in week.shows(0)
    assert "refund" in week.shows(0)


def test_one_that_slack_never_had_gives_way_without_being_sent(world: World, week: Mornings) -> None:
    world.function("refund")
    week.come(0)
    world.function("fresh")
    week.come(1)

    assert week.digest(0).state is PostState.ABANDONED
    assert [post.id for post in world.store.posts.due(world.clock())] == [week.digest(1).id]


def test_the_day_after_a_new_message_is_silent_too(world: World, week: Mornings) -> None:
    world.function("refund")
    week.come(0)
    week.send()
    world.function("fresh")
    week.come(1)
    week.send()

    assert (week.come(2), week.send()) == ([], 0)


def test_a_reminder_that_waits_in_the_thread_of_an_old_digest_is_not_lost(world: World, week: Mornings) -> None:
    for number in range(14):
        world.function(f"refund-{number:02}")
    week.come(0)
    first = week.digest(0)
    world.store.posts.create("reminder", PostKind.NOTICE, "#c", world.clock(), text="!", thread=first.id)
    world.function("fresh")
    week.come(1)

    states = {post.key: post.state for post in world.store.posts.all()}
    assert states["reminder"] is PostState.WAITING
    assert states["list:payments:2026-11-23"] is PostState.ABANDONED


def test_the_weekly_message_comes_though_nothing_is_new(world: World, week: Mornings) -> None:
    world.function("refund")
    week.come(0)
    week.send()

    assert [week.come(day) for day in range(1, 7)] == [[]] * 6
    assert week.come(7) == ["digest:payments:2026-11-30:1"]


def test_what_is_new_on_a_weekend_waits_for_monday(world: World, week: Mornings) -> None:
    world.function("refund")
    week.come(3)
    week.send()
    world.function("fresh")

    assert (week.come(5), week.send()) == ([], 1)  # the message that is there says so all the same
    assert week.come(6) == []
    assert week.come(7) == ["digest:payments:2026-11-30:1"]
    assert "*new*" in week.shows(7)


def test_what_returns_and_what_an_exemption_covered_is_news(world: World, week: Mornings) -> None:
    refund = world.function("refund")
    world.function("charge")
    week.come(0)
    week.send()
    world.store.exemptions.grant(refund, "moves", ANA, world.clock(), world.clock() + timedelta(days=1, hours=12))
    world.lambdas().delete_function(FunctionName="charge")
    assert (week.come(1), week.send()) == (["zero:payments:2026-11-24"], 1)
    world.function("charge")

    assert week.come(2) == ["digest:payments:2026-11-25:1"]
    assert "*exemption ended* on Nov 25" in week.shows(2)
    assert "*came back* on Nov 25" in week.shows(2)


def test_nothing_is_said_to_be_traced_as_long_as_aws_does_not_show_it(world: World, week: Mornings) -> None:
    here, _there = world.function("here"), world.function("there", account=OTHER)
    week.come(0)
    week.send()
    week.lit(here)
    world.aws.deny(account=OTHER, service="lambda")

    assert [key for key in week.come(1) if key.startswith("zero")] == []
    assert "1 Lambda function without active tracing" in week.shows(0)


def test_a_fix_that_did_not_last_a_night_is_news(world: World, week: Mornings) -> None:
    refund = world.function("refund")
    week.come(0)
    week.send()
    request = world.request(refund)
    world.store.requests.claim(request.id, ANA, world.clock())
    world.store.requests.finish(request.id, RequestState.APPLIED, world.clock())
    world.clock.forward(hours=3)
    world.store.decisions.record(Decision(DecisionKind.APPLIED, world.clock(), ANA, refund, request_id=request.id))

    assert week.come(1) == ["digest:payments:2026-11-24:1"]


def test_the_button_that_undoes_a_fix_moves_to_the_new_message(world: World, week: Mornings) -> None:
    refund = world.function("refund")
    week.come(0)
    week.send()
    request = world.request(refund)
    world.store.requests.claim(request.id, ANA, world.clock())
    until = world.clock() + timedelta(days=2)
    world.store.requests.finish(request.id, RequestState.APPLIED, world.clock(), undo_until=until)
    week.lit(refund)
    world.function("fresh")

    week.come(1)

    assert "undo-fix" in week.shows(1)


def test_a_message_that_was_deleted_is_not_posted_anew_before_there_is_news(world: World, week: Mornings) -> None:
    world.function("refund")
    week.come(0)
    world.store.posts.abandon(week.digest(0).id, "message_not_found")

    assert week.come(1) == []
    world.function("fresh")
    assert week.come(2) == ["digest:payments:2026-11-25:1"]


def test_teams_of_another_hour_are_told_from_the_same_audit(world: World, week: Mornings) -> None:
    world.function("refund")
    world.function("rank", team="search")
    early = Slot(time(7), ZoneInfo("Asia/Tokyo"))
    schedule = Schedule(teams={"search": Plan(slot=early), "silent": Plan(frequency=Frequency.NEVER)})
    context = replace(world.context, schedule=schedule)

    assert week.come(0, context, early) == ["digest:search:2026-11-23:1"]
    calls = len(world.aws.calls)
    assert week.come(0, context) == ["digest:payments:2026-11-23:1"]

    assert len(world.aws.calls) == calls
    assert world.store.daily_runs.ended(AUDIT, MONDAY)
    assert world.store.daily_runs.ended(DAILY, MONDAY)
    assert week.come(0, context, early) == week.come(0, context) == []


def test_the_list_in_the_thread_is_a_table_or_a_file_and_only_the_table_is_kept_true(
    world: World, week: Mornings
) -> None:
    arns = [world.function(f"refund-{number:03}") for number in range(14)]
    week.come(0)
    week.send()
    (table,) = world.store.posts.all(PostKind.LIST)
    week.lit(arns[0])

    assert (week.come(1), week.send()) == ([], 2)
    assert table.thread == week.digest(0).id
    assert "refund-000" not in str(draw(world.context, table)[1])


def test_what_an_earlier_version_posted_loses_its_buttons_to_the_first_living_digest(
    world: World, week: Mornings
) -> None:
    arn = world.function("refund")
    world.audit()
    old = world.post(world.request(arn))

    week.come(0)
    week.send()

    assert world.store.posts.get(old.id).newer == week.digest(0).id
    _, blocks = draw(world.context, world.store.posts.get(old.id))
    assert "approve-fix" not in str(blocks)


def test_a_function_that_went_to_another_team_has_no_row_in_the_old_teams_digest(world: World, week: Mornings) -> None:
    moved = world.function("refund")
    world.function("charge")
    week.come(0)
    world.store.functions.set_team(structs.replace(world.known(moved), team="orders"), world.clock())

    assert "`refund`" not in week.shows(0)
    assert "`charge`" in week.shows(0)

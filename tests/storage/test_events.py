"""Events in memory: each once, quiet places first, and nothing that comes meanwhile is lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.deployments import WhyDark
from storage.events import KEPT, EventOutcome, Happened, Noticed
from storage.models import Function, PostKind, TracingMode, Verdict
from storage.store import Store
from tests.memory import new_store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUIET = timedelta(seconds=20)
ACCOUNT, BERLIN = "111122223333", "eu-central-1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = new_store(tmp_path / "memory.db")
    yield made
    made.close()


def noticed(number: int, name: str = "refund", happened: Happened = Happened.CHANGED, region: str = BERLIN) -> Noticed:
    return Noticed(f"event-{number}", happened, ACCOUNT, region, name)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def due(store: Store, seconds: float) -> list[str]:
    return [one.name for one in store.events.due(after(seconds), QUIET)]


def function(name: str = "refund", verdict: Verdict = Verdict.UNTRACED, role: str = "writes") -> Function:
    return Function(
        arn=f"arn:aws:lambda:{BERLIN}:{ACCOUNT}:function:{name}",
        account=ACCOUNT,
        region=BERLIN,
        name=name,
        mode=TracingMode.PASS_THROUGH,
        role=f"arn:aws:iam::{ACCOUNT}:role/service-role/{role}",
        team="payments",
        verdict=verdict,
    )


def test_an_event_is_noted_once_until_no_queue_can_have_it_any_more(store: Store) -> None:
    assert store.events.note([noticed(1), noticed(1), noticed(2)], NOON) == 2
    assert store.events.note([noticed(1)], after(60)) == 0
    store.events.forget(NOON + KEPT + timedelta(days=1))
    assert store.events.note([noticed(1)], after(61)) == 1


def test_a_place_is_due_once_it_is_quiet(store: Store) -> None:
    store.events.note([noticed(1)], NOON)
    store.events.note([noticed(2, "capture")], after(10))
    store.events.note([noticed(3, "elsewhere", region="us-east-1")], NOON)

    assert due(store, 19) == []
    assert due(store, 20) == ["elsewhere"]
    assert due(store, 30) == ["capture", "refund", "elsewhere"]


def test_a_place_that_is_never_quiet_is_due_after_twice_as_long_but_not_what_has_just_changed(store: Store) -> None:
    for second in range(0, 45, 5):
        store.events.note([noticed(second, f"f-{second:02}")], after(second))

    assert due(store, 39) == []
    assert due(store, 40) == ["f-00", "f-05", "f-10", "f-15", "f-20"]


def test_what_comes_while_it_is_looked_at_is_looked_at_again(store: Store) -> None:
    store.events.note([noticed(1, happened=Happened.CREATED)], NOON)
    (one,) = store.events.due(after(20), QUIET)
    store.events.note([noticed(2)], after(21))
    store.events.done(one, "untraced")

    (again,) = store.events.due(after(41), QUIET)
    assert (again.was, again.created, again.first_at) == ("untraced", False, after(21))
    store.events.done(again)
    assert store.events.watching() == 0


def test_what_it_was_before_the_first_event_is_kept(store: Store) -> None:
    store.functions.save([function(verdict=Verdict.TRACED)], NOON)
    store.events.note([noticed(1)], after(1))
    store.functions.save([function()], after(2))
    store.events.note([noticed(2)], after(3))

    assert [one.was for one in store.events.due(after(60), QUIET)] == ["traced"]


def test_functions_of_a_role_are_found_whatever_its_path(store: Store) -> None:
    store.functions.save([function(), function("capture"), function("other", role="writes-too")], NOON)
    store.events.note([Noticed("event-9", Happened.ROLE_CHANGED, ACCOUNT, "", "writes")], NOON)
    (role,) = store.events.due(after(20), QUIET)
    found = [one for _, one in store.events.with_roles([role])]

    assert sorted(one.name for one in found) == ["capture", "refund"]
    for one in found:
        store.events.done(one)  # no event told of these, and the role's own row stays
    assert store.events.watching() == 1


def test_what_is_to_wait_waits(store: Store) -> None:
    store.events.note([noticed(1)], NOON)
    (one,) = store.events.due(after(20), QUIET)
    store.events.later([one], after(100))

    assert due(store, 99) == []
    (again,) = store.events.due(after(100), QUIET)
    assert again.attempts == 1


def test_outcomes_are_counted(store: Store) -> None:
    store.events.count({EventOutcome.NOTED: 3, EventOutcome.AGAIN: 0})
    store.events.count({EventOutcome.NOTED: 2})

    assert store.events.counts()[EventOutcome.NOTED] == 5
    assert store.events.counts()[EventOutcome.UNREADABLE] == 0


def test_what_was_said_holds_until_the_function_changes_or_goes_elsewhere(store: Store) -> None:
    store.functions.save([function()], NOON)
    post = store.posts.create("deployed:1", PostKind.DEPLOYED, "#team-payments", NOON, team="payments")
    assert post
    store.deployments.say(post.id, {function().arn: WhyDark.DEPLOYED}, "payments", after(5))
    assert store.deployments.still_said([function()]) == {function().arn: after(5)}

    store.functions.save([function(verdict=Verdict.TRACED)], after(10))
    assert store.deployments.still_said([function()]) == {}
    store.functions.save([function()], after(20))
    assert store.deployments.still_said([function()]) == {}  # untraced anew, and that was not said

    store.deployments.say(post.id, {function().arn: WhyDark.SWITCHED_OFF}, "payments", after(25))
    assert store.deployments.still_said([function()])
    store.posts.abandon(post.id, "gone")
    assert store.deployments.still_said([function()]) == {}


def test_a_newer_message_takes_over_what_it_tells(store: Store) -> None:
    posts = [
        store.posts.create(f"deployed:{number}", PostKind.DEPLOYED, "#team-payments", NOON, team="payments")
        for number in (1, 2)
    ]
    store.functions.save([function(), function("capture")], NOON)
    first, second = (post.id for post in posts if post)
    store.deployments.say(
        first, dict.fromkeys([function().arn, function("capture").arn], WhyDark.DEPLOYED), "payments", NOON
    )
    store.deployments.say(second, {function().arn: WhyDark.SWITCHED_OFF}, "payments", after(600))

    assert list(store.deployments.of_post(first)) == [function("capture").arn]
    assert list(store.deployments.of_post(second)) == [function().arn]

    store.posts.abandon(second, "overtaken")  # it never comes
    assert list(store.deployments.of_post(first)) == [function("capture").arn, function().arn]


def test_how_the_queue_answers_is_kept(store: Store) -> None:
    assert store.events.queue() is None
    store.events.reached(NOON, 3, 1)
    store.events.not_reached(after(60), "AccessDenied")
    state = store.events.queue()
    assert state
    assert (state.reached_at, state.waiting, state.failing_since, state.problem) == (NOON, 3, after(60), "AccessDenied")
    store.events.reached(after(90), 0, 0)
    state = store.events.queue()
    assert state
    assert (state.failing_since, state.problem, state.waiting) == (None, "", 0)


def test_a_clock_that_is_set_back_begins_the_quiet_again(store: Store) -> None:
    store.events.note([noticed(1)], after(3600))
    (waiting,) = store.events.due(after(3620), QUIET)
    store.events.later([waiting], after(3900))
    assert due(store, 0) == []
    assert due(store, 19) == []
    assert due(store, 20) == ["refund"]

"""The history's newest hash in the fallback channel, once a week; and what is said where the history was changed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest

from commands._report_rules import ReportRules
from commands._types import Context, Request
from commands.chain import chain
from storage.models import THE_CLOCK, Decision, DecisionKind, Post, Source
from tests.commands.conftest import ANA, HandClock

FRIDAY = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)  # ten in Berlin, a second after the report


@pytest.fixture
def clock() -> HandClock:
    return HandClock(FRIDAY)


def decide(context: Context, number: int = 1) -> None:
    for _ in range(number):
        context.store.decisions.record(Decision(DecisionKind.APPROVED, context.clock(), ANA, "arn"))


def turn(context: Context) -> None:
    list(chain(Request(THE_CLOCK, context.clock(), Source.CLOCK), context))


def posts(context: Context) -> list[Post]:
    return context.store.posts.all()


@contextmanager
def meddled(context: Context) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(context.store.path)) as file:
        guards = file.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        for name, _ in guards:
            file.execute(f"drop trigger {name}")
        yield file
        for _, sql in guards:
            file.execute(sql)
        file.commit()


def test_the_head_is_posted_once_a_week_and_kept(context: Context, clock: HandClock) -> None:
    decide(context, 3)
    turn(context)
    assert posts(context) == []

    clock.now = MONDAY
    turn(context)
    turn(context)

    (post,) = posts(context)
    head = context.store.chain.head()
    assert head
    assert (post.channel, post.key) == ("#finops", "chain:2026-11-23")
    assert post.text.startswith(
        f"*Decisions: 3 kept*, each as it was written. The newest is no. 3 of Nov 20, 2026, hash `{head.hash[:12]}…`."
    )
    assert f"`python -m bot verify --expect 3:{head.hash}`" in post.text
    assert [str(one) for one in context.store.chain.posted()] == [str(head)]

    clock.forward(days=7)
    turn(context)
    assert [one.key for one in posts(context)] == ["chain:2026-11-23", "chain:2026-11-30"]


def test_a_monday_that_was_missed_is_made_up_for_and_nothing_decided_is_nothing_posted(
    context: Context, clock: HandClock
) -> None:
    clock.now = MONDAY
    turn(context)
    decide(context)
    clock.forward(days=9)
    turn(context)

    assert [one.key for one in posts(context)] == ["chain:2026-11-30"]


@pytest.mark.parametrize(
    ("rules", "first"),
    [
        (ReportRules(weekly=2, at=time(8, 30)), datetime(2026, 11, 25, 7, 30, tzinfo=UTC)),
        (ReportRules(weekly=None), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),  # the time of the daily audit
    ],
)
def test_its_time_is_that_of_the_weekly_report(
    context: Context, clock: HandClock, rules: ReportRules, first: datetime
) -> None:
    context = replace(context, reporting=rules)
    decide(context)

    clock.now = first
    clock.forward(seconds=-1)
    turn(context)
    assert posts(context) == []
    clock.forward(seconds=1)
    turn(context)
    assert len(posts(context)) == 1


def test_a_history_that_was_written_anew_is_told_loudly_and_no_head_is_posted(
    context: Context, clock: HandClock
) -> None:
    decide(context, 3)
    clock.now = MONDAY
    turn(context)
    with meddled(context) as file:
        file.execute("delete from decisions where id >= 2")
        file.execute("update sqlite_sequence set seq = 1 where name = 'decisions'")
    decide(context, 2)  # as if nothing had happened: the chain itself is sound

    clock.forward(minutes=10)
    turn(context)
    turn(context)

    _, loud = posts(context)
    assert loud.text.startswith(":rotating_light: *The history of decisions is not as it was written.* Decision 3 has")
    assert "another hash than was posted on 2026-11-23: the chain was rewritten." in loud.text
    clock.forward(days=7)
    turn(context)
    turn(context)
    assert [one.key for one in posts(context)][2:] == ["chain:2026-11-30"]
    assert posts(context)[2].text == loud.text
    assert len(context.store.chain.posted()) == 1


def test_what_was_changed_since_the_last_head_is_told_within_minutes_and_what_was_before_in_a_week(
    context: Context, clock: HandClock
) -> None:
    decide(context, 3)
    clock.now = MONDAY
    turn(context)
    decide(context, 2)
    with meddled(context) as file:
        file.execute("update decisions set actor = 'U0EVE' where id = 1")
    turn(context)
    assert len(posts(context)) == 1

    with meddled(context) as file:
        file.execute("update decisions set actor = 'U0EVE' where id = 5")
    turn(context)
    assert "Decision 5 was changed." in posts(context)[1].text

    clock.forward(days=7)
    turn(context)
    assert "Decision 1 was changed." in posts(context)[2].text

"""A disk that is full, or a file that is busy, at any write of a fix and of its undo: nothing untrue comes of it."""

import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Self

import pytest

from commands._carry_back import carry_back
from commands._carry_out import carry_out
from commands.fix import approve
from commands.undo import undo
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind
from tests.commands.conftest import ANA, HOME, World, trusting

EVENTS = ("insert", "update")
TABLES = ("requests", "decisions", "posts", "functions")
APPROVED, APPLIED, FAILED = DecisionKind.APPROVED, DecisionKind.APPLIED, DecisionKind.FAILED
UNDO, UNDONE, UNDO_FAILED = DecisionKind.UNDO, DecisionKind.UNDONE, DecisionKind.UNDO_FAILED


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@dataclass
class Disk:
    """The write of number `fails_at` fails: alone, or with all that come after it until somebody makes room."""

    sqlite: sqlite3.Connection
    fails_at: int
    for_good: bool
    writes: int = 0

    def full(self) -> bool:
        self.writes += 1
        return self.writes >= self.fails_at if self.for_good else self.writes == self.fails_at

    @property
    def was_full(self) -> bool:
        return self.writes >= self.fails_at

    def __enter__(self) -> Self:
        self.sqlite.create_function("disk_is_full", 0, self.full)
        for table, event in product(TABLES, EVENTS):
            self.sqlite.execute(
                f"""
                create temp trigger fault_{event}_{table} before {event} on {table} when disk_is_full() begin
                    select raise(rollback, 'database or disk is full');
                end
                """
            )
        return self

    def __exit__(self, *_: object) -> None:
        for table, event in product(TABLES, EVENTS):
            self.sqlite.execute(f"drop trigger fault_{event}_{table}")


def disk_of(world: World, fails_at: int, for_good: bool) -> Disk:
    own = world.store._connection._sqlite
    return Disk(own, fails_at, for_good)


def attempt(run: Callable[[], object]) -> None:
    """As the desk does: what fails is logged."""
    with suppress(sqlite3.Error):
        run()


def taken_up(world: World, asked: FixRequest) -> FixRequest:
    """As every minute, and at a start."""
    list(carry_out(world.context, asked.id, again=True))
    list(carry_back(world.context, asked.id))
    return world.store.requests.get(asked.id)


def kinds(world: World, asked: FixRequest) -> list[DecisionKind]:
    return [row.kind for row in world.store.decisions.of_request(asked.id)]


@pytest.mark.parametrize("for_good", [False, True], ids=["one write", "from then on"])
def test_a_fix_whose_keeping_fails_anywhere_is_recorded_as_what_aws_says(world: World, for_good: bool) -> None:
    arns = []
    for number in range(60):
        world.aws.create_role(HOME, f"mute-{number}", trusting(Service="lambda.amazonaws.com"))
        arns.append(world.function(f"f{number:02}", role=f"mute-{number}"))
    world.audit()
    for number, arn in enumerate(arns, 1):
        asked = world.request(arn)
        world.post(asked)
        with disk_of(world, number, for_good) as disk:
            attempt(lambda asked=asked: list(approve(world.asks(ANA, value=asked.id), world.context)))
        ended = taken_up(world, asked)
        if ended.waiting:
            assert kinds(world, asked) in ([], [APPROVED, FAILED]), number
            assert ended.receipt.nothing or kinds(world, asked)
            list(approve(world.asks(ANA, value=asked.id), world.context))
            ended = world.store.requests.get(asked.id)
        assert (ended.state, world.mode(arn)) == (RequestState.APPLIED, "Active"), number
        assert kinds(world, asked)[-2:] == [APPROVED, APPLIED]
        (applied,) = [row for row in world.store.decisions.of_request(asked.id) if row.kind is APPLIED]
        assert (applied.before, applied.detail["attached_policy"] is not None) == ("PassThrough", True), number
        assert ended.undo_until
        if not disk.was_full:
            break
    else:
        raise AssertionError("a fix writes more often than was tried")
    assert number > 10
    assert world.writes().count("AttachRolePolicy") == number
    assert world.store.decisions.verify() is None


def test_an_undo_whose_keeping_fails_anywhere_is_recorded_as_what_aws_says(world: World) -> None:
    arns = [world.function(f"f{number:02}") for number in range(60)]
    world.audit()
    for number, arn in enumerate(arns, 1):
        asked = world.request(arn)
        world.post(asked)
        list(approve(world.asks(ANA, value=asked.id), world.context))
        with disk_of(world, number, for_good=False) as disk:
            attempt(lambda asked=asked: list(undo(world.asks(ANA, value=asked.id), world.context)))
        ended = taken_up(world, asked)
        if ended.state is RequestState.APPLIED:
            assert kinds(world, asked) in ([APPROVED, APPLIED], [APPROVED, APPLIED, UNDO, UNDO_FAILED]), number
            list(undo(world.asks(ANA, value=asked.id), world.context))
            ended = world.store.requests.get(asked.id)
        assert (ended.state, world.mode(arn)) == (RequestState.UNDONE, "PassThrough"), number
        assert kinds(world, asked)[-2:] == [UNDO, UNDONE]
        assert kinds(world, asked).count(UNDONE) == 1
        if not disk.was_full:
            break
    else:
        raise AssertionError("an undo writes more often than was tried")
    assert number > 10
    assert world.store.decisions.verify() is None

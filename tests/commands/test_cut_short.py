"""A fix on a disk that is full, and a power cut between any two of its steps: nothing decided is lost or done twice."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from commands._carry_out import carry_out
from commands.fix import approve
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind
from storage.store import Store
from storage.trouble import trouble
from tests.commands.conftest import ANA, HandClock, World
from tests.disks import SmallDisk, small_disk

APPROVED, APPLIED = DecisionKind.APPROVED, DecisionKind.APPLIED


@pytest.fixture
def delays() -> dict[str, timedelta]:
    return {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}


@pytest.fixture
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("small") / "disk", 16) as mounted:
        yield mounted


def kinds(world: World, asked: FixRequest) -> list[DecisionKind]:
    return [row.kind for row in world.store.decisions.of_request(asked.id)]


@contextmanager
def full(disk: SmallDisk, *, from_now: bool = True) -> Iterator[None]:
    if from_now:
        disk.fill()
    with pytest.raises(sqlite3.OperationalError) as refused:
        yield
    assert trouble(refused.value) == "the disk is full"
    disk.make_room()


def test_on_a_full_disk_no_audit_is_half_kept_and_no_fix_is_begun_that_nobody_could_prove(
    world: World, disk: SmallDisk, clock: HandClock
) -> None:
    store = Store(disk.folder / "memory.db")
    world.store, world.context = store, replace(world.context, store=store)
    arn = world.function("refund")
    with full(disk):
        world.audit()
    assert (store.audits.latest(), store.functions.get(arn)) == (None, None)
    world.audit()
    asked = world.request(arn)

    with full(disk):
        list(approve(world.asks(ANA, value=asked.id), world.context))
    assert (world.writes(), kinds(world, asked)) == ([], [])
    assert store.requests.get(asked.id).waiting

    steps = approve(world.asks(ANA, value=asked.id), world.context)
    with full(disk, from_now=False):
        for _ in steps:
            if world.writes():  # AWS has it, and memory is about to hear of it
                disk.fill()
    assert world.mode(arn) == "Active"
    assert kinds(world, asked) == [APPROVED]
    assert store.requests.get(asked.id).state is RequestState.RUNNING

    again = carry_out(world.context, asked.id, again=True)
    next(again)
    store._connection._sqlite.execute("pragma query_only = on")
    clock.asked = lambda: store._connection._sqlite.execute("pragma query_only = off")  # it was for a moment only
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        list(again)
    assert kinds(world, asked) == [APPROVED], "what AWS has taken was called a failure"

    list(carry_out(world.context, asked.id, again=True))  # as every minute
    assert kinds(world, asked) == [APPROVED, APPLIED]
    assert world.writes() == ["UpdateFunctionConfiguration"]
    assert store.decisions.verify() is None
    store.close()


class PowerCutError(BaseException):
    """Nothing runs after it."""


def cut_at(store: Store, number: int) -> list[int]:
    """The machine goes before that commit; the answer counts the commits."""
    memory, commits = store._connection._db, [0]
    commit = memory.commit

    def counted() -> None:
        commits[0] += 1
        if commits[0] == number:
            raise PowerCutError
        commit()

    memory.commit = counted
    return commits


def started_again(world: World, folder: Path) -> None:
    """What stood on the disk that moment, the WAL as it was, in a process that knows nothing else."""
    folder.mkdir()
    old = world.store.path
    for suffix in ("", "-wal"):
        shutil.copy(f"{old}{suffix}", folder / f"memory.db{suffix}")
    store = Store(folder / "memory.db")
    store.check()
    world.store, world.context = store, replace(world.context, store=store)


def test_a_power_cut_before_any_commit_of_a_fix_loses_nothing_decided_and_repeats_nothing(
    world: World, tmp_path: Path
) -> None:
    arns = []
    for number in range(20):
        arns.append(world.function(f"f{number:02}"))
    world.audit()
    first, stores = world.store, []
    for number, arn in enumerate(arns, 1):
        asked = world.request(arn)
        world.post(asked)
        commits = cut_at(world.store, number)
        answers = approve(world.asks(ANA, value=asked.id), world.context)
        try:
            list(answers)
        except PowerCutError:
            decided = kinds(world, asked)
        else:
            break
        started_again(world, tmp_path / str(number))
        stores.append(world.store)
        assert kinds(world, asked) == decided
        list(carry_out(world.context, asked.id, again=True))
        if not decided:
            assert world.mode(arn) == "PassThrough", "AWS was changed before the decision was kept"
            assert world.store.requests.get(asked.id).waiting
            list(approve(world.asks(ANA, value=asked.id), world.context))
        assert kinds(world, asked) == [APPROVED, APPLIED], number
        assert (world.mode(arn), world.store.requests.get(asked.id).state) == ("Active", RequestState.APPLIED)
        assert world.store.decisions.verify() is None
        assert sum(one.startswith("UpdateFunctionConfiguration") for one in world.writes()) == number
    else:
        raise AssertionError("a fix commits more often than was tried")
    assert commits[0] > 6
    for store in stores:
        if store is not first:
            store.close()

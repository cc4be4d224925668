"""What an older file knew of functions and decisions, asked of it after an upgrade."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.store import open_store
from tests.storage.older import RELEASED, write

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def kept(path: Path, what: str) -> list[tuple[str, ...]]:
    with sqlite3.connect(path) as file:
        found = file.execute(what).fetchall()
    file.close()
    return found


@pytest.mark.parametrize("step", RELEASED)
def test_as_of_now_a_migrated_file_tells_what_it_holds_and_its_decisions_stand(tmp_path: Path, step: str) -> None:
    path, decisions = tmp_path / "memory.db", "select id, at, actor, kind, function_arn from decisions order by id"
    write(path, step)
    verdicts = kept(path, "select arn, verdict from functions")
    decided = kept(path, decisions)

    with open_store(path) as store:
        told = {arn: store.past.verdict_at(arn, NOW) for arn, _ in verdicts}
        assert {arn: one and one.verdict for arn, one in told.items()} == dict(verdicts)
        assert sum(one.number for one in store.dashboards.functions()) == len(verdicts)
        assert store.decisions.verify() is None
    assert kept(path, decisions) == decided

"""A file of every schema that was ever released opens, loses no row, and ends as a new one begins."""

import sqlite3
from pathlib import Path

import pytest

from storage.connection import StorageProblem
from storage.store import Store, open_store
from tests.storage.older import RELEASED, counts, write

LATE = "m011_exemptions_that_are_rules"
# Filled by a step from what is there.
MADE = ("places", "exemption_members")


@pytest.mark.parametrize("step", RELEASED)
def test_a_file_of_any_step_opens_with_all_that_it_holds(tmp_path: Path, step: str) -> None:
    path = tmp_path / "memory.db"
    write(path, step)
    before = counts(path)
    assert before["decisions"] == 28

    with open_store(path) as store:
        assert store.decisions.verify() is None
        assert len(store.posts.all()) == before["posts"]
        for post in store.posts.all():
            assert all(store.requests.find(one) for one in store.posts.requests_of(post.id))
        assert len(store.functions.untraced()) == 22

    after = counts(path)
    assert {name: after.get(name) for name in before} | dict.fromkeys(MADE) == before | dict.fromkeys(MADE)
    assert shape(path) == shape(new(tmp_path / "new.db"))
    assert unsound(path) == []


@pytest.mark.parametrize("step", RELEASED[: RELEASED.index(LATE)])
def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path, step: str) -> None:
    path = tmp_path / "memory.db"
    write(path, step)
    with sqlite3.connect(path) as file:
        file.execute("create table exemption_members (in_the_way)")
    file.close()
    before, was = counts(path), shape(path)

    with pytest.raises(StorageProblem, match="exemption_members already exists"):
        Store(path)

    assert (counts(path), shape(path)) == (before, was)


def new(path: Path) -> Path:
    with open_store(path):
        return path


def shape(path: Path) -> set[tuple[str, str, tuple[object, ...]]]:
    """Tables by their columns, and the rest by its SQL; order and remarks are no difference."""
    with sqlite3.connect(path) as file:
        rows = file.execute("select type, name, tbl_name, sql from sqlite_master where name not like '%sqlite_%'")
        found = {
            (kind, name, tuple(sorted(row[1:] for row in file.execute(f"pragma table_info({name})"))))
            if kind == "table"
            else (kind, name, (" ".join((sql or "").split()),))
            for kind, name, _, sql in rows.fetchall()
        }
    file.close()
    return found


def unsound(path: Path) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as file:
        found = [*file.execute("pragma foreign_key_check"), *file.execute("pragma integrity_check")]
    file.close()
    return [row for row in found if row != ("ok",)]

import sqlite3
import threading
from pathlib import Path

import pytest

from storage.connection import Connection, StorageProblem
from storage.models import PostKind
from storage.store import Store
from tests.storage.conftest import NOON


def test_a_failed_transaction_leaves_nothing_behind(store: Store, make_function) -> None:
    def cut_short() -> None:
        with store.transaction():
            store.requests.open_for(make_function(), NOON)
            raise RuntimeError("cut short")

    with pytest.raises(RuntimeError):
        cut_short()

    assert store.requests.live(make_function().arn) is None


def test_a_transaction_inside_another_joins_it(store: Store, make_function) -> None:
    def cut_short() -> None:
        with store.transaction():
            with store.transaction():
                store.requests.open_for(make_function(), NOON)
            raise RuntimeError("cut short")

    with pytest.raises(RuntimeError):
        cut_short()

    assert store.requests.live(make_function().arn) is None


def test_sixteen_threads_write_without_a_loss(store: Store, make_function) -> None:
    def write(number: int) -> None:
        for turn in range(25):
            with store.transaction():
                store.requests.open_for(make_function(f"f-{number}-{turn}"), NOON)

    threads = [threading.Thread(target=write, args=[number]) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number in range(16):
        for turn in range(25):
            assert store.requests.live(make_function(f"f-{number}-{turn}").arn)


def test_two_processes_may_share_the_file(tmp_path: Path, make_function) -> None:
    first, second = Store(tmp_path / "shared.db"), Store(tmp_path / "shared.db")

    def write(store: Store, prefix: str) -> None:
        for turn in range(50):
            store.requests.open_for(make_function(f"{prefix}-{turn}"), NOON)

    threads = [threading.Thread(target=write, args=pair) for pair in ((first, "a"), (second, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(first.requests.live(make_function(f"{prefix}-{turn}").arn) for prefix in "ab" for turn in range(50))
    first.close()
    second.close()


def test_opening_again_finds_what_was_written(tmp_path: Path, make_function) -> None:
    first = Store(tmp_path / "memory.db")
    made = first.requests.open_for(make_function(), NOON)
    first.close()

    again = Store(tmp_path / "memory.db")

    assert again.requests.get(made.id) == made
    again.close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    connection = Connection(tmp_path / "memory.db")

    assert (tmp_path / "memory.db").stat().st_mode & 0o077 == 0
    connection.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem, match="LAMPLIGHTER_DATABASE"):
        Connection(tmp_path / "nowhere" / "memory.db")


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes, and a good many of them " * 50)

    with pytest.raises(StorageProblem, match=r"notes\.txt"):
        Connection(tmp_path / "notes.txt")


def test_the_file_is_in_wal_mode_with_foreign_keys(store: Store) -> None:
    outside = sqlite3.connect(store.path)

    assert outside.execute("pragma journal_mode").fetchone() == ("wal",)
    outside.close()
    with pytest.raises(sqlite3.IntegrityError):
        store.posts.create("k", PostKind.DIGEST, "#x", NOON, requests=["no-such-request"])


def test_what_cannot_be_kept_at_the_end_does_not_take_all_that_follows_with_it(store: Store, make_function) -> None:
    reader = sqlite3.connect(store.path, isolation_level=None)

    def fails_at_its_end() -> None:
        with store.transaction():
            store._connection._sqlite.execute("pragma defer_foreign_keys = on")  # so that it is the commit that fails
            store.posts.create("k", PostKind.DIGEST, "#x", NOON, requests=["no-such-request"])

    with pytest.raises(sqlite3.IntegrityError):
        fails_at_its_end()

    kept = store.requests.open_for(make_function(), NOON)

    assert reader.execute("select id from requests").fetchall() == [(kept.id,)]
    reader.close()

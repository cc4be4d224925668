"""A file that is busy, full, read-only or torn: what was kept before stands, and what cannot be done is said."""

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from storage.connection import StorageProblem
from storage.models import Decision, DecisionKind
from storage.schema import migrations
from storage.store import Store, open_store
from storage.trouble import is_busy, trouble
from tests.disks import small_disk
from tests.storage.conftest import NOON


def decide(store: Store, number: int, reason: str = "because") -> None:
    store.decisions.record(
        Decision(
            DecisionKind.APPROVED,
            NOON + timedelta(seconds=number),
            "U0ANA",
            "arn",
            request_id=f"r{number}",
            reason=reason,
        )
    )


def ids(store: Store) -> list[str]:
    assert store.decisions.verify() is None
    return [row.request_id for row in store.decisions.all()]


@contextmanager
def another_writes(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("begin immediate")
        yield other


# -- busy


def test_a_write_waits_for_another_process_and_its_own_readers_do_not(store: Store) -> None:
    decide(store, 1)
    with another_writes(store.path) as other:
        writer = threading.Thread(target=decide, args=[store, 2])
        writer.start()
        began = time.monotonic()
        while time.monotonic() - began < 0.3:  # what a wait under the lock would keep back
            assert ids(store) == ["r1"]
        took = time.monotonic()
        assert ids(store) == ["r1"]
        assert time.monotonic() - took < 5
        assert writer.is_alive()
        other.execute("rollback")
    writer.join(10)
    assert ids(store) == ["r1", "r2"]


def test_what_waits_too_long_says_so_and_leaves_nothing_half_written(store: Store) -> None:
    store._connection.patience = 0.1
    kept = store.kept
    with another_writes(store.path), pytest.raises(sqlite3.OperationalError) as refused:
        decide(store, 1)

    assert trouble(refused.value) == "another process keeps it busy"
    assert (ids(store), store.kept) == ([], kept)
    decide(store, 1)
    assert (ids(store), store.kept) == (["r1"], kept + 1)


def test_however_finely_sqlite_puts_it_it_is_the_same_trouble(store: Store) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("begin")
        other.execute("select * from decisions").fetchall()
        decide(store, 1)
        with pytest.raises(sqlite3.OperationalError) as refused:
            other.execute("pragma user_version = 1")  # of what it has read, there is something newer
    assert refused.value.sqlite_errorcode == sqlite3.SQLITE_BUSY_SNAPSHOT

    assert trouble(refused.value) == "another process keeps it busy"
    assert is_busy(refused.value)


# -- full, and read-only


def test_a_full_disk_takes_nothing_back_and_with_room_all_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk, open_store(disk.folder / "memory.db") as store:
        decide(store, 1)
        disk.fill()
        with pytest.raises(sqlite3.OperationalError) as refused:
            decide(store, 2)
        assert trouble(refused.value) == "the disk is full"
        with pytest.raises(StorageProblem, match="the disk is full"):
            store.check()
        assert ids(store) == ["r1"]
        disk.make_room()
        store.check()
        decide(store, 2)
        assert ids(store) == ["r1", "r2"]


def test_where_only_the_checkpoint_finds_no_room_what_was_kept_stays_in_the_wal(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk, open_store(disk.folder / "memory.db") as store:
        store._connection._sqlite.execute("pragma wal_checkpoint(truncate)")
        store._connection._sqlite.execute("pragma wal_autocheckpoint = 0")
        for number in range(40):
            decide(store, number, reason="x" * 20_000)
        before = store.path.stat().st_size
        disk.fill(left=128 << 10)
        store._connection._sqlite.execute("pragma wal_autocheckpoint = 1")
        decide(store, 40)
        assert len(ids(store)) == 41
        shutil.copy(store.path, tmp_path / "cut.db")  # the power goes
        shutil.copy(f"{store.path}-wal", tmp_path / "cut.db-wal")
        with open_store(tmp_path / "cut.db") as cut:
            assert len(ids(cut)) == 41
        disk.make_room()
        decide(store, 41)
        assert len(ids(store)) == 42
        assert store.path.stat().st_size > before + 500_000  # and now it went into the file


def test_a_disk_that_becomes_read_only_is_said_and_a_start_on_it_is_refused(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        path = disk.folder / "memory.db"
        with open_store(path) as store:
            decide(store, 1)
        disk.read_only(True)
        with pytest.raises(StorageProblem, match="Read-only file system"):
            Store(path)
        disk.read_only(False)
        with open_store(path) as store:
            store._connection._sqlite.execute("pragma query_only = on")  # the system remounts nothing under a writer
            with pytest.raises(sqlite3.OperationalError) as refused:
                decide(store, 2)
            assert trouble(refused.value) == "it can only be read"
            with pytest.raises(StorageProblem, match="it can only be read"):
                store.check()
            store._connection._sqlite.execute("pragma query_only = off")
            assert ids(store) == ["r1"]


# -- torn


def test_every_commit_is_on_the_disk_when_it_returns(store: Store) -> None:
    assert store._connection.row("pragma synchronous") == {"synchronous": 2}


def test_a_wal_that_is_torn_anywhere_loses_no_commit_before(tmp_path: Path) -> None:
    with open_store(tmp_path / "memory.db") as store:
        wal = Path(f"{store.path}-wal")
        store._connection._sqlite.execute("pragma wal_checkpoint(truncate)")
        ends = []
        for number in range(4):
            decide(store, number)
            ends.append(wal.stat().st_size)
        whole, torn = wal.read_bytes(), tmp_path / "torn.db"
        shutil.copy(store.path, torn)
    for end in (32, *ends):
        for cut in (end - 1, end - 4000, end, end + 1, end + 30):
            kept = sum(one <= cut for one in ends)
            for tail in (b"", b"\xa5" * 5000):  # cut off, or followed by what stood there before
                torn.with_name("torn.db-wal").write_bytes(whole[: max(0, cut)] + tail)
                with closing(sqlite3.connect(torn)) as file:
                    found = file.execute("select count(*) from decisions").fetchone()
                    file.execute("pragma wal_autocheckpoint = 0")
                    assert found == (min(kept, len(ends)),), (cut, tail[:1])
                    torn.with_name("torn.db-shm").unlink(missing_ok=True)
                    shutil.copy(torn, tmp_path / "keep.db")
                shutil.copy(tmp_path / "keep.db", torn)
    torn.with_name("torn.db-wal").write_bytes(whole[: ends[2] + 100])
    with open_store(torn) as store:
        assert ids(store) == ["r0", "r1", "r2"]
        decide(store, 9)
        assert ids(store)[-1] == "r9"


@pytest.mark.parametrize("torn", [b"\0" * 4096, b"\xa5" * 512], ids=["zeros", "noise"])
def test_a_torn_page_of_the_file_is_noticed(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "memory.db"
    with open_store(path) as store:
        for number in range(30):
            decide(store, number)
        store.check()
        (page,) = store._connection._sqlite.execute(
            "select rootpage from sqlite_master where name = 'decisions'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(torn)
    with (
        open_store(path) as store,
        pytest.raises(StorageProblem, match=r"memory\.db is damaged: .* python -m bot restore"),
    ):
        store.check()


def untouched(path: Path, match: str) -> None:
    before, others = path.read_bytes(), set(path.parent.iterdir())
    with pytest.raises(StorageProblem, match=match):
        Store(path)
    assert path.read_bytes() == before
    assert set(path.parent.iterdir()) == others


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with open_store(path):
        pass
    with closing(sqlite3.connect(path)) as file:
        row = "insert into _sqlite_migrations (migration_set, name, applied_at) values (?, 'm990_tomorrow', '')"
        file.execute(row, [migrations.name])
        file.commit()
        file.execute("pragma journal_mode = delete")

    untouched(path, r"newer version of Lamplighter \(m990_tomorrow is not known to this one\).*before-m990")


def test_another_programs_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with closing(sqlite3.connect(path)) as file:
        file.execute("create table albums (name)")

    untouched(path, "another program's")


def test_a_file_of_no_bytes_is_no_new_one(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    path.touch()

    untouched(path, "holds nothing.*or delete it to begin with an empty memory")


def test_what_is_no_trouble_of_the_file_is_not_called_one() -> None:
    with closing(sqlite3.connect(":memory:")) as file:
        file.execute("create table one (only unique)")
        file.execute("insert into one values (1)")
        with pytest.raises(sqlite3.IntegrityError) as constraint:
            file.execute("insert into one values (1)")
        with pytest.raises(sqlite3.OperationalError) as wrong:
            file.execute("select nothing")
        with pytest.raises(sqlite3.ProgrammingError) as closed:
            file.execute("select ?", [])

    assert [trouble(one.value) for one in (constraint, wrong, closed)] == [None] * 3
    assert trouble(OSError()) is None

"""Copies: made while others write, before a migration, and put back."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage import copies
from storage.connection import STEPS, StorageProblem
from storage.lock import hold
from storage.models import Decision, DecisionKind
from storage.store import Store, open_store
from tests.disks import small_disk
from tests.storage.conftest import NOON
from tests.storage.older import FILLED, counts, write, write_m007
from tests.storage.test_migrations import new, shape, unsound

ROOT = Path(__file__).parents[2]
_CUT_SHORT = """
import os, signal, sys
from storage.schema import migrations

@migrations()
def m990_cut_short(db):
    db.execute("create table half (done)")
    db.execute("pragma cache_size = 1")  # so that what is half done goes into the WAL before its end
    db.execute("update posts set text = hex(zeroblob(20000))")
    os.kill(os.getpid(), signal.SIGKILL)

from storage.store import Store
Store(sys.argv[1])
"""


def kept_copies(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if ".before-" in one.name)


def test_a_copy_comes_before_a_migration_and_holds_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    before, was = counts(path), shape(path)
    with open_store(path):
        pass

    copy = tmp_path / "memory.db.before-m008"
    assert kept_copies(path) == [copy.name]
    assert copy.stat().st_mode & 0o777 == 0o600
    assert (counts(copy), shape(copy), unsound(copy)) == (before, was, [])
    assert copies.look_into(copy).decisions == 28
    with open_store(path):
        pass
    assert kept_copies(path) == [copy.name]


def test_where_there_is_nothing_to_migrate_nothing_is_copied(tmp_path: Path) -> None:
    for _ in range(2):
        with open_store(tmp_path / "memory.db"):
            pass

    assert kept_copies(tmp_path / "memory.db") == []


def test_the_newest_copies_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    for old in ("m002", "m003", "m004"):
        (tmp_path / f"memory.db.before-{old}").touch()
    (tmp_path / "memory.db.before-monday").touch()
    with open_store(path):
        pass

    assert kept_copies(path) == [f"memory.db.before-{one}" for one in ("m003", "m004", "m008", "monday")]


def test_without_room_for_the_copy_nothing_is_migrated(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 12) as disk:
        path = disk.folder / "memory.db"
        write_m007(path)
        was = shape(path)
        disk.fill(left=1 << 20)
        with pytest.raises(StorageProblem, match=r"no room to copy .* MB are needed .* Make room and start again"):
            Store(path)
        assert (shape(path), kept_copies(path)) == (was, [])
        disk.make_room()
        with open_store(path) as store:
            assert store.decisions.verify() is None
        assert kept_copies(path) == ["memory.db.before-m008"]


def test_a_damaged_file_is_not_migrated(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    with closing(sqlite3.connect(path)) as file:
        (page,) = file.execute("select rootpage from sqlite_master where name = 'decisions'").fetchone()
        (size,) = file.execute("pragma page_size").fetchone()
        file.execute("pragma wal_checkpoint(truncate)")
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * 64)
    was = shape(path)

    with pytest.raises(StorageProblem, match="is damaged"):
        Store(path)
    assert (shape(path), kept_copies(path)) == (was, [])


def test_a_migration_that_is_killed_leaves_the_old_schema_whole(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    before, was = counts(path), shape(path)

    killed = subprocess.run([sys.executable, "-c", _CUT_SHORT, str(path)], cwd=ROOT, check=False)

    assert killed.returncode == -signal.SIGKILL
    assert Path(f"{path}-wal").stat().st_size > 200_000
    assert (counts(path), shape(path), unsound(path)) == (before, was, [])
    assert kept_copies(path) == ["memory.db.before-m008"]
    with open_store(path) as store:
        assert store.decisions.verify() is None
    assert shape(path) == shape(new(tmp_path / "new.db"))


def test_a_copy_that_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    before = counts(path)
    (tmp_path / "memory.db.before-m008.part").write_bytes(b"half of it")
    with open_store(path):
        pass

    assert kept_copies(path) == ["memory.db.before-m008"]
    assert counts(tmp_path / "memory.db.before-m008") == before


def test_a_copy_is_on_the_disk_before_anything_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    was, kept, fsync = shape(path), list[str](), os.fsync

    def note(handle: int) -> None:  # a power cut takes what was not kept so
        assert shape(path) == was
        kept.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", note)
    with open_store(path):
        pass

    # What it holds, and its name; and the name that it has from then on.
    assert kept == ["memory.db.before-m008.part", tmp_path.name, tmp_path.name]


def test_of_two_that_open_an_older_file_at_once_one_migrates_it(tmp_path: Path) -> None:
    path, stores = tmp_path / "memory.db", []
    write_m007(path)
    threads = [threading.Thread(target=lambda: stores.append(Store(path))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert [store.decisions.verify() for store in stores] == [None] * 4
    for store in stores:
        store.close()
    with closing(sqlite3.connect(path)) as file:
        done = file.execute("select name from _sqlite_migrations where migration_set = 'lamplighter'").fetchall()
    assert sorted(done) == sorted((step,) for step in STEPS)


def test_a_terminal_migrates_nothing_under_a_running_bot_and_the_bot_does(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write(path, FILLED)
    was = shape(path)
    bot = hold(path)
    assert bot

    with closing(bot):
        with pytest.raises(StorageProblem, match=r"a bot of that version runs on it\. Stop that bot"):
            Store(path)
        assert (shape(path), kept_copies(path)) == (was, [])
        Store(path, sole=True).close()
        Store(path).close()  # of one version, they share the file
    assert shape(path) == shape(new(tmp_path / "new.db"))


def test_a_copy_of_a_file_that_is_written_to_is_whole(tmp_path: Path, make_function) -> None:
    with open_store(tmp_path / "memory.db") as store:
        ended = threading.Event()

        def write_on() -> None:
            number = 0
            while not ended.is_set():
                number += 1
                store.decisions.record(
                    Decision(DecisionKind.APPROVED, NOON + timedelta(seconds=number), "U0ANA", "arn")
                )

        writer = threading.Thread(target=write_on)
        writer.start()
        seen = []
        for number in range(5):
            target = tmp_path / f"copy-{number}.db"
            copies.copy(store.path, target)
            seen.append(copies.look_into(target))
            assert [one.name for one in tmp_path.glob(f"{target.name}-*")] == []
        ended.set()
        writer.join()

    assert [one.broken for one in seen] == [None] * 5
    assert [one.decisions for one in seen] == sorted(one.decisions for one in seen)
    assert (tmp_path / "copy-4.db").stat().st_mode & 0o777 == 0o600


def test_nothing_is_written_over_and_what_cannot_be_copied_leaves_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path / "memory.db") as store:
        target = tmp_path / "there.db"
        target.write_text("mine")
        with pytest.raises(StorageProblem, match="File exists"):
            copies.copy(store.path, target)
        assert target.read_text() == "mine"
        with small_disk(tmp_path / "disk", 1) as disk:
            disk.fill()
            with pytest.raises(StorageProblem, match="full"):
                copies.copy(store.path, disk.folder / "copy.db")
            assert [one.name for one in disk.folder.iterdir()] == ["ballast"]


def test_a_copy_takes_the_place_of_the_file_without_its_wal(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with open_store(path) as store:
        store.decisions.record(Decision(DecisionKind.APPROVED, NOON, "U0ANA", "arn"))
        copies.copy(path, tmp_path / "copy.db")
        store.decisions.record(Decision(DecisionKind.DENIED, NOON, "U0BO", "arn"))
        wal = Path(f"{path}-wal").read_bytes()
    Path(f"{path}-wal").write_bytes(wal)  # as a bot leaves it that is killed
    (tmp_path / ".memory.db-litestream" / "ltx").mkdir(parents=True)

    aside = copies.put_in_place(tmp_path / "copy.db", path, NOON)

    with open_store(path) as store:
        assert [one.kind for one in store.decisions.all()] == [DecisionKind.APPROVED]
        store.check()
    assert aside
    assert copies.look_into(aside).decisions == 2
    assert Path(f"{aside}-wal").read_bytes() == wal
    assert not (tmp_path / ".memory.db-litestream").exists()

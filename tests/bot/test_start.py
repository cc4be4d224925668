"""What a start looks at before it asks Slack anything: that it is alone, and that its file is whole and takes a row."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.config import ConfigProblem, load
from bot.service import Service
from storage.connection import StorageProblem
from storage.lock import hold
from storage.store import open_store
from tests.disks import small_disk
from tests.e2e.scene import wait_for
from tests.storage.older import write_m007
from tests.storage.test_migrations import shape

Start = Callable[[Path], None]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """Beside the main thread, so that signals stay the tests'. Slack is not there."""
    for name in ("BOT", "APP"):
        monkeypatch.setenv(f"SLACK_{name}_TOKEN", "xoxp-pretend")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:9/api/")
    monkeypatch.setenv("LAMPLIGHTER_CONFIG", str(tmp_path / "lamplighter.toml"))
    (tmp_path / "lamplighter.toml").touch()

    def run(database: Path) -> None:
        monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(database))
        with ThreadPoolExecutor(1) as beside:
            beside.submit(Service(load()).run).result(20)

    return run


def test_a_damaged_file_is_not_started_on(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    with open_store(path) as store:
        (page,) = store._connection._sqlite.execute(
            "select rootpage from sqlite_master where name = 'posts'"
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 8192)
        file.write(b"\xa5" * 512)

    with pytest.raises(StorageProblem, match=r"memory\.db is damaged"):
        start(path)


def test_a_second_bot_of_a_newer_version_migrates_nothing_under_the_first(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    write_m007(path)
    was, first = shape(path), hold(path)
    assert first

    with first, pytest.raises(ConfigProblem, match="another Lamplighter runs on this database"):
        start(path)
    assert shape(path) == was


def test_a_disk_that_is_full_or_read_only_is_said_at_the_start(start: Start, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        path = disk.folder / "memory.db"
        with open_store(path) as store:
            disk.fill()
            with pytest.raises(StorageProblem, match=r"cannot write to the database .*: the disk is full"):
                start(path)
            disk.make_room()
            assert store.decisions.all() == []
        disk.read_only(True)
        with pytest.raises(ConfigProblem, match="Read-only file system") as said:
            start(path)
        assert "\n" not in str(said.value)


def test_slack_that_does_not_answer_is_asked_less_and_less_often_until_the_bot_is_to_end(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(tmp_path / "memory.db"))
    service = Service(load())
    with ThreadPoolExecutor(1) as beside:
        running = beside.submit(service.run)
        wait_for(lambda: running.done() or caplog.text.count("Slack cannot be reached") == 3)
        service.stop.set()
        running.result(20)

    waits = re.findall(r"Slack cannot be reached \(.+\), again in (\d+) s", caplog.text)
    assert waits[:3] == ["1", "2", "4"]

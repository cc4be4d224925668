"""One bot for each database, by whatever name and however the last one ended."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.config import Config, ConfigProblem, Environment, File
from bot.only_one import OnlyOne
from bot.service import Service
from tests.e2e.scene import ROOT

HOLD = """
import sys, time
from pathlib import Path
from bot.only_one import OnlyOne
with OnlyOne(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "lamplighter.db"
    path.touch()
    return path


def held_by_another(database: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(database)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_is_first_and_what_to_do_until_that_is_gone(database: Path) -> None:
    first = held_by_another(database)
    try:
        with pytest.raises(ConfigProblem) as refused, OnlyOne(database):
            pass
        told = str(refused.value)
        assert f"another Lamplighter runs on this database (process {first.pid} on {socket.gethostname()}" in told
        assert told.endswith("Stop it, or set LAMPLIGHTER_DATABASE to another file.")
        assert "\n" not in told
    finally:
        os.kill(first.pid, signal.SIGKILL)  # which leaves the file of the lock behind
        first.communicate()

    assert database.with_name("lamplighter.db.lock").exists()
    with OnlyOne(database):
        pass


def test_another_name_is_the_same_database(database: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    link = tmp_path / "folder" / "other.db"
    link.symlink_to(database)

    with OnlyOne(database), pytest.raises(ConfigProblem, match="another Lamplighter runs"), OnlyOne(link):
        pass
    (tmp_path / "beside").symlink_to(tmp_path)
    with OnlyOne(link), pytest.raises(ConfigProblem), OnlyOne(tmp_path / "beside" / "lamplighter.db"):
        pass


def test_a_file_with_two_names_of_its_own_is_refused_by_either(database: Path, tmp_path: Path) -> None:
    other = tmp_path / "hard.db"
    os.link(database, other)
    for name in (database, other):
        with pytest.raises(ConfigProblem, match="a second name"), OnlyOne(name):
            pass

    other.unlink()
    with OnlyOne(database):
        pass


def test_who_is_refused_has_not_touched_the_database(database: Path) -> None:
    environment = Environment(
        slack_bot_token="xoxb-1", slack_app_token="xapp-1", lamplighter_database=str(database), slack_api_url="http://x"
    )
    with OnlyOne(database), pytest.raises(ConfigProblem, match="another Lamplighter runs"):
        Service(Config(environment, File())).run()

    assert database.stat().st_size == 0


def test_a_file_system_without_locks_is_no_other_bot(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)  # as NFS does without its lock manager

    with (
        pytest.raises(ConfigProblem, match=r"gives no locks \(No locks available\).*local disk or a block"),
        OnlyOne(database),
    ):
        pass


def test_a_folder_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigProblem, match=r"cannot open the database .*No such file.*LAMPLIGHTER_DATABASE"),
        OnlyOne(tmp_path / "nowhere" / "lamplighter.db"),
    ):
        pass


def test_a_lock_whose_file_was_deleted_is_taken_anew(database: Path, caplog: pytest.LogCaptureFixture) -> None:
    lock = database.with_name("lamplighter.db.lock")
    with OnlyOne(database) as only_one:
        only_one.again()
        assert caplog.text == ""
        lock.unlink()

        only_one.again()

        assert "was deleted while this bot ran" in caplog.text
        with pytest.raises(ConfigProblem, match="another Lamplighter runs"), OnlyOne(database):
            pass
    with OnlyOne(database):
        pass


def test_who_finds_another_with_the_lock_is_told_to_end(database: Path) -> None:
    with OnlyOne(database) as only_one:
        database.with_name("lamplighter.db.lock").unlink()
        second = held_by_another(database)
        try:
            with pytest.raises(ConfigProblem, match=rf"another Lamplighter runs .*process {second.pid} "):
                only_one.again()
        finally:
            second.kill()
            second.communicate()

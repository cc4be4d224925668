"""What the bot says of how it is: found by the watch, said without waiting for anything."""

import json
import os
import resource
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import serving
from bot.channels import ChannelNames
from bot.health import Finding, Health
from bot.healthy import tell
from bot.outbox import STUCK_SECONDS, Outbox
from bot.probes import Probes
from bot.scheduler import DailyClock
from bot.watch import Watch
from commands._drawing import draw
from commands._types import Context
from storage.models import Inventory, Source
from storage.store import Store
from storage.writable import Writable, inode_of, look
from tests.bot.conftest import SetClock

Lines = dict[str, tuple[bool, str]]


class Watched:
    """A watch over a real file; Slack answers, and its requests come in, until a test says otherwise."""

    def __init__(self, database: Path, clock: SetClock) -> None:
        self.health, self.clock = Health(clock), clock
        self.problem: Exception | None = None
        self.connection = (True, "connected")
        self.watch = Watch(self.health, database, self._ask, lambda: self.connection, clock)
        self.watch.ask_slack()
        self.watch.look_at_database()
        self.health.running()

    def _ask(self) -> None:
        if self.problem:
            raise self.problem

    def said(self) -> Lines:
        self.watch.look_at_database()
        return {line.check: (line.ok, line.reason) for line in self.health.ready()}

    @property
    def wanting(self) -> dict[str, str]:
        return {check: reason for check, (ok, reason) in self.said().items() if not ok}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "memory.db")
    yield made
    made.close()


@pytest.fixture
def watched(store: Store) -> Watched:
    at = sqlite3.connect(store.path).execute("select min(applied_at) from _sqlite_migrations").fetchone()[0]
    return Watched(store.path, SetClock(type(SetClock().now).fromisoformat(at) + timedelta(hours=1)))


def audit(store: Store, clock: SetClock, scope: str = "") -> None:
    store.audits.record(
        Inventory((), (), (), (), 0), {}, source=Source.CLOCK, scope=scope, started_at=clock(), finished_at=clock()
    )


# ---- Slack


def test_all_is_well_where_all_is_well(watched: Watched) -> None:
    assert watched.wanting == {}


def test_slack_has_to_have_answered_not_long_ago(watched: Watched) -> None:
    watched.problem = TimeoutError("no answer")
    watched.watch.ask_slack()
    watched.clock.forward(seconds=170)
    assert "slack" not in watched.wanting

    watched.clock.forward(seconds=20)
    assert watched.wanting["slack"] == "Slack cannot be reached (TimeoutError)"

    watched.problem = None
    watched.watch.ask_slack()
    assert "slack" not in watched.wanting


def test_a_revoked_token_is_said_at_once_with_how_to_mend_it(watched: Watched) -> None:
    watched.problem = SlackApiError("no", {"ok": False, "error": "token_revoked"})
    watched.watch.ask_slack()

    assert watched.wanting["slack"] == (
        "Slack answers token_revoked. Check SLACK_BOT_TOKEN and that the app is still installed"
    )


def test_slack_is_asked_once_a_minute_and_not_by_those_who_ask(watched: Watched) -> None:
    asked: list[int] = []
    watched.watch._ask = lambda: asked.append(1)

    for _ in range(20):
        watched.watch.round(ask=True)
        watched.said()

    assert asked == []  # it was asked when this one was made


def test_a_lost_connection_shows_before_the_next_look(watched: Watched) -> None:
    watched.connection = (False, "Socket Mode is not connected: the connection was lost")

    assert [line.reason for line in watched.health.ready() if not line.ok] == [watched.connection[1]]


# ---- the database


def test_a_long_transaction_is_no_fault_until_it_takes_minutes(watched: Watched, store: Store) -> None:
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction():
            holds.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(10)
    try:
        assert watched.said()["database"] == (True, "is being written to")
        watched.clock.forward(minutes=6)
        assert "has kept it locked for 6 minutes" in watched.wanting["database"]
    finally:
        done.set()
        thread.join()
    assert watched.said()["database"] == (True, "can be written to")


def test_a_full_disk_is_found_though_nothing_is_written_to_the_file(watched: Watched, store: Store) -> None:
    before = store.path.stat().st_mtime_ns
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, hard))  # the system refuses more, as a full disk does
    try:
        found = watched.wanting["database"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert "nothing can be written beside" in found
    assert found.endswith("What is decided now cannot be kept")
    assert "database" not in watched.wanting
    assert store.path.stat().st_mtime_ns == before
    assert [path.name for path in store.path.parent.glob("*.probe")] == []


def test_a_file_that_is_gone_replaced_or_damaged_is_found(watched: Watched, store: Store) -> None:
    away = store.path.with_name("away.db")
    store.path.rename(away)
    assert "moved, deleted or replaced" in watched.wanting["database"]
    assert not store.path.exists()
    shutil.copy(away, store.path)
    assert "moved, deleted or replaced" in watched.wanting["database"]
    away.replace(store.path)
    assert "database" not in watched.wanting

    store.close()
    for beside in ("-wal", "-shm"):
        store.path.with_name(store.path.name + beside).unlink(missing_ok=True)
    with store.path.open("r+b") as file:
        file.write(b"not a database at all")
    assert "file is not a database" in watched.wanting["database"]


def test_a_file_that_may_not_be_written_to_is_found() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        path = Path(folder, "memory.db")
        Store(path).close()
        path.chmod(0o444)
        child = os.fork()
        if child == 0:  # as somebody who is not root, to whom all files are open
            if os.geteuid() == 0:
                os.setuid(65534)
            os._exit(look(path, inode_of(path)).writable is Writable.NO)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


# ---- the audits


def test_the_last_audit_of_everything_is_to_be_of_the_last_day(watched: Watched, store: Store) -> None:
    assert watched.said()["audit"] == (True, "the first daily audit is still to come")
    watched.clock.forward(hours=26)
    assert "no audit has ended yet" in watched.wanting["audit"]

    audit(store, watched.clock)
    assert watched.said()["audit"] == (True, "the last audit of everything ended 0 minutes ago")
    watched.clock.forward(hours=25)
    assert "audit" not in watched.wanting
    audit(store, watched.clock, scope="111122223333")
    watched.clock.forward(hours=2)
    assert watched.wanting["audit"].startswith("the last audit of everything ended 27 hours ago, and one is due every")


# ---- what lives


def test_what_has_died_is_named_and_nothing_is_ready_then(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    lives = [True]
    watched.health.watch_over("clock", lambda: True)
    watched.health.watch_over("outbox", lambda: lives[0])
    assert [line.ok for line in watched.health.alive()] == [True, True]

    lives[0] = False

    assert [(line.check, line.reason) for line in watched.health.alive() if not line.ok] == [
        ("outbox", "has died: restart the bot")
    ]
    assert watched.wanting == {"outbox": "has died: restart the bot"}
    assert "outbox has died" in caplog.text


def test_a_thread_that_ended_or_hangs_is_not_alive(context: Context, client: WebClient) -> None:
    box = Outbox(context, client, ChannelNames(client), draw)
    assert not box.alive
    box.start()
    assert box.alive
    box._beat -= STUCK_SECONDS
    assert not box.alive
    box.stop()
    assert not box.alive

    clock = DailyClock([], context, context.schedule.slots(), box.nudge)
    assert not clock.alive
    clock.start()
    assert clock.alive
    clock.stop()
    assert not clock.alive


def test_while_it_ends_it_is_alive_and_not_ready(watched: Watched) -> None:
    watched.health.watch_over("outbox", lambda: False)
    watched.health.ending()

    assert [line.ok for line in watched.health.alive()] == [True]
    assert "told to stop" in watched.wanting["bot"]


def test_since_when_is_kept_until_it_turns(watched: Watched, clock: SetClock) -> None:
    health, began = Health(clock), clock()

    def since() -> object:
        return next(line.since for line in health.ready() if line.check == "slack")

    health.found("slack", Finding(False, "timeout"))
    clock.forward(minutes=1)
    health.found("slack", Finding(False, "token_revoked"))
    assert since() == began
    health.found("slack", Finding(True, "connected"))
    assert since() == clock()


# ---- as it is asked


@pytest.fixture
def port(watched: Watched) -> Iterator[int]:
    probes = Probes(watched.health, told=True)
    probes.metrics = lambda _, start: serving.answer(start, "200 OK", "lamplighter_functions 3\n")
    server = serving.Serving("[health] listen", "127.0.0.1:0", probes, 1)
    server.open()
    yield server.port
    server.close()


def test_each_check_is_a_line_and_the_command_line_asks_for_them(
    watched: Watched, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tell(f"0.0.0.0:{port}", ready=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["check"] for line in lines] == ["bot", "slack", "database", "audit"]
    assert {tuple(line) for line in lines} == {("check", "ok", "since", "reason")}

    watched.connection = (False, "cut")
    assert tell(f"127.0.0.1:{port}", ready=True) == 1
    assert tell(f"127.0.0.1:{port}", ready=False) == 0
    assert '"reason": "cut"' in capsys.readouterr().out


def test_who_balances_load_may_leave_a_check_out(watched: Watched, port: int) -> None:
    watched.clock.forward(hours=30)
    watched.watch.ask_slack()
    watched.watch.look_at_database()

    def asked(path: str) -> int:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    assert asked("/readyz") == 503
    assert asked("/readyz?exclude=audit") == 200
    assert asked("/readyz?exclude=slack,database") == 503
    assert asked("/metrics") == 200


def test_where_nobody_answers_the_command_line_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell("127.0.0.1:1", ready=False) == 1

    assert "nobody answers at 127.0.0.1:1: Connection refused" in capsys.readouterr().err

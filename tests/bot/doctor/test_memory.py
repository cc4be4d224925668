"""What the doctor finds in the file, in the settings and at the addresses; it writes nothing, beside a bot neither."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.config import Config, Environment, File
from bot.doctor import addresses, memory, settings
from bot.only_one import OnlyOne
from storage.diagnosis import Diagnosis, Outcome
from storage.look import look_into
from storage.models import Decision, DecisionKind, Inventory, NotScanned, Source
from storage.store import Store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Configure = Callable[..., Config]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that a bot has worked with, and closed."""
    store = Store(tmp_path / "memory.db")
    for number in range(3):
        store.decisions.record(
            Decision(
                at=NOON,
                kind=DecisionKind.REFUSED,
                actor="U0ANA",
                function_arn=f"arn:aws:lambda:eu-central-1:111122223333:function:f{number}",
                source=Source.BUTTON,
                request_id=f"r{number}",
            )
        )
    store.close()
    return tmp_path / "memory.db"


def audited(store: Store, finished_at: datetime, unseen: tuple[NotScanned, ...] = ()) -> None:
    seen = Inventory((), unseen, ("111122223333",), ("eu-central-1",), 3)
    begun = finished_at - timedelta(minutes=1)
    store.audits.record(seen, {}, source=Source.CLOCK, started_at=begun, finished_at=finished_at)


def look(path: Path, now: datetime = NOON, **tables: object) -> list[Diagnosis]:
    import msgspec

    config = Config(Environment(lamplighter_database=str(path)), msgspec.convert(tables, File))
    with memory.opened(path) as looked:
        found = list(looked.found)
        if looked.store:
            found += memory.look(looked.store, config, now)
    return found


def of(found: Iterable[Diagnosis], what: str) -> Diagnosis:
    (one,) = [one for one in found if one.what == what]
    return one


def bad(found: Iterable[Diagnosis]) -> dict[str, Outcome]:
    return {one.what: one.outcome for one in found if one.outcome is not Outcome.OK}


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def test_a_file_that_nobody_has_open_is_looked_at_and_left_to_the_byte(path: Path) -> None:
    before = contents(path.parent)

    found = look(path)

    assert bad(found) == {"bot": Outcome.WARN}
    assert of(found, "chain of decisions").said.startswith("whole")
    assert contents(path.parent) == before


def test_beside_a_running_bot_its_newest_rows_are_seen_and_its_lock_is_left_alone(path: Path) -> None:
    with OnlyOne(path):
        store = Store(path)
        audited(store, NOON - timedelta(minutes=5))
        found = look(path)
        store.close()

    assert of(found, "bot").said == "one runs on this database"
    assert of(found, "last audit").said == "ended 5 min ago, with 0 functions"
    with OnlyOne(path):
        """Nobody else holds it now."""


def test_before_the_first_start_there_is_nothing_to_mend(tmp_path: Path) -> None:
    found = look(tmp_path / "memory.db")

    assert bad(found) == {}
    assert of(found, "database").said.endswith("is made at the first start")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_a_failure(tmp_path: Path) -> None:
    told = of(look(tmp_path / "nowhere" / "memory.db"), "database")

    assert told.outcome is Outcome.FAIL
    assert "LAMPLIGHTER_DATABASE" in told.mend


def test_what_is_no_database_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"not a database" * 100)

    told = [one for one in look(tmp_path / "memory.db") if one.outcome is Outcome.FAIL]

    assert [one.what for one in told] == ["database"]
    assert "not a database" in told[0].said


def test_a_file_that_may_not_be_written_is_a_failure(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda which, _: Path(which) != path)  # root, as tests may run, may write all

    told = of(look(path), "database")

    assert told.outcome is Outcome.FAIL
    assert f"{path} cannot be written" in told.said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update decisions set actor = 'U0EVE' where id = 2", "decision 2 was changed"),
        ("delete from decisions where id = 2", "decision 2 is missing"),
    ],
)
def test_a_chain_that_somebody_broke_is_a_failure(path: Path, change: str, said: str) -> None:
    with sqlite3.connect(path) as raw:
        for trigger in ("decisions_are_never_changed", "decisions_are_never_removed"):
            raw.execute(f"drop trigger {trigger}")
        raw.execute(change)
    raw.close()

    told = of(look(path), "chain of decisions")

    assert (told.outcome, told.said) == (Outcome.FAIL, said)


def test_a_newer_lamplighters_file_is_a_failure_and_an_older_one_is_not_migrated(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at) values ('lamplighter', 'm999_later', '')"
        )
    raw.close()
    told = of(look(path), "schema")
    assert (told.outcome, told.said) == (Outcome.FAIL, "a newer Lamplighter wrote this file (m999_later)")

    with sqlite3.connect(path) as raw:
        raw.execute("delete from _sqlite_migrations where name = 'm999_later'")
        raw.execute("delete from _sqlite_migrations where id = (select max(id) from _sqlite_migrations)")
        raw.execute("drop table decisions")
    raw.close()
    found = look(path)
    assert of(found, "schema").said == "an older Lamplighter's: the next start brings it 1 step further"
    chain = of(found, "chain of decisions")
    assert (chain.outcome, chain.said) == (Outcome.FAIL, "the table of decisions is missing")
    with look_into(path) as (_, shape):
        assert shape.behind == 1


def test_an_audit_that_is_late_or_did_not_see_all_is_a_warning(path: Path) -> None:
    store = Store(path)
    unseen = (NotScanned("111122223333", "eu-central-1", "it was refused"),)
    audited(store, NOON, unseen)
    store.close()

    told = of(look(path, NOON + timedelta(minutes=30)), "last audit")
    assert told.outcome is Outcome.WARN
    assert told.said.endswith("not seen whole: 111122223333 eu-central-1")

    late = of(look(path, NOON + timedelta(hours=27)), "last audit")
    assert (late.outcome, late.said) == (Outcome.WARN, "ended 27 h ago, with 0 functions")


def test_messages_that_slack_does_not_take_are_a_warning(path: Path) -> None:
    store = Store(path)
    made = store.posts.create("digest:1", "digest", "#team-payments", NOON)
    assert made
    store.posts.later(made.id, NOON + timedelta(hours=1), "not_in_channel")
    store.close()

    assert of(look(path, NOON + timedelta(minutes=2)), "messages to Slack").outcome is Outcome.OK
    told = of(look(path, NOON + timedelta(minutes=40)), "messages to Slack")

    assert told.outcome is Outcome.WARN
    assert told.said == "1 wait, the oldest for #team-payments since 40 min: not_in_channel"


def test_a_queue_that_did_not_answer_the_bot_is_a_failure_and_no_event_yet_is_unknown(path: Path) -> None:
    events = {"queue_url": "https://sqs.eu-central-1.amazonaws.com/111122223333/events"}
    assert bad(look(path, events=events))["newest event"] is Outcome.UNKNOWN

    store = Store(path)
    store.events.not_reached(NOON - timedelta(hours=3), "it was refused")
    store.close()
    told = of(look(path, events=events), "listening")

    assert (told.outcome, told.said) == (Outcome.FAIL, "the queue has not answered the bot since 3 h: it was refused")


# ---- settings and addresses


def test_settings_without_a_file_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(settings.look(Config(Environment(), File()), NOON))

    assert of(found, "file").outcome is Outcome.WARN
    assert of(found, "time zone").said.startswith("UTC, where it is 12:00")


class Ours(BaseHTTPRequestHandler):
    """What answers at /healthz."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok" if self.path == "/healthz" else b"# TYPE lamplighter_functions gauge\n")

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port at which it answers."""
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def test_an_address_is_free_or_ours_or_taken(tmp_path: Path) -> None:
    import msgspec

    def told(port: int) -> list[tuple[Outcome, str]]:
        listen = {"listen": f"127.0.0.1:{port}"}
        file = msgspec.convert({"slack": listen, "metrics": listen}, File)
        return [
            (one.outcome, one.said) for one in addresses.look(Config(Environment(slack_signing_secret="5" * 32), file))
        ]

    with served(Ours) as port:
        assert told(port) == [(Outcome.OK, f"a Lamplighter answers at 127.0.0.1:{port}")] * 2
    assert told(port) == [(Outcome.OK, f"127.0.0.1:{port} is free")] * 2
    with served(BaseHTTPRequestHandler) as port:
        assert {outcome for outcome, _ in told(port)} == {Outcome.FAIL}

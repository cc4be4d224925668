"""Whatever is done to the history behind Lamplighter's back shows, and where."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from storage.chain import Chain, Checked, Head
from storage.connection import StorageProblem
from storage.history import History, Search
from storage.models import Decision, DecisionKind
from storage.read_only import ReadOnly
from storage.store import Store, open_store
from tests.storage.conftest import NOON

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund-worker"
ROWS = 5
NOBODY = 65534
COLUMNS = (
    "id", "at", "kind", "actor", "function_arn", "source", "workspace", "channel", "message", "request_id", "before",
    "after", "reason", "until", "detail", "prev_hash", "hash", "team",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five decisions and a posted head of the third; nobody has the file open any more."""
    path = tmp_path_factory.mktemp("chain") / "memory.db"
    with open_store(path) as store:
        for turn in range(ROWS):
            store.decisions.record(
                Decision(
                    DecisionKind.APPROVED,
                    NOON + timedelta(minutes=turn),
                    "U0ANA",
                    ARN,
                    workspace="T1",
                    channel="C1",
                    message="1.5",
                    request_id=f"r{turn}",
                    before="PassThrough",
                    after="1",
                    reason="ünïcode & <marks>",
                    until=NOON if turn % 2 else None,
                    detail={"allowed_by": "approver U0ANA"},
                    team=None if turn == 1 else "payments",
                )
            )
            if turn == 2:
                head = store.chain.head()
                assert head
                store.chain.note(head, None, NOON)
    return path


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(written, tmp_path / "copy.db"))


@contextmanager
def unguarded(path: Path) -> Iterator[sqlite3.Connection]:
    """The file without what refuses changes, which is put back before it is looked at."""
    with closing(sqlite3.connect(path)) as file:
        file.execute("pragma synchronous = off")
        guards = file.execute("select name, sql from sqlite_master where type = 'trigger'").fetchall()
        for name, _ in guards:
            file.execute(f"drop trigger {name}")
        yield file
        for _, sql in guards:
            file.execute(sql)
        file.commit()


def checked(path: Path, since: Head | None = None) -> Checked:
    file = ReadOnly(path)
    try:
        return Chain(file).verify(since)
    finally:
        file.close()


def problem(path: Path) -> str:
    return str(checked(path).problem)


def test_what_nobody_touched_is_whole(copy: Path) -> None:
    found = checked(copy)

    assert (found.problem, found.rows, found.posted) == (None, ROWS, 1)
    assert found.head
    assert (found.head.number, found.head.at) == (ROWS, NOON + timedelta(minutes=ROWS - 1))


# Each is other than any value that stands there, by content or by kind alone; 'x' is no JSON, no time and no number.
@pytest.mark.parametrize(
    "value", ["'x'", "''", "null", "7", "7.5", "x'41'", "cast(x'ff' as text)", "upper({0}) || ' '"]
)
@pytest.mark.parametrize("column", COLUMNS)
def test_any_value_of_any_column_that_is_changed_shows(written: Path, tmp_path: Path, column: str, value: str) -> None:
    for number in (1, 2, ROWS):
        copy = Path(shutil.copy(written, tmp_path / f"{number}.db"))
        with unguarded(copy) as file:
            was = file.execute(f"select typeof({column}), {column} from decisions where id = ?", [number]).fetchone()
            try:
                file.execute(f"update decisions set {column} = {value.format(column)} where id = ?", [number])
            except (sqlite3.IntegrityError, sqlite3.OperationalError):
                continue  # the table itself refuses it
            file.text_factory = bytes
            is_now = file.execute(f"select typeof({column}), {column} from decisions where rowid in (?, 7)", [number])
            [(kind, now)] = is_now.fetchall()
        plain = now.decode(errors="replace") if isinstance(now, bytes) and kind == b"text" else now
        if (kind.decode(), plain) == was:
            continue  # as an empty text that is made empty
        assert problem(copy).startswith(("decision ", "SQLite's count")), (column, value, number)


def test_the_kind_of_a_value_counts(copy: Path) -> None:
    with unguarded(copy) as file:
        file.execute("update decisions set after = cast('1' as blob) where id = 2")

    assert problem(copy) == "decision 2 was changed"


@pytest.mark.parametrize("number", range(1, ROWS + 1))
def test_any_row_that_is_removed_shows(copy: Path, number: int) -> None:
    with unguarded(copy) as file:
        file.execute("delete from decisions where id = ?", [number])

    assert problem(copy) == f"decision {number} is missing"


@pytest.mark.parametrize("number", range(1, ROWS + 1))
def test_any_row_that_is_removed_shows_though_the_others_close_up(copy: Path, number: int) -> None:
    with unguarded(copy) as file:
        file.execute("delete from decisions where id = ?", [number])
        file.execute("update decisions set id = id - 1 where id > ?", [number])

    expected = f"decision {ROWS} is missing" if number == ROWS else f"decision {number} does not follow"
    assert problem(copy).startswith(expected)


@pytest.mark.parametrize("number", [-3, 0, *range(1, ROWS + 2), ROWS + 9])
def test_a_row_that_is_put_in_shows_wherever(copy: Path, number: int) -> None:
    others = ", ".join(name for name in COLUMNS if name not in ("id", "hash", "request_id"))
    with unguarded(copy) as file:
        for each in range(ROWS, number - 1 if number > 0 else ROWS, -1):
            file.execute("update decisions set id = ? where id = ?", [each + 1, each])
        into = f"insert into decisions (id, hash, request_id, {others})"
        sql = f"{into} select ?, hash || 'x', 'r', {others} from decisions"
        file.execute(f"{sql} where id = (select max(id) from decisions) limit 1", [number])

    assert checked(copy).problem


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 4), (1, ROWS)])
def test_two_rows_that_change_places_show(copy: Path, one: int, other: int) -> None:
    with unguarded(copy) as file:
        for was, now in ((one, 99), (other, one), (99, other)):
            file.execute("update decisions set id = ? where id = ?", [now, was])
        file.execute("update sqlite_sequence set seq = ? where name = 'decisions'", [ROWS])

    assert problem(copy).startswith(f"decision {one} ")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("drop trigger decisions_are_never_changed", "the trigger decisions_are_never_changed is missing"),
        ("drop trigger chain_heads_are_never_removed", "the trigger chain_heads_are_never_removed is missing"),
        (
            "create trigger quiet before insert on decisions begin select raise(ignore); end",
            "there is a trigger that is not Lamplighter's: quiet",
        ),
        ("drop table decisions", "the table of decisions is missing"),
        ("alter table decisions rename to decided", "the table of decisions is missing"),
        ("alter table decisions add column note text", "the table of decisions has a column that is not Lamplighter's"),
        ("alter table decisions rename column reason to why", "the table of decisions lacks its column reason"),
        ("delete from sqlite_sequence where name = 'decisions'", "SQLite's count of decisions is missing"),
        ("update sqlite_sequence set seq = 9 where name = 'decisions'", "decision 9 is missing"),
        ("update sqlite_sequence set seq = 3 where name = 'decisions'", "SQLite's count of decisions was changed"),
    ],
)
def test_what_guards_the_rows_has_to_be_there_as_it_was(copy: Path, statement: str, said: str) -> None:
    with closing(sqlite3.connect(copy)) as file:
        file.execute(statement)
        file.commit()

    assert problem(copy).startswith(said)


def test_a_guard_that_guards_nothing_shows(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as file:
        file.execute("drop trigger decisions_are_never_changed")
        file.execute("create trigger decisions_are_never_changed before update on decisions begin select 1; end")
        file.commit()

    assert problem(copy) == "the trigger decisions_are_never_changed was changed"


def test_a_history_that_was_cut_off_and_counted_anew_shows_in_the_head_that_was_posted(copy: Path) -> None:
    with unguarded(copy) as file:
        file.execute("delete from decisions where id > 2")
        file.execute("update sqlite_sequence set seq = 2 where name = 'decisions'")

    assert problem(copy) == "decision 3 is missing, whose hash was posted on 2026-11-23"


def test_a_history_that_was_written_anew_shows_in_the_head_that_was_posted(copy: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(copy)) as file:
        heads = file.execute("select number, hash, noted_at from chain_heads").fetchall()
    forged = tmp_path / "forged.db"
    with open_store(copy) as real, open_store(forged) as made:
        for one in real.decisions.all():
            made.decisions.record(Decision(**{**fields(one), "actor": "U0EVE"}))
    with closing(sqlite3.connect(forged)) as file:
        file.executemany("insert into chain_heads (number, hash, noted_at) values (?, ?, ?)", heads)
        file.commit()

    assert problem(forged) == "decision 3 has another hash than was posted on 2026-11-23: the chain was rewritten"


def test_only_what_came_since_is_looked_at_where_that_is_asked(copy: Path) -> None:
    with open_store(copy) as store:
        posted = store.chain.last_posted()
        assert posted
    assert (checked(copy, posted).rows, checked(copy, posted).problem) == (2, None)

    with unguarded(copy) as file:
        file.execute("update decisions set reason = 'x' where id = 4")
    assert checked(copy, posted).problem == "decision 4 was changed"

    with unguarded(copy) as file:
        file.execute("update decisions set hash = 'x' where id = 3")
    assert "the chain was rewritten" in str(checked(copy, posted).problem)


def test_an_auditors_copy_is_neither_changed_nor_needs_anything_beside_it(copy: Path) -> None:
    who = os.geteuid()
    with tempfile.TemporaryDirectory() as name:  # others get to it; to pytest's own folders they do not
        theirs = Path(name) / copy.name
        shutil.copy(copy, theirs)
        theirs.chmod(0o444)
        theirs.parent.chmod(0o555)
        try:
            if who == 0:
                os.seteuid(NOBODY)
            found = checked(theirs)
        finally:
            os.seteuid(who)
            theirs.parent.chmod(0o755)

        assert (found.problem, found.rows) == (None, ROWS)
        assert theirs.read_bytes() == copy.read_bytes()
        assert [one.name for one in theirs.parent.iterdir()] == [copy.name]


def test_what_the_bot_has_just_written_is_read_though_it_is_in_no_checkpoint(copy: Path) -> None:
    with open_store(copy) as store:
        store.decisions.record(Decision(DecisionKind.DENIED, NOON, "U0BO", ARN))

        assert checked(copy).rows == ROWS + 1


class Meanwhile(ReadOnly):
    """Somebody decides something after each look at the file."""

    def rows(self, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> list[dict[str, object]]:
        found = super().rows(sql, parameters)
        with open_store(self.path) as store:
            store.decisions.record(Decision(DecisionKind.DENIED, NOON, "U0BO", ARN))
        return found


def test_what_is_decided_meanwhile_is_no_fault(copy: Path) -> None:
    with open_store(copy):  # the bot runs
        busy = Meanwhile(copy)
        found = Chain(busy).verify()
        busy.close()

    assert found.problem is None
    assert found.rows > ROWS


def test_what_is_opened_to_be_read_refuses_to_be_written(copy: Path) -> None:
    with open_store(copy, read_only=True) as store, pytest.raises(StorageProblem, match="for reading only"):
        store.decisions.record(Decision(DecisionKind.DENIED, NOON, "U0BO", ARN))


def test_an_older_file_is_proved_as_it_is_and_its_other_tables_are_not_read(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as file:
        file.execute("delete from _sqlite_migrations where name like 'm023%'")
        file.commit()

    assert checked(copy).problem is None
    with pytest.raises(StorageProblem, match="is of an older version, and nothing was changed"):
        Store(copy, read_only=True)


@pytest.mark.parametrize("content", [None, b"no database at all, and long enough to be told from one" * 20])
def test_what_is_no_database_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "other.db"
    if content:
        path.write_bytes(content)

    with pytest.raises(StorageProblem, match=r"other\.db"):
        ReadOnly(path)

    assert path.exists() == (content is not None)


def test_posted_heads_are_never_changed_or_removed(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as file:
        for statement in ("update chain_heads set number = 9", "delete from chain_heads"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                file.execute(statement)


def test_a_search_is_kept_as_it_was(tmp_path: Path) -> None:
    search = Search((ARN,), ("payments", "pay"), "U0ANA", NOON, NOON + timedelta(days=1), 7)
    with open_store(tmp_path / "memory.db") as store:
        history: History = store.history
        token = history.keep(search, 3, NOON)

        assert history.find(token) == (search, 3)
        history.forget(NOON + timedelta(seconds=1))
        assert history.find(token) is None


def test_many_are_read_some_at_a_time_and_in_order(store: Store) -> None:
    with store.transaction():
        for turn in range(2100):
            store.decisions.record(Decision(DecisionKind.APPROVED, NOON + timedelta(seconds=turn), "U0ANA", ARN))

    assert [one.id for one in store.history.each(Search(since=NOON + timedelta(seconds=50)))] == list(range(51, 2101))


def fields(one: Decision) -> dict[str, object]:
    return {
        "kind": one.kind,
        "at": one.at,
        "actor": one.actor,
        "function_arn": one.function_arn,
        "request_id": one.request_id,
        "reason": one.reason,
        "detail": one.detail,
    }

"""`python -m bot backup` and `restore`, as people use them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.lock import hold
from storage.models import Decision, DecisionKind
from storage.store import open_store
from tests.bot.conftest import NOON
from tests.storage.test_decisions import outside


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "lamplighter.db"
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(path))
    monkeypatch.delenv("LAMPLIGHTER_CONFIG", raising=False)
    return path


def bot(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def decide(path: Path, *actors: str) -> str:
    """The hash of the last."""
    with open_store(path) as store:
        return [store.decisions.record(Decision(DecisionKind.APPROVED, NOON, who, "arn")).hash for who in actors][-1]


def deciders(path: Path) -> list[str]:
    with open_store(path) as store:
        return [one.actor for one in store.decisions.all()]


def test_a_backup_is_made_and_takes_the_place_of_what_came_after_it(database: Path, tmp_path: Path) -> None:
    head, copy = decide(database, "U0ANA", "U0BO"), tmp_path / "monday.db"

    made = bot("backup", copy)
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout == (
        f"{copy}: 1 MB, whole; 2 decisions, and the chain holds; the last is of 2026-11-23 12:00:00 UTC, {head[:16]}…\n"
    )
    assert bot("backup", copy).exit_code == 2
    decide(database, "U0EVE")

    back = bot("restore", copy)
    assert (back.exit_code, back.stdout) == (0, made.stdout.replace(str(copy), str(database)))
    kept = Path(back.stderr.strip().rpartition(" ")[2])
    assert deciders(database) == ["U0ANA", "U0BO"]
    assert deciders(kept) == ["U0ANA", "U0BO", "U0EVE"]
    assert database.stat().st_mode & 0o777 == 0o600


def test_nothing_is_restored_under_a_running_bot(database: Path, tmp_path: Path) -> None:
    decide(database, "U0ANA")
    bot("backup", tmp_path / "copy.db")
    decide(database, "U0BO")
    held = hold(database)
    assert held
    with held:
        refused = bot("restore", tmp_path / "copy.db")

    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "a bot runs on this database. Stop it first" in refused.stderr
    assert deciders(database) == ["U0ANA", "U0BO"]


def test_a_changed_decision_shows_and_exits_with_1(database: Path, tmp_path: Path) -> None:
    decide(database, "U0ANA", "U0BO")
    with open_store(database) as store:
        outside(store, "update decisions set actor = 'U0EVE' where id = 1")

    made = bot("backup", tmp_path / "copy.db")
    assert made.exit_code == 1
    assert "but the chain does not hold: decision 1 was changed" in made.stdout
    assert bot("restore", tmp_path / "copy.db").exit_code == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"these are notes, and a good many of them " * 50, "no database of Lamplighter"), (None, "there is no")],
    ids=["garbage", "nothing"],
)
def test_what_is_no_backup_is_not_put_in_place(
    database: Path, tmp_path: Path, content: bytes | None, says: str
) -> None:
    decide(database, "U0ANA")
    if content:
        (tmp_path / "copy.db").write_bytes(content)

    refused = bot("restore", tmp_path / "copy.db")

    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert says in refused.stderr
    assert deciders(database) == ["U0ANA"]


def test_there_must_be_something_to_copy(database: Path, tmp_path: Path) -> None:
    refused = bot("backup", tmp_path / "copy.db")

    assert refused.exit_code == 2
    assert "LAMPLIGHTER_DATABASE" in refused.stderr
    assert list(tmp_path.iterdir()) == []

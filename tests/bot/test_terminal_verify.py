"""`python -m bot verify`: what an auditor is told, and the exit codes."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.models import Decision, DecisionKind
from storage.store import open_store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund-worker"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("verify") / "memory.db"
    with open_store(made) as store:
        for turn in range(3):
            store.decisions.record(Decision(DecisionKind.APPROVED, NOON + timedelta(minutes=turn), "U0ANA", ARN))
    return made


@pytest.fixture
def hashes(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as file:
        return [row[0] for row in file.execute("select hash from decisions order by id")]


def verify(*words: str) -> Result:
    return CliRunner().invoke(main, ["verify", *words])


def test_rows_and_the_head_are_told(path: Path, hashes: list[str]) -> None:
    result = verify("--database", str(path))

    assert result.stdout.splitlines() == [
        "Whole: 3 decisions, each as it was written. No head was posted yet.",
        f"The newest is no. 3 of 2026-11-23 12:02 UTC, head 3:{hashes[2]}",
    ]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("expect", "said", "code"),
    [
        ("2:{1}", "As expected: decision 2 has this hash still.", 0),
        ("{0}", "As expected: the hash is that of decision 1.", 0),
        ("1:{1}", "NOT as expected: decision 1 has the hash", 1),
        ("1,234:{1}", "NOT as expected: there is no decision 1,234.", 1),
        ("f" * 64, "NOT there: no decision has it.", 1),
    ],
)
def test_what_was_posted_is_held_against_the_file(
    path: Path, hashes: list[str], expect: str, said: str, code: int
) -> None:
    result = verify("--database", str(path), "--expect", expect.format(*hashes))

    assert result.stdout.splitlines()[-1].startswith(said)
    assert result.exit_code == code


def test_the_first_bad_row_is_named(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(copy)) as file:
        file.execute("drop trigger decisions_are_never_changed")
        file.execute("update decisions set actor = 'U0EVE' where id >= 2")
        file.commit()

    result = verify("--database", str(copy))

    assert result.stdout.splitlines() == [
        "BROKEN: decision 2 was changed.",
        "Sound before this: 1.",
    ]
    assert result.exit_code == 1


def test_bad_usage_and_files_that_cannot_be_read_are_two(path: Path, tmp_path: Path) -> None:
    for words, said in (
        (("--database", str(path), "--expect", "ab12"), "is no head of the chain"),
        (("--database", str(tmp_path / "none.db")), "there is no database"),
        (("--database", __file__), "file is not a database"),
    ):
        result = verify(*words)

        assert result.exit_code == 2
        assert said in result.stderr
        assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_the_settings_name_the_file_where_nobody_else_does(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(path))

    assert verify().stdout.startswith("Whole: 3 decisions")

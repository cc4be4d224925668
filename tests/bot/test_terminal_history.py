"""`python -m bot history`: a table, CSV and JSON Lines, in a terminal and to a file."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.models import Decision, DecisionKind, Function, TracingMode
from storage.store import open_store

NOON = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund-worker"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("history")
    with open_store(made / "lamplighter.db") as store:
        place = ("111122223333", "eu-central-1")
        store.functions.save([Function(ARN, *place, "refund-worker", TracingMode.ACTIVE, team="payments")], NOON)
        for turn, kind in enumerate((DecisionKind.REQUESTED, DecisionKind.APPROVED, DecisionKind.APPLIED)):
            detail = {"allowed_by": "[policy] approvers: U0ANA"} if turn else {}
            store.decisions.record(
                Decision(
                    kind,
                    NOON + timedelta(days=turn),
                    "U0BO" if turn == 0 else "U0ANA",
                    ARN,
                    before="PassThrough",
                    after="Active" if turn == 2 else "",
                    reason="=cmd()" if turn == 0 else "",
                    detail=detail,
                    team="payments",
                )
            )
    return made


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "160")
    return lambda *words: CliRunner().invoke(main, ["history", *words])


def test_a_table_has_the_newest_first(run: Run) -> None:
    result = run("--most", "2")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert "U0ANA had tracing turned on for refund-worker, payments: PassThrough → Active" in lines[1]
    assert lines[1].split()[0] == "3"
    assert "allowed by [policy] approvers: U0ANA" in lines[2]
    assert lines[-1].startswith("3 decisions of everything, the newest 2 of them shown")


def test_csv_and_json_lines_have_all_of_it_in_order_and_change_nothing(run: Run, folder: Path) -> None:
    before = (folder / "lamplighter.db").read_bytes()

    table = list(csv.DictReader(io.StringIO(run("--format", "csv").stdout)))
    told = [json.loads(line) for line in run("refund-worker", "--format", "jsonl").stdout.splitlines()]

    assert [row["id"] for row in table] == ["1", "2", "3"]
    assert [one["id"] for one in told] == [1, 2, 3]
    assert (table[0]["reason"], told[0]["reason"]) == ("'=cmd()", "=cmd()")
    assert (folder / "lamplighter.db").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (("--person", "U0BO"), [1]),
        (("U0ANA",), [2, 3]),
        (("--since", "2026-10-02", "--until", "2026-10-02"), [2]),
        (("--team", "Payments", "--function", ARN, "--person", "<@U0ANA>", "--since", "2026-10-03"), [3]),
        (("--until", "2026-09-01"), []),
    ],
)
def test_options_narrow_it(run: Run, words: tuple[str, ...], ids: list[int]) -> None:
    lines = run(*words, "--format", "jsonl").stdout.splitlines()

    assert [json.loads(line)["id"] for line in lines] == ids


def test_a_file_is_written_whole_and_for_its_owner_alone(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "decisions.csv"
    output.write_text("what was there before", encoding="utf-8")

    result = run("payments", "--format", "csv", "--output", str(output))

    assert result.stderr == f"written: {output}, 3 decisions\n"
    assert output.read_bytes().count(b"\r\n") == 4
    assert output.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["decisions.csv"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("refnd-worker",), "Did you mean `refund-worker`?"),
        (("--since", "soon"), "`soon` is no day"),
        (("--team", "refund-worker"), "--team refund-worker is no team"),
        (("--function", "payments"), "--function payments is no function"),
        (("--output", "x.csv"), "--output takes --format csv or jsonl"),
        (("--format", "csv", "--output", "/nowhere/x.csv"), "cannot be written: No such file"),
    ],
)
def test_bad_usage_is_one_line_that_says_how_to_mend_it(run: Run, words: tuple[str, ...], why: str) -> None:
    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert why in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert "/trace-history" not in result.stderr


def test_where_there_is_no_file_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, ["history"])

    assert result.exit_code == 2
    assert "Take an audit first" in result.stderr
    assert list(tmp_path.iterdir()) == []

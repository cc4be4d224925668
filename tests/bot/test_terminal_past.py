"""`python -m bot audit --as-of`: from memory, without AWS and without Slack."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.models import Coverage, Function, Inventory, Source, TracingMode, Verdict
from storage.store import open_store

Run = Callable[..., Result]


def at(day: int) -> datetime:
    return datetime(2026, 10, day, 12, 0, tzinfo=UTC)


def made(name: str, verdict: Verdict, team: str | None = "payments") -> Function:
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    return Function(arn, "111122223333", "eu-central-1", name, TracingMode.ACTIVE, team=team, verdict=verdict)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """3 October: one untraced, one traced. 5 October: all traced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # nobody answers there
    with open_store(tmp_path / "lamplighter.db") as store:
        for day, verdict in ((3, Verdict.UNTRACED), (5, Verdict.TRACED)):
            seen = (made("refund", verdict), made("export", Verdict.TRACED, None))
            store.functions.save(seen, at(day))
            inventory = Inventory(seen, (), ("111122223333",), ("eu-central-1",), 4)
            totals = {None: Coverage.of(seen)}
            store.audits.record(inventory, totals, source=Source.CLOCK, started_at=at(day), finished_at=at(day))

    def told(*words: str) -> Result:
        return CliRunner().invoke(main, ["audit", *words])

    return told


def test_json_has_the_shape_of_an_audit_with_null_for_what_is_not_kept(run: Run) -> None:
    result = run("--as-of", "2026-10-04", "--json")

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["as_of"] == {"day": "2026-10-04", "at": "2026-10-04T23:59:59.999999+00:00", "not_known": 0}
    assert (told["audit"]["id"], told["audit"]["aws_calls"], told["not_scanned"]) == (1, 4, [])
    assert told["coverage"] == {
        "percent": 50.0,
        "traced": 1,
        "untraced": 1,
        "exempt": 0,
        "not_applicable": 0,
        "unknown": 0,
    }
    assert told["functions"][0] == {
        "arn": "arn:aws:lambda:eu-central-1:111122223333:function:refund",
        "account": "111122223333",
        "region": "eu-central-1",
        "name": "refund",
        "team": "payments",
        "mode": None,
        "verdict": "untraced",
        "findings": None,
        "role": None,
        "role_may_write": None,
        "since": "2026-10-03T12:00:00+00:00",
        "until": "2026-10-05T12:00:00+00:00",
    }


def test_a_table_shows_what_was_not_traced_then(run: Run) -> None:
    result = run("--as-of", "2026-10-03")

    assert result.exit_code == 1
    assert [line.split()[:3] for line in result.stdout.splitlines()[1:2]] == [["refund", "untraced", "payments"]]
    assert "export" not in result.stdout
    assert "coverage at the end of 2026-10-03: 50 %: 1 traced, 1 untraced" in result.stdout


def test_all_was_well(run: Run) -> None:
    result = run("--as-of", "2026-10-05", "--all", "--team", "Payments")

    assert result.exit_code == 0
    assert "refund" in result.stdout
    assert "export" not in result.stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--as-of", "yesterday"], "--as-of: 'yesterday' is no date: write it like 2026-10-03."),
        (["--as-of", "2999-01-01"], "--as-of: 2999-01-01 has not come yet: leave the date out to see how it is now."),
        (
            ["--as-of", "2026-10-02"],
            "--as-of: There is no history of 2026-10-02: the first audit was taken on 2026-10-03.",
        ),
        (["--as-of", "2026-10-03", "--team", "orders"], "no function belonged to team orders on 2026-10-03"),
    ],
)
def test_what_cannot_be_told_is_one_line_and_code_2(run: Run, words: list[str], line: str) -> None:
    result = run(*words)

    assert (result.exit_code, result.stderr.strip()) == (2, f"lamplighter: {line}")

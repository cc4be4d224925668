"""`python -m bot report`: from memory, without AWS and Slack."""

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.terminal_report import print_report
from storage.models import Coverage, Function, Inventory, Source, TracingMode, Verdict
from storage.reports import from_json
from storage.store import open_store
from tests.reporting import figures


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two functions of payments and one of nobody were seen an hour ago."""
    path = tmp_path / "memory.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(path))
    monkeypatch.setenv("COLUMNS", "120")
    begun = datetime.now(UTC) - timedelta(hours=1)
    functions = tuple(
        function(name, team, verdict)
        for name, team, verdict in (
            ("refund", "payments", Verdict.UNTRACED),
            ("ledger", "payments", Verdict.TRACED),
            ("stray", None, Verdict.UNTRACED),
        )
    )
    counts = {team: Coverage.of(one for one in functions if one.team == team) for team in ("payments", None)}
    seen = Inventory(functions, (), ("111122223333",), ("eu-central-1",), 9)
    with open_store(path) as store:
        store.functions.save(functions, begun, audited=True)
        store.audits.record(
            seen, counts, source=Source.TERMINAL, started_at=begun, finished_at=begun + timedelta(seconds=9)
        )
    return path


def function(name: str, team: str | None, verdict: Verdict) -> Function:
    return Function(
        arn=f"arn:aws:lambda:eu-central-1:111122223333:function:{name}",
        account="111122223333",
        region="eu-central-1",
        name=name,
        mode=TracingMode.ACTIVE if verdict is Verdict.TRACED else TracingMode.PASS_THROUGH,
        team=team,
        verdict=verdict,
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments], catch_exceptions=False)


def test_the_figures_of_all_teams_are_printed(memory: Path) -> None:
    ended = run()

    assert ended.exit_code == 0
    assert "Tracing report: all teams" in ended.stdout
    assert "Coverage: " in ended.stdout
    for title in ("TEAM", "COVERAGE", "UNTRACED", "X-RAY"):
        assert title in ended.stdout


def test_json_is_one_object_from_which_the_report_can_be_made_again(memory: Path) -> None:
    ended = run("--json", "--days", "7", "--team", "payments")

    assert ended.exit_code == 0
    told = json.loads(ended.stdout)
    assert told["figures"]["team"] == "payments"
    assert [name for name, _ in told["by_team"]] == ["payments"]
    assert from_json(ended.stdout_bytes).window.days == 7


def test_pictures_and_rows_are_written_where_it_is_said(memory: Path, tmp_path: Path) -> None:
    ended = run("--png", "pictures/of/today", "--csv", "out/figures.csv")

    assert ended.exit_code == 0
    assert (tmp_path / "pictures/of/today/coverage.png").read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "out/figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["team"] for row in rows} >= {"all teams", "payments"}
    assert "written: pictures/of/today/coverage.png" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--team", "payment"), "no function belongs to team payment. Teams: payments"),
        (("--csv", "/dev/null/x.csv"), "--csv: /dev/null/x.csv cannot be written"),
        (("--png", "/dev/null/x"), "--png: /dev/null/x/coverage.png cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line(memory: Path, arguments: tuple[str, ...], says: str) -> None:
    ended = run(*arguments)

    assert ended.exit_code == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"lamplighter: {says}")


@pytest.mark.parametrize("days", ["6", "366", "x"])
def test_a_window_is_of_days_from_a_week_to_a_year(memory: Path, days: str) -> None:
    ended = run("--days", days)

    assert ended.exit_code == 2
    assert "--days" in ended.stderr


def test_without_a_memory_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(tmp_path / "none.db"))
    ended = run()

    assert ended.exit_code == 2
    assert "Take an audit first: python -m bot audit" in ended.stderr
    assert not (tmp_path / "none.db").exists()


def test_what_is_printed_has_nothing_of_slack_in_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_report(figures(unknown={"whole": "<a> & *b* `c`"}))
    printed = capsys.readouterr().out

    assert "Note: " in printed
    assert "<a> & *b* `c`" in printed
    assert "\u200b" not in printed
    assert "&amp;" not in printed
    assert "data-platform" in printed

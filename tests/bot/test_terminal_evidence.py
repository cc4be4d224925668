"""`python -m bot evidence`: forms, files, bad input, and what it exits with."""

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from storage.models import Coverage, Decision, DecisionKind, Inventory, Source, Verdict
from storage.store import Store, open_store
from tests.evidence_memory import function

TODAY = datetime.now(UTC).date()


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An audit of an hour ago, and a decision."""
    path = tmp_path / "memory.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", str(path))
    with open_store(path) as store:
        fill(store, datetime.now(UTC) - timedelta(hours=1))
    return path


def fill(store: Store, begun: datetime) -> None:
    one = function(3, 1, Verdict.UNTRACED)
    store.functions.save([one], begun, audited=True)
    seen = Inventory((one,), (), (one.account,), (one.region,), 9)
    store.audits.record(seen, {one.team: Coverage(1, 1)}, source=Source.TERMINAL, started_at=begun, finished_at=begun)
    store.decisions.record(Decision(DecisionKind.APPROVED, begun, "U0ANA000001", one.arn, request_id="r1"))


def run(*arguments: str) -> Result:
    since = f"{TODAY - timedelta(days=1)}"
    return CliRunner().invoke(main, ["evidence", "--since", since, *arguments], catch_exceptions=False)


def test_text_is_what_a_terminal_gets(memory: Path) -> None:
    ended = run()

    assert ended.exit_code == 0
    assert ended.stdout.startswith("Evidence of X-Ray tracing on AWS Lambda\n")
    assert "U0ANA000001" in ended.stdout
    assert f"to {TODAY} · all teams · all days and times in UTC" in ended.stdout


def test_json_is_everything_that_is_known(memory: Path) -> None:
    ended = run("--format", "json", "--team", "team-03")

    told = json.loads(ended.stdout)
    assert (told["team"], told["decisions"], told["rows"], told["broken"]) == ("team-03", 1, 1, None)
    assert told["approvers"]["recorded_since"] is None
    assert told["head"]["number"] == 1
    assert told["people"] == [{"who": "U0ANA000001", "counts": {"approved": 1}, "self_approved": 0, "not_recorded": 0}]


def test_a_files_name_says_its_form_and_it_is_nobody_elses_to_read(memory: Path, tmp_path: Path) -> None:
    ended = run("--output", "out/evidence.html")

    written = tmp_path / "out" / "evidence.html"
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "written: out/evidence.html" in ended.stderr
    assert written.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


@pytest.mark.browser
def test_pdf_is_the_page_as_a_browser_prints_it(memory: Path, tmp_path: Path) -> None:
    ended = run("--output", "evidence.pdf")

    assert ended.exit_code == 0
    assert (tmp_path / "evidence.pdf").read_bytes().startswith(b"%PDF-")


def test_without_a_browser_there_is_no_pdf_and_the_line_says_what_to_do(
    memory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("chromium") is None

    ended = run("--output", "evidence.pdf")

    assert ended.exit_code == 2
    assert "no Chromium or Chrome is installed here. Write --format html, open it and print it as PDF" in ended.stderr
    assert not (tmp_path / "evidence.pdf").exists()


def test_a_broken_chain_is_exit_code_1_and_a_line(memory: Path) -> None:
    with open_store(memory) as store:
        store._connection.change("drop trigger decisions_are_never_changed")
        store._connection.change("update decisions set actor = 'U0EVE'")

    ended = run()

    assert ended.exit_code == 1
    assert "the record is broken: decision 1 was changed" in ended.stderr
    assert "! Chain: BROKEN: decision 1 was changed" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--until", "2999-01-01"), "2999-01-01 has not come yet"),
        (("--until", "soon"), "'soon' is no date: write it like 2026-07-01."),
        (("--team", "team-3"), "no function belongs to team team-3. Teams: team-03"),
        (("--format", "pdf"), "--format pdf needs a file: --output evidence.pdf"),
        (("--output", "memory.db/x.html"), "--output: memory.db/x.html cannot be written: "),
    ],
)
def test_bad_input_is_one_clear_line(memory: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = run(*arguments)

    assert ended.exit_code == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_without_a_memory_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMPLIGHTER_DATABASE", "none.db")

    ended = run()

    assert ended.exit_code == 2
    assert "there is no none.db yet. Take an audit first: python -m bot audit" in ended.stderr
    assert not (tmp_path / "none.db").exists()

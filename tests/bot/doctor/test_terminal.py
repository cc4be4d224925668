"""`python -m bot doctor`, as whoever starts it sees it: lines, JSON, exit codes."""

import json
import pty
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.demo.slack import SlackStandIn

SETTINGS = '[policy]\napprovers = ["U07K2M4QANA"]\n'


@pytest.fixture
def run(slack: SlackStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """With Slack, and an AWS that nobody reaches."""
    (tmp_path / "lamplighter.toml").write_text(SETTINGS, encoding="utf-8")
    settings = {
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.api_url,
        "LAMPLIGHTER_CONFIG": str(tmp_path / "lamplighter.toml"),
        "LAMPLIGHTER_DATABASE": str(tmp_path / "memory.db"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
        "AWS_SECRET_ACCESS_KEY": "pretend",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["doctor", *arguments], catch_exceptions=False)
        return result.exit_code, result.output

    return invoke


def test_where_nothing_fails_the_exit_code_is_0_and_each_line_stands_alone(run: Callable[..., tuple[int, str]]) -> None:
    code, out = run("--only", "here")

    assert code == 0, out
    assert "ok       Slack: 7 scopes: granted\n" in out
    assert "unknown  Slack: commands and events of the app: Slack lets no app list them\n      → type" in out
    assert out.splitlines()[-1].startswith("Nothing is wrong: ")
    code, longer = run("--only", "here", "--verbose")
    assert "ok       Slack: scope users:read: granted\n" in longer


def test_what_does_not_answer_makes_the_exit_code_1(run: Callable[..., tuple[int, str]]) -> None:
    code, out = run("--only", "aws")

    assert code == 1
    assert out.startswith("unknown  AWS: the way to AWS: no answer from http://127.0.0.1:9")
    assert out.splitlines()[-1] == "Not everything answered: 1 unknown"


def test_what_fails_makes_the_exit_code_1(run: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-of-nobody")

    code, out = run()

    assert code == 1
    assert "fail     Slack: SLACK_BOT_TOKEN: Slack answers invalid_auth\n" in out
    assert "the way to AWS" in out
    assert out.splitlines()[-1].startswith("Something does not work: 1 fail, ")


def test_json_has_all_of_it_and_no_token(run: Callable[..., tuple[int, str]], slack: SlackStandIn) -> None:
    code, out = run("--json")
    told = json.loads(out)

    assert (code, told["wanting"]) == (1, True)
    assert (told["counts"]["unknown"], told["counts"]["not asked"]) == (1, 1)
    scopes = [one for one in told["diagnoses"] if one["what"].startswith("scope ")]
    assert len(scopes) == 7
    assert scopes[0].keys() == {"area", "outcome", "what", "said", "mend", "places", "asked", "detail"}
    for secret in (slack.bot_token, slack.app_token, "pretend"):
        assert secret not in out


def test_settings_that_cannot_be_used_are_named_each_and_the_exit_code_is_2(
    run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    wrong = '[aws]\nregoins = ["eu-central-1"]\n[policy]\nundo_hours = "long"\n'
    (tmp_path / "lamplighter.toml").write_text(wrong, encoding="utf-8")

    code, out = run()

    assert code == 2
    assert "regoins" in out
    assert "undo_hours" in out


@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_no_line_is_wider_than_it(
    run: Callable[..., tuple[int, str]],
    columns: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    from bot.doctor import terminal

    mine, theirs = pty.openpty()
    monkeypatch.setenv("COLUMNS", str(columns))
    with open(theirs, "w", encoding="utf-8") as screen, open(mine, "rb", buffering=0) as camera:  # noqa: PTH123 - descriptors
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
        terminal.doctor(as_json=False, verbose=False, paid=False, only="here")
        screen.flush()
        shown = b""
        while b"Nothing is wrong" not in shown:  # a read gives what is there
            shown += camera.read(65536)

    lines = shown.decode().replace("\r", "").splitlines()
    assert max(map(len, lines)) <= columns
    assert "Slack" in lines
    assert any(line.startswith("  ok ") for line in lines)

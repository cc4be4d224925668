"""Secrets from variables and from files: what is taken, and what is refused without a word of what stood in it."""

import os
from pathlib import Path

import pytest

from bot.config import ConfigProblem, load, require_slack
from bot.environment import SECRETS, forget_secrets, read_environment

TOKEN = "xoxb-1-canary"
NAMES = [name.upper() for name in SECRETS]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    monkeypatch.chdir(tmp_path)


def refused() -> str:
    with pytest.raises(ConfigProblem) as problem:
        require_slack(load())
    (line,) = str(problem.value).splitlines()
    assert "canary" not in line
    return line


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b" \n\n"], ids=["bare", "newline", "Windows", "blanks"])
def test_a_file_holds_the_secret_with_or_without_a_newline(monkeypatch, tmp_path, name, ending):
    monkeypatch.delenv("SLACK_APP_TOKEN")
    (tmp_path / "secret").write_bytes(TOKEN.encode() + ending)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))

    environment, problems = read_environment()

    assert problems == ()
    assert getattr(environment, name.lower()) == TOKEN
    assert TOKEN not in repr(load())


def test_the_variables_blanks_are_no_part_of_the_token(monkeypatch):
    # A header with a line break in it would be refused later, by an exception that shows it.
    monkeypatch.setenv("SLACK_BOT_TOKEN", f"{TOKEN}\n")

    assert load().environment.slack_bot_token == TOKEN


def test_where_both_are_set_neither_is_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "secret"))

    assert refused() == "SLACK_BOT_TOKEN and SLACK_BOT_TOKEN_FILE are both set: unset one of them."


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch, tmp_path):
    (tmp_path / "secret").write_text(TOKEN)
    monkeypatch.setenv("SLACK_BOT_TOKEN", "")
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("SLACK_SIGNING_SECRET_FILE", "")

    require_slack(load())
    assert load().environment.slack_bot_token == TOKEN


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty. Write the token into it."),
        (b" \n", "is empty."),
        (b"xoxb-1-canary\nxoxb-2-canary\n", "holds something else than one token on one line."),
        (b"SLACK_BOT_TOKEN=xoxb-1 canary", "holds something else than one token"),
        (b"xoxb-canary\x00", "holds something else than one token"),
        ("xoxb-canáry-canary".encode(), "holds something else than one token"),
        (b"\xff\xfe canary \x80", "holds something else than one token"),
        (b"canary" * 1000, "is longer than any token (4,096 bytes at most)."),
    ],
    ids=["empty", "blank", "two lines", "with its name", "a zero byte", "not ASCII", "not UTF-8", "too long"],
)
def test_what_is_no_token_is_refused_in_one_line_and_not_repeated(monkeypatch, tmp_path, content, says):
    path = tmp_path / "secret"
    path.write_bytes(content)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(path))

    line = refused()

    assert line.startswith(f"SLACK_BOT_TOKEN_FILE: {path} ")
    assert says in line


def test_a_variable_that_is_no_token_is_refused_alike(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1 canary")

    assert refused().startswith("SLACK_BOT_TOKEN holds something else than one token on one line.")


def test_a_file_that_cannot_be_read_says_why_and_how_to_mend_it(monkeypatch, tmp_path):
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "none"))
    assert refused() == (
        f"SLACK_BOT_TOKEN_FILE: {tmp_path}/none cannot be read (No such file or directory). Correct the path, or let "
        f"uid {os.geteuid()} read it."
    )

    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path))
    assert "cannot be read (Is a directory)" in refused()


def test_who_does_not_talk_to_slack_is_not_held_up_by_it(monkeypatch, tmp_path):
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "none"))

    assert load().aws.accounts is None  # as `audit` does


def test_what_was_read_is_forgotten_by_the_environment(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)

    forget_secrets()

    assert not [name for name in NAMES if name in os.environ]

"""The Slack app's manifest, the table of commands and the README tell the same story."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin

import jsonschema
import pytest
import yaml
from msgspec import Struct, structs

ROOT = Path(__file__).parent.parent
MANIFEST = (ROOT / "manifest.yml").read_text(encoding="utf-8")
APP: dict[str, Any] = yaml.safe_load(MANIFEST)
COMMANDS_IN_MANIFEST = [entry["command"] for entry in APP["features"]["slash_commands"]]
SCOPES = APP["oauth_config"]["scopes"]["bot"]
ACTION = r"\b[a-z]+:[A-Z][A-Za-z]+\b"


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_slack_would_accept_the_manifest():
    # Slack's own schema: github.com/slackapi/manifest-schema, schemas/manifest.schema.1.0.0.json.
    schema = json.loads((ROOT / "tests" / "manifest.schema.json").read_text(encoding="utf-8"))

    problems = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(APP)]

    assert problems == []


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_says_why_it_is_needed(scope):
    line = re.search(rf"^ +- {re.escape(scope)} *(.*)$", MANIFEST, re.MULTILINE)

    assert line is not None
    assert re.fullmatch(r"# \w.{10,}", line[1]), f"{scope} needs a comment on its line that says what it is for"


def test_scopes_that_this_bot_has_no_use_for_are_not_asked_for():
    wide = {"chat:write.public", "chat:write.customize", "users:read.email", "files:read"}

    assert [scope for scope in SCOPES if scope in wide or "history" in scope or "im:" in scope] == []


def test_the_bot_misses_at_its_start_any_scope_of_the_manifest_that_was_not_granted():
    from bot import service

    assert sorted(service.SCOPES) == sorted(SCOPES)


def test_the_home_tab_is_there_and_its_opening_is_told():
    assert APP["features"]["app_home"]["home_tab_enabled"] is True
    assert "app_home_opened" in APP["settings"]["event_subscriptions"]["bot_events"]


def test_slack_is_told_of_the_commands_that_the_bot_answers():
    from commands import COMMANDS
    from commands._types import Slash

    assert sorted(COMMANDS_IN_MANIFEST) == sorted(entry.command for entry in COMMANDS if isinstance(entry, Slash))


@pytest.mark.parametrize("entry", APP["features"]["slash_commands"], ids=COMMANDS_IN_MANIFEST)
def test_people_and_channels_reach_a_command_as_ids(entry):
    assert entry["should_escape"] is True


@pytest.mark.parametrize("command", COMMANDS_IN_MANIFEST)
def test_the_readme_shows_the_command(command):
    assert re.search(rf"{re.escape(command)}\b", readme()), f"README.md does not mention {command}"


def test_the_readme_names_every_environment_variable_that_is_read():
    from bot.config import Environment

    names = {field.name.upper() for field in fields(Environment)}

    assert {"SLACK_BOT_TOKEN", "LAMPLIGHTER_DATABASE"} <= names  # else this test looks in the wrong place
    assert sorted(name for name in names if name not in readme()) == []


def test_the_readmes_settings_are_taken_and_name_every_key(tmp_path, monkeypatch):
    from bot.config import File, load

    block = max(re.findall(r"```toml\n(.*?)```", readme(), re.DOTALL), key=len)  # the whole of them
    (tmp_path / "lamplighter.toml").write_text(block, encoding="utf-8")
    monkeypatch.setenv("LAMPLIGHTER_CONFIG", str(tmp_path / "lamplighter.toml"))

    load()  # refuses what is no setting, and what contradicts another

    shown = tomllib.loads(block)
    shown["aws"]["include"] |= shown["aws"]["exclude"]  # "both tables take the same keys"
    shown["aws"]["exclude"] |= shown["aws"]["include"]
    assert list(missing(File, shown)) == []


def missing(section: type[Struct], shown: dict[str, Any], where: str = "") -> Iterator[str]:
    """The keys of a table, and of the tables in it, that are not shown; what teams have for themselves apart."""
    for key in structs.fields(section):
        name = f"{where}{key.encode_name}"
        if key.encode_name not in shown:
            yield name
            continue
        kinds = [one for one in (key.type, *get_args(key.type)) if isinstance(one, type) and issubclass(one, Struct)]
        for kind in kinds:
            if get_origin(key.type) not in (dict, Mapping):
                yield from missing(kind, shown[key.encode_name], f"{name}.")


def test_the_readme_names_every_permission_that_the_code_does():
    named = set(re.findall(ACTION, readme().partition("What each role may do, and why")[2].partition("</details>")[0]))
    needed: set[str] = set()
    for path in (ROOT / "commands").rglob("*.py"):
        code = path.read_text(encoding="utf-8")
        for told in re.findall(r"\bIAM: (.+?)(?:\n\s*\n|\"\"\"|$)", code, re.DOTALL):
            needed |= set(re.findall(ACTION, told))
        if path.name == "session_policy.py":
            needed |= set(re.findall(ACTION, code))

    assert {"lambda:ListFunctions", "iam:GetRole", "iam:AttachRolePolicy"} <= needed  # else this test looks elsewhere
    not_needed = {"iam:PassRole", "lambda:GetFunction"}  # where it is said why it is not
    assert sorted(needed - not_needed - named) == []

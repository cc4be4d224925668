"""The Slack app's manifest, the table of commands and the README tell the same story."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

ROOT = Path(__file__).parent.parent
MANIFEST = (ROOT / "manifest.yml").read_text(encoding="utf-8")
APP: dict[str, Any] = yaml.safe_load(MANIFEST)
COMMANDS_IN_MANIFEST = [entry["command"] for entry in APP["features"]["slash_commands"]]
SCOPES = APP["oauth_config"]["scopes"]["bot"]


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

    names = {key.upper() for key in keys(Environment)}

    assert {"SLACK_BOT_TOKEN", "LAMPLIGHTER_DATABASE"} <= names  # else this test looks in the wrong place
    assert sorted(name for name in names if name not in readme()) == []


def test_the_readme_names_every_key_of_the_settings_file():
    sections = [model for model in models_of_the_configuration() if model.__name__ != "Environment"]

    names = {key for model in sections for key in keys(model)}

    assert {"accounts", "tag_keys", "daily", "approvers"} <= names  # else this test looks in the wrong place
    assert sorted(name for name in names if not re.search(rf"\b{re.escape(name)}\b", readme())) == []


def models_of_the_configuration() -> list[type[BaseModel]]:
    from bot import config

    models = [thing for thing in vars(config).values() if isinstance(thing, type) and issubclass(thing, BaseModel)]
    return [model for model in models if model.__module__ == config.__name__]


def keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]

"""What the code says of its settings: all of it, and the README no less and no more."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields

import jsonschema
import pytest
from click.testing import CliRunner
from msgspec import inspect

from bot.cli import main
from bot.environment import SAYS, Environment
from bot.settings import Key, keys, tables, toml_example
from tests.readme import README, written


def settled(table: inspect.StructType, where: str = "") -> Iterator[tuple[str, Key]]:
    """Every key of every table, with its full name."""
    for key in keys(table):
        name = f"{where}{key.name}"
        of_each = key.kind.value_type if isinstance(key.kind, inspect.DictType) else key.kind
        if isinstance(of_each, inspect.StructType):
            yield from settled(of_each, f"{name}.")
        else:
            yield name, key


EVERY = dict(settled(tables()))


def test_the_readme_says_what_the_code_says():
    readme = README.read_text(encoding="utf-8")

    assert readme == written(readme), "run `make docs`"


@pytest.mark.parametrize("name", ["aws.include.units", "policy.teams.approvers", "teams.channels", "events.region"])
def test_keys_of_inner_tables_are_among_them(name):
    assert name in EVERY


def test_every_key_and_variable_says_what_it_does_and_shows_a_value():
    silent = [name for name, key in EVERY.items() if len(key.says) < 5 or key.example in (None, "", [], {})]

    assert silent == [], "give it `says(…)` where it is declared"
    assert [one.name for one in fields(Environment) if len(one.metadata.get(SAYS, "")) < 5] == []


def test_what_is_not_the_default_is_said_not_to_be():
    assert 'timezone = "Europe/Berlin"         # in which days and hours are meant; default: "UTC"' in toml_example()
    assert EVERY["schedule.timezone"].default_differs
    assert not EVERY["schedule.daily"].default_differs


def test_all_is_printed_even_where_no_setting_can_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lamplighter.toml").write_text("this is no setting")

    printed = CliRunner().invoke(main, ["settings"])

    assert printed.exit_code == 0
    assert [
        name for name in EVERY if f"  {name.rpartition('.')[2]}:" not in printed.stdout and "teams." not in name
    ] == []
    assert [one.name for one in fields(Environment) if f"\n  {one.name.upper()}\n" not in printed.stdout] == []
    assert "[policy.teams.TEAM]" in printed.stdout
    assert "  calls_per_second: a number from 0 to 15; default 10\n" in printed.stdout
    assert '  weekly: "mon" or "tue" or "wed" or "thu" or "fri" or "sat" or "sun"; default "mon"\n' in printed.stdout
    assert max(map(len, printed.stdout.splitlines())) <= 100


def test_an_editor_takes_the_example_by_the_schema_and_finds_a_slip():
    printed = CliRunner().invoke(main, ["settings", "--schema"])
    schema = json.loads(printed.stdout)
    example = tomllib.loads(CliRunner().invoke(main, ["settings", "--toml"]).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    editor = jsonschema.Draft202012Validator(schema)

    def complaints(**changes) -> list[str]:
        return [one.message for one in editor.iter_errors(example | changes)]

    assert complaints() == []
    assert "\\Z" not in printed.stdout  # no regular expression of JavaScript has it
    assert "'dayly' was unexpected" in complaints(schedule={"dayly": "09:00"})[0]
    assert "does not match" in complaints(schedule={"daily": "9:00"})[0]

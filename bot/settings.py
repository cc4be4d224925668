"""`python -m bot settings`: every environment variable and every key of lamplighter.toml, as the code has them."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import click
import msgspec
from msgspec import inspect

from bot.config import File
from bot.environment import FILE, SAYS, SECRETS, Environment

WIDTH = 96
COMMENTS_AT = 33
_ORDER = "mon tue wed thu fri sat sun never"  # of the words that a key takes; others come before, by the alphabet
AWS = "what every AWS tool takes, `AWS_ENDPOINT_URL` included"


def tell(*, as_toml: bool, as_schema: bool) -> int:
    """Print all of it, a file that shows all of it, or what an editor checks such a file by. The exit code."""
    if as_schema:
        schema = json.dumps(msgspec.json.schema(File), indent=2, ensure_ascii=False)
        click.echo(schema.replace(r"\\Z", "$"))  # which JavaScript knows
    elif as_toml:
        click.echo(toml_example())
    else:
        click.echo("\n".join(_listing()))
    return 0


# ---- what there is


@dataclass(frozen=True)
class Key:
    """One key of one table; `name` as it is written there."""

    name: str
    kind: inspect.Type
    says: str
    example: Any  # of a table: the keys that are shown, with values; None for all, each with its own
    default: Any  # None: none

    @property
    def table(self) -> inspect.StructType | None:
        return self.kind if isinstance(self.kind, inspect.StructType) else None

    @property
    def default_differs(self) -> bool:
        return self.default not in (None, "", []) and self.default != self.example


def keys(table: inspect.StructType) -> Iterator[Key]:
    for one in table.fields:
        kind, said = _bare(one.type)
        default = one.default_factory() if one.default_factory is not msgspec.NODEFAULT else one.default
        yield Key(
            name=one.encode_name,
            kind=kind,
            says=str(said.get("description", "")),
            example=next(iter(said.get("examples", [])), None),
            default=None if default is msgspec.NODEFAULT or isinstance(default, msgspec.Struct | dict) else default,
        )


def tables() -> inspect.StructType:
    info = inspect.type_info(File)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - what a Struct's type is
    return info


def _bare(info: inspect.Type) -> tuple[inspect.Type, Mapping[str, Any]]:
    """A type without what is said about it, and that."""
    if isinstance(info, inspect.Metadata):
        kind, _ = _bare(info.type)
        return kind, info.extra_json_schema or {}
    if isinstance(info, inspect.UnionType):
        named = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        if len(named) == 1:
            return _bare(named[0])
    return info, {}


# ---- as lamplighter.toml


def toml_example() -> str:
    """A lamplighter.toml with every key, as somebody might write it; the README has it too."""
    return "\n\n".join("\n".join(_table(key.table, key, f"{key.name}")) for key in keys(tables()) if key.table)


def _table(table: inspect.StructType, of: Key, name: str) -> Iterator[str]:
    yield _line(f"[{name}]", of.says)
    shown = of.example if isinstance(of.example, Mapping) else None
    inner = []
    for key in keys(table):
        if shown is not None and key.name not in shown:
            continue
        if key.table or isinstance(key.kind, inspect.DictType):
            inner.append(key)
            continue
        value = key.example if shown is None else shown[key.name]
        says = key.says
        if key.default_differs and shown is None:
            says = f"{says}; default: {_written(key.default)}"
        yield _line(f"{key.name} = {_written(value)}", says)
    for key in inner:
        if key.table:
            yield from _table(key.table, key, f"{name}.{key.name}")
        else:
            yield from _by_team(key, f"{name}.{key.name}")


def _by_team(key: Key, name: str) -> Iterator[str]:
    assert isinstance(key.kind, inspect.DictType)  # noqa: S101 - who calls this has looked
    of_one, _ = _bare(key.kind.value_type)
    if isinstance(of_one, inspect.StructType):
        for team, shown in key.example.items():
            yield from _table(of_one, Key(team, of_one, key.says, shown, None), f"{name}.{team}")
        return
    yield _line(f"[{name}]", key.says)
    for team, value in key.example.items():
        yield f"{team} = {_written(value)}"


def _line(what: str, says: str) -> str:
    return f"{what:<{COMMENTS_AT}}  # {says}" if says else what


def _written(value: object) -> str:
    """As TOML writes it; JSON does the same of all that settings hold. Of whole numbers, no decimals."""
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value, ensure_ascii=False)


# ---- as Markdown


def markdown() -> str:
    """The README's part between its two marks."""
    return f"{environment_table()}\n\n```toml\n{toml_example()}\n```"


def environment_table() -> str:
    """Each with what it does and its default."""
    rows = [f"| `{name}` | {says} |" for name, says in _variables()]
    return "\n".join(["| variable | |", "|---|---|", *rows])


def _variables() -> Iterator[tuple[str, str]]:
    for one in fields(Environment):
        default = one.default if isinstance(one.default, str) else ""
        yield one.name.upper(), f"{one.metadata.get(SAYS, '')}{f'; `{default}`' if default else ''}"
    names = ", ".join(f"`{name.upper()}{FILE}`" for name in SECRETS)
    yield f"…{FILE}", f"{names}: the file to read that secret from, instead of the variable without `{FILE}`"
    yield "AWS_…", AWS


# ---- in a terminal


def _listing() -> Iterator[str]:
    yield "Environment variables\n"
    for name, says in _variables():
        yield f"  {name}"
        yield from _wrapped(says.replace("`", ""))
    yield "\nlamplighter.toml: every key is optional"
    for key in keys(tables()):
        if key.table:
            yield from _listed(key.table, key, key.name)


def _listed(table: inspect.StructType, of: Key, name: str) -> Iterator[str]:
    yield f"\n[{name}]"
    if of.says:
        yield from _wrapped(of.says, "  ")
    inner = []
    for key in keys(table):
        if key.table or isinstance(key.kind, inspect.DictType):
            inner.append(key)
            continue
        default = "" if key.default in (None, "", []) else f"; default {_written(key.default)}"
        example = "" if default and not key.default_differs else f", as in {_written(key.example)}"
        yield f"  {key.name}: {_takes(key.kind)}{example}{default}"
        yield from _wrapped(key.says)
    for key in inner:
        if key.table:
            yield from _listed(key.table, key, f"{name}.{key.name}")
            continue
        assert isinstance(key.kind, inspect.DictType)  # noqa: S101 - the only other
        of_one, _ = _bare(key.kind.value_type)
        if isinstance(of_one, inspect.StructType):
            yield from _listed(of_one, key, f"{name}.{key.name}.TEAM")
        else:
            yield f"\n[{name}.{key.name}]"
            yield f"  TEAM: {_takes(of_one)}, as in {_written(next(iter(key.example.values())))}"
            yield from _wrapped(key.says)


def _wrapped(says: str, indent: str = "      ") -> list[str]:
    return textwrap.wrap(says, WIDTH, initial_indent=indent, subsequent_indent=indent)


def _takes(kind: inspect.Type) -> str:
    match kind:
        case inspect.UnionType():
            return ", or ".join(_takes(_bare(each)[0]) for each in kind.types if not isinstance(each, inspect.NoneType))
        case inspect.LiteralType():
            return " or ".join(_written(each) for each in sorted(kind.values, key=lambda each: _ORDER.find(str(each))))
        case inspect.ListType():
            return "a list"
        case inspect.BoolType():
            return "true or false"
        case inspect.FloatType() | inspect.IntType():
            what = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return f"{what} from {_written(kind.ge)} to {_written(kind.le)}"
        case _:
            return "a text"

"""Why a lamplighter.toml cannot be used: one line for each value, saying what is wrong and how to write it.

Loaded only where there is something to refuse.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from bot.values import HINT

_TYPES = {
    inspect.StrType: "a valid string",
    inspect.ListType: "a valid list",
    inspect.DictType: "a table",
    inspect.StructType: "a table",
    inspect.FloatType: "a valid number",
    inspect.IntType: "a valid whole number",
    inspect.BoolType: "true or false",
}


def lines(content: Mapping[str, Any], kind: type[msgspec.Struct]) -> Iterator[str]:
    """For each value of the file that `kind` does not take."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - what a Struct's type is
    yield from _table(content, info, ())


def _table(content: Mapping[str, Any], info: inspect.StructType, where: tuple[str, ...]) -> Iterator[str]:
    known = {field.encode_name: field.type for field in info.fields}
    for key, value in content.items():
        if key not in known:
            name = _name((*where, key))
            yield f"{name} is no setting of Lamplighter. Take it out, or correct its name{_nearest(key, list(known))}."
        else:
            yield from _value(value, known[key], (*where, key))


def _value(value: object, info: inspect.Type, where: tuple[str, ...]) -> Iterator[str]:
    kind, hint = _bare(info)
    if isinstance(kind, inspect.StructType) and isinstance(value, Mapping):
        yield from _table(value, kind, where)
    elif isinstance(kind, inspect.DictType) and isinstance(value, Mapping):
        for key, each in value.items():
            yield from _value(each, kind.value_type, (*where, str(key)))
    elif why := _why(value, kind, hint):
        yield f"{_name(where)}: {why}."


def _why(value: object, kind: inspect.Type, hint: str) -> str:
    """Why this is not a value of that kind; empty where it is."""
    if isinstance(kind, inspect.UnionType):
        return _none_of(value, kind)
    if isinstance(kind, inspect.ListType) and isinstance(value, list):
        few = kind.min_length is not None and len(value) < kind.min_length
        item, item_hint = _bare(kind.item_type)
        reasons = (_why(each, item, item_hint) for each in value)
        return f"should have at least {kind.min_length} item" if few else next(filter(None, reasons), "")
    if isinstance(kind, inspect.LiteralType):
        return "" if value in kind.values else f"{value!r} {hint}"
    if not _is(value, kind):
        return f"{value!r} should be {_TYPES[type(kind)]}"
    return _out_of_bounds(value, kind, hint)


def _none_of(value: object, union: inspect.UnionType) -> str:
    """Of several kinds, the one that it was meant to be: by its type, else the last, which is the most general."""
    kinds = [_bare(each) for each in union.types if not isinstance(each, inspect.NoneType)]
    meant = [each for each in kinds if _is(value, each[0])] or kinds[-1:]
    reasons = [_why(value, kind, hint) for kind, hint in meant]
    return "" if "" in reasons else reasons[0]


def _is(value: object, kind: inspect.Type) -> bool:
    match kind:
        case inspect.StrType() | inspect.LiteralType():
            return isinstance(value, str)
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.ListType():
            return isinstance(value, list)
        case _:
            return isinstance(value, Mapping)


def _out_of_bounds(value: Any, kind: inspect.Type, hint: str) -> str:
    if isinstance(kind, inspect.FloatType | inspect.IntType):
        if kind.ge is not None and value < kind.ge:
            return f"{value!r} should be greater than or equal to {kind.ge:g}"
        if kind.le is not None and value > kind.le:
            return f"{value!r} should be less than or equal to {kind.le:g}"
        return ""
    pattern = kind.pattern if isinstance(kind, inspect.StrType) else None
    return f"{value!r} {hint}" if pattern and not re.search(pattern, value) else ""


def _bare(info: inspect.Type) -> tuple[inspect.Type, str]:
    """A type without what is said about it, and how a refusal goes on after the value."""
    if isinstance(info, inspect.Metadata):
        return info.type, str((info.extra or {}).get(HINT, ""))
    if isinstance(info, inspect.UnionType):
        named = [each for each in info.types if not isinstance(each, inspect.NoneType)]
        if len(named) == 1:
            return _bare(named[0])
    return info, ""


def _name(where: tuple[str, ...]) -> str:
    return f"[{'.'.join(where[:-1])}] {where[-1]}" if len(where) > 1 else where[0]


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, 1)
    return f" (perhaps {near[0]})" if near else f" (known here: {', '.join(known)})"

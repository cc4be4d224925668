"""A small language to say what a piece of Block Kit JSON may look like, with Slack's own words for what is wrong.

A check is called with a value, its JSON pointer and the list that problems are written to. The rules themselves are
in elements, tables and limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Problems = list[str]
Check = Callable[[Any, str, Problems], None]


def problem(problems: Problems, text: str, pointer: str) -> None:
    """Write one problem down in the form that Slack gives in `response_metadata.messages`."""
    problems.append(f"[ERROR] {text} [json-pointer:{pointer}]")


def string(most: int, least: int = 0) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problem(problems, "must be a string", pointer)
        elif len(value) < least:
            problem(problems, f"must be more than {least - 1} characters", pointer)
        elif len(value) > most:
            problem(problems, f"must be less than {most + 1} characters", pointer)

    return check


def boolean(value: Any, pointer: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problem(problems, "must be a boolean", pointer)


def integer(least: int, most: int | None = None) -> Check:
    def check(value: Any, pointer: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problem(problems, "must be an integer", pointer)
        elif value < least:
            problem(problems, f"must be at least {least}", pointer)
        elif most is not None and value > most:
            problem(problems, f"must be at most {most}", pointer)

    return check


def number(value: Any, pointer: str, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem(problems, "must be a number", pointer)


def one_of(*choices: str) -> Check:
    def check(value: Any, pointer: str, problems: Problems) -> None:
        if value not in choices:
            problem(problems, f"must be one of: {', '.join(choices)}", pointer)

    return check


def matching(test: Callable[[str], bool], what: str) -> Check:
    """A string that passes `test`, called `what` in the problem."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, str) or not test(value):
            problem(problems, f"must be {what}", pointer)

    return check


def items(each: Check, *, least: int = 0, most: int) -> Check:
    """A list of `least` to `most` things that each pass."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problem(problems, "must be an array", pointer)
            return
        if len(value) < least:
            problem(problems, f"must have at least {least} item{'s' if least > 1 else ''}", pointer)
        if len(value) > most:
            problem(problems, f"no more than {most} items allowed", pointer)
            return
        for index, item in enumerate(value):
            each(item, f"{pointer}/{index}", problems)

    return check


def anything(value: Any, pointer: str, problems: Problems) -> None:
    """No rule: the field is known, and its inside is not looked at."""


def shape(
    required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None, *also: Check
) -> Check:
    """An object with these fields and no others; `also` are checks of the whole, made when its fields are right."""
    required, optional = required or {}, optional or {}
    known = {**required, **optional}

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problem(problems, "must be an object", pointer)
            return
        before = len(problems)
        for name in required:
            if name not in value:
                problem(problems, f"missing required field: {name}", pointer)
        for name, part in value.items():
            if name in known:
                known[name](part, f"{pointer}/{name}", problems)
            elif name != "type":
                problem(problems, f"invalid additional property: {name}", pointer)
        if len(problems) == before:
            for whole in also:
                whole(value, pointer, problems)

    return check


def by_type(kinds: Mapping[str, Check], *, only: frozenset[str] | None = None) -> Check:
    """An object whose `type` says which check applies; `only` are the types that may stand in this place."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problem(problems, "must be an object", pointer)
            return
        kind = value.get("type")
        if kind is None:
            problem(problems, "missing required field: type", pointer)
        elif kind not in kinds:
            problem(problems, f"unsupported type: {kind}", f"{pointer}/type")
        elif only is not None and kind not in only:
            problem(problems, f"unsupported type: {kind} cannot be used here", f"{pointer}/type")
        else:
            kinds[kind](value, pointer, problems)

    return check


def exactly_one(*names: str) -> Check:
    """Of these fields, one and not two."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        given = [name for name in names if name in value]
        if not given:
            problem(problems, f"missing required field: {' or '.join(names)}", pointer)
        elif len(given) > 1:
            problem(problems, f"only one of {', '.join(names)} is allowed", pointer)

    return check

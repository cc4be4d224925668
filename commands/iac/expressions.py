"""Terraform's expressions, as far as variables, locals and plain functions go. What is computed is UNKNOWN."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from commands.iac.hcl import kind_of, name_of, traversal
from commands.iac.policy import UNKNOWN

_DEEP = 60
_TEXT_MOST = 65_536
_ITEMS_MOST = 10_000


@dataclass(slots=True)
class Scope:
    """What names mean within one module: its variables as it is called, its locals, `each`."""

    variables: Mapping[str, object] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()  # the variables whose value is only the default, and may be given otherwise
    locals: Mapping[str, Any] = field(default_factory=dict)  # expressions
    names: Mapping[str, object] = field(default_factory=dict)  # `each`, `tracing_config`
    used: set[str] = field(default_factory=set)  # defaults that were leant on
    deep: int = 0
    known_locals: dict[str, tuple[Any, frozenset[str]]] = field(default_factory=dict)  # each is worked out once

    def within(self, **names: object) -> "Scope":
        return Scope(
            self.variables, self.defaults, self.locals, {**self.names, **names}, self.used, self.deep, self.known_locals
        )


def evaluate(scope: Scope, expression: Any) -> Any:
    """A text, number, truth, None, list or dictionary, or UNKNOWN."""
    if scope.deep > _DEEP:
        return UNKNOWN
    scope.deep += 1
    try:
        return _evaluate(scope, bare(expression))
    finally:
        scope.deep -= 1


def _evaluate(scope: Scope, item: Any) -> Any:
    worked_out = _KINDS.get(kind_of(item))
    return worked_out(scope, item) if worked_out else UNKNOWN


def bare(expression: Any) -> Any:
    while kind_of(expression) == "expr_term":
        inner = [one for one in expression.children if hasattr(one, "data") and one.data != "new_line_or_comment"]
        if len(inner) != 1:
            break
        expression = inner[0]
    return expression


def parts(item: Any) -> list[Any]:
    return [one for one in item.children if hasattr(one, "data") and one.data != "new_line_or_comment"]


def _literal(_: Scope, item: Any) -> Any:
    return {"true": True, "false": False, "null": None}[str(item.children[0])]


def _number(_: Scope, item: Any) -> Any:
    return float(str(item.children[0])) if kind_of(item) == "float_lit" else int(str(item.children[0]))


def _string(scope: Scope, item: Any) -> Any:
    made = []
    for part in item.children:
        if kind_of(part) != "string_part":
            continue
        inner = part.children[0]
        if not hasattr(inner, "data"):
            made.append(str(inner).replace("$${", "${").replace('\\"', '"'))
            continue
        value = evaluate(scope, parts(inner)[0]) if inner.data == "interpolation" and parts(inner) else UNKNOWN
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, (str, int)):
            return UNKNOWN
        made.append(str(value))
    return "".join(made) if sum(map(len, made)) < _TEXT_MOST else UNKNOWN


def _heredoc(_: Scope, item: Any) -> Any:
    lines = str(item.children[0]).splitlines()
    text = "\n".join(lines[1:-1])
    return UNKNOWN if re.search(r"[$%]\{", text) else text


def _tuple(scope: Scope, item: Any) -> Any:
    return [evaluate(scope, one) for one in parts(item)]


def _object(scope: Scope, item: Any) -> Any:
    made: dict[str, object] = {}
    for element in item.children:
        if kind_of(element) != "object_elem":
            continue
        key = bare(parts(element.children[0])[0]) if parts(element.children[0]) else element.children[0]
        name = name_of(key) if kind_of(key) in ("identifier", "keyword") else evaluate(scope, key)
        if not isinstance(name, str):
            return UNKNOWN
        made[name] = evaluate(scope, element.children[-1])
    return made


def _conditional(scope: Scope, item: Any) -> Any:
    test, then, otherwise = parts(item)
    decided = evaluate(scope, test)
    if not isinstance(decided, bool):
        return UNKNOWN
    return evaluate(scope, then if decided else otherwise)


def _named(scope: Scope, item: Any) -> Any:
    names = traversal(item)
    if not names or len(names) < 2 or "*" in names:
        return UNKNOWN
    value, rest = _root(scope, names[0], names[1:])
    for name in rest:
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, dict):
            return _MISSING
        else:
            return UNKNOWN
    return value


def _root(scope: Scope, first: str, rest: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    if first == "var":
        if rest[0] in scope.defaults:
            scope.used.add(f"var.{rest[0]}")
        return scope.variables.get(rest[0], UNKNOWN), rest[1:]
    if first == "local":
        return _local(scope, rest[0]), rest[1:]
    return scope.names.get(first, UNKNOWN), rest


def _local(scope: Scope, name: str) -> Any:
    if name not in scope.locals:
        return UNKNOWN
    if name not in scope.known_locals:
        scope.known_locals[name] = (UNKNOWN, frozenset())  # of one that rests on itself, nothing is known
        before = set(scope.used)
        scope.used.clear()
        scope.known_locals[name] = (evaluate(scope, scope.locals[name]), frozenset(scope.used))
        scope.used.update(before)
    value, leant = scope.known_locals[name]
    scope.used.update(leant)
    return value


class _Missing:
    """An attribute that an object does not have: an error to Terraform, which try() and lookup() forgive."""


_MISSING = _Missing()


def _operation(scope: Scope, item: Any) -> Any:
    left_part, term = parts(item)[:2]
    operator, right_part = str(parts(term)[0].children[0]), parts(term)[-1]
    left, right = evaluate(scope, left_part), evaluate(scope, right_part)
    if operator in ("&&", "||"):
        settles = operator == "||"
        if left is settles or right is settles:
            return settles
        return (not settles) if isinstance(left, bool) and isinstance(right, bool) else UNKNOWN
    if operator in ("==", "!=") and None in (left, right) and _known([left, right]):
        return (left is right) is (operator == "==")
    compared = [one for one in (left, right) if isinstance(one, (list, dict)) and one]
    if operator not in ("==", "!=") or compared or not (_known(left) and _known(right)):
        return _compared(operator, left, right)
    return (left == right) is (operator == "==")


def _compared(operator: str, left: Any, right: Any) -> Any:
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (left, right)):
        return UNKNOWN
    return {"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}.get(operator, UNKNOWN)


def _unary(scope: Scope, item: Any) -> Any:
    value = evaluate(scope, parts(item)[0])
    return (not value) if str(item.children[0]) == "!" and isinstance(value, bool) else UNKNOWN


def _call(scope: Scope, item: Any) -> Any:
    name = name_of(item.children[0])
    listed = next((one for one in item.children if kind_of(one) == "arguments"), None)
    given = [evaluate(scope, one) for one in parts(listed)] if listed is not None else []
    if name == "lookup" and len(given) > 1 and leant(scope, parts(listed)[1]) and not _agree(*given):
        return UNKNOWN  # another key may be given, and leads elsewhere
    if name == "try":
        return next((one for one in given if one is not _MISSING), UNKNOWN)
    work = _FUNCTIONS.get(name)
    if work is None or not given or any(str(one) == "..." for one in (listed.children if listed is not None else ())):
        return UNKNOWN
    if name not in ("jsonencode", "coalesce", "lookup") and not all(_known(one) for one in given):
        return UNKNOWN
    try:
        return work(*given)
    except (TypeError, ValueError, KeyError, AttributeError):
        return UNKNOWN


def _known(value: Any) -> bool:
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if one is UNKNOWN or one is _MISSING:
            return False
        if isinstance(one, (list, dict)) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.values() if isinstance(one, dict) else one
    return True


def _coalesce(*given: Any) -> Any:
    for one in given:
        if not _known(one):
            return UNKNOWN
        if one not in (None, ""):
            return one
    return UNKNOWN


def leant(scope: Scope, expression: Any) -> list[str]:
    """The defaults that a value rests on, which may be given otherwise."""
    before = set(scope.used)
    scope.used.clear()
    evaluate(scope, expression)
    found = sorted(scope.used)
    scope.used.update(before)
    return found


def _agree(found: Any, _: Any, *default: Any) -> bool:
    many = [*(found.values() if isinstance(found, dict) else ()), *default]
    return all(one == many[0] for one in many)


def _lookup(found: Any, key: Any, default: Any = UNKNOWN) -> Any:
    if not isinstance(found, dict) or not isinstance(key, str):
        return UNKNOWN
    return found.get(key, default)


def _merge(*given: Any) -> Any:
    return {key: value for one in given for key, value in one.items()}


def _concat(*many: Any) -> Any:
    return [one for each in many for one in each] if sum(map(len, many)) < _ITEMS_MOST else UNKNOWN


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "jsonencode": lambda one: one,  # a policy document is judged as it is
    "jsondecode": json.loads,
    "coalesce": _coalesce,
    "lookup": _lookup,
    "merge": _merge,
    "tostring": lambda one: str(one) if isinstance(one, str) else UNKNOWN,
    "lower": lambda one: one.lower(),
    "upper": lambda one: one.upper(),
    "title": lambda one: one.title(),
    "length": len,
    "contains": lambda many, one: one in many,
    "toset": lambda many: list(dict.fromkeys(many)),
    "tolist": list,
    "tomap": dict,
    "concat": _concat,
    "keys": lambda one: sorted(one.keys()),
    "tobool": lambda one: one if isinstance(one, bool) else {"true": True, "false": False}[one],
}

_KINDS: dict[str, Callable[[Scope, Any], Any]] = {
    "literal_value": _literal,
    "int_lit": _number,
    "float_lit": _number,
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "tuple": _tuple,
    "object": _object,
    "conditional": _conditional,
    "get_attr_expr_term": _named,
    "index_expr_term": _named,
    "binary_op": _operation,
    "unary_op": _unary,
    "function_call": _call,
}

"""What a setting of Terraform may come to: the sides of a condition, the entries of a map, a default."""

from typing import Any

from commands.iac.expressions import Scope, bare, evaluate, leant, parts
from commands.iac.hcl import kind_of, literal, name_of, traversal
from commands.iac.values import ABSENT, May, hang, unknown

_DECISIONS_DEEP = 6
_WORKED_OUT = "it is worked out at deployment"


def ways(scope: Scope, expression: Any, deep: int = 0) -> tuple[May, ...]:
    """What a setting may come to; null is absent."""
    inner = bare(expression)
    if kind_of(inner) == "conditional" and deep < _DECISIONS_DEEP:
        return _either(scope, inner, deep)
    chosen = _chosen(scope, inner)
    if chosen is not None:
        return chosen
    named = traversal(inner)
    if named and len(named) == 2 and named[0] == "local" and named[1] in scope.locals and deep < _DECISIONS_DEEP:
        return ways(scope, scope.locals[named[1]], deep + 1)
    value, default = evaluate(scope, expression), ", ".join(leant(scope, expression))
    if value is None:
        return ABSENT if not default else (May(absent=True, default=default),)
    if not isinstance(value, str):
        return unknown(f"{'.'.join(named)} is not known" if named else _WORKED_OUT)
    return (May(value=value, node=literal(expression), default=default),)


def _either(scope: Scope, inner: Any, deep: int) -> tuple[May, ...]:
    test, then, otherwise = parts(inner)
    decided, rests = evaluate(scope, test), leant(scope, test)
    if isinstance(decided, bool) and not rests:
        return ways(scope, then if decided else otherwise, deep + 1)
    under = ", ".join(rests) or "what is known at deployment"
    made: list[May] = []
    for part, side in ((then, True), (otherwise, False)):
        likely = decided is side if isinstance(decided, bool) else None
        made += hang(ways(scope, part, deep + 1), under, likely)
    return tuple(made)


def _chosen(scope: Scope, inner: Any) -> tuple[May, ...] | None:
    """`lookup(local.modes, var.lane, …)`, `local.modes[var.lane]`: of a key that may be another, every entry counts."""
    found = _map_and_key(inner)
    if found is None:
        return None
    table, key, *fallback = found
    entries, name, rests = evaluate(scope, table), evaluate(scope, key), leant(scope, key)
    if not isinstance(entries, dict) or not entries or (isinstance(name, str) and not rests):
        return None
    under, default = ", ".join(rests) or "what is known at deployment", ", ".join(leant(scope, table))
    options = [(one, value) for one, value in entries.items()]
    options += [(None, evaluate(scope, one)) for one in fallback]
    is_there = name in entries if isinstance(name, str) else None
    made: list[May] = []
    for one, value in options:
        likely = None if is_there is None else one == name or (one is None and not is_there)
        may = (
            ABSENT
            if value is None
            else (May(value=value, default=default),)
            if isinstance(value, str)
            else unknown(_WORKED_OUT)
        )
        made += hang(may, under, likely)
    return tuple(made)


def _map_and_key(inner: Any) -> list[Any] | None:
    if kind_of(inner) == "function_call" and name_of(inner.children[0]) == "lookup":
        listed = next((one for one in inner.children if kind_of(one) == "arguments"), None)
        given = parts(listed) if listed is not None else []
        return given if len(given) in (2, 3) else None
    if kind_of(inner) == "index_expr_term":
        table, index = parts(inner)[:2]
        within = parts(index)
        return (
            [table, within[0]] if len(within) == 1 and kind_of(bare(within[0])) not in ("string", "int_lit") else None
        )
    return None

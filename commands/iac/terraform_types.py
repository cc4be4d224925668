"""The type that a variable is declared with: what `optional` fills in, and the attributes that an object drops.

`try(each.value.mode, "Active")` finds an attribute that nobody wrote where the type says `optional(string)`: null.
https://developer.hashicorp.com/terraform/language/expressions/type-constraints
"""

from typing import Any

from commands.iac.expressions import Scope, bare, evaluate, parts
from commands.iac.hcl import kind_of, name_of
from commands.iac.policy import UNKNOWN

_DEEP = 30


def converted(declared: Any, value: object, deep: int = 0) -> object:
    """`value` as the variable has it. `declared` is the expression of `type`, if there is one."""
    if declared is None or value is None or value is UNKNOWN or deep > _DEEP:
        return value
    name, given = _call(declared)
    match name:
        case "object" if given and isinstance(value, dict):
            return _object(given[0], value, deep)
        case "map" if given and isinstance(value, dict):
            return {key: converted(given[0], one, deep + 1) for key, one in value.items()}
        case "list" | "set" if given and isinstance(value, list):
            return [converted(given[0], one, deep + 1) for one in value]
        case _:
            return value


def _object(attributes: Any, value: dict[str, object], deep: int) -> dict[str, object]:
    made: dict[str, object] = {}
    for element in bare(attributes).children:
        if kind_of(element) != "object_elem":
            continue
        name = _key(element.children[0])
        declared, optional, default = _optional(element.children[-1])
        one = value.get(name)
        if one is None and optional:
            one = default
        elif name not in value:
            one = UNKNOWN  # Terraform refuses it
        made[name] = converted(declared, one, deep + 1)
    return made


def _optional(declared: Any) -> tuple[Any, bool, object]:
    name, given = _call(declared)
    if name != "optional" or not given:
        return declared, False, None
    return given[0], True, evaluate(Scope(), given[1]) if len(given) > 1 else None


def _key(node: Any) -> str:
    inner = parts(node)
    key = bare(inner[0]) if inner else node.children[0]
    return name_of(key)


def _call(expression: Any) -> tuple[str, list[Any]]:
    item = bare(expression)
    if kind_of(item) != "function_call":
        return "", []
    listed = next((one for one in item.children if kind_of(one) == "arguments"), None)
    return name_of(item.children[0]), parts(listed) if listed is not None else []

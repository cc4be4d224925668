"""CloudFormation's functions, as far as a template tells: parameters' defaults, conditions, mappings."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from commands.iac.document import Node, walk
from commands.iac.policy import UNKNOWN
from commands.iac.values import ABSENT, May, hang, unknown

_DEEP = 5  # of decisions within decisions
_PLAIN_DEEP = 20
_NODES_MOST = 20_000  # of a policy document, with all that aliases repeat


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter's value that is written down outside its template; None where it is worked out."""

    value: str | None
    source: str
    usual: bool = False  # what a deployment without further words takes


@dataclass(slots=True)
class Template:
    """One template's root, and what its references mean."""

    root: Node
    given: Mapping[str, tuple[Given, ...]] = field(default_factory=dict)
    resources: Node = field(init=False)

    def __post_init__(self) -> None:
        self.resources = self.section("Resources")

    def section(self, name: str) -> Node:
        found = self.root.get(name)
        return found if found is not None and found.kind == "mapping" else Node("mapping")


def intrinsic(node: Node) -> tuple[str, Node] | None:
    """The function that a value is, and what it is given: `!Ref X` and `{"Ref": "X"}` are the same."""
    if node.tag.startswith("!") and node.tag != "!":
        name = node.tag[1:]
        return (name if name in ("Ref", "Condition") else f"Fn::{name}"), node
    if node.kind == "mapping" and len(node.pairs) == 1:
        key, value = node.pairs[0]
        if key.value.startswith("Fn::") or key.value in ("Ref", "Condition"):
            return key.value, value
    return None


def ways(template: Template, node: Node | None, deep: int = 0) -> tuple[May, ...]:
    """What a scalar setting may come to; a key with nothing behind it says nothing."""
    if node is None or node.null:
        return ABSENT
    if deep > _DEEP:
        return unknown("it refers to itself")
    found = intrinsic(node)
    if found is None:
        if node.kind != "scalar":
            return unknown("it is no text")
        if node.value.startswith("{{resolve:") or re.search(r"[$&]\{", node.value):
            return unknown(f"it is looked up at deployment: {node.value}")
        return (May(value=node.value, node=node),)
    name, given = found
    match name:
        case "Ref":
            return _ref(template, given.value)
        case "Fn::Sub":
            return _sub(template, given)
        case "Fn::If" if len(given.items) == 3:
            return _either(template, given, deep)
        case "Fn::FindInMap" if len(given.items) >= 3:
            return _in_map(template, given, deep)
        case _:
            return unknown(f"it is worked out by {name}")


def places(template: Template, node: Node | None, deep: int = 0) -> list[tuple[Node | None, May]]:
    """The nodes that may stand here, with Fn::If taken apart; None where there is nothing. May says which way it is."""
    if node is None:
        return [(None, ABSENT[0])]
    found = intrinsic(node)
    if found is None:
        return [(node, May(value=""))]
    name, given = found
    if name == "Fn::If" and len(given.items) == 3 and deep < _DEEP:
        under = given.items[0].value
        decided, _ = condition(template, under)
        made: list[tuple[Node | None, May]] = []
        for at, side in ((1, True), (2, False)):
            for one, way in places(template, given.items[at], deep + 1):
                likely = None if decided is None else decided is side
                made.append((one, hang([way], f"condition {under}", likely)[0]))
        return made
    if name == "Ref" and given.value == "AWS::NoValue":
        return [(None, ABSENT[0])]
    return [(None, May(doubt=f"it is worked out by {name}"))]


def condition(template: Template, name: str) -> tuple[bool | None, bool]:
    """Whether it holds by the defaults, and whether it holds so whatever the parameters are."""
    return _holds(template, template.section("Conditions").get(name), 0)


def plain(template: Template, node: Node | None) -> object:
    """A policy document as Python knows it, with UNKNOWN for what is computed."""
    return _plain(template, node, 0, [_NODES_MOST]) if node is not None else None


def _plain(template: Template, node: Node, deep: int, left: list[int]) -> object:
    left[0] -= 1
    if deep > _PLAIN_DEEP or left[0] < 0:
        return UNKNOWN
    if intrinsic(node) is not None:
        seen = ways(template, node)
        return seen[0].value if len(seen) == 1 and seen[0].value is not None else UNKNOWN
    if node.kind == "mapping":
        return {name: _plain(template, value, deep + 1, left) for name, _, value in node.entries()}
    if node.kind == "sequence":
        return [_plain(template, one, deep + 1, left) for one in node.items]
    return node.value


def referred(*begin: Node) -> set[str]:
    """Every logical id that values refer to, wherever in them."""
    found: set[str] = set()
    for inner in map(intrinsic, walk(*begin)):
        name, given = inner or ("", Node(""))
        if name in ("Ref", "Fn::GetAtt"):
            first = given.items[0].value if given.items else given.value
            found.add(first.partition(".")[0])
        if name == "Fn::Sub":
            text = given.items[0].value if given.items else given.value
            found |= {one.partition(".")[0] for one in re.findall(r"\$\{([^!}]+)\}", text)}
    return found


def _ref(template: Template, name: str) -> tuple[May, ...]:
    if name == "AWS::NoValue":
        return ABSENT
    parameter = template.section("Parameters").get(name)
    if parameter is None or parameter.kind != "mapping":
        return unknown(f"it refers to {name}")
    kind, default, allowed = (parameter.get(key) for key in ("Type", "Default", "AllowedValues"))
    if kind is not None and kind.value.startswith("AWS::SSM::"):
        return unknown(f"parameter {name} is looked up in the Parameter Store")
    if allowed is not None and len(allowed.items) == 1 and allowed.items[0].text is not None:
        return (May(value=allowed.items[0].value, node=allowed.items[0]),)
    own = None
    if default is not None and default.text is not None:
        own = May(value=default.value, node=default, default=f"parameter {name}")
    if name in template.given:
        return _given(name, own, template.given[name])
    return (own,) if own is not None else unknown(f"parameter {name} has no default")


def _given(name: str, own: May | None, given: Sequence[Given]) -> tuple[May, ...]:
    """The default, and what it is replaced by; a value that all of them agree on stays what it is."""
    values = {one.value for one in given}
    if own is not None and values == {own.value}:
        return (own,)
    source = next(one.source for one in given if own is None or one.value != own.value)
    if own is None and len(values) == 1 and None not in values:
        return (May(value=given[0].value, default=f"what {source} gives parameter {name}"),)
    usual = any(one.usual for one in given)
    under = f"parameter {name} ({source})"
    made = [] if own is None else hang([replace(own, node=None, default="")], under, not usual)
    for one in dict.fromkeys(given):
        likely = one.usual if usual else None
        may = May(value=one.value) if one.value is not None else unknown(f"{one.source} works it out")[0]
        made = [*made, *hang([may], under, likely)]
    return tuple(made)


def _sub(template: Template, given: Node) -> tuple[May, ...]:
    text = given.items[0].value if given.items else given.value
    names = re.findall(r"\$\{([^}]*)\}", text)
    if not names:
        return (May(value=text, node=None),)
    if len(given.items) > 1 or any(name.startswith("!") for name in names):
        return unknown("it is worked out by Fn::Sub")
    default = ""
    for name in names:
        several = _ref(template, name.strip())
        one = several[0]
        if len(several) > 1:
            return unknown(f"it is worked out from {one.under}")
        if one.value is None:
            if name.startswith("AWS::") and name != "AWS::NoValue":
                continue  # the text around it says which policy it is
            return unknown(one.doubt or "it is worked out by Fn::Sub")
        text, default = text.replace(f"${{{name}}}", one.value), one.default or default
    return (May(value=text, default=default),)


def _either(template: Template, given: Node, deep: int) -> tuple[May, ...]:
    under = given.items[0].value
    decided, always = condition(template, under)
    sides = [(given.items[1], True), (given.items[2], False)]
    if always and decided is not None:
        return ways(template, given.items[1 if decided else 2], deep + 1)
    made: list[May] = []
    for node, side in sides:
        made += hang(ways(template, node, deep + 1), f"condition {under}", None if decided is None else decided is side)
    return tuple(made)


def _in_map(template: Template, given: Node, deep: int) -> tuple[May, ...]:
    names = [_one(ways(template, one, deep + 1)) for one in given.items[:3]]
    if names[0] is None or names[0].value is None:
        return unknown("it is worked out by Fn::FindInMap")
    mapping = template.section("Mappings").get(names[0].value)
    if mapping is None or mapping.kind != "mapping" or len(given.items) > 3:
        return unknown("it is worked out by Fn::FindInMap")
    found = _entries(template, mapping, names[1:], deep)
    if not found:
        return unknown(f"mapping {names[0].value} has no such entry")
    if len(found) == 1:
        return tuple(found)
    return tuple(replace(one, under=one.under or f"mapping {names[0].value}") for one in found)


def _entries(template: Template, mapping: Node, keys: Sequence[May | None], deep: int) -> list[May]:
    """All that a mapping may give: one entry where the keys are literal, every one where they can be chosen."""
    made: list[May] = []
    for first, _, inner in mapping.entries():
        for second, _, value in inner.entries():
            fits = [_fits(key, name) for key, name in zip(keys, (first, second), strict=True)]
            if "never" not in fits:
                likely = None if "may" in fits else "other" not in fits
                made += hang(ways(template, value, deep + 1), "", likely)
    return made


def _fits(key: May | None, name: str) -> str:
    if key is None or key.value is None:
        return "may"
    if key.value == name:
        return "is"
    return "other" if key.default else "never"


def _one(seen: tuple[May, ...]) -> May | None:
    return seen[0] if len(seen) == 1 else None


def _by_default(seen: tuple[May, ...]) -> May | None:
    """The one value that the defaults lead to."""
    return seen[0] if len(seen) == 1 else _one(tuple(one for one in seen if one.likely))


def _holds(template: Template, node: Node | None, deep: int) -> tuple[bool | None, bool]:
    found = intrinsic(node) if node is not None else None
    if found is None or deep > _DEEP:
        return None, False
    name, given = found
    if name == "Condition":
        return _holds(template, template.section("Conditions").get(given.value), deep + 1)
    if name == "Fn::Equals" and len(given.items) == 2:
        left, right = (_by_default(ways(template, one)) for one in given.items)
        if left is None or right is None or left.value is None or right.value is None:
            return None, False
        return left.value == right.value, not (left.default or right.default or left.under or right.under)
    if name not in ("Fn::And", "Fn::Or", "Fn::Not") or not given.items:
        return None, False
    parts = [_holds(template, one, deep + 1) for one in given.items]
    always = all(fixed for _, fixed in parts)
    if name == "Fn::Not":
        return (None if parts[0][0] is None else not parts[0][0]), always
    settles = name == "Fn::Or"
    if any(truth is settles for truth, _ in parts):
        return settles, always
    return (None if any(truth is None for truth, _ in parts) else not settles), always

"""The Serverless Framework's `${…}`: what they come to where the file itself says it, or gives a default."""

import re
from dataclasses import replace

from commands.iac.document import Node
from commands.iac.values import ABSENT, May, hang, unknown

_DEEP = 20
_LOOKUPS_DEEP = 6
_INNERMOST = re.compile(r"\$\{([^${}]*)\}")
_FROM_OUTSIDE = ("opt:", "env:", "param:", "sls:")  # given at deployment, else the default behind the comma


def ways(root: Node, node: Node | None, deep: int = 0) -> tuple[May, ...]:
    """What a setting may come to, with `true` and `false` as they are written."""
    if node is None or node.null:
        return ABSENT
    if node.kind != "scalar":
        return unknown("it is no text")
    if node.tag.startswith("!"):
        return unknown(f"it is worked out by {node.tag}")
    if "${" not in node.value:
        return (May(value=node.value, node=node),)
    return _worked_out(root, node.value.strip(), deep)


def _worked_out(root: Node, text: str, deep: int) -> tuple[May, ...]:
    default = ""
    for _ in range(_DEEP):
        found = _INNERMOST.search(text)
        if found is None or deep > _LOOKUPS_DEEP:
            return unknown(f"{text} is not worked out")
        whole = found.group(0) == text
        seen = _variable(root, found.group(1), default, deep)
        if whole:
            return tuple(replace(one, default=one.default or default) for one in seen)
        if len(seen) != 1 or seen[0].value is None:
            return unknown(seen[0].doubt or f"{found.group(0)} has no value")
        default = seen[0].default or default
        text = text[: found.start()] + seen[0].value + text[found.end() :]
    return unknown("it is nested too deeply")


def _variable(root: Node, inside: str, made_from: str, deep: int) -> tuple[May, ...]:
    """One variable with the fallbacks behind its commas; `made_from` is the default that its own text was made from."""
    default, parts = made_from, _split(inside)
    for place, one in enumerate(parts):
        quoted = re.fullmatch(r"'([^']*)'|\"([^\"]*)\"", one)
        if quoted:
            return (May(value=quoted.group(1) or quoted.group(2) or "", default=default),)
        if one in ("true", "false"):
            return (May(value=one, default=default),)
        if one.startswith("self:"):
            found = _path(root, one[5:], made_from, parts[place + 1 :], deep)
            if found is not None:
                return tuple(replace(may, default=may.default or default) for may in found)
            continue
        if not one.startswith(_FROM_OUTSIDE):
            return unknown(f"${{{inside}}} is looked up at deployment")
        if one.startswith("param:") and (found := _parameter(root, one[6:], deep)):
            return found
        if one == "sls:stage":
            return (May(value="dev", default="the stage"),)
        default = f"${{{one}}}"
    if default.startswith("${"):
        return unknown(f"{default} has no default")
    return ABSENT


def _parameter(root: Node, name: str, deep: int) -> tuple[May, ...]:
    """A parameter of the service by stage; `--param` may give another.

    https://www.serverless.com/framework/docs/guides/parameters
    """
    stages: list[tuple[str, Node]] = []
    for section, inside in (("params", ""), ("stages", "params")):
        for stage, _, body in (root.get(section) or Node("mapping")).entries():
            values = body.get(inside) if inside else body
            value = values.get(name) if values is not None else None
            if value is not None:
                stages.append((stage, value))
    if not stages or deep > _LOOKUPS_DEEP:
        return ()
    label = f"${{param:{name}}}"
    made = [
        replace(one, under=f"the stage in {label}", likely=stage == "default")
        for stage, value in stages
        for one in ways(root, value, deep + 3)
    ]
    if all(stage != "default" for stage, _ in stages):
        made.append(May(doubt=f"{label} has no default"))
    if len(stages) == 1 and len(made) == 1:
        return (replace(made[0], under="", likely=True, default=label),)
    return tuple(made)


def _path(root: Node, dotted: str, default: str, behind: list[str], deep: int) -> tuple[May, ...] | None:
    """The value at a path; None where there is none. Of a key that was chosen by a default, its siblings count too.

    A stage that has no entry of its own takes what is `behind` the comma.
    """
    at: Node | None = root
    above: Node = root
    names = dotted.split(".") if dotted else []
    for name in names:
        if at is None or at.kind != "mapping":
            return unknown(f"${{self:{dotted}}} is not in the file") if at is not None else None
        above, at = at, at.get(name)
    if not default:
        return ways(root, at, deep + 1) if at is not None else None
    if at is None and not behind:
        return unknown(f"${{self:{dotted}}} is not in the file for every {default}")
    under = f"{default} in ${{self:{dotted}}}"
    made: list[May] = []
    for name, _, value in above.entries():
        for one in ways(root, value, deep + 3):
            made.append(replace(one, likely=name == names[-1], under=under))
    if behind and deep < _LOOKUPS_DEEP:
        made += hang(_variable(root, ", ".join(behind), "", deep + 1), under, at is None)
    return tuple(made)


def _split(inside: str) -> list[str]:
    return [one.strip() for one in re.findall(r"(?:'[^']*'|\"[^\"]*\"|[^,])+", inside)]

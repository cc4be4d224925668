"""Edits to YAML and JSON that leave every other character where it is."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from commands.iac.document import Node
from commands.iac.intrinsics import Template, intrinsic
from commands.iac.nouns import ACTIVE, Edit
from commands.iac.values import May

STEP = 2
_POLICY = "arn:${AWS::Partition}:iam::aws:policy/AWSXRayDaemonWriteAccess"

Added = Mapping[str, "str | Added"]


def activate(resource: Node, seen: Sequence[May], file: Path, text: str, serverless: bool) -> tuple[Edit, ...]:
    """What makes a function Active; nothing where that is more than a line or two can say."""
    dark = [one for one in seen if one.dark]
    literals = [one.node for one in dark if one.node is not None]
    if len(literals) == len(dark):
        edits = [replaced(node, ACTIVE, file, text) for node in literals]
        return tuple(dict.fromkeys(one for one in edits if one)) if all(edits) else ()
    properties = resource.get("Properties")
    if literals or len(seen) > 1 or properties is None or intrinsic(properties) is not None:
        return ()
    if serverless:
        target = properties if properties.get("Tracing") is None else None
        added: Added = {"Tracing": ACTIVE}
    else:
        config = properties.get("TracingConfig")
        target = properties if config is None else config if intrinsic(config) is None else None
        added = {"Mode": ACTIVE} if config is not None else {"TracingConfig": {"Mode": ACTIVE}}
    edit = inserted(target, added, file, text) if target is not None else None
    return (edit,) if edit else ()


def permit(template: Template, role: str, file: Path, text: str) -> tuple[Edit, ...]:
    """One more managed policy for a role of the template."""
    resource = template.resources.get(role)
    properties = resource.get("Properties") if resource is not None else None
    if properties is None or properties.kind != "mapping":
        return ()
    listed = properties.get("ManagedPolicyArns")
    if listed is None:
        json = '[{"Fn::Sub": "' + _POLICY + '"}]'
        yaml = f"[!Sub '{_POLICY}']"
        raw = json if _is_json(text) else yaml
        edit = inserted(properties, {"ManagedPolicyArns": f"\0{raw}"}, file, text)
    else:
        edit = _one_more(listed, file, text)
    return (edit,) if edit else ()


def replaced(node: Node, value: str, file: Path, text: str) -> Edit | None:
    """Another value for a scalar, in the quotes that it has."""
    if node.kind != "scalar":
        return None
    old = text[node.start : node.end]
    at = old.find(node.value) if node.value else -1
    if at < 0:
        return None
    return Edit(file, node.start + at, node.start + at + len(node.value), value)


def inserted(mapping: Node, added: Added, file: Path, text: str) -> Edit | None:
    """New keys at the head of a mapping, laid out as it is."""
    if mapping.kind != "mapping":
        return None
    if mapping.flow:
        return _in_flow(mapping, added, file, text)
    if not mapping.pairs:
        return None
    first = mapping.pairs[0][0]
    begin = text.rfind("\n", 0, first.start) + 1
    if text[begin : first.start].strip() or "\t" in text[begin : first.start]:
        return None  # something stands before it on the line
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = _block(added, " " * (first.start - begin))
    begin = _above_comments(text, begin)
    return Edit(file, begin, begin, newline.join([*lines, ""]))


def _above_comments(text: str, begin: int) -> int:
    """A comment above a key is about that key."""
    while begin:
        before = text.rfind("\n", 0, begin - 1) + 1
        if not text[before:begin].lstrip().startswith("#"):
            break
        begin = before
    return begin


def _block(added: Added, indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in added.items():
        if isinstance(value, str):
            lines.append(f"{indent}{key}: {value.removeprefix(chr(0))}")
        else:
            lines += [f"{indent}{key}:", *_block(value, indent + " " * STEP)]
    return lines


def _in_flow(mapping: Node, added: Added, file: Path, text: str) -> Edit | None:
    at = mapping.start + 1
    if text[mapping.start : at] != "{":
        return None
    space = text[at : mapping.pairs[0][0].start] if mapping.pairs else ""
    if space.strip():
        return None  # a comment stands there
    body = ", ".join(_flow(key, value, _is_json(text)) for key, value in added.items())
    gap = "" if space else " "
    return Edit(file, at, at, f"{space}{body}{',' + gap if mapping.pairs else ''}")


def _flow(key: str, value: "str | Added", json: bool) -> str:
    if not isinstance(value, str):
        value = "\0{" + ", ".join(_flow(name, one, json) for name, one in value.items()) + "}"
    plain = value.startswith("\0") or not json
    shown = value.removeprefix("\0") if plain else f'"{value}"'
    return f'"{key}": {shown}' if json else f"{key}: {shown}"


def _one_more(listed: Node, file: Path, text: str) -> Edit | None:
    if listed.kind != "sequence" or intrinsic(listed) is not None or not listed.items:
        return None
    first = listed.items[0]
    if listed.flow:
        raw = '{"Fn::Sub": "' + _POLICY + '"}' if _is_json(text) else f"!Sub '{_POLICY}'"
        at = listed.start + 1
        space = text[at : at + len(text[at:]) - len(text[at:].lstrip())]
        return Edit(file, at, at, f"{space}{raw},")
    begin = text.rfind("\n", 0, first.start) + 1
    dash = text[begin : first.start]
    if dash.strip() != "-":
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    return Edit(file, begin, begin, f"{dash.partition('-')[0]}- !Sub '{_POLICY}'{newline}")


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] == "{"

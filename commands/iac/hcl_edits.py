"""Edits to Terraform's code, set in by position, so that comments and layout stay as they are."""

from collections.abc import Sequence

from commands.iac.hcl import Block, literal
from commands.iac.nouns import ACTIVE, Edit
from commands.iac.values import May


def activate(block: Block, seen: Sequence[May], text: str) -> tuple[Edit, ...]:
    """`tracing_config` of a resource, or the literal that it has."""
    static = list(block.all("tracing_config"))
    given = static[0].attributes.get("mode") if static else None
    node = literal(given) if given is not None else None
    if node is not None:
        return (Edit(block.file, node.start, node.end, f'"{ACTIVE}"'),)
    plain = len(seen) == 1 and seen[0].absent and not seen[0].default
    if static or not plain or block.labels[0] != "aws_lambda_function" or list(block.all("dynamic", "tracing_config")):
        return ()
    return _at_the_end(block, ["", "tracing_config {", f'  mode = "{ACTIVE}"', "}"], text)


def argument(block: Block, name: str, seen: Sequence[May], text: str) -> tuple[Edit, ...]:
    """One argument of a module's call."""
    given = block.attributes.get(name)
    node = literal(given) if given is not None else None
    if node is not None:
        return (Edit(block.file, node.start, node.end, f'"{ACTIVE}"'),)
    if given is not None or not all(one.absent for one in seen):
        return ()
    return _at_the_end(block, [f'{name} = "{ACTIVE}"'], text)


def truth(block: Block, name: str, text: str) -> tuple[Edit, ...]:
    given = block.attributes.get(name)
    if given is None:
        return _at_the_end(block, [f"{name} = true"], text)
    begin, end = given.meta.start_pos, given.meta.end_pos
    return (Edit(block.file, begin, end, "true"),) if text[begin:end] == "false" else ()


def appended(block: Block, lines: list[str], text: str) -> Edit:
    """A block of its own behind another."""
    at = text.find("\n", block.closes)
    at = len(text) if at < 0 else at + 1
    newline = _newline(text)
    head = newline if at == len(text) and not text.endswith("\n") else ""
    return Edit(block.file, at, at, head + newline.join(["", *lines, ""]))


def _at_the_end(block: Block, lines: list[str], text: str) -> tuple[Edit, ...]:
    """New lines before a block's closing brace; nothing where the block stands on one line."""
    begin = text.rfind("\n", 0, block.closes) + 1
    indent = text[begin : block.closes]
    if indent.strip() or begin <= block.opens:
        return ()
    if not text[block.opens + 1 : begin].strip():
        lines = lines[1:] if lines[0] == "" else lines
    newline = _newline(text)
    made = [f"{indent}  {line}" if line else "" for line in lines]
    return (Edit(block.file, begin, begin, newline.join([*made, ""])),)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"

"""Terraform's language: a file as blocks that know their places, and the expressions that can be worked out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.iac.document import Node
from commands.iac.nouns import CannotReadError

if TYPE_CHECKING:
    from lark import Tree

    Expression = Tree[Any]


_DEPTH_MOST = 250
_HEREDOC = re.compile(r"<<-?([A-Za-z][\w.\-]*)\r?$", re.MULTILINE)


@dataclass(eq=False, slots=True)
class Block:
    """`resource "aws_lambda_function" "refund" { … }` and what stands in it."""

    kind: str
    labels: tuple[str, ...]
    file: Path
    line: int  # from 1
    start: int  # characters from 0
    opens: int  # its brace
    closes: int
    attributes: dict[str, "Expression"] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)

    def all(self, kind: str, *labels: str) -> "Iterator[Block]":
        return (one for one in self.blocks if one.kind == kind and one.labels[: len(labels)] == labels)


def parse(text: str, file: Path) -> list[Block]:
    """Raises CannotReadError."""
    import hcl2
    from lark.exceptions import LarkError, UnexpectedInput

    try:
        tree = hcl2.parses_to_tree(_ended(text if text.endswith("\n") else text + "\n"))
        if _deep(tree) > _DEPTH_MOST:
            raise CannotReadError("it is nested too deeply")
        return [_block(child, file) for child in _body(tree).children if _is(child, "block")]
    except UnexpectedInput as problem:
        raise CannotReadError("it is no valid HCL", max(problem.line, 1)) from problem
    except (LarkError, RecursionError) as problem:
        raise CannotReadError("it is no HCL that can be read") from problem


def _ended(text: str) -> str:
    """Terraform takes blanks behind a heredoc's last word, the parser before it. All else stays where it is."""
    for word in set(_HEREDOC.findall(text)):
        text = re.sub(rf"^([ \t]*)({re.escape(word)})([ \t]+)(\r?)$", r"\1\3\2\4", text, flags=re.MULTILINE)
    return text


def _deep(tree: Any) -> int:
    deepest, waiting = 0, [(tree, 0)]
    while waiting:
        item, deep = waiting.pop()
        deepest = max(deepest, deep)
        waiting += [(one, deep + 1) for one in getattr(item, "children", ())]
    return deepest


def literal(expression: "Expression") -> Node | None:
    """Where a quoted text without anything computed in it stands."""
    term = expression.children[0] if _is(expression, "expr_term") and len(expression.children) == 1 else expression
    if not _is(term, "string") or any(
        _is(one, "string_part") and _is(one.children[0], "interpolation") for one in term.children
    ):
        return None
    meta = term.meta
    return Node("scalar", "", meta.line, meta.column, meta.start_pos, meta.end_pos, _text(term) or "", quoted=True)


def name_of(item: Any) -> str:
    """An identifier, or the text of a label."""
    if _is(item, "string"):
        return _text(item) or ""
    return str(item.children[0]) if hasattr(item, "children") and item.children else str(item)


def traversal(expression: Any) -> tuple[str, ...] | None:
    """`var.tracing["mode"]` as its names, also as `"${…}"`; None of anything else. A computed index is `*`."""
    if _is(expression, "expr_term") and len(expression.children) == 1:
        return traversal(expression.children[0])
    if _is(expression, "string"):
        return traversal(inner) if (inner := _quoted(expression)) is not None else None
    if _is(expression, "identifier"):
        return (str(expression.children[0]),)
    if _is(expression, "get_attr_expr_term"):
        begin = traversal(expression.children[0])
        return None if begin is None else (*begin, name_of(expression.children[1].children[-1]))
    if _is(expression, "index_expr_term"):
        begin = traversal(expression.children[0])
        inner = [
            one for one in expression.children[1].children if hasattr(one, "data") and one.data != "new_line_or_comment"
        ]
        found = literal(inner[0]) if inner else None
        return None if begin is None else (*begin, found.value if found else "*")
    if _is(expression, "full_splat_expr_term") or _is(expression, "attr_splat_expr_term"):
        begin = traversal(expression.children[0])
        return None if begin is None else (*begin, "*")
    return None


def _quoted(string: Any) -> Any:
    """The one expression that a text is made of, as in the first editions of Terraform's language."""
    parts = [one.children[0] for one in string.children if _is(one, "string_part")]
    if len(parts) != 1 or not _is(parts[0], "interpolation"):
        return None
    inner = [one for one in parts[0].children if hasattr(one, "data") and one.data != "new_line_or_comment"]
    return inner[0] if len(inner) == 1 else None


def references(expression: Any) -> Iterator[tuple[str, ...]]:
    """Every traversal within an expression."""
    whole = traversal(expression)
    if whole is not None:
        yield whole
    elif hasattr(expression, "children"):
        for child in expression.children:
            yield from references(child)


def _block(tree: Any, file: Path) -> Block:
    names = [one for one in tree.children if kind_of(one) in ("identifier", "string", "keyword", "literal_value")]
    braces = [one for one in tree.children if getattr(one, "type", "") in ("LBRACE", "RBRACE")]
    meta = tree.meta
    made = Block(
        name_of(names[0]),
        tuple(name_of(one) for one in names[1:]),
        file,
        meta.line,
        meta.start_pos,
        braces[0].start_pos,
        braces[-1].start_pos,
    )
    for child in _body(tree).children:
        if _is(child, "attribute"):
            made.attributes[name_of(child.children[0])] = child.children[-1]
        elif _is(child, "block"):
            made.blocks.append(_block(child, file))
    return made


def _body(tree: Any) -> Any:
    return next(child for child in tree.children if _is(child, "body"))


def _is(item: Any, data: str) -> bool:
    return getattr(item, "data", None) == data


def _text(string: Any) -> str | None:
    parts = [one.children[0] for one in string.children if _is(one, "string_part")]
    if any(hasattr(one, "data") for one in parts):
        return None
    return "".join(str(one) for one in parts).replace('\\"', '"')


def kind_of(item: Any) -> str:
    return str(getattr(item, "data", ""))

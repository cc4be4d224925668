"""YAML and JSON as a tree that knows its places: tags are kept, anchors are shared and never multiplied.

Read from the parser's events, so that neither depth nor aliases can make more of a file than it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from commands.iac.nouns import CannotReadError

DEPTH_MOST = 100
EVENTS_MOST = 1_000_000
TEXT_MOST = 8 * 2**20  # CloudFormation takes one MiB


@dataclass(eq=False, slots=True)
class Node:
    """`value` of a scalar, `items` of a sequence, `pairs` of a mapping. Characters count from 0, lines from 1."""

    kind: str  # "scalar", "sequence" or "mapping"
    tag: str = ""
    line: int = 1
    column: int = 0  # from 0
    start: int = 0
    end: int = 0
    value: str = ""
    quoted: bool = False
    flow: bool = False
    items: list["Node"] = field(default_factory=list)
    pairs: list[tuple["Node", "Node"]] = field(default_factory=list)

    def get(self, key: str) -> "Node | None":
        """The value of a mapping's key, through merge keys; the last of several, as the tools take it."""
        own = [value for name, value in self.pairs if name.kind == "scalar" and name.value == key]
        return own[-1] if own else _merged(self, key)

    def key(self, key: str) -> "Node | None":
        return next((name for name, _ in reversed(self.pairs) if name.kind == "scalar" and name.value == key), None)

    def entries(self) -> Iterator[tuple[str, "Node", "Node"]]:
        """Each key of a mapping once, with its node and its value; those of merge keys come last."""
        found = {key.value: (key, value) for key, value in self.pairs if key.kind == "scalar" and not _is_merge(key)}
        for one in _merged_in(self):
            own = {key.value: (key, value) for key, value in one.pairs if key.kind == "scalar" and not _is_merge(key)}
            found = own | found
        for name, value in found.values():
            yield name.value, name, value

    @property
    def text(self) -> str | None:
        """A plain text; None where it is none or is computed."""
        return self.value if self.kind == "scalar" and not self.tag.startswith("!") else None

    @property
    def truth(self) -> bool | None:
        if self.text is None or self.quoted or self.value.lower() not in ("true", "false"):
            return None
        return self.value.lower() == "true"

    @property
    def null(self) -> bool:
        return self.text is not None and not self.quoted and self.value in ("", "~", "null", "Null", "NULL")


def walk(*begin: Node) -> Iterator[Node]:
    """Each node below, once, however often aliases repeat it."""
    seen: set[int] = set()
    waiting = list(begin)
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += [*node.items, *(value for _, value in node.pairs)]


def _merged(node: Node, key: str) -> Node | None:
    for one in _merged_in(node):
        for name, value in reversed(one.pairs):
            if name.kind == "scalar" and name.value == key:
                return value
    return None


def _merged_in(node: Node) -> Iterator[Node]:
    """The mappings that a mapping's merge keys name, the one that wins first."""
    seen: set[int] = {id(node)}
    waiting = [value for name, value in node.pairs if _is_merge(name)]
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.items, *(value for name, value in one.pairs if _is_merge(name))]


def _is_merge(key: Node) -> bool:
    return key.value == "<<" and not key.quoted


def documents(text: str, *, json: bool) -> list[Node]:
    """Each document of a file. Raises CannotReadError."""
    import yaml

    if len(text) > TEXT_MOST:
        raise CannotReadError("it is too large to be read")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    if json:
        _must_be_json(text)
        text = text.replace("\t", " ")  # YAML refuses them between tokens
    builder = _Builder()
    try:
        for number, event in enumerate(yaml.parse(text, Loader=loader)):
            if number > EVENTS_MOST:
                raise CannotReadError("it is too large to be read")
            builder.take(event)
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or "it is not text"
        raise CannotReadError(f"it is no valid YAML: {what}", mark.line + 1 if mark else 1) from problem
    except RecursionError as problem:
        raise CannotReadError("it is nested too deeply") from problem
    return builder.done


def _must_be_json(text: str) -> None:
    import json

    try:
        json.loads(text, strict=False)  # CloudFormation takes line ends within strings
    except json.JSONDecodeError as problem:
        raise CannotReadError(f"it is no valid JSON: {problem.msg}", problem.lineno) from problem
    except (RecursionError, ValueError) as problem:
        raise CannotReadError("it is no JSON that can be read") from problem


class _Builder:
    def __init__(self) -> None:
        self.done: list[Node] = []
        self._open: list[Node] = []
        self._keys: list[Node | None] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: object) -> None:
        match type(event).__name__:
            case "DocumentStartEvent":
                self._anchors = {}
            case "ScalarEvent" | "MappingStartEvent" | "SequenceStartEvent":
                self._begin(event)
            case "AliasEvent":
                anchor = event.anchor  # type: ignore[attr-defined]  # one of PyYAML's events
                if anchor not in self._anchors:
                    mark = event.start_mark  # type: ignore[attr-defined]  # the same
                    raise CannotReadError(f"there is no anchor {anchor}", mark.line + 1)
                self._put(self._anchors[anchor])
            case "MappingEndEvent" | "SequenceEndEvent":
                self._open.pop().end = event.end_mark.index  # type: ignore[attr-defined]  # the same
                self._keys.pop()
            case _:
                pass

    def _begin(self, event: object) -> None:
        from yaml import MappingStartEvent, ScalarEvent

        begin, end = event.start_mark, event.end_mark  # type: ignore[attr-defined]  # one of PyYAML's events
        anchor, tag = event.anchor, event.tag or ""  # type: ignore[attr-defined]  # the same
        node = Node("sequence", tag, begin.line + 1, begin.column, begin.index, end.index)
        if isinstance(event, ScalarEvent):
            node.kind, node.value, node.quoted = "scalar", event.value, event.style not in ("", None)
        else:
            node.kind = "mapping" if isinstance(event, MappingStartEvent) else "sequence"
            node.flow = bool(event.flow_style)  # type: ignore[attr-defined]  # the same
        if anchor:
            self._anchors[anchor] = node
        self._put(node)
        if node.kind != "scalar":
            if len(self._open) >= DEPTH_MOST:
                raise CannotReadError("it is nested too deeply", node.line)
            self._open.append(node)
            self._keys.append(None)

    def _put(self, node: Node) -> None:
        if not self._open:
            self.done.append(node)
            return
        parent = self._open[-1]
        if parent.kind == "sequence":
            parent.items.append(node)
        elif self._keys[-1] is None:
            self._keys[-1] = node
        else:
            parent.pairs.append((self._keys[-1], node))
            self._keys[-1] = None

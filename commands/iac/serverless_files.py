"""`${file(functions.yml):api}`: what the Serverless Framework takes from another file of the service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from commands.iac.document import Node, documents
from commands.iac.nouns import CannotReadError

_REFERENCE = re.compile(r"\$\{file\(\s*([^${}()]+?)\s*\)(?::([\w.\-]+))?\}")
_DEEP = 10
_SUFFIXES = (".yml", ".yaml", ".json")

Read = Callable[[Path], str]


class Placed(NamedTuple):
    """A value, and the file that it stands in."""

    node: Node
    file: Path
    text: str


class Files:
    """Paths are relative to the service, in every file; what code writes, or a variable names, is not looked up."""

    def __init__(self, service: Path, read: Read) -> None:
        self._folder, self._read = service.parent, read
        self._known: dict[str, tuple[Path, str, Node] | None] = {}

    def of(self, placed: Placed) -> Placed:
        """What is meant; the reference itself where it cannot be told."""
        for _ in range(_DEEP):
            found = _REFERENCE.fullmatch(placed.node.value.strip()) if placed.node.text is not None else None
            inner = self._inside(found.group(1), found.group(2) or "") if found else None
            if inner is None:
                return placed
            placed = inner
        return placed

    def _inside(self, name: str, keys: str) -> Placed | None:
        if name not in self._known:
            self._known[name] = self._load(name.strip("'\""))
        found = self._known[name]
        if found is None:
            return None
        file, text, node = found
        for key in keys.split(".") if keys else []:
            inner = node.get(key) if node.kind == "mapping" else None
            if inner is None:
                return None
            node = inner
        return Placed(node, file, text)

    def _load(self, name: str) -> tuple[Path, str, Node] | None:
        path = Path(name)
        if path.is_absolute() or name.startswith("~") or path.suffix not in _SUFFIXES:
            return None
        file = self._folder / path
        try:
            if not file.resolve().is_relative_to(_repository(self._folder.resolve())):
                return None  # nothing else of the machine may show in a report
            text = self._read(file)
            roots = documents(text, json=path.suffix == ".json")
        except (CannotReadError, OSError, ValueError):
            return None
        return (file, text, roots[0]) if len(roots) == 1 else None


def _repository(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if (one / ".git").exists()), folder)

"""What stands in a service's file without a provider: compositions, what components make, functions by themselves."""

from pathlib import Path

from commands.iac.document import Node
from commands.iac.nouns import Checked, Note, Outcome, Result, Tool

_COMPONENT = ("component", "extension")


def check(root: Node, file: Path) -> Checked | None:
    """None where it is neither."""
    made, functions = _component(root), root.key("functions")
    if made is not None:
        return _unknown(file, made.line, f"{made.value} makes it, which is not looked into", "Check what it makes.")
    if functions is not None:
        return _unknown(
            file, functions.line, "its functions stand there without a provider", "Check the whole service."
        )
    services = root.key("services")
    if services is None:
        return None
    note = Note(file, services.line, "the services of a composition are checked where their own files are")
    return Checked((), (note,), (file,))


def _unknown(file: Path, line: int, why: str, by_hand: str) -> Checked:
    result = Result(file, line, Tool.SERVERLESS, file.name, Outcome.UNKNOWN, why, by_hand=by_hand)
    return Checked((result,), (), (file,))


def _component(root: Node) -> Node | None:
    """https://github.com/serverless/components names it at the top or of each instance."""
    services = root.get("services")
    listed = [root, *(one for _, _, one in root.entries())]
    listed += [] if services is None else [one for _, _, one in services.entries()]
    found = (one.get(name) for one in listed if one.kind == "mapping" for name in _COMPONENT)
    return next((one for one in found if one is not None and one.text), None)

"""Functions in Terraform's JSON syntax, as CDK for Terraform writes it: what stands there literally."""

import re
from collections.abc import Iterator
from pathlib import Path

from commands.iac.document import Node, documents
from commands.iac.known_modules import MEANS_FUNCTIONS
from commands.iac.nouns import ACTIVE, Checked, Note, Outcome, Result, Tool
from commands.iac.policy import UNKNOWN

_FUNCTIONS = ("aws_lambda_function", "awscc_lambda_function")
_EDGE = ("edgelambda.amazonaws.com", "lambda_function_association")
_BY_HAND = "Check the plan: terraform show -json."
_LOCAL = ("./", "../")
_SETTING = "tracing_config.mode"


def check(file: Path, text: str) -> Checked:
    """Raises CannotReadError. https://developer.hashicorp.com/terraform/language/syntax/json"""
    results: list[Result] = []
    notes: list[Note] = []
    for root in documents(text, json=True):
        for kind, label, key, body in _blocks(root.get("resource")):
            if kind in _FUNCTIONS:
                results += _function(file, text, f"{kind}.{label}", key, body)
        for label, key, body in _labelled(root.get("module")):
            source = _source(body)
            said = f"module.{label} is called in JSON, and not looked into"
            if not source.startswith(_LOCAL) and MEANS_FUNCTIONS.search(f"{label} {source}"):
                why = f"module {source} is not looked into, and may make functions"
                unknown = Result(
                    file, key.line, Tool.TERRAFORM, f"module.{label}", Outcome.UNKNOWN, why, by_hand=_BY_HAND
                )
                results.append(unknown)
            else:
                notes.append(Note(file, key.line, said))
    return Checked(tuple(results), tuple(notes), (file,))


def calls(file: Path, text: str) -> Iterator[tuple[Path, list[tuple[str, object]]]]:
    """The folders of modules that stand in the same repository, and what they are given. Raises CannotReadError."""
    for root in documents(text, json=True):
        for _, _, body in _labelled(root.get("module")):
            source = _source(body)
            if source.startswith(_LOCAL) and "\0" not in source:
                given = [(name, _literal(value)) for name, _, value in body.entries()]
                yield (file.parent / source).resolve(), given


def _source(body: Node) -> str:
    found = body.get("source")
    return found.value if found is not None else ""


def _literal(node: Node) -> object:
    if node.kind != "scalar" or re.search(r"[$%]\{", node.value):
        return UNKNOWN
    return node.value if node.quoted else UNKNOWN


def _each(node: Node | None) -> list[Node]:
    """A block, or a list of them."""
    return [] if node is None else node.items if node.kind == "sequence" else [node]


def _labelled(node: Node | None) -> Iterator[tuple[str, Node, Node]]:
    for one in _each(node):
        for label, key, value in one.entries():
            yield from ((label, key, body) for body in _each(value) if label != "//")


def _blocks(node: Node | None) -> Iterator[tuple[str, str, Node, Node]]:
    for kind, _, labels in _labelled(node):
        for label, key, body in _labelled(labels):
            yield kind, label, key, body


def _function(file: Path, text: str, name: str, key: Node, body: Node) -> Iterator[Result]:
    count = body.get("count")
    if count is not None and count.value == "0":
        return
    outcome, reason = _mode(body)
    if file.name.removesuffix(".tf.json").endswith("override"):
        outcome, reason = Outcome.UNKNOWN, "an override file changes what stands elsewhere"
    elif outcome is Outcome.FAIL and any(word in text for word in _EDGE):
        outcome, reason = Outcome.UNKNOWN, f"{reason}, and whether it runs at Lambda@Edge is not worked out"
    elif outcome is Outcome.PASS and any(one.value in ("tracing_config", "all") for one in _ignored(body)):
        outcome, reason = Outcome.UNKNOWN, "ignore_changes keeps the mode that the function has"
    by_hand = "" if outcome is Outcome.PASS else _BY_HAND
    yield Result(file, key.line, Tool.TERRAFORM, name, outcome, reason, "role not known", by_hand=by_hand)


def _mode(body: Node) -> tuple[Outcome, str]:
    if body.kind != "mapping" or _each(body.get("dynamic")):
        return Outcome.UNKNOWN, f"{_SETTING} cannot be known: it is worked out at deployment"
    configs = _each(body.get("tracing_config"))
    modes = [one.get("mode") for one in configs if one.kind == "mapping"]
    if not configs or (len(modes) == 1 and (modes[0] is None or modes[0].null)):
        return Outcome.FAIL, f"{_SETTING} is not set, which is PassThrough"
    mode = modes[0] if len(modes) == len(configs) == 1 else None
    if mode is None or mode.kind != "scalar" or "${" in mode.value or "%{" in mode.value:
        return Outcome.UNKNOWN, f"{_SETTING} cannot be known: it is worked out at deployment"
    if mode.value == ACTIVE:
        return Outcome.PASS, f"{_SETTING} is Active"
    return Outcome.FAIL, f"{_SETTING} is {mode.value}; only Active records traces of its own"


def _ignored(body: Node) -> list[Node]:
    return [
        one
        for lifecycle in _each(body.get("lifecycle"))
        for given in _each(lifecycle.get("ignore_changes"))
        for one in (given.items or [given])
    ]

"""Functions of the Serverless Framework: a function's own `tracing`, else `provider.tracing.lambda`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from commands.iac import cloudformation, yaml_edits
from commands.iac.document import Node
from commands.iac.intrinsics import Template
from commands.iac.nouns import ACTIVE, Checked, Edit, Outcome, Result, Tool
from commands.iac.serverless_variables import ways
from commands.iac.values import ABSENT, May, judge, unknown

SETTING = "provider.tracing.lambda"
NAMES = re.compile(r"serverless([.\-_][\w.\-]+)?\.(ya?ml|json)")
CODE_NAMES = re.compile(r"serverless\.(ts|js|cjs|mjs)")


def looks_like(root: Node, file: Path) -> bool:
    provider, service = root.get("provider"), root.get("service")
    if provider is None or root.kind != "mapping":
        return False
    return service is not None or bool(NAMES.fullmatch(file.name))


def check(root: Node, file: Path, text: str) -> Checked:
    provider = root.get("provider") or Node("mapping")
    name = provider.get("name") if provider.kind == "mapping" else provider
    if name is not None and name.text is not None and "${" not in name.value and name.value != "aws":
        return Checked(read=(file,))  # another cloud
    results = [_function(root, provider, key, label, body, _At(file, text)) for label, key, body in _functions(root)]
    results += _hidden(root, file)
    resources = _resources(root)
    beside = [cloudformation.check(one, file, text, Tool.SERVERLESS) for one in resources]
    found = Checked(tuple(results), (), (file,))
    for one in beside:
        kept = tuple(result for result in one.results if result.name not in {_logical_id(r.name) for r in results})
        found += replace(one, results=kept, read=())
    return found


class _At:
    def __init__(self, file: Path, text: str) -> None:
        self.file, self.text = file, text


def _functions(root: Node) -> Iterator[tuple[str, Node, Node]]:
    functions = root.get("functions")
    for one in [] if functions is None else functions.items or [functions]:
        yield from ((label, key, body) for label, key, body in one.entries())


def _hidden(root: Node, file: Path) -> Iterator[Result]:
    """Functions that stand in another file, or are made by code."""
    functions = root.get("functions")
    for one in [] if functions is None else functions.items or [functions]:
        if one.kind == "scalar" and not one.null:
            why = f"the functions are looked up: {one.value}"
            yield _unknown(file, one.line, "functions", why)
    resources = root.get("resources")
    for one in [] if resources is None else [resources, *resources.items]:
        if one.kind == "scalar" and not one.null and re.search(r"function|lambda", one.value, re.IGNORECASE):
            yield _unknown(file, one.line, "resources", f"resources are looked up: {one.value}")


def _unknown(file: Path, line: int, name: str, why: str) -> Result:
    by_hand = "Check what `serverless package` writes: .serverless/cloudformation-template-update-stack.json."
    return Result(file, line, Tool.SERVERLESS, name, Outcome.UNKNOWN, why, by_hand=by_hand)


def _function(root: Node, provider: Node, key: Node, label: str, body: Node, at: _At) -> Result:
    result = Result(at.file, key.line, Tool.SERVERLESS, label, Outcome.UNKNOWN, "")
    if body.kind != "mapping":
        return _unknown(at.file, key.line, label, f"the function is looked up: {body.value}")
    if _at_the_edge(body):
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason="X-Ray does not work in Lambda@Edge")
    own, general = _modes(ways(root, body.get("tracing"))), _provider(root, provider)
    setting, seen = _decide(own, general)
    overridden = _overridden(root, label)
    seen = overridden or seen
    outcome, reason = judge(seen, setting)
    literal = next((one.node for one in seen if one.dark and one.node is not None), None)
    result = replace(result, outcome=outcome, reason=reason, line=literal.line if literal else key.line)
    if outcome is Outcome.FAIL:
        edits = _edits(provider, seen, at) if not overridden else ()
        result = replace(result, edits=edits, by_hand="" if edits else f"Set {SETTING} to true by hand.")
    own_role = body.get("role") is not None or _role_elsewhere(provider)
    return replace(result, role="role not known" if own_role else "")


def _decide(own: tuple[May, ...], general: tuple[May, ...]) -> tuple[str, tuple[May, ...]]:
    """The framework takes `tracing || provider.tracing.lambda`: `false` on a function leaves the provider's."""
    if all(one.absent and one.node is None for one in own):
        return SETTING, general
    if any(one.absent for one in own):
        if all(one.dark for one in general):
            return "tracing", own
        return "tracing", unknown("it is false here, and what the framework makes of that differs")
    return "tracing", own


def _provider(root: Node, provider: Node) -> tuple[May, ...]:
    if provider.kind != "mapping":
        return ABSENT if "${" not in provider.value else unknown(f"the provider is looked up: {provider.value}")
    tracing = provider.get("tracing")
    if tracing is None or tracing.null or tracing.truth is not None:
        return ABSENT  # `tracing: true` by itself is no setting of the framework
    if tracing.kind != "mapping":
        return unknown(f"provider.tracing is looked up: {tracing.value}")
    return _modes(ways(root, tracing.get("lambda")))


def _modes(seen: Sequence[May]) -> tuple[May, ...]:
    """`true` is Active; `false` is as if nothing stood there, and may be replaced."""
    made = []
    for one in seen:
        if one.value == "true" and not (one.node and one.node.quoted):
            one = replace(one, value=ACTIVE)
        elif one.value in ("false", ""):
            one = replace(one, value=None, absent=True)
        made.append(one)
    return tuple(made)


def _edits(provider: Node, seen: Sequence[May], at: _At) -> tuple[Edit, ...]:
    dark = [one for one in seen if one.dark]
    if all(one.node is not None for one in dark):
        edits = [yaml_edits.replaced(one.node, ACTIVE, at.file, at.text) for one in dark if one.node is not None]
        return tuple(one for one in edits if one) if all(edits) else ()
    if len(seen) > 1 or provider.kind != "mapping":
        return ()
    tracing = provider.get("tracing")
    if tracing is None:
        edit = yaml_edits.inserted(provider, {"tracing": {"lambda": "\0true"}}, at.file, at.text)
    elif tracing.kind == "mapping" and tracing.get("lambda") is None:
        edit = yaml_edits.inserted(tracing, {"lambda": "\0true"}, at.file, at.text)
    else:
        edit = None
    return (edit,) if edit else ()


def _overridden(root: Node, label: str) -> tuple[May, ...]:
    """What `resources` say of the function that the framework makes, under its logical id."""
    for one in _resources(root):
        template = Template(one)
        for section in ("Resources", "extensions"):
            resource = template.section(section).get(_logical_id(label))
            config = (resource.get("Properties") or Node("mapping")).get("TracingConfig") if resource else None
            if resource is not None and config is not None:
                return cloudformation.mode(template, resource.get("Properties"))
    return ()


def _resources(root: Node) -> list[Node]:
    found = root.get("resources")
    if found is None:
        return []
    return [one for one in (found.items if found.kind == "sequence" else [found]) if one.kind == "mapping"]


def _logical_id(label: str) -> str:
    """As the framework names it: https://www.serverless.com/framework/docs/providers/aws/guide/resources."""
    name = label.replace("-", "Dash").replace("_", "Underscore")
    return f"{name[:1].upper()}{name[1:]}LambdaFunction"


def _role_elsewhere(provider: Node) -> bool:
    if provider.kind != "mapping":
        return True
    iam = provider.get("iam")
    role = iam.get("role") if iam is not None and iam.kind == "mapping" else iam
    given = provider.get("role") is not None or (role is not None and role.kind != "mapping")
    return given or (role is not None and role.get("permissionsBoundary") is not None)


def _at_the_edge(body: Node) -> bool:
    events = body.get("events")
    given = [] if events is None else events.items
    return bool(given) and all(one.kind == "mapping" and one.get("cloudFront") is not None for one in given)

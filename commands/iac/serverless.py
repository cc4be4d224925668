"""Functions of the Serverless Framework: a function's own `tracing`, else `provider.tracing.lambda`."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from commands.iac import cloudformation, event_sources, yaml_edits
from commands.iac.document import Node, walk
from commands.iac.files import text_of
from commands.iac.intrinsics import Template
from commands.iac.nouns import ACTIVE, Checked, Edit, Note, Outcome, Result, Tool
from commands.iac.serverless_files import Files, Placed, Read
from commands.iac.serverless_variables import ways
from commands.iac.values import ABSENT, May, judge, unknown

SETTING = "provider.tracing.lambda"
NAMES = re.compile(r"serverless([.\-_][\w.\-]+)?\.(ya?ml|json)")
CODE_NAMES = re.compile(r"serverless\.(ts|js|cjs|mjs)")

# They call UpdateFunctionConfiguration after the deployment, whatever the framework's own setting says.
_PLUGINS = ("serverless-plugin-tracing", "serverless-plugin-xray")
_DATADOG = "serverless-plugin-datadog"  # with enableXrayTracing
_DECIDES = ("serverless-plugin-ifelse", "serverlessIfElse")  # excludes and sets parts of the service by stage
_PER_FUNCTION = "serverless-iam-roles-per-function"
_EDGE_EVENTS = ("cloudFront", "preExistingCloudFront")
_FUNCTIONS_MOST = 10_000


def looks_like(root: Node, file: Path) -> bool:
    provider, service = root.get("provider"), root.get("service")
    if provider is None or root.kind != "mapping":
        return False
    return service is not None or bool(NAMES.fullmatch(file.name))


def check(root: Node, file: Path, text: str, read: Read = text_of) -> Checked:
    """`read` gives the text of the files that the service takes parts from."""
    at = _At(root, Files(file, read), file, text)
    provider = at.of(root.get("provider") or Node("mapping"))
    name = provider.node.get("name") if provider.node.kind == "mapping" else provider.node
    if name is not None and name.text is not None and "${" not in name.value and name.value != "aws":
        return Checked(read=(file,))  # another cloud
    resources, looked_up = _resources(at)
    templates = [one.node for one in resources]
    results: list[Result] = []
    for one in _functions(at):
        results.append(one if isinstance(one, Result) else _function(at, provider, templates, *one))
    ids = {_logical_id(result.name) for result in results}
    found = Checked(tuple(results), (), (file,)) + looked_up
    for place in resources:
        inner = cloudformation.check(place.node, place.file, place.text, Tool.SERVERLESS)
        found += replace(inner, results=tuple(one for one in inner.results if one.name not in ids), read=())
    return found


class _At:
    """The service's own file, and those that it takes parts from."""

    def __init__(self, root: Node, files: Files, file: Path, text: str) -> None:
        self.files, self.file, self.text = files, file, text
        custom = root.get("custom")
        self.root = root if custom is None else replaced_value(root, "custom", self.of(custom).node)
        self.own = {id(node) for node in walk(root)}
        plugins = {one.value for one in walk(root.get("plugins") or Node("scalar"))}
        self.sets_tracing = next((one for one in _PLUGINS if one in plugins), "")
        datadog = (self.root.get("custom") or Node("scalar")).get("datadog") or Node("scalar")
        asked = datadog.kind != "mapping" or datadog.get("enableXrayTracing") is not None
        decided = walk((self.root.get("custom") or Node("scalar")).get(_DECIDES[1]) or Node("scalar"))
        named = any("tracing" in text for one in decided for text in (one.value, *(key.value for key, _ in one.pairs)))
        self.may_change_tracing = f"plugin {_DECIDES[0]}" if _DECIDES[0] in plugins and named else ""
        self.may_set_tracing = _DATADOG if _DATADOG in plugins and not datadog.null and asked else ""

    def of(self, node: Node, inside: Placed | None = None) -> Placed:
        return self.files.of(Placed(node, inside.file, inside.text) if inside else Placed(node, self.file, self.text))


def replaced_value(root: Node, key: str, value: Node) -> Node:
    return replace(root, pairs=[(name, value if name.value == key else old) for name, old in root.pairs])


def _functions(at: _At) -> Iterator[Result | tuple[str, Node, Placed]]:
    """Each with its name and key; a result where that stands in code, or is worked out."""
    given = at.root.get("functions")
    waiting = [] if given is None else [at.of(given)]
    left = _FUNCTIONS_MOST
    while waiting and left:
        left -= 1
        one = waiting.pop(0)
        if one.node.kind == "scalar" and not one.node.null:
            yield _unknown(one.file, one.node.line, "functions", f"the functions are looked up: {one.node.value}")
        waiting = [*(at.of(item, one) for item in one.node.items), *waiting]
        for label, key, body in one.node.entries():
            placed = at.of(body, one)
            yield label, key if placed.file == one.file else placed.node, placed
    constructs = at.root.get("constructs")
    for label, _, body in [] if constructs is None else at.of(constructs).node.entries():
        worker = body.get("worker")
        if worker is not None and worker.kind == "mapping":  # of serverless-lift
            yield f"{label}Worker", worker, Placed(worker, at.file, at.text)


def _unknown(file: Path, line: int, name: str, why: str) -> Result:
    by_hand = "Check what `serverless package` writes: .serverless/cloudformation-template-update-stack.json."
    return Result(file, line, Tool.SERVERLESS, name, Outcome.UNKNOWN, why, by_hand=by_hand)


def _function(at: _At, provider: Placed, templates: list[Node], label: str, key: Node, place: Placed) -> Result:
    body = place.node
    result = Result(place.file, key.line, Tool.SERVERLESS, label, Outcome.UNKNOWN, "")
    if body.null:
        body = Node("mapping")
    if body.kind != "mapping":
        return _unknown(place.file, key.line, label, f"the function is looked up: {body.value}")
    if _at_the_edge(body):
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason="X-Ray does not work in Lambda@Edge")
    if untraced := event_sources.why_not(event_sources.of_service(body)):
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason=untraced)
    if at.sets_tracing:
        why = f"plugin {at.sets_tracing} sets the mode by itself"
        return replace(result, reason=why, by_hand="Leave the plugin out: the framework has tracing of its own.")
    own = _modes(ways(at.root, at.of(body.get("tracing") or Node("scalar"), place).node))
    setting, seen = _decide(own, _provider(at, provider))
    overridden = _overridden(templates, label)
    seen = overridden or seen
    if at.may_set_tracing and not all(one.active for one in seen):
        seen = unknown(f"plugin {at.may_set_tracing} may set it")
    if changed_by := at.may_change_tracing or _macro(templates):
        seen = unknown(f"{changed_by} may change it")
    outcome, reason = judge(seen, setting)
    literal = next((one.node for one in seen if one.dark and one.node is not None and id(one.node) in at.own), None)
    if literal is not None and place.file == at.file:
        result = replace(result, line=literal.line)
    result = replace(result, outcome=outcome, reason=reason)
    if outcome is Outcome.FAIL:
        edits = _edits(provider, seen, at) if not overridden else ()
        result = replace(result, edits=edits, by_hand="" if edits else f"Set {SETTING} to true by hand.")
    own_role = body.get("role") is not None or _role_elsewhere(provider.node) or _PER_FUNCTION in _plugins(at)
    return replace(result, role="role not known" if own_role else "")


def _macro(templates: list[Node]) -> str:
    """Of the template that the framework writes, which `resources` are a part of."""
    found = next(filter(None, (cloudformation.macro(Template(one)) for one in templates)), "")
    return f"macro {found}" if found else ""


def _plugins(at: _At) -> set[str]:
    return {one.value for one in walk(at.of(at.root.get("plugins") or Node("scalar")).node)}


def _decide(own: tuple[May, ...], general: tuple[May, ...]) -> tuple[str, tuple[May, ...]]:
    """The framework takes `tracing || provider.tracing.lambda`: `false` on a function leaves the provider's."""
    if all(one.absent and one.node is None for one in own):
        return SETTING, general
    if any(one.absent for one in own):
        if all(one.dark for one in general):
            return "tracing", own
        return "tracing", unknown("it is false here, and what the framework makes of that differs")
    return "tracing", own


def _provider(at: _At, placed: Placed) -> tuple[May, ...]:
    provider = placed.node
    if provider.kind != "mapping":
        return ABSENT if "${" not in provider.value else unknown(f"the provider is looked up: {provider.value}")
    given = provider.get("tracing")
    tracing = at.of(given, placed).node if given is not None else None
    if tracing is None or tracing.null or tracing.truth is not None:
        return ABSENT  # `tracing: true` by itself is no setting of the framework
    if tracing.kind != "mapping":
        return unknown(f"provider.tracing is looked up: {tracing.value}")
    mode = tracing.get("lambda")
    return _modes(ways(at.root, at.of(mode, placed).node if mode is not None else None))


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


def _edits(provider: Placed, seen: Sequence[May], at: _At) -> tuple[Edit, ...]:
    """In the service's own file, or where the provider stands."""
    dark = [one for one in seen if one.dark]
    if all(one.node is not None for one in dark):
        nodes = [one.node for one in dark if one.node is not None and id(one.node) in at.own]
        edits = [yaml_edits.replaced(node, ACTIVE, at.file, at.text) for node in nodes]
        return tuple(one for one in edits if one) if all(edits) and len(nodes) == len(dark) else ()
    if len(seen) > 1 or provider.node.kind != "mapping":
        return ()
    tracing = provider.node.get("tracing")
    if tracing is None:
        edit = yaml_edits.inserted(provider.node, {"tracing": {"lambda": "\0true"}}, provider.file, provider.text)
    elif tracing.kind == "mapping" and tracing.get("lambda") is None:
        edit = yaml_edits.inserted(tracing, {"lambda": "\0true"}, provider.file, provider.text)
    else:
        edit = None
    return (edit,) if edit else ()


def _overridden(templates: list[Node], label: str) -> tuple[May, ...]:
    """What `resources` say of the function that the framework makes, under its logical id."""
    for one in templates:
        template = Template(one)
        for section in ("Resources", "extensions"):
            resource = template.section(section).get(_logical_id(label))
            config = (resource.get("Properties") or Node("mapping")).get("TracingConfig") if resource else None
            if resource is not None and config is not None:
                return cloudformation.mode(template, resource.get("Properties"))
    return ()


def _resources(at: _At) -> tuple[list[Placed], Checked]:
    """The templates that `resources` are made of, and what is said of those that cannot be looked up."""
    given = at.root.get("resources")
    whole = [] if given is None else [at.of(given)]
    each = [placed for one in whole for placed in ([at.of(item, one) for item in one.node.items] or [one])]
    found: list[Placed] = []
    said = Checked()
    for one in each:
        if one.node.kind != "mapping":
            said += _looked_up(one.file, "resources", one.node)
            continue
        section = one.node.get("Resources")
        whole_here = section is None or section.kind == "mapping"
        found.append(one if whole_here else one._replace(node=_without(one.node, "Resources")))
        inside = at.of(section, one) if section is not None else one
        if inside.file != one.file and inside.node.kind == "mapping":
            found.append(inside._replace(node=_template(inside.node)))
        elif section is not None and inside.node.kind != "mapping":
            said += _looked_up(one.file, "resources", inside.node)
        for name, key, node in inside.node.entries() if section is not None else ():
            resource = at.of(node, inside)
            if resource.node.kind == "mapping" and resource.node is not node:
                found.append(resource._replace(node=_template(Node("mapping", pairs=[(key, resource.node)]))))
            elif resource.node.kind == "scalar":
                said += _looked_up(one.file, name, resource.node)
    return found, said


def _without(node: Node, key: str) -> Node:
    return replace(node, pairs=[(name, value) for name, value in node.pairs if name.value != key])


def _template(resources: Node) -> Node:
    return Node("mapping", pairs=[(Node("scalar", value="Resources"), resources)])


def _looked_up(file: Path, name: str, node: Node) -> Checked:
    if node.null or "${" not in node.value:
        return Checked()
    if re.search(r"function|lambda", f"{name} {node.value}", re.IGNORECASE):
        return Checked((_unknown(file, node.line, name, f"resources are looked up: {node.value}"),))
    return Checked((), (Note(file, node.line, f"{name} is looked up, and not looked into: {node.value}"),))


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
    if body.get("lambdaAtEdge") is not None:
        return True
    events = body.get("events")
    given = [] if events is None else events.items
    return bool(given) and all(
        one.kind == "mapping" and any(one.get(name) is not None for name in _EDGE_EVENTS) for one in given
    )

"""Functions in CloudFormation templates, SAM's and CDK's among them: what their tracing mode will be."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from commands.iac import event_sources, sam, template_roles, yaml_edits
from commands.iac.document import Node, walk
from commands.iac.intrinsics import Given, Template, places, referred, ways
from commands.iac.nouns import Checked, Edit, Note, Outcome, Result, Tool
from commands.iac.values import May, hang, judge

FUNCTION, SERVERLESS_FUNCTION = "AWS::Lambda::Function", "AWS::Serverless::Function"
_NESTED = ("AWS::CloudFormation::Stack", "AWS::Serverless::Application", "AWS::CloudFormation::StackSet")
# AWS's own macros, none of which touches a function that stands in the template.
_OWN_TRANSFORMS = (
    "AWS::Serverless-2016-10-31",
    "AWS::LanguageExtensions",
    "AWS::CodeDeployBlueGreen",
    "AWS::SecretsManager-2020-07-23",
    "AWS::SecretsManager-2024-09-16",
)
_SECTIONS = frozenset(
    "Description Metadata Parameters Rules Mappings Conditions Transform Globals Resources Outputs Hooks".split()
)
MODE = "TracingConfig.Mode"
_LOOPS_MOST = 5  # of loops within loops, as CloudFormation allows


def looks_like(root: Node) -> bool:
    if root.kind != "mapping":
        return False
    resources = root.get("Resources")
    typed = resources is not None and any(value.get("Type") is not None for _, _, value in resources.entries())
    return typed or root.get("AWSTemplateFormatVersion") is not None or _transforms(root) != [] or _is_bare(root)


def _is_bare(root: Node) -> bool:
    """A stack without resources, as `cdk synth` may write one: nothing but a template's own sections."""
    names = {name for name, _, _ in root.entries()}
    return bool(names & {"Resources", "Rules"}) and names <= _SECTIONS


def check(
    root: Node, file: Path, text: str, tool: Tool | None = None, given: Mapping[str, tuple[Given, ...]] | None = None
) -> Checked:
    template = Template(root, given or {})
    if tool is None:
        tool = Tool.SAM if sam.is_sam(template) else Tool.CDK if _is_cdk(file, template) else Tool.CLOUDFORMATION
    results: list[Result] = []
    notes: list[Note] = []
    changed_by = macro(template)
    edge = _at_the_edge(template)
    for name, key, resource in template.resources.entries():
        kind = resource.get("Type")
        type_name = kind.value if kind is not None else ""
        if name.startswith("Fn::"):
            looped = _looped(resource) if name.startswith("Fn::ForEach") else None
            if looped is not None:
                at = _At(file, text, tool)
                results += [
                    _function(template, label, inner, body, changed_by, False, at) for label, inner, body in looped
                ]
            elif name == "Fn::Transform" or _holds_functions(resource):
                why = f"{name} makes functions, and what it makes is not worked out"
                results.append(Result(file, key.line, tool, name, Outcome.UNKNOWN, why, by_hand=_write_out(tool)))
        elif type_name in (FUNCTION, SERVERLESS_FUNCTION):
            results.append(_function(template, name, key, resource, changed_by, name in edge, _At(file, text, tool)))
        elif type_name.endswith("::MODULE"):
            why = f"{type_name} is a module of the registry, which may hold functions"
            results.append(Result(file, key.line, tool, name, Outcome.UNKNOWN, why, by_hand="Look into the module."))
        elif said := _not_looked_into(type_name):
            notes.append(Note(file, key.line, f"{name} is {said}"))
    results += _whole(template, file, tool)
    return Checked(tuple(results), tuple(notes), (file,))


def _not_looked_into(type_name: str) -> str:
    if type_name in _NESTED:
        return "a stack of its own: check its template too"
    if type_name == "LocalModule":
        return "a module of its own: check its file too"
    return "a web function, whose tracing is not known here" if type_name.endswith("::WebFunction") else ""


def _whole(template: Template, file: Path, tool: Tool) -> Iterator[Result]:
    """What is unknown of the template as a whole."""
    included, resources = template.root.key("Fn::Transform"), template.root.get("Resources")
    if included is not None:
        why = "what is included may hold functions, and is not looked into"
        yield Result(file, included.line, tool, included.value, Outcome.UNKNOWN, why, by_hand=_write_out(tool))
    if resources is not None and (resources.tag.startswith("!") or resources.kind != "mapping"):
        why = "the resources are worked out at deployment"
        yield Result(file, resources.line, tool, "Resources", Outcome.UNKNOWN, why, by_hand=_write_out(tool))


class _At:
    """Where a function stands."""

    def __init__(self, file: Path, text: str, tool: Tool) -> None:
        self.file, self.text, self.tool = file, text, tool


def _function(template: Template, name: str, key: Node, resource: Node, changed_by: str, edge: bool, at: _At) -> Result:
    serverless = _type(resource) == SERVERLESS_FUNCTION
    setting = "Tracing" if serverless else MODE
    result = Result(at.file, key.line, at.tool, name, Outcome.NOT_APPLICABLE, "")
    role = template_roles.role_of(template, resource)
    if edge or (role and template_roles.trusts_edge(template, role)):
        return replace(result, reason="X-Ray does not work in Lambda@Edge")
    if untraced := event_sources.why_not(event_sources.of_resource(template, name, resource)):
        return replace(result, reason=untraced)
    seen = sam.mode(template, resource) if serverless else mode(template, resource.get("Properties"))
    literal = next((one.node for one in seen if one.dark and one.node is not None), None)
    outcome, reason = judge(seen, setting)
    result = replace(result, outcome=outcome, reason=reason, line=literal.line if literal else key.line)
    if changed_by or _transformed(resource):
        why = f"macro {changed_by or _transformed(resource)} may change what the template says"
        return replace(result, outcome=Outcome.UNKNOWN, reason=why, by_hand=_write_out(at.tool))
    if outcome is Outcome.FAIL:
        result = _with_edits(result, yaml_edits.activate(resource, seen, at.file, at.text, serverless), at)
    return _weigh_role(template, resource, role, result, at)


def mode(template: Template, properties: Node | None) -> tuple[May, ...]:
    """`TracingConfig.Mode` of AWS::Lambda::Function."""
    made: list[May] = []
    for place, way in places(template, properties):
        if place is None:
            made.append(way)
            continue
        for config, inner in places(template, place.get("TracingConfig")):
            if config is None:
                made += hang([inner], way.under or inner.under, _both(way, inner))
            else:
                found = ways(template, config.get("Mode") if config.kind == "mapping" else config)
                made += hang(found, way.under or inner.under, _both(way, inner))
    return tuple(made)


def _both(one: May, other: May) -> bool | None:
    return None if one.likely is None or other.likely is None else one.likely and other.likely


def _with_edits(result: Result, edits: tuple[Edit, ...], at: _At) -> Result:
    if at.tool is Tool.CDK:
        return replace(result, by_hand="Set `tracing: lambda.Tracing.ACTIVE` in the construct, and synthesise again.")
    by_hand = "" if edits else f"Set {'Tracing' if at.tool is Tool.SAM else MODE} to Active by hand."
    return replace(result, edits=edits, by_hand=by_hand)


def _weigh_role(template: Template, resource: Node, role: str | None, result: Result, at: _At) -> Result:
    """An Active function whose role certainly may not send traces is refused by Lambda, or loses them."""
    if _type(resource) == SERVERLESS_FUNCTION and sam.makes_role(template, resource):
        return result  # and lets it write
    may = template_roles.may_write(template, role) if role else None
    if may is None:
        return replace(result, role="role not known")
    if may or result.outcome not in (Outcome.PASS, Outcome.FAIL):
        return result
    said = f"role {role} may not send traces: no policy of it allows xray:PutTraceSegments"
    passed = result.outcome is Outcome.PASS
    reason = f"{result.reason}, but {said}" if passed else f"{result.reason}; {said}"
    mended = yaml_edits.permit(template, role or "", at.file, at.text) if at.tool is not Tool.CDK else ()
    can = bool(mended) and (passed or bool(result.edits))
    by_hand = "" if can else f"{result.by_hand} Give role {role} the policy AWSXRayDaemonWriteAccess.".strip()
    return replace(
        result, outcome=Outcome.FAIL, reason=reason, edits=(*result.edits, *mended) if can else (), by_hand=by_hand
    )


def _at_the_edge(template: Template) -> set[str]:
    """Functions that a CloudFront distribution calls, also through a version of theirs."""
    named: set[str] = set()
    for _, _, resource in template.resources.entries():
        if _type(resource) == "AWS::CloudFront::Distribution":
            held = [key for node in walk(resource) for key in node.pairs]
            named |= referred(*(value for key, value in held if key.value == "LambdaFunctionAssociations"))
    for name, _, resource in template.resources.entries():
        if name in named and _type(resource) == "AWS::Lambda::Version":
            named |= referred(_properties(resource).get("FunctionName") or Node(""))
    return named


def _looped(loop: Node, deep: int = 0) -> list[tuple[str, Node, Node]] | None:
    """The functions that Fn::ForEach makes, by the name that it makes theirs from; None where one hangs on the loop.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-foreach.html
    """
    if len(loop.items) != 3 or loop.items[2].kind != "mapping" or deep > _LOOPS_MOST:
        return None
    found: list[tuple[str, Node, Node]] = []
    for name, key, body in loop.items[2].entries():
        kind = body.get("Type")
        if name.startswith("Fn::ForEach"):
            inner = _looped(body, deep + 1)
            if inner is None:
                return None
            found += inner
        elif name.startswith("Fn::") or kind is None or "{" in kind.value:
            return None
        elif kind.value in (FUNCTION, SERVERLESS_FUNCTION):
            found.append((name, key, body))
        elif _holds_functions(body):
            return None
    return found


def _holds_functions(resource: Node) -> bool:
    for node in walk(resource):
        kind = node.get("Type") if node.kind == "mapping" else None
        if kind is not None and (kind.value in (FUNCTION, SERVERLESS_FUNCTION) or "${" in kind.value):
            return True
        if node.tag == "!Transform" or node.key("Fn::Transform") is not None:
            return True
    return False


def _transformed(resource: Node) -> str:
    properties = _properties(resource)
    inner = properties.get("TracingConfig") if properties.kind == "mapping" else None
    held = [one for one in (resource, properties, inner) if one is not None and one.kind == "mapping"]
    return "Fn::Transform" if any(one.get("Fn::Transform") is not None for one in held) else ""


def macro(template: Template) -> str:
    """A macro that is not AWS's own: it may set or unset anything."""
    return next((one for one in _transforms(template.root) if one not in _OWN_TRANSFORMS), "")


def _transforms(root: Node) -> list[str]:
    found = root.get("Transform")
    if found is None:
        return []
    listed = found.items if found.kind == "sequence" else [found]
    named = [(one.get("Name") or one) if one.kind == "mapping" else one for one in listed]
    return [one.value or "Fn::Transform" for one in named]


def _is_cdk(file: Path, template: Template) -> bool:
    """By its place, by the rule that CDK writes, or by the path in the app that it writes beside each resource."""
    if file.name.endswith(".template.json") and any(part.startswith("cdk.out") for part in file.parts):
        return True
    if template.section("Rules").get("CheckBootstrapVersion") is not None:
        return True
    held = (resource.get("Metadata") for _, _, resource in template.resources.entries())
    return any(one is not None and one.get("aws:cdk:path") is not None for one in held)


def _write_out(tool: Tool) -> str:
    maker = "SAM" if tool is Tool.SAM else "CloudFormation"
    return f"Check what {maker} makes of it: the processed template of a change set."


def _properties(resource: Node) -> Node:
    return resource.get("Properties") or Node("mapping")


def _type(resource: Node) -> str:
    kind = resource.get("Type")
    return kind.value if kind is not None else ""

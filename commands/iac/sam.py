"""SAM's `Tracing`, which `Globals` may set for every function of a template."""

from commands.iac.document import Node
from commands.iac.intrinsics import Template, intrinsic, places, ways
from commands.iac.values import ABSENT, May, hang, unknown


def is_sam(template: Template) -> bool:
    return any(
        (kind := resource.get("Type")) is not None and kind.value == "AWS::Serverless::Function"
        for _, _, resource in template.resources.entries()
    )


def mode(template: Template, resource: Node) -> tuple[May, ...]:
    """A function's own `Tracing`, else that of Globals; PassThrough and Disabled are said as they are written.

    https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
    """
    made: list[May] = []
    general = _taken(resource, globals_mode(template))
    for place, way in places(template, resource.get("Properties")):
        if place is None and way.doubt:
            made.append(way)
            continue
        own = place.get("Tracing") if place is not None else None
        found = ways(template, own) if own is not None else general
        if own is not None and any(one.absent for one in found) and general != ABSENT:
            found = unknown("the function takes its own value away, and Globals has another")
        made += hang(found, way.under, way.likely)
    return tuple(made)


def _taken(resource: Node, general: tuple[May, ...]) -> tuple[May, ...]:
    """What a function takes from Globals: `IgnoreGlobals` is `*`, or lists what it does not take."""
    ignored = resource.get("IgnoreGlobals")
    if ignored is None or general == ABSENT:
        return general
    if ignored.text == "*" or any(one.text == "Tracing" for one in ignored.items):
        return ABSENT
    if ignored.kind != "sequence" or any(one.text is None for one in ignored.items):
        return unknown("what the function takes from Globals is worked out at deployment")
    return general


def globals_mode(template: Template) -> tuple[May, ...]:
    whole = template.root.get("Globals")
    if whole is None:
        return ABSENT
    function = whole.get("Function")
    held = [one for one in (whole, function) if one is not None]
    if any(one.kind != "mapping" or intrinsic(one) or one.get("Fn::Transform") is not None for one in held):
        return unknown("Globals are worked out at deployment")
    return ways(template, function.get("Tracing")) if function is not None else ABSENT


def makes_role(template: Template, resource: Node) -> bool:
    """Whether SAM itself makes the function's role, which it then lets send traces, and without any boundary."""
    function = template.section("Globals").get("Function")
    own = [one for one in (resource.get("Properties"), function) if one is not None]
    return not any(one.get(name) is not None for one in own for name in ("Role", "PermissionsBoundary"))

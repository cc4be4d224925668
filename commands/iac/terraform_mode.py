"""The tracing mode of one function in Terraform's code, of each instance that it has."""

import re
from dataclasses import replace
from typing import Any

from commands.iac.expressions import Scope, bare, evaluate, parts
from commands.iac.hcl import Block, kind_of, references, traversal
from commands.iac.policy import UNKNOWN
from commands.iac.terraform_ways import ways
from commands.iac.values import ABSENT, May, hang, unknown

FUNCTION, CLOUD_CONTROL = "aws_lambda_function", "awscc_lambda_function"


def mode(block: Block, scope: Scope) -> tuple[May, ...]:
    if block.labels[0] == CLOUD_CONTROL:
        return _attribute_mode(block, scope)
    each = [tuple(_instance_mode(block, inner)) for inner in instances(block, scope)]
    # One instance that is not Active is enough.
    dark = [seen for seen in each if seen and all(one.dark for one in seen)]
    return dark[0] if dark else tuple(one for seen in each for one in seen)


def _instance_mode(block: Block, inner: Scope) -> tuple[May, ...]:
    static = list(block.all("tracing_config"))
    if len(static) > 1:
        return unknown("there is more than one tracing_config")
    if "tracing_config" in block.attributes:
        return unknown("tracing_config stands there as an argument, where Terraform takes a block")
    if static:
        given = static[0].attributes.get("mode")
        return ways(inner, given) if given is not None else ABSENT
    dynamic = list(block.all("dynamic", "tracing_config"))
    return _dynamic(dynamic[0], inner) if dynamic else ABSENT


def _attribute_mode(block: Block, scope: Scope) -> tuple[May, ...]:
    given = block.attributes.get("tracing_config")
    if given is None:
        return ABSENT
    value = evaluate(scope, given)
    if not isinstance(value, dict):
        return unknown("tracing_config is worked out at deployment")
    found = value.get("mode")
    return ABSENT if found is None else (May(value=found),) if isinstance(found, str) else unknown("mode is not known")


def instances(block: Block, scope: Scope) -> list[Scope]:
    """A scope for each instance, where they can be told."""
    if "for_each" not in block.attributes:
        return [scope.within(each=UNKNOWN)]
    many = evaluate(scope, block.attributes["for_each"])
    if isinstance(many, dict) and many:
        return [scope.within(each={"key": key, "value": value}) for key, value in many.items()]
    if isinstance(many, list) and many:
        return [scope.within(each={"key": one, "value": one}) for one in many]
    return [scope.within(each=UNKNOWN)]


def _dynamic(block: Block, scope: Scope) -> tuple[May, ...]:
    """A block that is there or not, as its for_each says."""
    content = next(iter(block.all("content")), None)
    if content is None or "for_each" not in block.attributes:
        return unknown("the dynamic block has no content")
    scope.used.clear()
    many = evaluate(scope, block.attributes["for_each"])
    leant = ", ".join(sorted(scope.used))
    if not isinstance(many, (list, dict)):
        inside = ways(scope.within(tracing_config=UNKNOWN), content.attributes.get("mode"))
        if not leant and inside and all(one.dark for one in inside):
            return inside
        return unknown("whether there is a tracing_config is worked out at deployment")
    if not many:
        return ABSENT if not leant else (May(absent=True, default=leant),)
    value = next(iter(many.values())) if isinstance(many, dict) else many[0]
    key = next(iter(many)) if isinstance(many, dict) else value
    iterator = traversal(block.attributes["iterator"]) if "iterator" in block.attributes else ("tracing_config",)
    inner = scope.within(**{(iterator or ("tracing_config",))[0]: {"key": key, "value": value}})
    given = content.attributes.get("mode")
    inside = ways(inner, given) if given is not None else ABSENT
    if not leant or _same(block.attributes["for_each"], given, inside, leant):
        return tuple(replace(one, default=one.default or leant) for one in inside)
    return (*inside, *hang(ABSENT, leant, False))


def _same(many: Any, given: Any, inside: tuple[May, ...], leant: str) -> bool:
    """`for_each = var.mode == null ? [] : [var.mode]`: one variable decides, and the value that it has is the mode."""
    variable = tuple(leant.split("."))
    decided = any(one[:2] == variable for one in references(many))
    sides = parts(bare(many))[1:] if kind_of(bare(many)) == "conditional" else [many]
    is_mode = any(one[:2] == variable for part in (given, *sides) for one in references(part))
    return len(inside) == 1 and decided and is_mode and not inside[0].node


def keeps_old(block: Block) -> bool:
    for lifecycle in block.all("lifecycle"):
        given = lifecycle.attributes.get("ignore_changes")
        quoted = evaluate(Scope(), given) if given is not None else []
        texts = [one for one in quoted if isinstance(one, str)] if isinstance(quoted, list) else []
        kept = {names[0] for names in references(given)} | {re.split(r"[.\[]", text)[0] for text in texts}
        if kept & {"tracing_config", "all", "*"}:
            return True
    return False

"""Execution roles that stand in the same Terraform module: what their policies let them do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from commands.iac import hcl_edits, policy
from commands.iac.expressions import Scope, evaluate
from commands.iac.hcl import Block, references, traversal
from commands.iac.nouns import Outcome, Result
from commands.iac.policy import UNKNOWN

if TYPE_CHECKING:
    from commands.iac.terraform import Module

_EDGE = "edgelambda.amazonaws.com"
_ARN = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"


def role_of(block: Block) -> str | None:
    """The label of the aws_iam_role that a function has."""
    given = block.attributes.get("role")
    names = traversal(given) if given is not None else None
    return names[1] if names and names[0] == "aws_iam_role" and len(names) >= 3 else None


def weigh(module: "Module", role: str | None, scope: Scope, result: Result) -> Result:
    may = may_write(module, role, scope) if role else None
    if may is None:
        return replace(result, role="role not known")
    if may or result.outcome not in (Outcome.PASS, Outcome.FAIL):
        return result
    said = f"role {role} may not send traces: no policy of it allows xray:PutTraceSegments"
    passed = result.outcome is Outcome.PASS
    reason = f"{result.reason}, but {said}" if passed else f"{result.reason}; {said}"
    edits = _permit(module, role or "")
    can = bool(edits) and (passed or bool(result.edits))
    by_hand = "" if can else f"{result.by_hand} Attach {policy.POLICY} to role {role}.".strip()
    return replace(
        result, outcome=Outcome.FAIL, reason=reason, edits=(*result.edits, *edits) if can else (), by_hand=by_hand
    )


def granted_to_module(module: "Module", label: str) -> bool:
    """Whether something beside a called module uses the role that it makes: a policy, or another module."""
    given = [*module.all("module"), *(one for one in module.all("resource") if one.labels[0].startswith("aws_iam_"))]
    return any(
        names[:2] == ("module", label) and any("role" in name for name in names[2:])
        for block in given
        for value in block.attributes.values()
        for names in references(value)
    )


def trusts_edge(module: "Module", role: str, scope: Scope) -> bool:
    for block in module.all("resource", "aws_iam_role", role):
        given = block.attributes.get("assume_role_policy")
        if given is not None and _holds(_document(module, given, scope), _EDGE):
            return True
    return False


def _holds(value: object, text: str) -> bool:
    waiting, seen = [value], set()
    while waiting:
        one = waiting.pop()
        if one == text:
            return True
        if isinstance(one, (dict, list)) and id(one) not in seen:
            seen.add(id(one))
            waiting += one.values() if isinstance(one, dict) else one
    return False


def may_write(module: "Module", role: str, scope: Scope) -> bool | None:
    """None where it depends on what the module does not tell."""
    made = list(module.all("resource", "aws_iam_role", role))
    if len(made) != 1 or "permissions_boundary" in made[0].attributes or module.overridden or module.unread:
        return None
    return policy.combined([*_own(module, made[0], scope), *_attached(module, role, scope)])


def _own(module: "Module", block: Block, scope: Scope) -> Iterator[bool | None]:
    if "managed_policy_arns" in block.attributes:
        yield from _arns(module, block.attributes["managed_policy_arns"], scope)
    for inner in block.all("inline_policy"):
        if "policy" in inner.attributes:
            yield policy.allows(_document(module, inner.attributes["policy"], scope))
    if any(True for _ in block.all("dynamic")):
        yield None


def _attached(module: "Module", role: str, scope: Scope) -> Iterator[bool | None]:
    for block in module.all("resource"):
        kind, given = block.labels[0] if block.labels else "", block.attributes
        roles = [given[name] for name in ("role", "roles", "role_name") if name in given]
        if not kind.startswith("aws_iam_") or kind == "aws_iam_role" or not roles:
            continue
        named = _names(roles, role)
        if named is False:
            continue
        if kind == "aws_iam_role_policy":
            verdict = policy.allows(_document(module, given.get("policy"), scope))
        elif kind in ("aws_iam_role_policy_attachment", "aws_iam_policy_attachment"):
            verdict = policy.combined(_arns(module, given.get("policy_arn"), scope))
        elif kind == "aws_iam_role_policy_attachments_exclusive":
            verdict = policy.combined(_arns(module, given.get("policy_arns"), scope))
        else:
            verdict = None
        yield None if verdict and (named is None or "count" in given) else verdict
    for block in module.all("module"):
        if any(names[:2] == ("aws_iam_role", role) for one in block.attributes.values() for names in references(one)):
            yield None  # a module that is given the role may attach something


def _names(roles: list[Any], role: str) -> bool | None:
    """None where it is computed which role is meant."""
    seen = [names for one in roles for names in references(one)]
    if any(names[:2] == ("aws_iam_role", role) for names in seen):
        return True
    others = all(names[0] == "aws_iam_role" for names in seen)
    return False if seen and others else None


def _arns(module: "Module", given: Any, scope: Scope) -> Iterator[bool | None]:
    names = traversal(given) if given is not None else None
    if names and names[0] == "aws_iam_policy" and len(names) >= 3:
        for block in module.all("resource", "aws_iam_policy", names[1]):
            yield policy.allows(_document(module, block.attributes.get("policy"), scope))
            return
    if names and names[:2] == ("data", "aws_iam_policy") and len(names) >= 4:
        for block in module.all("data", "aws_iam_policy", names[2]):
            called = evaluate(scope, block.attributes["name"]) if "name" in block.attributes else UNKNOWN
            arn = evaluate(scope, block.attributes["arn"]) if "arn" in block.attributes else None
            yield policy.managed(arn or (f"iam::aws:policy/{called}" if isinstance(called, str) else None))
            return
    value = _partitioned(given, scope)
    for one in value if isinstance(value, list) and value else [value]:
        yield policy.managed(one)
    if isinstance(value, list) and not value:
        yield False


def _partitioned(given: Any, scope: Scope) -> Any:
    """Which partition an ARN is of does not matter."""
    data = {"aws_partition": {name: {"partition": "aws"} for names in references(given) for name in names[2:3]}}
    each = [evaluate(scope.within(data=data), given)] if given is not None else [UNKNOWN]
    return each[0]


def _document(module: "Module", given: Any, scope: Scope) -> object:
    """A policy as JSON has it, from text, jsonencode or a policy document of the module."""
    if given is None:
        return UNKNOWN
    names = traversal(given)
    if names and names[:2] == ("data", "aws_iam_policy_document") and len(names) >= 4:
        blocks = list(module.all("data", "aws_iam_policy_document", names[2]))
        return _assembled(blocks[0], scope) if len(blocks) == 1 else UNKNOWN
    value = evaluate(scope, given)
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return UNKNOWN
    return value


def _assembled(block: Block, scope: Scope) -> object:
    if any(name.endswith(("_documents", "_json")) for name in block.attributes) or any(block.all("dynamic")):
        return UNKNOWN
    listed: list[object] = []
    for statement in block.all("statement"):
        one: dict[str, object] = {"Effect": "Allow"}
        for name, value in statement.attributes.items():
            one[_ELEMENTS.get(name, name)] = evaluate(scope, value)
        if any(statement.all("condition")) or any(statement.all("dynamic")):
            one["Condition"] = {}
        principals = [
            evaluate(scope, inner.attributes["identifiers"])
            for inner in statement.all("principals")
            if "identifiers" in inner.attributes
        ]
        if principals:
            one["Principal"] = principals
        listed.append(one)
    return {"Statement": listed}


_ELEMENTS = {
    "effect": "Effect",
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}


def _permit(module: "Module", role: str) -> tuple[Any, ...]:
    """An attachment of its own behind the role; not where a list of the role's would take it off again."""
    block = next(iter(module.all("resource", "aws_iam_role", role)), None)
    if block is None or {"managed_policy_arns", "count", "for_each"} & set(block.attributes):
        return ()
    if any(module.all("resource", "aws_iam_role_policy_attachments_exclusive")):
        return ()
    lines = [
        f'resource "aws_iam_role_policy_attachment" "{role}_tracing" {{',
        f"  role       = aws_iam_role.{role}.name",
        f'  policy_arn = "{_ARN}"',
        "}",
    ]
    return (hcl_edits.appended(block, lines, module.texts[block.file]),)

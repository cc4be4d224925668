"""Modules of Terraform's registry that make functions, and the variables that they take for tracing."""

import re
from collections.abc import Iterator
from dataclasses import replace

from commands.iac import hcl_edits
from commands.iac.expressions import Scope, evaluate
from commands.iac.hcl import Block
from commands.iac.nouns import Checked, Note, Outcome, Result, Tool
from commands.iac.terraform_ways import ways
from commands.iac.values import ABSENT, judge

_TERRAFORM_AWS = re.compile(
    r"(terraform-aws-modules/lambda/aws|.*terraform-aws-modules/terraform-aws-lambda(\.git)?)(\?.*)?"
)
_CLOUDPOSSE = re.compile(r"(cloudposse/lambda-function/aws|.*cloudposse/terraform-aws-lambda-function(\.git)?)(\?.*)?")
MEANS_FUNCTIONS = re.compile(r"lambda|serverless|function|forwarder|github-runner|notify-slack", re.IGNORECASE)
# Parts of the first that make no function of their own.
_PARTS = re.compile(r".*//modules/(alias|deploy|docker-build)(\?.*)?")
_MAY_GRANT = ("policy", "policies", "policy_statements", "policy_json", "policy_jsons", "attach_policies")


def check(block: Block, scope: Scope, address: str, text: str, granted: bool = False) -> Checked:
    """A module from elsewhere: of these two what they make is known, of any other only that it was not looked into.

    `granted`: something beside it may give a policy to the role that it makes.
    """
    source = evaluate(scope, block.attributes["source"]) if "source" in block.attributes else ""
    source = source if isinstance(source, str) else "?"
    if _TERRAFORM_AWS.fullmatch(source):
        return Checked(tuple(_terraform_aws(block, scope, address, text, granted)))
    if _CLOUDPOSSE.fullmatch(source):
        return Checked((_judged(block, scope, address, text, "tracing_config_mode"),))
    if _PARTS.fullmatch(source):
        return Checked()
    if MEANS_FUNCTIONS.search(source) or MEANS_FUNCTIONS.search(" ".join(block.labels)) or source == "?":
        why = f"module {source} is not looked into, and may make functions"
        by_hand = "Check the plan: terraform show -json."
        return Checked(
            (Result(block.file, block.line, Tool.TERRAFORM, address[:-1], Outcome.UNKNOWN, why, by_hand=by_hand),)
        )
    return Checked((), (Note(block.file, block.line, f"{address[:-1]} ({source}) is not looked into"),))


def _judged(block: Block, scope: Scope, address: str, text: str, name: str) -> Result:
    given = block.attributes.get(name)
    seen = ways(scope, given) if given is not None else ABSENT
    outcome, reason = judge(seen, name)
    literal = next((one.node for one in seen if one.dark and one.node is not None), None)
    edits = hcl_edits.argument(block, name, seen, text) if outcome is Outcome.FAIL else ()
    return Result(
        block.file,
        literal.line if literal else block.line,
        Tool.TERRAFORM,
        address[:-1],
        outcome,
        reason,
        edits=edits,
        by_hand="" if edits or outcome is not Outcome.FAIL else f'Set {name} = "Active".',
    )


def _terraform_aws(block: Block, scope: Scope, address: str, text: str, granted: bool) -> Iterator[Result]:
    """Its variables: https://registry.terraform.io/modules/terraform-aws-modules/lambda/aws."""
    off = [_truth(block, scope, name, True) for name in ("create", "create_function")]
    if False in off or _truth(block, scope, "create_layer", False) is True:
        return
    result = _judged(block, scope, address, text, "tracing_mode")
    if _truth(block, scope, "lambda_at_edge", False) is True:
        yield replace(
            result, outcome=Outcome.NOT_APPLICABLE, reason="X-Ray does not work in Lambda@Edge", edits=(), by_hand=""
        )
        return
    attaches = _truth(block, scope, "attach_tracing_policy", False)
    own_role = _truth(block, scope, "create_role", True)
    granted = granted or any(
        any(word in name for word in _MAY_GRANT) for name in block.attributes if name != "attach_tracing_policy"
    )
    if own_role is not True or attaches is None or (attaches is False and granted):
        yield replace(result, role="role not known")
    elif attaches or result.outcome is Outcome.UNKNOWN:
        yield result
    else:
        lacks = "the role that the module makes may not send traces: attach_tracing_policy is not true"
        passed = result.outcome is Outcome.PASS
        reason = f"{result.reason}, but {lacks}" if passed else f"{result.reason}; {lacks}"
        more = hcl_edits.truth(block, "attach_tracing_policy", text)
        can = bool(more) and (passed or bool(result.edits))
        by_hand = "" if can else f"{result.by_hand} Set attach_tracing_policy = true.".strip()
        edits = (*result.edits, *more) if can else ()
        yield replace(result, outcome=Outcome.FAIL, reason=reason, edits=edits, by_hand=by_hand)


def _truth(block: Block, scope: Scope, name: str, default: bool) -> bool | None:
    """None where it is not known, or rests on a default that may be given otherwise."""
    if name not in block.attributes:
        return default
    scope.used.clear()
    value = evaluate(scope, block.attributes[name])
    return value if isinstance(value, bool) and not scope.used else None

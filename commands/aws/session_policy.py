"""What the fix role is cut down to for one approved fix, and whose name it bears. Asks nobody.

A session policy gives nothing: what the fix role may not do itself, an approved fix may not do either. What a fix
reads, it reads with the audit role.
"""

import json
import re
from collections.abc import Collection
from enum import StrEnum
from typing import Any

from commands.aws.errors import AwsProblem
from storage.fixes import FixPlan, Receipt, RoleStep
from storage.models import XRAY_WRITE_POLICY, TracingMode

_LONGEST_POLICY = 2048  # characters, STS's limit for a session policy
_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:([\w-]+):(\d{12}):function:[\w-]+")
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+")


class Need(StrEnum):
    """The calls by which a fix or an undo changes AWS."""

    UPDATE = "lambda:UpdateFunctionConfiguration"
    PUBLISH = "lambda:PublishVersion"
    MOVE = "lambda:UpdateAlias"
    ATTACH = "iam:AttachRolePolicy"
    DETACH = "iam:DetachRolePolicy"
    PUT = "iam:PutRolePolicy"
    DELETE = "iam:DeleteRolePolicy"


_MANAGED = (Need.ATTACH, Need.DETACH)
_INLINE = (Need.PUT, Need.DELETE)


def needs_of_plan(plan: FixPlan) -> frozenset[Need]:
    """What a fix may have to call. Whether a role has room for a managed policy AWS may say only when it is given one,
    so that an inline one is among it then."""
    needs: set[Need] = set() if plan.mode is TracingMode.ACTIVE else {Need.UPDATE}
    if plan.publishes:
        needs |= {Need.PUBLISH, Need.MOVE} if any(alias.version for alias in plan.publishes) else {Need.PUBLISH}
    if plan.changes_role:
        needs |= {Need.PUT} if plan.role_step is RoleStep.INLINE else {Need.ATTACH, Need.PUT}
    return frozenset(needs)


def needs_of_receipt(receipt: Receipt) -> frozenset[Need]:
    """What an undo may have to call."""
    needs: set[Need] = set() if receipt.mode_before is None else {Need.UPDATE}
    if receipt.moves:
        needs.add(Need.MOVE)
    if receipt.published.startswith("$LATEST"):
        needs.add(Need.PUBLISH)
    if receipt.policy:
        needs.add(Need.DETACH if receipt.policy.startswith("arn:") else Need.DELETE)
    return frozenset(needs)


def session_policy(account: str, region: str, function_arn: str, role_arn: str, needs: Collection[Need]) -> str:
    """These calls on one function and its role, and the one policy that may be attached there. Raises AwsProblem for
    other names.

    An inline policy is for roles that have no room for another managed one; IAM knows no condition on what it says, so
    whoever deploys the fix role decides whether that is wanted.
    """
    function, role = _FUNCTION_ARN.fullmatch(function_arn), _ROLE_ARN.fullmatch(role_arn)
    if function is None or function.groups() != (region, account):
        raise _unfit(f"{function_arn} is not a function in {account} {region}")
    if set(needs) & {*_MANAGED, *_INLINE} and (role is None or role[1] != account):
        raise _unfit(f"{role_arn or 'nothing'} is not a role in {account}")
    partition = function_arn.split(":")[1]
    allowed = f"arn:{partition}:iam::aws:policy/{XRAY_WRITE_POLICY}"
    calls = sorted(set(needs) - {*_MANAGED, *_INLINE})
    managed, inline = sorted(set(needs) & set(_MANAGED)), sorted(set(needs) & set(_INLINE))
    statements = [
        *([_allow(calls, [function_arn, f"{function_arn}:*"])] if calls else []),
        *([_allow(managed, role_arn) | {"Condition": {"ArnEquals": {"iam:PolicyARN": allowed}}}] if managed else []),
        *([_allow(inline, role_arn)] if inline else []),
    ]
    if not statements:  # STS takes no policy without one
        statements = [{"Effect": "Deny", "Action": "*", "Resource": "*"}]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(policy) > _LONGEST_POLICY:
        raise _unfit(f"the names of {function_arn} and {role_arn} are too long for a session policy")
    return policy


def budget_policy(partition: str, account: str, budget: str) -> str:
    """Changes of this budget, its notifications among them; IAM has one action for all of that."""
    statement = _allow(["budgets:ModifyBudget"], f"arn:{partition}:budgets::{account}:budget/{budget}")
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _unfit(why: str) -> AwsProblem:
    return AwsProblem("Unfit", why, own_words=True)


def _allow(actions: Collection[str], resource: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [str(action) for action in actions], "Resource": resource}


def session_name(approver: str) -> str:
    """A name that STS takes for a session and its source identity."""
    name = re.sub(r"[^\w+=,.@-]", "-", approver, flags=re.ASCII)[:64]
    if len(name) < 2:
        raise _unfit("a fix needs the Slack user id of whoever approved it")
    return name

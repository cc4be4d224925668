"""What the fix role is cut down to for one approved fix, and whose name it bears. Asks nobody.

A session policy gives nothing: what the fix role may not do itself, an approved fix may not do either. What a fix
reads, it reads with the audit role.
"""

import json
import re
from typing import Any

from commands.aws.errors import AwsProblem
from storage.models import XRAY_WRITE_POLICY

_LONGEST_POLICY = 2048  # characters, STS's limit for a session policy
_FUNCTION_ARN = re.compile(r"arn:[\w-]+:lambda:([\w-]+):(\d{12}):function:[\w-]+")
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/[\w+=,.@/-]+")


def session_policy(account: str, region: str, function_arn: str, role_arn: str) -> str:
    """One function, its role, and the one policy that may be attached to that. Raises AwsProblem for other names.

    An inline policy is for roles that have no room for another managed one; IAM knows no condition on what it says, so
    whoever deploys the fix role decides whether that is wanted.
    """
    function, role = _FUNCTION_ARN.fullmatch(function_arn), _ROLE_ARN.fullmatch(role_arn)
    if function is None or function.groups() != (region, account):
        raise _unfit(f"{function_arn} is not a function in {account} {region}")
    if role is None or role[1] != account:
        raise _unfit(f"{role_arn or 'nothing'} is not a role in {account}")
    partition = function_arn.split(":")[1]
    allowed = f"arn:{partition}:iam::aws:policy/{XRAY_WRITE_POLICY}"
    statements = [
        _allow("lambda:UpdateFunctionConfiguration", function_arn),
        _allow("iam:AttachRolePolicy", role_arn) | {"Condition": {"ArnEquals": {"iam:PolicyARN": allowed}}},
        _allow("iam:PutRolePolicy", role_arn),
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    if len(policy) > _LONGEST_POLICY:
        raise _unfit(f"the names of {function_arn} and {role_arn} are too long for a session policy")
    return policy


def _unfit(why: str) -> AwsProblem:
    return AwsProblem("Unfit", why, own_words=True)


def _allow(action: str, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def session_name(approver: str) -> str:
    """A name that STS takes for a session and its source identity."""
    name = re.sub(r"[^\w+=,.@-]", "-", approver, flags=re.ASCII)[:64]
    if len(name) < 2:
        raise _unfit("a fix needs the Slack user id of whoever approved it")
    return name

"""How one execution role is read with boto3: policies, boundary, trust. What it may do is said in `roles`."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from commands.aws.asking import ask
from commands.aws.errors import Denied, Gone, NotAccepted, Where
from commands.aws.roles import Role

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_T = TypeVar("_T")


def read_role(iam: "IAMClient", role_arn: str) -> Role:
    """One role with its policies, its boundary and its trust policy.

    A part that AWS will not show (denied, or deleted meanwhile) makes that part unknown; when it will not show the role
    itself, or does not answer, that is AwsProblem.
    IAM: iam:GetRole, iam:ListRolePolicies, iam:GetRolePolicy, iam:ListAttachedRolePolicies, iam:GetPolicy,
    iam:GetPolicyVersion; where listing is denied, iam:GetAccountAuthorizationDetails, which the audit has in any case.
    """
    name = role_arn.rpartition("/")[2]
    account = role_arn.partition(":role/")[0].rpartition(":")[2]
    where: Where = {"account": account, "service": "iam"}
    told = ask(lambda: iam.get_role(RoleName=name)["Role"], **where)
    inline = _unless_hidden(lambda: _inline_policies(iam, name), where)
    attached = _unless_hidden(lambda: _attached_policies(iam, name), where) if inline is not None else None
    if inline is None or attached is None:
        whole = _unless_hidden(lambda: _policies_from_bulk(iam, told["Arn"]), where)
        inline, attached = whole or (inline, attached)
    boundary_arn = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    boundary = _unless_hidden(lambda: _managed_policy(iam, boundary_arn), where) if boundary_arn else None
    documents = {**(inline or {}), **(attached or {})}
    return Role(
        arn=told["Arn"],
        policies=tuple(documents.values()),
        policy_names=tuple(documents),
        policies_unknown=inline is None or attached is None,
        boundary=boundary,
        boundary_unknown=bool(boundary_arn) and boundary is None,
        trust=cast("Mapping[str, Any] | None", told.get("AssumeRolePolicyDocument")),
        path=told["Path"],
        tags=tuple((tag["Key"], tag["Value"]) for tag in told.get("Tags", ())),
    )


def _inline_policies(iam: "IAMClient", role: str) -> dict[str, Mapping[str, Any]]:
    pages = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    names = [name for page in pages for name in page["PolicyNames"]]
    return {name: _inline_policy(iam, role, name) for name in names}


def _inline_policy(iam: "IAMClient", role: str, name: str) -> Mapping[str, Any]:
    answer = iam.get_role_policy(RoleName=role, PolicyName=name)
    return cast("Mapping[str, Any]", answer["PolicyDocument"])  # botocore decodes it


def _attached_policies(iam: "IAMClient", role: str) -> dict[str, Mapping[str, Any]]:
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    arns = [policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]]
    return {arn: _managed_policy(iam, arn) for arn in arns}


def _policies_from_bulk(
    iam: "IAMClient", role_arn: str
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]] | None:
    """A role's inline and attached policies out of the account's whole listing; None where the role is not in it."""
    pages = iam.get_paginator("get_account_authorization_details").paginate(Filter=["Role"])
    found = next((one for page in pages for one in page["RoleDetailList"] if one["Arn"] == role_arn), None)
    if found is None:
        return None
    inline = {
        one["PolicyName"]: cast("Mapping[str, Any]", one["PolicyDocument"]) for one in found.get("RolePolicyList", [])
    }
    arns = [one["PolicyArn"] for one in found.get("AttachedManagedPolicies", [])]
    return inline, {arn: _managed_policy(iam, arn) for arn in arns}


def _managed_policy(iam: "IAMClient", arn: str) -> Mapping[str, Any]:
    """The document of the default version."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
    return cast("Mapping[str, Any]", answer["Document"])


def _unless_hidden(read: Callable[[], _T], where: Where) -> _T | None:
    """None where AWS denies a part of a role, or where it was deleted while the role was read."""
    try:
        return ask(read, **where)
    except NotAccepted:
        raise  # says nothing of the role
    except (Denied, Gone):
        return None

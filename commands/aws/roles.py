"""What an execution role is, how one is read, and whether it may send segments to X-Ray. Reads only.

Judged from what the policies say, never from their names. Two things are out of sight here: an organization's service
control policies, and session policies (Lambda sets none). Whether AWS's own check at update time weighs boundaries and
conditions as this one does has not been confirmed on a real account.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from commands.aws import policies
from commands.aws.asking import ask
from commands.aws.conditions import Match
from commands.aws.errors import Denied, Gone, NotAccepted, Where
from commands.aws.policies import PolicyRequest, Ruling
from storage.models import MayWrite

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

WRITE = "xray:PutTraceSegments"
TELEMETRY = "xray:PutTelemetryRecords"  # AWS's own Application Signals policy leaves it out, so its lack is a warning

_EDGE = "edgelambda.amazonaws.com"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Role:
    """An execution role with every identity policy's document: inline, customer managed and AWS managed."""

    arn: str
    policies: tuple[Mapping[str, Any], ...]
    boundary: Mapping[str, Any] | None = None  # None: it has none, unless boundary_unknown
    boundary_unknown: bool = False
    policies_unknown: bool = False  # `policies` may lack some
    trust: Mapping[str, Any] | None = None
    path: str = "/"
    policy_names: tuple[str, ...] = ()  # in the order of `policies`, where they are known; only used in sentences

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def service_linked(self) -> bool:
        """AWS lets nobody change the policies of such a role."""
        return self.path.startswith("/aws-service-role/") or ":role/aws-service-role/" in self.arn


def may_write(role: Role, *, account: str) -> MayWrite:
    """Whether functions under this role may call xray:PutTraceSegments; `conditional` when policies alone cannot tell.

    An explicit Deny, or a boundary without the action, settles it even where other policies could not be read.
    """
    return _decide(role, account, WRITE)[0]


def explain(role: Role, account: str) -> str:
    """Why `may_write` says so, as a clause that can follow "because"."""
    return _decide(role, account, WRITE)[1]


def missing_telemetry(role: Role, *, account: str) -> bool:
    """Whether the role certainly may not call xray:PutTelemetryRecords. A warning: traces arrive without it."""
    return _decide(role, account, TELEMETRY)[0] is MayWrite.NO


def granted(role: Role, *, account: str) -> bool:
    """Whether a policy of the role already allows xray:PutTraceSegments without open conditions.

    Then no further policy would help: what keeps the role from writing, if anything, is a Deny or its boundary.
    """
    rulings = _rulings(role, _request(role, account, WRITE))
    return _strongest(rulings, "Allow")[0] is Match.ALWAYS


def with_policy(role: Role, document: Mapping[str, Any]) -> Role:
    """The role as it would be with one more policy."""
    return replace(role, policies=(*role.policies, document), policy_names=(*_names(role), ""))


def trusts_edge(role: Role) -> bool:
    """Whether Lambda@Edge may assume the role; X-Ray does not work there.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
    """
    return role.trust is not None and policies.trusts(role.trust, _EDGE)


# The judgement

_Found = tuple[Match, tuple[Ruling, str] | None]  # how strongly, and the ruling with its policy's name


def _decide(role: Role, account: str, action: str) -> tuple[MayWrite, str]:
    """First what certainly forbids, then what is open; only what is left is a yes."""
    request = _request(role, account, action)
    identity, boundary = _rulings(role, request), _boundary_rulings(role, request)
    denied, deny = _strongest([*identity, *boundary], "Deny")
    allowed, allow = _strongest(identity, "Allow")
    bounded, bound = _strongest(boundary, "Allow")
    if role.boundary is None:
        bounded = Match.ALWAYS
    if denied is Match.ALWAYS:
        return MayWrite.NO, f"an explicit Deny in {_place(deny)} forbids {action}"
    if bounded is Match.NEVER:
        return MayWrite.NO, f"its permissions boundary does not allow {action}{_never(bound)}"
    if allowed is Match.NEVER and not role.policies_unknown:
        return MayWrite.NO, f"no policy allows {action}{_never(allow)}"
    if role.policies_unknown:
        return MayWrite.CONDITIONAL, "not all of its policies could be read"
    if role.boundary_unknown:
        return MayWrite.CONDITIONAL, "its permissions boundary could not be read"
    if denied is Match.MAYBE:
        return MayWrite.CONDITIONAL, _open(deny, f"denies {action}")
    for match, found in ((allowed, allow), (bounded, bound)):
        if match is Match.MAYBE:
            return MayWrite.CONDITIONAL, _open(found, f"allows {action} only")
    return MayWrite.YES, f"its policies allow {action}"


def _request(role: Role, account: str, action: str) -> PolicyRequest:
    """What is certain of a call that a function makes with its own role's credentials, over X-Ray's HTTPS endpoint.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    without_path = f"{role.arn.partition(':role/')[0]}:role/{role.name}"
    return PolicyRequest(
        action,
        {
            "aws:principalaccount": (account,),
            "aws:resourceaccount": (account,),  # AWS's own Application Signals policy rests on it
            "aws:principalarn": tuple({role.arn, without_path}),
            "aws:principaltype": ("AssumedRole",),
            "aws:principalisawsservice": ("false",),
            "aws:viaawsservice": ("false",),
            "aws:calledviafirst": (None,),
            "aws:calledvialast": (None,),
            "aws:securetransport": ("true",),
            "aws:username": (None,),
            "aws:multifactorauthage": (None,),
            "aws:multifactorauthpresent": (None, "false"),
            "aws:ismcpserviceaction": (None, "false"),  # X-Ray's actions are not an MCP server's
        },
    )


def _rulings(role: Role, request: PolicyRequest) -> list[tuple[Ruling, str]]:
    return [
        (ruling, f"policy `{name}`" if name else "one of its policies")
        for document, name in zip(role.policies, _names(role), strict=True)
        for ruling in policies.rulings(document, request)
    ]


def _names(role: Role) -> tuple[str, ...]:
    return role.policy_names if len(role.policy_names) == len(role.policies) else ("",) * len(role.policies)


def _boundary_rulings(role: Role, request: PolicyRequest) -> list[tuple[Ruling, str]]:
    if role.boundary is None:
        return []
    return [(ruling, "its permissions boundary") for ruling in policies.rulings(role.boundary, request)]


def _strongest(rulings: list[tuple[Ruling, str]], effect: str) -> _Found:
    found = max((item for item in rulings if item[0].effect == effect), key=lambda item: item[0].match, default=None)
    return (Match.NEVER, None) if found is None else (found[0].match, found)


def _place(found: tuple[Ruling, str] | None) -> str:
    if found is None:
        return "one of its policies"
    ruling, place = found
    return f"{place} (statement `{ruling.sid}`)" if ruling.sid else place


def _keys(found: tuple[Ruling, str] | None) -> str:
    return " and ".join(f"`{key}`" for key in found[0].keys) if found and found[0].keys else "the request"


def _never(found: tuple[Ruling, str] | None) -> str:
    """The rest of a refusal where a statement names the action and never applies."""
    return f", except under a condition on {_keys(found)} that no function meets" if found else ""


def _open(found: tuple[Ruling, str] | None, what: str) -> str:
    if found is not None and found[0].malformed:
        return f"{_place(found)} holds something that is not an IAM policy"
    return f"{_place(found)} {what} under a condition on {_keys(found)}"


# Reading one role


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

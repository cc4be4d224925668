"""IAM as AWS answers it: when a change of a role counts, bulk reads in pages, quotas."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from moto.iam.models import iam_backends

from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.policies import Document, Grants
from bot.demo.aws.protocol import AwsError, Handler, Request

# Calls after which a role may do something else than before.
CHANGES = frozenset(
    {
        "CreateRole",
        "DeleteRole",
        "AttachRolePolicy",
        "DetachRolePolicy",
        "PutRolePolicy",
        "DeleteRolePolicy",
        "PutRolePermissionsBoundary",
        "DeleteRolePermissionsBoundary",
        "CreatePolicyVersion",
        "SetDefaultPolicyVersion",
    }
)
_PROTECTED = "/aws-service-role/"
_NOBODY = Grants(identity=())
_INLINE_CHARACTERS = 10_240  # of all inline policies of a role together, white space aside

_View = Mapping[str, Grants]  # by role ARN


def iam(account: str) -> Any:
    """moto's IAM of an account."""
    return iam_backends[account]["aws"]


class Roles:
    """What roles may do, now and as the rest of AWS sees it a moment later."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._before: dict[str, list[tuple[datetime, _View]]] = {}  # each change with what it ended

    def handlers(self) -> dict[str, Handler]:
        return {
            "GetAccountAuthorizationDetails": self._authorization_details,
            "GetAccountSummary": self._summary,
        }

    def before(self, request: Request) -> None:
        """What has to be done or refused before moto changes anything."""
        name = request.params.get("RoleName")
        role = _role(request.account, name)
        if request.action in CHANGES and role is not None:
            if role.path.startswith(_PROTECTED):
                text = (
                    f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
                )
                raise AwsError("UnmodifiableEntity", text)
            if request.action == "AttachRolePolicy":
                self._refuse_beyond_quota(role, request.params["PolicyArn"])
            if request.action == "PutRolePolicy":
                _refuse_beyond_size(role, request.params["PolicyName"], request.params["PolicyDocument"])
        if request.action in CHANGES:
            self._remember(request)

    def _remember(self, request: Request) -> None:
        """Keep what the roles that change now may do until now: for `iam_delay` the rest of AWS goes on seeing that."""
        now = self._knobs.clock()
        kept = [entry for entry in self._before.get(request.account, []) if entry[0] + self._knobs.iam_delay > now]
        view = {arn: self.grants(request.account, arn) for arn in _changing(request)}
        self._before[request.account] = [*kept, (now, view)]

    def settle(self) -> None:
        """Let every change count now."""
        self._before.clear()

    def exists(self, account: str, role_arn: str) -> bool:
        return _of_arn(account, role_arn) is not None

    def grants(self, account: str, role_arn: str) -> Grants:
        """What a role may do from this moment on."""
        role = _of_arn(account, role_arn)
        return _NOBODY if role is None else _grants(account, role)

    def propagated(self, account: str, role_arn: str) -> Grants:
        """What a role may do as the other services see it: changes younger than `iam_delay` do not count yet."""
        since = self._knobs.clock() - self._knobs.iam_delay
        for changed, view in self._before.get(account, []):
            if changed > since and role_arn in view:
                return view[role_arn]
        return self.grants(account, role_arn)

    def may_trace(self, account: str, role_arn: str) -> bool:
        """Lambda's own check before it accepts Active."""
        context = {"aws:PrincipalAccount": account, "aws:ResourceAccount": account, "aws:PrincipalArn": role_arn}
        return self.propagated(account, role_arn).allow("xray:PutTraceSegments", "*", context)

    def _refuse_beyond_quota(self, role: Any, policy: str) -> None:
        quota = self._knobs.policies_per_role
        if policy not in role.managed_policies and len(role.managed_policies) >= quota:
            raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {quota}", 409)

    def _summary(self, request: Request) -> Mapping[str, Any]:
        summary = dict(iam(request.account).account_summary.summary_map)
        return {"SummaryMap": summary | {"AttachedPoliciesPerRoleQuota": self._knobs.policies_per_role}}

    def _authorization_details(self, request: Request) -> Mapping[str, Any]:
        asked, backend = request.params, iam(request.account)
        wanted = set(asked.get("Filter") or ["User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"])
        details: list[tuple[str, str, dict[str, Any]]] = []
        if "User" in wanted:
            details += [("UserDetailList", user.name, _user(user)) for user in backend.users.values()]
        if "Group" in wanted:
            details += [("GroupDetailList", group.name, _group(group)) for group in backend.groups.values()]
        if "Role" in wanted:
            details += [("RoleDetailList", role.name, _role_detail(role)) for role in backend.roles.values()]
        for policy in list(backend.managed_policies.values()):
            ours = ":iam::aws:policy" not in policy.arn
            # Of its own policies AWS gives those in use; said so in public reports, not in the documentation.
            if ("LocalManagedPolicy" in wanted and ours) or (
                "AWSManagedPolicy" in wanted and not ours and _in_use(policy)
            ):
                details.append(("Policies", policy.arn, _policy(policy)))
        refusal = AwsError("ValidationError", "Invalid Marker.")
        size = min(1000, int(asked.get("MaxItems") or 100))
        shown, after = page(details, size, asked.get("Marker"), lambda detail: f"{detail[0]}\0{detail[1]}", refusal)
        result: dict[str, Any] = {"IsTruncated": after is not None, "Marker": after}
        for kind in ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"):
            result[kind] = [detail for listed, _, detail in shown if listed == kind]
        return result


def _refuse_beyond_size(role: Any, name: str, document: str) -> None:
    policies = {**role.policies, name: document}
    if sum(len("".join(each.split())) for each in policies.values()) > _INLINE_CHARACTERS:
        text = f"Maximum policy size of {_INLINE_CHARACTERS} bytes exceeded for role {role.name}"
        raise AwsError("LimitExceeded", text, 409)


def documents(holder: Any) -> tuple[Document, ...]:
    """The inline and attached policies of a role, user or group of moto's."""
    attached = [_default_document(policy) for policy in holder.managed_policies.values()]
    return (*(_parsed(document) for document in holder.policies.values()), *attached)


def user_grants(account: str, user: Any) -> Grants:
    """What an IAM user may do, its groups included."""
    backend = iam(account)
    groups = [group for group in backend.groups.values() if user in group.users]
    return Grants(sum((documents(holder) for holder in [user, *groups]), ()))


def _grants(account: str, role: Any) -> Grants:
    backend = iam(account)
    boundary = None
    if role.permissions_boundary_arn:
        policy = backend.managed_policies.get(role.permissions_boundary_arn)
        boundary = (_default_document(policy),) if policy else ()  # a boundary that is gone lets nothing through
    return Grants(documents(role), boundary)


def _role(account: str, name: str | None) -> Any:
    return next((role for role in list(iam(account).roles.values()) if role.name == name), None)


def _of_arn(account: str, arn: str) -> Any:
    role = _role(account, arn.rpartition("/")[2])
    return role if role is not None and role.arn == arn else None


def _changing(request: Request) -> list[str]:
    """ARNs of the roles that a call in CHANGES is about, the one that it creates included."""
    if name := request.params.get("RoleName"):
        role = _role(request.account, name)
        return [role.arn if role else f"arn:aws:iam::{request.account}:role{request.params.get('Path') or '/'}{name}"]
    policy = request.params["PolicyArn"]
    roles = list(iam(request.account).roles.values())
    return [role.arn for role in roles if policy in (*role.managed_policies, role.permissions_boundary_arn)]


def _default_document(policy: Any) -> Document:
    return _parsed(next(version.document for version in policy.versions if version.is_default))


def _parsed(document: str) -> Document:
    parsed: Document = json.loads(document)
    return parsed


def _in_use(policy: Any) -> bool:
    return bool(policy.attachment_count)


def _inline(policies: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"PolicyName": name, "PolicyDocument": quote(document)} for name, document in policies.items()]


def _attached(holder: Any) -> list[dict[str, str]]:
    return [{"PolicyName": policy.name, "PolicyArn": policy.arn} for policy in holder.managed_policies.values()]


def _role_detail(role: Any) -> dict[str, Any]:
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.create_date,
        "AssumeRolePolicyDocument": quote(role.assume_role_policy_document),
        "InstanceProfileList": [],
        "RolePolicyList": _inline(role.policies),
        "AttachedManagedPolicies": _attached(role),
        "PermissionsBoundary": role.permissions_boundary,
        "Tags": list(role.tags.values()) if isinstance(role.tags, dict) else role.tags or [],
        "RoleLastUsed": {},
    }


def _user(user: Any) -> dict[str, Any]:
    return {
        "Path": user.path,
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn,
        "CreateDate": user.create_date,
        "UserPolicyList": _inline(user.policies),
        "GroupList": [],
        "AttachedManagedPolicies": _attached(user),
        "Tags": [],
    }


def _group(group: Any) -> dict[str, Any]:
    return {
        "Path": group.path,
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": group.arn,
        "CreateDate": group.create_date,
        "GroupPolicyList": _inline(group.policies),
        "AttachedManagedPolicies": _attached(group),
    }


def _policy(policy: Any) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": policy.attachment_count,
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": True,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
        "PolicyVersionList": policy.policy_version_list,
    }

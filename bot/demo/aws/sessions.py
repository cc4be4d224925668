"""Who calls, and who may become whom: STS's AssumeRole, and what a session may then do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from bot.demo.aws.budgets import CHANGES as BUDGET_CHANGES
from bot.demo.aws.budgets import resource as budget_resource
from bot.demo.aws.knobs import Knobs
from bot.demo.aws.policies import Conditions, Document, Grants, trusts
from bot.demo.aws.protocol import AwsError, Handler, Request
from bot.demo.aws.roles import Roles, iam, user_grants

DEFAULT_ACCOUNT = "123456789012"  # of keys that nobody issued, as moto has it
# What names the resource of a call, the first that is there.
_RESOURCES = {
    "lambda": ("FunctionName", "Resource"),
    "iam": ("RoleName", "PolicyArn", "PolicySourceArn"),
    "sts": ("RoleArn",),
    "config": ("ConfigurationAggregatorName",),
    "sqs": ("QueueUrl",),
}
_PREFIXES = {"resourcegroupstaggingapi": "tag"}
# Actions that IAM names otherwise than the API does, or that nobody has to be allowed.
_FREE = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})


@dataclass(frozen=True, slots=True)
class Session:
    """One successful AssumeRole, with everything that was asked for, so that tests can look."""

    account: str
    role_arn: str
    name: str
    access_key: str
    caller: str  # ARN
    at: datetime
    duration_seconds: int
    source_identity: str | None
    external_id: str | None
    policy: Document | None
    policy_arns: tuple[str, ...]
    tags: Mapping[str, str]

    @property
    def arn(self) -> str:
        return f"arn:aws:sts::{self.account}:assumed-role/{self.role_arn.rpartition('/')[2]}/{self.name}"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who signed a call. `grants` is None for keys that nobody issued: they may do everything in their account."""

    arn: str
    account: str
    grants: Grants | None = None
    session: Session | None = None


class Sessions:
    """Access keys and the roles behind them."""

    def __init__(self, knobs: Knobs, roles: Roles) -> None:
        self._knobs, self._roles = knobs, roles
        self.issued: dict[str, Session] = {}  # by access key

    def handlers(self) -> dict[str, Handler]:
        return {"AssumeRole": self._assume_role}

    def principal(self, access_key: str) -> Principal:
        if session := self.issued.get(access_key):
            grants = self._roles.grants(session.account, session.role_arn)
            narrowed = _session_documents(session)
            return Principal(session.arn, session.account, Grants(grants.identity, grants.boundary, narrowed), session)
        for account in list(iam_backends):
            key = iam(account).access_keys.get(access_key)
            if key is not None and getattr(key, "user_name", None):
                user = iam(account).get_user(key.user_name)
                return Principal(user.arn, account, user_grants(account, user))
        return Principal(f"arn:aws:iam::{DEFAULT_ACCOUNT}:user/nobody", DEFAULT_ACCOUNT)

    def authorize(self, request: Request, principal: Principal) -> None:
        """Refuse what the caller's policies do not allow, in AWS's words.

        The action is taken to have the operation's name, and the resource to be `*`, save for functions, roles,
        policies, aggregators, queues and budgets.
        """
        if (session := principal.session) is not None:
            age = (self._knobs.clock() - session.at).total_seconds()
            if age >= session.duration_seconds:
                raise AwsError("ExpiredTokenException", "The security token included in the request is expired", 403)
        if principal.grants is None or (request.service, request.action) in _FREE:
            return
        action = _action(request)
        resource = _resource(request)
        if not principal.grants.allow(action, resource, _context(request, principal)):
            raise denied(request, principal, action, resource)

    def _assume_role(self, request: Request) -> Mapping[str, Any]:
        asked, caller = request.params, self.principal(request.access_key)
        arn, name = asked["RoleArn"], asked["RoleSessionName"]
        account = arn.split(":")[4] if arn.count(":") >= 5 else ""
        role = next((r for r in list(iam(account).roles.values()) if r.arn == arn), None) if account.isdigit() else None
        tags = {tag["Key"]: tag["Value"] for tag in asked.get("Tags") or []}
        if role is None or not self._trusted(role, caller, asked):
            raise denied(request, caller, "sts:AssumeRole", arn)
        duration = int(asked.get("DurationSeconds") or 3600)
        _refuse_length(duration, role, chained=caller.session is not None)
        assumed = sts_backends[caller.account]["aws"].assume_role(
            region_name=request.region,
            role_session_name=name,
            role_arn=arn,
            policy=asked.get("Policy") or "",
            duration=duration,
            external_id=asked.get("ExternalId") or "",
        )
        session = Session(
            account=account,
            role_arn=arn,
            name=name,
            access_key=assumed.access_key_id,
            caller=caller.arn,
            at=self._knobs.clock(),
            duration_seconds=duration,
            source_identity=asked.get("SourceIdentity"),
            external_id=asked.get("ExternalId"),
            policy=json.loads(asked["Policy"]) if asked.get("Policy") else None,
            policy_arns=tuple(entry["arn"] for entry in asked.get("PolicyArns") or []),
            tags=tags,
        )
        self.issued[session.access_key] = session
        return {
            "Credentials": {
                "AccessKeyId": assumed.access_key_id,
                "SecretAccessKey": assumed.secret_access_key,
                "SessionToken": assumed.session_token,
                "Expiration": session.at + timedelta(seconds=duration),
            },
            "AssumedRoleUser": {"AssumedRoleId": assumed.user_id, "Arn": session.arn},
            "PackedPolicySize": 6,
            "SourceIdentity": session.source_identity,
        }

    def _trusted(self, role: Any, caller: Principal, asked: Mapping[str, Any]) -> bool:
        """The trust policy's word, for each action that the call needs."""
        identity = asked.get("SourceIdentity")
        context = {"aws:PrincipalArn": _role_arn(caller), "aws:PrincipalAccount": caller.account}
        context["sts:RoleSessionName"] = asked["RoleSessionName"]
        if asked.get("ExternalId"):
            context["sts:ExternalId"] = asked["ExternalId"]
        if identity:
            context["sts:SourceIdentity"] = identity
        names = [caller.arn, _role_arn(caller), caller.account, f"arn:aws:iam::{caller.account}:root"]
        needed = ["sts:AssumeRole", *(["sts:SetSourceIdentity"] if identity else [])]
        needed += ["sts:TagSession"] if asked.get("Tags") else []
        document = json.loads(role.assume_role_policy_document)
        return all(trusts(document, names, action, context) for action in needed)


def denied(request: Request, principal: Principal, action: str, resource: str, by: str = "") -> AwsError:
    """AWS's refusal, with the code that the service's protocol uses for it. `by`: what has an explicit deny.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
    text += f" with an explicit deny in {by}" if by else f" because no identity-based policy allows the {action} action"
    if request.protocol == "ec2":
        return AwsError("UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", 403)
    if request.protocol == "query":
        return AwsError("AccessDenied", text, 403)
    return AwsError("AccessDeniedException", text, 403 if request.protocol.startswith("rest") else 400)


def _refuse_length(duration: int, role: Any, chained: bool) -> None:
    if duration < 900 or duration > 43_200:
        raise AwsError("ValidationError", f"Value '{duration}' at 'durationSeconds' must be between 900 and 43200")
    if chained and duration > 3600:
        text = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise AwsError("ValidationError", text)
    if duration > int(role.max_session_duration or 3600):
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )


def _role_arn(principal: Principal) -> str:
    return principal.session.role_arn if principal.session else principal.arn


def _session_documents(session: Session) -> tuple[Document, ...] | None:
    if session.policy is None and not session.policy_arns:
        return None
    attached = [iam(session.account).managed_policies.get(arn) for arn in session.policy_arns]
    default = [json.loads(v.document) for policy in attached if policy for v in policy.versions if v.is_default]
    return (*([session.policy] if session.policy is not None else []), *default)


def _action(request: Request) -> str:
    """By IAM's name."""
    if request.service == "budgets":
        return "budgets:ModifyBudget" if request.action in BUDGET_CHANGES else "budgets:ViewBudget"
    name = request.action.removesuffix("Batch") if request.service == "sqs" else request.action
    return f"{_PREFIXES.get(request.service, request.service)}:{name}"


def _resource(request: Request) -> str:
    if request.service == "budgets":
        return budget_resource(request)
    named = next(filter(None, map(request.params.get, _RESOURCES.get(request.service, ()))), None)
    if not named:
        return "*"
    place = f"{request.region}:{request.account}"
    match request.service:
        case "lambda":
            name = named.partition(":function:")[2] or named
            qualifier = request.params.get("Qualifier")
            return f"arn:aws:lambda:{place}:function:{name}" + (f":{qualifier}" if qualifier else "")
        case "iam" if not named.startswith("arn:"):
            role = next((role for role in list(iam(request.account).roles.values()) if role.name == named), None)
            return str(role.arn) if role else f"arn:aws:iam::{request.account}:role/{named}"
        case "config":
            return f"arn:aws:config:{place}:config-aggregator/{named}"
        case "sqs":
            return f"arn:aws:sqs:{request.region}:{':'.join(named.split('/')[-2:])}"
    return str(named)


def _context(request: Request, principal: Principal) -> Conditions:
    known = {
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalArn": _role_arn(principal),
        "aws:RequestedRegion": request.region,
        "aws:ResourceAccount": request.account,
    }
    if principal.session and principal.session.source_identity:
        known["aws:SourceIdentity"] = principal.session.source_identity
    if request.service == "iam" and "PolicyArn" in request.params:
        known["iam:PolicyARN"] = request.params["PolicyArn"]
    if request.service == "cloudwatch" and "Namespace" in request.params:
        known["cloudwatch:namespace"] = request.params["Namespace"]
    return known

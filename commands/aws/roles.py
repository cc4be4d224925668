"""What an execution role is, and whether it may send segments to X-Ray. Pure; how one is read is in `one_role`.

Judged from what the policies say, never from their names. Two things are out of sight here: an organization's service
control policies, and session policies (Lambda sets none). Whether AWS's own check at update time weighs boundaries and
conditions as this one does has not been confirmed on a real account.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from commands.aws import policies
from commands.aws.conditions import Match
from commands.aws.policies import PolicyRequest, Ruling
from storage.models import MayWrite

WRITE = "xray:PutTraceSegments"
TELEMETRY = "xray:PutTelemetryRecords"  # AWS's own Application Signals policy leaves it out, so its lack is a warning

_TIMES = frozenset({"aws:currenttime", "aws:epochtime"})
_EDGE = "edgelambda.amazonaws.com"


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
    policy_names: tuple[str, ...] = ()  # in the order of `policies`, where they are known: managed ones by their ARNs
    tags: tuple[tuple[str, str], ...] = ()  # where the role was read alone

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def service_linked(self) -> bool:
        """AWS lets nobody change the policies of such a role."""
        return self.path.startswith("/aws-service-role/") or ":role/aws-service-role/" in self.arn


class Judgement(msgspec.Struct, frozen=True):
    """Whether functions under a role may write to X-Ray, and where that is open, why."""

    may_write: MayWrite | None = None  # None: the role could not be read
    doubt: str = ""  # a clause that can follow "cannot be told:"


def judge(role: Role, *, account: str) -> Judgement:
    """`may_write` and what keeps it open, in few words: first of all the condition keys."""
    decision, why, keys = _decide(role, account, WRITE)
    if decision is not MayWrite.CONDITIONAL:
        return Judgement(decision)
    return Judgement(decision, f"it depends on {_quoted(keys)}" if keys else why)


def may_write(role: Role, *, account: str) -> MayWrite:
    """Whether functions under this role may call xray:PutTraceSegments; `conditional` when policies alone cannot tell.

    An explicit Deny, or a boundary without the action, settles it even where other policies could not be read.
    """
    return _decide(role, account, WRITE)[0]


def explain(role: Role, account: str) -> str:
    """Why `may_write` says so, as a clause that can follow "because"."""
    return _decide(role, account, WRITE)[1]


def certain(role: Role, *, account: str) -> dict[str, str]:
    """What is the same in every call that a function makes under the role, by condition key."""
    facts = _facts(role, account)
    return {key: values[0] for key, values in facts.items() if len(values) == 1 and values[0] is not None}


def boundary_out_of_sight(role: Role, *, account: str) -> bool:
    """Whether its permissions boundary is unknown, or hangs on a condition of which more than the time is not known."""
    rulings = _boundary_rulings(role, _request(role, account, WRITE))
    return role.boundary_unknown or any(
        ruling.match is Match.MAYBE and not (ruling.keys and {key.lower() for key in ruling.keys} <= _TIMES)
        for ruling, _ in rulings
    )


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


def _decide(role: Role, account: str, action: str) -> tuple[MayWrite, str, tuple[str, ...]]:
    """The answer, why, and the condition keys that keep it open.

    First what certainly forbids, then what is open; only what is left is a yes.
    """
    request = _request(role, account, action)
    identity, boundary = _rulings(role, request), _boundary_rulings(role, request)
    denied, deny = _strongest([*identity, *boundary], "Deny")
    allowed, allow = _strongest(identity, "Allow")
    bounded, bound = _strongest(boundary, "Allow")
    if role.boundary is None:
        bounded = Match.ALWAYS
    if denied is Match.ALWAYS:
        return MayWrite.NO, f"an explicit Deny in {_place(deny)} forbids {action}", ()
    if bounded is Match.NEVER:
        return MayWrite.NO, f"its permissions boundary does not allow {action}{_never(bound)}", ()
    if allowed is Match.NEVER and not role.policies_unknown:
        return MayWrite.NO, f"no policy allows {action}{_never(allow)}", ()
    if role.policies_unknown:
        return MayWrite.CONDITIONAL, "not all of its policies could be read", ()
    if role.boundary_unknown:
        return MayWrite.CONDITIONAL, "its permissions boundary could not be read", ()
    open_keys = _open_keys(identity, boundary)
    if denied is Match.MAYBE:
        return MayWrite.CONDITIONAL, _open(deny, f"denies {action}"), open_keys
    for match, found in ((allowed, allow), (bounded, bound)):
        if match is Match.MAYBE:
            return MayWrite.CONDITIONAL, _open(found, f"allows {action} only"), open_keys
    return MayWrite.YES, f"its policies allow {action}", ()


def _open_keys(*layers: list[tuple[Ruling, str]]) -> tuple[str, ...]:
    """The keys of every statement whose condition, if it were known, could change the answer."""
    decided = [_strongest(layer, "Allow")[0] is Match.ALWAYS for layer in layers]
    deciding = [
        ruling
        for layer, allows in zip(layers, decided, strict=True)
        for ruling, _ in layer
        if ruling.match is Match.MAYBE and (ruling.effect == "Deny" or not allows)
    ]
    return tuple(dict.fromkeys(key for ruling in deciding for key in ruling.keys))


def _request(role: Role, account: str, action: str) -> PolicyRequest:
    return PolicyRequest(action, {key.lower(): values for key, values in _facts(role, account).items()})


def _facts(role: Role, account: str) -> dict[str, tuple[str | None, ...]]:
    """What is known of a call that a function makes with its own role's credentials, over X-Ray's HTTPS endpoint.

    Each condition key, as AWS spells it, with the values that it may have; None where it may be absent.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    without_path = f"{role.arn.partition(':role/')[0]}:role/{role.name}"
    return {
        "aws:PrincipalAccount": (account,),
        "aws:ResourceAccount": (account,),  # AWS's own Application Signals policy rests on it
        "aws:PrincipalArn": tuple({role.arn, without_path}),
        "aws:PrincipalType": ("AssumedRole",),
        "aws:PrincipalIsAWSService": ("false",),
        "aws:ViaAWSService": ("false",),
        "aws:CalledViaFirst": (None,),
        "aws:CalledViaLast": (None,),
        "aws:SecureTransport": ("true",),
        "aws:username": (None,),
        "aws:MultiFactorAuthAge": (None,),
        "aws:MultiFactorAuthPresent": (None, "false"),
        "aws:IsMcpServiceAction": (None, "false"),  # X-Ray's actions are not an MCP server's
    }


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
    return _quoted(found[0].keys) if found and found[0].keys else "the request"


def _quoted(keys: Iterable[str]) -> str:
    return " and ".join(f"`{key}`" for key in keys)


def _never(found: tuple[Ruling, str] | None) -> str:
    """The rest of a refusal where a statement names the action and never applies."""
    return f", except under a condition on {_keys(found)} that no function meets" if found else ""


def _open(found: tuple[Ruling, str] | None, what: str) -> str:
    if found is not None and found[0].malformed:
        return f"{_place(found)} holds something that is not an IAM policy"
    return f"{_place(found)} {what} under a condition on {_keys(found)}"

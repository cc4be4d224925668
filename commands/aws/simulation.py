"""What AWS's own policy simulator makes of a role that its policies leave open: the question, and what to believe.

The question is asked once for a role, with all that is certain of a function's own call, by the audit over the wire
(`simulator`) and with boto3 where one function is looked at. A "no" or "yes" is believed only where nothing that
the simulator does not know could change it; all else stays `conditional`, which is never a pass:

- Keys that policies ask for and nobody gave are evaluated as absent, and listed as missing; then nothing is believed.
  That list leaves out what only service control policies ask for, and by its description (identity-based and
  resource-based policies) a permissions boundary's keys too. So where the attached boundary, which is simulated, hangs
  on more than the time, what it makes of the call is not believed: no "no" that comes from it, and no "yes" at all.
- Service control policies are simulated as well, in some accounts wrongly (https://github.com/aws/aws-sdk/issues/102),
  and with their keys absent. They end the simulation, so a refusal by them says nothing of the role, and is no "no".
- Resource control policies, session policies and VPC endpoint policies are not simulated; X-Ray knows none of the
  first, and Lambda sets none of the second.

UNCONFIRMED on a real account: that the simulator takes every key that is given here as it takes aws:ResourceAccount;
that it lists a key as missing which it could take from the role itself (aws:PrincipalTag/…); its rate limit; and that
Lambda's own check at an update agrees. What hangs on the time is answered for now. It has been seen to list keys of
statements about other actions as missing too (https://github.com/boto/boto3/issues/3111): such a role stays open.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from commands.aws import roles
from commands.aws.asking import ask
from commands.aws.errors import AwsProblem, Throttled, Unreachable
from commands.aws.roles import Judgement, Role
from storage.models import MayWrite

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.literals import ContextKeyTypeEnumType
    from mypy_boto3_iam.type_defs import ContextEntryTypeDef, EvaluationResultTypeDef

_ANSWERS = {"allowed": MayWrite.YES, "implicitDeny": MayWrite.NO, "explicitDeny": MayWrite.NO}


class Simulated(NamedTuple):
    """One evaluation, as the simulator gave it."""

    decision: str  # "allowed", "implicitDeny" or "explicitDeny"
    missing: tuple[str, ...] = ()  # condition keys that policies ask for and nobody gave
    by_boundary: bool | None = None  # None: there is no boundary
    by_organization: bool | None = (
        None  # whether service control policies allow it; None: there are none, or it is not said
    )


def worth_asking(role: Role, judgement: Judgement) -> bool:
    """Whether the simulator can know more than we do, and say so."""
    unread = role.policies_unknown or role.boundary_unknown
    return judgement.may_write is MayWrite.CONDITIONAL and not unread


def believe(said: Simulated, role: Role, judgement: Judgement, *, account: str) -> Judgement:
    """The judgement, settled where what the simulator said settles it."""
    answer = _ANSWERS.get(said.decision)
    if answer is None or said.missing:
        return judgement
    if said.by_organization is False:
        return Judgement(judgement.may_write, "a policy of its organization may forbid it")
    if answer is MayWrite.YES and said.by_boundary is False:
        return judgement  # the answer contradicts itself
    by_boundary = answer is MayWrite.YES or said.by_boundary is False
    if by_boundary and roles.boundary_out_of_sight(role, account=account):
        return judgement
    return Judgement(answer)


def in_vain(problem: AwsProblem) -> bool:
    """Whether AWS gave no answer at all; a refusal is one, about one role."""
    return isinstance(problem, Throttled | Unreachable) or problem.status >= 500


def question(role: Role, *, account: str, now: datetime) -> dict[str, str]:
    """The form that asks whether functions under the role may write, if they did so `now`."""
    form = {"PolicySourceArn": role.arn, "ActionNames.member.1": roles.WRITE}
    for number, (key, kind, value) in enumerate(_context(role, account, now), 1):
        entry = f"ContextEntries.member.{number}"
        form[f"{entry}.ContextKeyName"] = key
        form[f"{entry}.ContextKeyType"] = kind
        form[f"{entry}.ContextKeyValues.member.1"] = value
    return form


def settle(iam: "IAMClient", role: Role, judgement: Judgement, *, account: str, now: datetime) -> Judgement:
    """The same question, asked with boto3. Where AWS refuses or does not answer, the judgement stands.

    IAM: iam:SimulatePrincipalPolicy.
    """
    if not worth_asking(role, judgement):
        return judgement
    entries: list[ContextEntryTypeDef] = [
        {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": [value]}
        for key, kind, value in _context(role, account, now)
    ]
    pages = iam.get_paginator("simulate_principal_policy")
    asked = pages.paginate(PolicySourceArn=role.arn, ActionNames=[roles.WRITE], ContextEntries=entries)
    try:
        found = ask(
            lambda: [one for page in asked for one in page["EvaluationResults"]], account=account, service="iam"
        )
    except AwsProblem:
        return judgement
    return believe(_simulated(found[0]), role, judgement, account=account) if found else judgement


def _simulated(result: "EvaluationResultTypeDef") -> Simulated:
    return Simulated(
        decision=result["EvalDecision"],
        missing=tuple(result.get("MissingContextValues", ())),
        by_boundary=result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary"),
        by_organization=result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations"),
    )


def _context(role: Role, account: str, now: datetime) -> Iterator[tuple[str, "ContextKeyTypeEnumType", str]]:
    """What is certain of a call: each condition key with the kind of its value."""
    for key, value in roles.certain(role, account=account).items():
        yield key, "boolean" if value in ("true", "false") else "string", value
    yield "aws:CurrentTime", "date", now.strftime("%Y-%m-%dT%H:%M:%SZ")
    yield "aws:EpochTime", "numeric", str(int(now.timestamp()))

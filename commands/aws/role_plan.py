"""What a fix would do to an execution role, and why some are left alone. Changes nothing."""

from dataclasses import dataclass

from commands.aws import roles
from commands.aws.errors import Gone
from commands.aws.reader import Reader
from commands.aws.roles import TELEMETRY, WRITE, Role
from commands.aws.tags import tag_facts
from storage.fixes import RoleStep
from storage.models import Manager, MayWrite

DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [WRITE, TELEMETRY], "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class RolePlan:
    """As FixPlan has it."""

    may_write: MayWrite | None
    step: RoleStep
    manager: Manager | None = None
    blocked: str = ""

    @property
    def changes(self) -> bool:
        return self.step in (RoleStep.ATTACH, RoleStep.INLINE)


def plan_role(reader: Reader, arn: str, *, patch_only: bool) -> RolePlan:
    """`patch_only`: what infrastructure as code deploys is not changed. Raises AwsProblem."""
    if not arn:
        return _blocked("AWS names no execution role for it. Give the function one, then ask again.")
    try:
        role = reader.role(arn)
    except Gone:
        name = arn.rpartition("/")[2]
        return _blocked(f"Its execution role `{name}` does not exist. Give the function one that does, then ask again.")
    if role is None:
        return RolePlan(None, RoleStep.ASK_LAMBDA)
    now, manager = roles.may_write(role, account=reader.account), manager_of(role)
    step = _needed(role, reader.account)
    if step is not RoleStep.ATTACH:
        return RolePlan(now, step, manager)
    why = _refusal(role, reader.account, manager, patch_only=patch_only)
    if why:
        return RolePlan(now, RoleStep.NOTHING, manager, why)
    return RolePlan(now, RoleStep.INLINE if _full(reader, role) else RoleStep.ATTACH, manager)


def _blocked(why: str) -> RolePlan:
    return RolePlan(None, RoleStep.NOTHING, None, why)


def _needed(role: Role, account: str) -> RoleStep:
    now = roles.may_write(role, account=account)
    if now is MayWrite.YES:
        return RoleStep.NOTHING
    if now is MayWrite.CONDITIONAL and (role.policies_unknown or role.boundary_unknown):
        return RoleStep.ASK_LAMBDA  # its own check says more than a guess that changes the role
    if roles.granted(role, account=account) and not _pointless(role, account):
        return RoleStep.ASK_LAMBDA  # what is open is a Deny or the boundary
    return RoleStep.ATTACH


def _pointless(role: Role, account: str) -> bool:
    return roles.may_write(roles.with_policy(role, DOCUMENT), account=account) is MayWrite.NO


def _refusal(role: Role, account: str, manager: Manager | None, *, patch_only: bool) -> str:
    """Why a role that lacks the permission is not given it; "" where it can be."""
    if _pointless(role, account):
        why = roles.explain(roles.with_policy(role, DOCUMENT), account)
        return (
            f"Role `{role.name}` could not write to X-Ray with one more policy either, because {why}. "
            "Whoever owns that rule has to change it."
        )
    if role.service_linked:
        return (
            f"Role `{role.name}` is a service-linked role, and AWS lets nobody change those. "
            "Give the function a role of its own, then ask again."
        )
    if patch_only and manager:
        return (
            f"Role `{role.name}` is deployed by a template, and such roles are changed there only. "
            f"Let it call {WRITE} and {TELEMETRY} in its template, deploy that, then ask again."
        )
    return ""


def manager_of(role: Role) -> Manager | None:
    """What deploys the role, by its tags; SAM marks those that it makes.

    UNCONFIRMED: that CloudFormation gives roles the tags of their stack, as it does functions.
    """
    tags = dict(role.tags)
    by_sam = tags.get("lambda:createdBy") == "SAM"
    return tag_facts(tags, ()).managed_by or (Manager.SAM if by_sam else None)


def _full(reader: Reader, role: Role) -> bool:
    """Whether it certainly has no room for another managed policy."""
    allowed = reader.policies_allowed()
    held = sum(name.startswith("arn:") for name in role.policy_names)
    return allowed is not None and held >= allowed

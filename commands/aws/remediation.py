"""What Lamplighter changes on AWS: the policies of an execution role and the TracingConfig of a function.

The only writes of the project. Every step may be repeated after a crash: attaching a policy and setting Active are
idempotent, and both are decided from what AWS says at that moment. Nothing is reported as done before it was read back.
"""

import json
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from commands.aws import current, roles
from commands.aws.asking import Patience, another, ask, pause
from commands.aws.clients import Clients
from commands.aws.current import Reading
from commands.aws.errors import AwsProblem
from commands.aws.fixing import Fix, FunctionGone, Outcome, RemediationFailed, Step, StepName
from commands.aws.roles import TELEMETRY, WRITE, Role
from storage.models import XRAY_WRITE_POLICY, MayWrite, TracingMode

__all__ = ["Clients", "FunctionGone", "Outcome", "RemediationFailed", "Step", "StepName", "enable_tracing"]

INLINE_POLICY = "lamplighter-xray-write"  # where the role has no room for another managed policy
_DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [WRITE, TELEMETRY], "Resource": "*"}],
}
_REVISIONS = 3  # how often somebody else may change the function while we do
_T = TypeVar("_T")
Steps = Generator[Step, None, _T]


def enable_tracing(
    *,
    reads: Clients,
    writes: Clients,
    function_arn: str,
    attached_before: bool = False,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = pause,
    iam_deadline: float = 90.0,
    update_deadline: float = 180.0,
) -> Steps[Outcome]:
    """Let the role send traces, set TracingConfig of $LATEST to Active, and read it back; yields each step before it.

    `attached_before`: an earlier run of this fix reached its ROLE step, so AWS may not have noticed the policy yet.
    Deadlines are seconds. Raises RemediationFailed, or FunctionGone; nothing of boto3's.
    IAM, for `reads`: lambda:GetFunctionConfiguration, lambda:ListAliases, and what `one_role.read_role` needs.
    IAM, for `writes`: lambda:UpdateFunctionConfiguration, iam:AttachRolePolicy, and iam:PutRolePolicy for roles that
    have no room for a managed policy.
    """
    fix = Fix(reads, writes, function_arn, Patience(clock, wait), iam_deadline, update_deadline)
    yield fix.begin(StepName.READ, f"Reading `{fix.name}` and its execution role")
    first = fix.read_function()
    role = fix.read_role(first.role)
    if attached_before:
        fix.attached = next((name for name in role.policy_names if _is_ours(name)), None)
    granted = yield from _grant(fix, role)
    may_lag = granted or attached_before
    if first.mode is not TracingMode.ACTIVE:
        yield from _set_active(fix, first, may_lag, _role_note(fix, role) if not granted else "")
    if first.mode is not TracingMode.ACTIVE or first.status == "InProgress":
        yield fix.begin(StepName.UPDATE, "Waiting until Lambda has finished the update")
        fix.wait_for_update()
    yield fix.begin(StepName.READ_BACK, f"Reading `{fix.name}` back")
    last = fix.read_back()
    role = fix.read_role_back(first.role) if granted else role
    return Outcome(
        before=first.mode,
        after=last.mode,
        role_may_write=roles.may_write(role, account=fix.account),
        changed=bool(fix.request_ids),
        attached_policy=fix.attached,
        revision_id=last.revision,
        request_ids=tuple(fix.request_ids),
        note="; ".join(filter(None, _notes(fix, role, last))),
    )


# The role


def _grant(fix: Fix, role: Role) -> Steps[bool]:
    """Gives the role what it lacks, if that helps; whether anything was given."""
    now = roles.may_write(role, account=fix.account)
    if now is MayWrite.YES or (now is MayWrite.CONDITIONAL and (role.policies_unknown or role.boundary_unknown)):
        return False  # of a role that cannot be read whole, Lambda's own check says more than a guess that changes it
    with_it = roles.with_policy(role, _DOCUMENT)
    pointless = roles.may_write(with_it, account=fix.account) is MayWrite.NO
    if not pointless and roles.granted(role, account=fix.account):
        return False  # what is open is a Deny or the boundary, and Lambda's own check decides
    yield fix.begin(StepName.ROLE, f"Giving role `{role.name}` permission to send traces")
    if pointless:
        reason = f"Nothing was changed: role `{role.name}` could not write to X-Ray with one more policy either,"
        raise fix.failed(
            f"{reason} because {roles.explain(with_it, fix.account)}. Whoever owns that rule has to change it."
        )
    if role.service_linked:
        reason = f"Role `{role.name}` is a service-linked role, and AWS lets nobody change those."
        raise fix.failed(f"{reason} Give the function a role of its own.")
    _attach(fix, role)
    return True


def _attach(fix: Fix, role: Role) -> None:
    """IAM: iam:AttachRolePolicy; iam:PutRolePolicy where the role's quota of managed policies is used up."""
    arn = f"arn:{role.arn.split(':')[1]}:iam::aws:policy/{XRAY_WRITE_POLICY}"
    iam = fix.writes.iam
    with fix.needing(f"iam:AttachRolePolicy on role `{role.name}`", "fixes"):
        try:
            answer = fix.ask(lambda: iam.attach_role_policy(RoleName=role.name, PolicyArn=arn))
        except AwsProblem as refusal:
            if refusal.code != "LimitExceeded":
                raise
            _put_inline(fix, role)
            return
    fix.attached = arn
    fix.wrote(f"attached {arn} to {role.arn}", answer["ResponseMetadata"]["RequestId"])


def _put_inline(fix: Fix, role: Role) -> None:
    iam, document = fix.writes.iam, json.dumps(_DOCUMENT)
    with fix.needing(
        f"iam:PutRolePolicy on role `{role.name}`, which holds as many managed policies as AWS allows", "fixes"
    ):
        answer = fix.ask(
            lambda: iam.put_role_policy(RoleName=role.name, PolicyName=INLINE_POLICY, PolicyDocument=document)
        )
    fix.attached = INLINE_POLICY
    fix.wrote(f"put inline policy {INLINE_POLICY} into {role.arn}", answer["ResponseMetadata"]["RequestId"])


def _is_ours(policy: str) -> bool:
    return policy == INLINE_POLICY or policy.endswith(f":iam::aws:policy/{XRAY_WRITE_POLICY}")


# The function


def _set_active(fix: Fix, reading: Reading, may_lag: bool, doubt: str) -> Steps[None]:
    """`doubt` is what is not known of the role.

    IAM: lambda:UpdateFunctionConfiguration. iam:PassRole is not needed, for the role stays the same.
    """
    yield fix.begin(StepName.TRACING, f"Setting TracingConfig of `{fix.name}` to Active")
    busy, lagging = fix.patience.pauses(fix.update_deadline), fix.patience.pauses(fix.iam_deadline)
    revisions = iter(range(_REVISIONS))
    while reading.mode is not TracingMode.ACTIVE:  # somebody else may set it meanwhile
        try:
            _update(fix, reading.revision)
            return
        except AwsProblem as refusal:
            again = False
            if refusal.code == "PreconditionFailedException":
                again = another(revisions)
            elif _blames_role(refusal) and may_lag:
                if fix.step is not StepName.WAIT_IAM:
                    yield fix.begin(StepName.WAIT_IAM, "Waiting until Lambda has noticed the role's new permission")
                again = another(lagging)
            elif refusal.transient:
                again = another(busy)
            if not again:
                raise _refused_update(fix, refusal, reading, may_lag, doubt) from refusal
        reading = fix.read_function()


def _update(fix: Fix, revision: str) -> None:
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.update_function_configuration(
            FunctionName=fix.arn, TracingConfig={"Mode": "Active"}, RevisionId=revision
        )
    )
    fix.wrote(f"set TracingConfig of {fix.arn} to Active", answer["ResponseMetadata"]["RequestId"])


def _refused_update(fix: Fix, refusal: AwsProblem, reading: Reading, may_lag: bool, doubt: str) -> Exception:
    role = reading.role.rpartition("/")[2]
    if _blames_role(refusal) and doubt:
        reason = f"Lambda says that role `{role}` may not call {WRITE}, and {doubt}. Nothing was changed."
        reason += " Let Lamplighter's audit role read it (iam:GetAccountAuthorizationDetails), then approve again."
    elif _blames_role(refusal):
        waited = f" even {fix.iam_deadline:.0f} seconds after it was given a policy" if may_lag else ""
        reason = f"Lambda says that role `{role}` may not call {WRITE}{waited}, though its policies allow it or may."
        reason += " Look at the organization's service control policies and the role's conditions, then approve again."
    elif "is no longer supported for creating or updating" in refusal.message:
        reason = f"{_so_far(fix, role)}: AWS no longer allows changes of functions on runtime `{reading.runtime}`."
        reason += " Move it to a newer one, then approve again."
    elif refusal.code == "PreconditionFailedException":
        reason = f"`{fix.name}` was changed by somebody else {_REVISIONS} times while it was being fixed."
        reason += " Approve again when its deployment is over."
    else:
        return fix.refused(refusal, f"lambda:UpdateFunctionConfiguration on `{fix.name}`", "fixes")
    return fix.failed(reason, refusal.code, refusal.request_id)


def _so_far(fix: Fix, role: str) -> str:
    """What this run has changed before it was refused."""
    return (
        f"Role `{role}` was given its permission and nothing else was changed"
        if fix.attached
        else "Nothing was changed"
    )


# Notes


def _notes(fix: Fix, role: Role, last: Reading) -> tuple[str, ...]:
    return _role_note(fix, role), _telemetry_note(fix, role), last.deployment_note, _alias_note(fix)


def _role_note(fix: Fix, role: Role) -> str:
    if roles.may_write(role, account=fix.account) is MayWrite.YES:
        return ""
    return f"whether role `{role.name}` may send traces cannot be told: {roles.explain(role, fix.account)}"


def _telemetry_note(fix: Fix, role: Role) -> str:
    if not roles.missing_telemetry(role, account=fix.account):
        return ""
    return f"its role may not call {TELEMETRY}, which costs statistics, not traces"


def _alias_note(fix: Fix) -> str:
    """A refusal is said here and is no failure: the fix is done."""
    try:
        return current.alias_note(fix.ask(lambda: current.read_aliases(fix.reads.lambda_, fix.arn, None)))
    except AwsProblem as problem:
        return f"which versions its aliases serve could not be read ({problem.code})"


def _blames_role(problem: AwsProblem) -> bool:
    return "PutTraceSegments on XRAY" in problem.message

"""What a fix changes on AWS: the policies of an execution role and the TracingConfig of a function.

Versions and aliases are in `publishing`, and what takes all of it back in `undoing`; nothing else writes. Every step
may be repeated after a crash: what is about to be changed is remembered first, and each step is decided from what AWS
says at that moment. Nothing is reported as done before it was read back.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from commands.aws import publishing, roles
from commands.aws.asking import Patience, another, ask, pause
from commands.aws.clients import Clients
from commands.aws.current import Reading
from commands.aws.errors import AwsProblem
from commands.aws.fixing import (
    REVISIONS,
    Fix,
    FunctionGone,
    Outcome,
    RemediationFailed,
    Step,
    StepName,
    Steps,
    stale,
    unsure,
)
from commands.aws.role_plan import DOCUMENT
from commands.aws.roles import TELEMETRY, WRITE, Role
from storage.fixes import FixPlan, Receipt, RoleStep
from storage.models import XRAY_WRITE_POLICY, MayWrite, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import EmptyResponseMetadataTypeDef

__all__ = ["Clients", "FunctionGone", "Outcome", "RemediationFailed", "Step", "StepName", "enable_tracing"]

INLINE_POLICY = "lamplighter-xray-write"  # where the role has no room for another managed policy


def enable_tracing(
    *,
    reads: Clients,
    writes: Clients,
    function_arn: str,
    plan: FixPlan,
    receipt: Receipt,
    keep: Callable[[Receipt], None],
    lagging: bool = False,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = pause,
    iam_deadline: float = 90.0,
    update_deadline: float = 180.0,
    publish_deadline: float = 600.0,
) -> Steps[Outcome]:
    """Do what `plan` says: the role, $LATEST, versions and aliases; yields each step before it.

    `receipt` is what earlier runs of this fix have changed; `keep` is given it before and after each change, and what
    it raises ends the run there. `lagging`: another fix has given the role its policy a moment ago, and Lambda may not
    have noticed. Deadlines are seconds. Raises RemediationFailed, or FunctionGone; nothing of boto3's.
    IAM, for `reads`: lambda:GetFunctionConfiguration, lambda:ListAliases, and what `one_role.read_role` needs.
    IAM, for `writes`: lambda:UpdateFunctionConfiguration; where the plan says so iam:AttachRolePolicy,
    iam:PutRolePolicy for roles that have no room for a managed policy, lambda:PublishVersion and lambda:UpdateAlias.
    """
    fix = Fix(reads, writes, function_arn, Patience(clock, wait), iam_deadline, update_deadline, receipt, keep)
    if plan.blocked:
        raise fix.failed(f"Nothing was changed. {plan.blocked}")
    yield fix.begin(StepName.READ, f"Reading `{fix.name}` and its execution role")
    first = fix.read_function()
    _as_approved(fix, first, plan)
    role = fix.read_role(first.role)
    granted = yield from _grant(fix, plan, role)
    may_lag = granted or lagging or bool(receipt.policy_intended)
    if first.mode is not TracingMode.ACTIVE:
        yield from _set_active(fix, first, plan, may_lag, "" if granted else _role_note(fix, role))
    if first.mode is not TracingMode.ACTIVE or first.status == "InProgress":
        yield fix.begin(StepName.UPDATE, "Waiting until Lambda has finished the update")
        fix.wait_for_update()
    yield fix.begin(StepName.READ_BACK, f"Reading `{fix.name}` back")
    last = fix.read_back()
    role = fix.read_role_back(first.role) if granted else role
    notes = yield from publishing.publish(fix, plan, last, publish_deadline)
    return Outcome(
        before=fix.receipt.mode_before or first.mode,
        after=last.mode,
        role_may_write=roles.may_write(role, account=fix.account) if role else None,
        changed=not fix.receipt.nothing,
        attached_policy=fix.attached,
        revision_id=last.revision,
        request_ids=fix.receipt.requests,
        note="; ".join(filter(None, (_role_note(fix, role), _telemetry_note(fix, role), *notes))),
    )


def _as_approved(fix: Fix, reading: Reading, plan: FixPlan) -> None:
    if plan.mode is TracingMode.ACTIVE and reading.mode is not TracingMode.ACTIVE:
        reason = f"`{fix.name}` was Active a moment ago, and now it is {reading.mode}."
        raise fix.failed(f"{reason} Look at it again, then approve again.")
    if reading.role != plan.role:
        was, now = plan.role.rpartition("/")[2], reading.role.rpartition("/")[2]
        reason = f"Its execution role was `{was}` when this was approved, and now it is `{now}`."
        raise fix.failed(f"{reason} Look at it again, then approve again.")


# The role


def _grant(fix: Fix, plan: FixPlan, role: Role | None) -> Steps[bool]:
    """Gives the role what it lacks, where the plan says so; whether anything was given, now or by an earlier run."""
    intended = fix.receipt.policy_intended
    if role and intended in role.policy_names:
        fix.keep(replace(fix.receipt, role=role.arn, policy=intended))
    if role is None or not plan.changes_role or roles.granted(role, account=fix.account):
        return bool(fix.receipt.policy)
    yield fix.begin(StepName.ROLE, f"Giving role `{role.name}` permission to send traces")
    if plan.role_step is RoleStep.INLINE:
        _put_inline(fix, role)
    else:
        _attach(fix, role)
    return True


def _attach(fix: Fix, role: Role) -> None:
    """IAM: iam:AttachRolePolicy; iam:PutRolePolicy where the role's quota of managed policies is used up."""
    arn = f"arn:{role.arn.split(':')[1]}:iam::aws:policy/{XRAY_WRITE_POLICY}"
    iam = fix.writes.iam
    with fix.needing(f"iam:AttachRolePolicy on role `{role.name}`", "fixes"):
        try:
            _give(fix, role, arn, lambda: iam.attach_role_policy(RoleName=role.name, PolicyArn=arn))
        except AwsProblem as refusal:
            if refusal.code != "LimitExceeded":
                raise
            _put_inline(fix, role)


def _put_inline(fix: Fix, role: Role) -> None:
    """Under a name that the role does not have yet: what stands there is somebody's, and putting would replace it."""
    iam, document = fix.writes.iam, json.dumps(DOCUMENT)
    names = (INLINE_POLICY, *(f"{INLINE_POLICY}-{number}" for number in range(2, len(role.policy_names) + 3)))
    name = next(name for name in names if name not in role.policy_names)
    permission = f"iam:PutRolePolicy on role `{role.name}`, which holds as many managed policies as AWS allows"
    with fix.needing(permission, "fixes"):
        _give(
            fix,
            role,
            name,
            lambda: iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=document),
        )


def _give(fix: Fix, role: Role, policy: str, write: Callable[[], "EmptyResponseMetadataTypeDef"]) -> None:
    """Remembered before and after. Once an answer failed to come, it stays remembered that AWS may have done it."""
    maybe_done = False

    def attempt() -> "EmptyResponseMetadataTypeDef":
        nonlocal maybe_done
        try:
            return ask(write)
        except AwsProblem as refusal:
            maybe_done = maybe_done or unsure(refusal)
            raise

    fix.keep(replace(fix.receipt, role=role.arn, policy_intended=policy))
    try:
        answer = fix.reader.ask(attempt)
    except AwsProblem:
        if not maybe_done:
            fix.keep(replace(fix.receipt, policy_intended=""))
        raise
    given = replace(fix.receipt, policy=policy)
    fix.wrote(f"gave {policy} to {role.arn}", answer["ResponseMetadata"]["RequestId"], given)


# The function


def _set_active(fix: Fix, reading: Reading, plan: FixPlan, may_lag: bool, doubt: str) -> Steps[None]:
    """`doubt` is what is not known of the role.

    IAM: lambda:UpdateFunctionConfiguration. iam:PassRole is not needed, for the role stays the same.
    """
    yield fix.begin(StepName.TRACING, f"Setting TracingConfig of `{fix.name}` to Active")
    busy, lag = fix.patience.pauses(fix.update_deadline), fix.patience.pauses(fix.iam_deadline)
    revisions, maybe_done = iter(range(REVISIONS)), False
    fix.keep(replace(fix.receipt, mode_before=reading.mode))
    while reading.mode is not TracingMode.ACTIVE:  # somebody else may set it meanwhile
        try:
            _update(fix, reading.revision)
            return
        except AwsProblem as refusal:
            maybe_done = maybe_done or unsure(refusal)
            again = False
            if stale(refusal):
                again = another(revisions)
            elif _blames_role(refusal) and may_lag:
                if fix.step is not StepName.WAIT_IAM:
                    yield fix.begin(StepName.WAIT_IAM, "Waiting until Lambda has noticed the role's new permission")
                again = another(lag)
            elif refusal.transient:
                again = another(busy)
            if not again:
                _forget_mode(fix, maybe_done)
                raise _refused_update(fix, refusal, reading, may_lag, doubt) from refusal
        reading = _read_again(fix, plan, maybe_done)
    _forget_mode(fix, maybe_done)


def _read_again(fix: Fix, plan: FixPlan, maybe_done: bool) -> Reading:
    """Before the next attempt, held against what was approved."""
    try:
        reading = fix.read_function()
        _as_approved(fix, reading, plan)
    except RemediationFailed:
        _forget_mode(fix, maybe_done)
        raise
    return reading


def _update(fix: Fix, revision: str) -> None:
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.update_function_configuration(
            FunctionName=fix.arn, TracingConfig={"Mode": "Active"}, RevisionId=revision
        )
    )
    fix.wrote(f"set TracingConfig of {fix.arn} to Active", answer["ResponseMetadata"]["RequestId"])


def _forget_mode(fix: Fix, maybe_done: bool) -> None:
    """What AWS refused, or somebody else did, is not this fix's to take back."""
    if not maybe_done:
        fix.keep(replace(fix.receipt, mode_before=None))


def _refused_update(fix: Fix, refusal: AwsProblem, reading: Reading, may_lag: bool, doubt: str) -> Exception:
    role = reading.role.rpartition("/")[2]
    if _blames_role(refusal) and doubt:
        reason = f"Lambda says that role `{role}` may not call {WRITE}, and {doubt}. Nothing was changed."
        reason += " Let Lamplighter's audit role read it (iam:GetRole and iam:GetAccountAuthorizationDetails),"
        reason += " then approve again."
    elif _blames_role(refusal):
        waited = f" even {fix.iam_deadline:.0f} seconds after it was given a policy" if may_lag else ""
        reason = f"Lambda says that role `{role}` may not call {WRITE}{waited}, though its policies allow it or may."
        reason += " Look at the organization's service control policies and the role's conditions, then approve again."
    elif "is no longer supported for creating or updating" in refusal.message:
        reason = f"{_so_far(fix, role)}: AWS no longer allows changes of functions on runtime `{reading.runtime}`."
        reason += " Move it to a newer one, then approve again."
    elif stale(refusal):
        reason = f"`{fix.name}` was changed by somebody else {REVISIONS} times while it was being fixed."
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


def _role_note(fix: Fix, role: Role | None) -> str:
    if role is None:
        return "whether its execution role may send traces cannot be told: AWS does not show the role"
    if roles.may_write(role, account=fix.account) is MayWrite.YES:
        return ""
    return f"whether role `{role.name}` may send traces cannot be told: {roles.explain(role, fix.account)}"


def _telemetry_note(fix: Fix, role: Role | None) -> str:
    if role is None or not roles.missing_telemetry(role, account=fix.account):
        return ""
    return f"its role may not call {TELEMETRY}, which costs statistics, not traces"


def _blames_role(problem: AwsProblem) -> bool:
    return "PutTraceSegments on XRAY" in problem.message

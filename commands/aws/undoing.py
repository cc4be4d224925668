"""Taking a fix back on AWS: what its receipt says, and nothing that somebody else has changed since.

First the aliases, then the mode, the role's policy last: at no moment is a function traced that may not send. Every
step is decided from what AWS says then, so that an undo which was cut short may be run again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from commands.aws import publishing
from commands.aws.asking import Patience, ask, pause
from commands.aws.clients import Clients
from commands.aws.errors import Gone
from commands.aws.fixing import Fix, FunctionGone, Step, StepName, Steps
from commands.aws.published import PUBLISHED
from commands.aws.role_plan import DOCUMENT
from commands.aws.shapes import LATEST
from storage.fixes import AliasMove, Receipt
from storage.models import TracingMode

__all__ = ["Step", "UndoOutcome", "undo"]


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What came of it, as read back."""

    after: TracingMode | None  # of $LATEST; None: the function was deleted
    detached: str  # the policy that the role no longer has; "" for none
    request_ids: tuple[str, ...]
    note: str  # what was left as it is, and why; "" where all was taken back


def undo(
    *,
    reads: Clients,
    writes: Clients,
    function_arn: str,
    receipt: Receipt,
    needed_by: Callable[[], str],
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = pause,
    iam_deadline: float = 90.0,
    update_deadline: float = 180.0,
) -> Steps[UndoOutcome]:
    """Take back what `receipt` says; yields each step before it.

    `needed_by`: why the role has to keep its policy, as a clause, or ""; asked when all else is done. Deadlines are
    seconds. Raises RemediationFailed; a function that was deleted is no failure.
    IAM, for `reads`: lambda:GetFunctionConfiguration, lambda:ListAliases, and for an inline policy as
    `one_role.read_role`. IAM, for `writes`, as the receipt needs them:
    lambda:UpdateAlias, lambda:UpdateFunctionConfiguration, lambda:PublishVersion (Managed Instances),
    iam:DetachRolePolicy or iam:DeleteRolePolicy.
    """
    patience = Patience(clock, wait)
    fix = Fix(reads, writes, function_arn, patience, iam_deadline, update_deadline, receipt, _forget, again="undo")
    notes: list[str] = []
    after: TracingMode | None = None
    try:
        yield fix.begin(StepName.READ, f"Reading `{fix.name}`")
        after = fix.read_function().mode
        for move in receipt.moves:
            notes += yield from _move_back(fix, move)
        if receipt.mode_before is not None and after is not receipt.mode_before:
            after = yield from _set_mode(fix, receipt.mode_before)
        if receipt.published == PUBLISHED:
            notes += yield from _publish_again(fix, receipt.mode_before)
    except FunctionGone:
        after = None
    detached = ""
    if receipt.policy:
        detached, kept = yield from _take_policy(fix, needed_by, gone=after is None)
        notes += kept
    return UndoOutcome(after, detached, fix.receipt.requests[len(receipt.requests) :], "; ".join(notes))


def _forget(_: Receipt) -> None:
    """The receipt stays what the fix did; where an undo stands, AWS says."""


def _move_back(fix: Fix, move: AliasMove) -> Steps[list[str]]:
    yield fix.begin(StepName.ALIAS_BACK, f"Moving alias `{move.name}` back to version {move.before}")
    if fix.find(move.before) is None:
        return [f"alias `{move.name}` stays on version {move.after}, for version {move.before} no longer exists"]
    if publishing.move(fix, AliasMove(move.name, move.after, move.before)):
        return []
    return [f"alias `{move.name}` was changed by somebody else since, and is left as it is"]


def _set_mode(fix: Fix, wanted: TracingMode) -> Steps[TracingMode]:
    """IAM: lambda:UpdateFunctionConfiguration."""
    yield fix.begin(StepName.TRACING_BACK, f"Setting TracingConfig of `{fix.name}` back to {wanted}")
    fix.insist(lambda: _set_once(fix, wanted), f"lambda:UpdateFunctionConfiguration on `{fix.name}`")
    yield fix.begin(StepName.UPDATE, "Waiting until Lambda has finished the update")
    fix.wait_for_update()
    yield fix.begin(StepName.READ_BACK, f"Reading `{fix.name}` back")
    return fix.read_back(wanted).mode


def _set_once(fix: Fix, wanted: TracingMode) -> None:
    now = fix.read_function()
    if now.mode is wanted:
        return
    client = fix.writes.lambda_
    answer = ask(
        lambda: client.update_function_configuration(
            FunctionName=fix.arn, TracingConfig={"Mode": wanted.value}, RevisionId=now.revision
        )
    )
    fix.wrote(f"set TracingConfig of {fix.arn} to {wanted}", answer["ResponseMetadata"]["RequestId"])


def _publish_again(fix: Fix, wanted: TracingMode | None) -> Steps[list[str]]:
    """None: $LATEST was Active before the fix, and what was published before that cannot be published again."""
    if wanted is None:
        return [f"`{PUBLISHED}` stays traced, for $LATEST was so before: it needs a deployment"]
    yield fix.begin(StepName.PUBLISH, f"Publishing `{fix.name}` for calls on Managed Instances")
    if fix.insist(lambda: publishing.publish_latest(fix, wanted), f"lambda:PublishVersion on `{fix.name}`"):
        return []
    return [f"`{PUBLISHED}` is left as it is, for the function was changed since: it needs a deployment"]


def _take_policy(fix: Fix, needed_by: Callable[[], str], *, gone: bool) -> Steps[tuple[str, list[str]]]:
    """What the fix gave the role, unless somebody needs it now. IAM: iam:DetachRolePolicy, iam:DeleteRolePolicy."""
    role, policy = fix.receipt.role.rpartition("/")[2], fix.receipt.policy
    yield fix.begin(StepName.ROLE_BACK, f"Looking whether role `{role}` still needs its permission")
    why = ("" if gone else _own_need(fix)) or needed_by() or _rewritten(fix, policy)
    if why:
        return "", [f"role `{role}` keeps its permission to send traces: {why}"]
    yield fix.begin(StepName.ROLE_BACK, f"Taking the permission to send traces from role `{role}`")
    taken = _detach(fix, role, policy)
    return (policy, []) if taken else ("", [f"role `{role}` did not have the policy any more"])


def _own_need(fix: Fix) -> str:
    """Whether the function itself still sends traces: by $LATEST, by what was published there, or through an alias."""
    latest = fix.read_function()
    if latest.mode is TracingMode.ACTIVE:
        return f"`{fix.name}` is traced"
    if latest.managed_instances and _is_traced(fix, PUBLISHED):
        return f"`{PUBLISHED}` of `{fix.name}` is traced"
    for alias in fix.read_aliases():
        for version in alias.weights:
            if version != LATEST and _is_traced(fix, version):
                return f"alias `{alias.name}` serves version {version}, which is traced"
    return ""


def _is_traced(fix: Fix, version: str) -> bool:
    found = fix.find(version)
    return found is not None and found.mode is TracingMode.ACTIVE


def _rewritten(fix: Fix, policy: str) -> str:
    """Whether somebody has changed the inline policy that the fix gave the role."""
    if policy.startswith("arn:"):
        return ""
    with fix.needing("iam:GetRole"):
        try:
            role = fix.reader.role(fix.receipt.role)
        except Gone:
            return ""
    if role is None or role.policies_unknown:
        return f"whether somebody has changed its policy `{policy}` since could not be read"
    documents = dict(zip(role.policy_names, role.policies, strict=True))
    return "" if documents.get(policy, DOCUMENT) == DOCUMENT else f"somebody has changed its policy `{policy}` since"


def _detach(fix: Fix, role: str, policy: str) -> bool:
    """False where the role has it no longer, or is gone."""
    iam, managed = fix.writes.iam, policy.startswith("arn:")
    permission = f"{'iam:DetachRolePolicy' if managed else 'iam:DeleteRolePolicy'} on role `{role}`"

    def attempt() -> str:
        answer = (
            iam.detach_role_policy(RoleName=role, PolicyArn=policy)
            if managed
            else iam.delete_role_policy(RoleName=role, PolicyName=policy)
        )
        return answer["ResponseMetadata"]["RequestId"]

    with fix.needing(permission, "fixes"):
        try:
            request_id = fix.reader.ask(attempt)
        except Gone:
            return False
    fix.wrote(f"took {policy} from {fix.receipt.role}", request_id)
    return True

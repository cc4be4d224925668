"""What a fix of one function would change, as AWS stands now. Reads only; `remediation` makes it so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from commands.aws.alias_plan import plan_aliases
from commands.aws.asking import Patience
from commands.aws.clients import Clients
from commands.aws.current import Reading
from commands.aws.errors import Gone
from commands.aws.fixing import FunctionGone
from commands.aws.reader import Reader
from commands.aws.role_plan import RolePlan, plan_role
from commands.aws.runtimes import UPDATES_BLOCKED
from commands.aws.shapes import DELETING
from storage.fixes import AliasPlan, AliasStep, FixPlan
from storage.models import Function, TracingMode

_SECONDS = 30.0  # for each question, while AWS is busy
_PATIENT = Patience()


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What the configuration forbids, whoever approves."""

    patch_only_functions: bool = False  # what infrastructure as code deploys is changed there, not here
    patch_only_roles: bool = False  # the same of execution roles


def make_plan(
    *,
    reads: Clients,
    function: Function,
    sharing: int,
    rules: PlanRules,
    now: datetime,
    patience: Patience = _PATIENT,
) -> FixPlan:
    """`sharing`: how many other functions are remembered to use the role. Raises FunctionGone and AwsProblem.

    What AWS will not show is left open in the plan: the role, its quota, the aliases, a version of theirs.
    IAM: lambda:GetFunctionConfiguration, lambda:ListAliases, iam:GetAccountSummary, and as `one_role.read_role`.
    """
    reader = Reader(reads, function.arn, patience, _SECONDS)
    try:
        latest = reader.configuration()
    except Gone as gone:
        raise FunctionGone(function.arn, request_id=gone.request_id) from None
    if latest.state == DELETING:
        raise FunctionGone(function.arn)
    role = plan_role(reader, latest.role, patch_only=rules.patch_only_roles)
    aliases = plan_aliases(reader, latest)
    return FixPlan(
        made_at=now,
        mode=latest.mode,
        role=latest.role,
        role_may_write=role.may_write,
        role_step=role.step,
        role_manager=role.manager,
        sharing=sharing,
        aliases=aliases,
        manager=function.managed_by,
        stack=function.stack,
        logical_id=function.logical_id,
        runtime=latest.runtime or None,
        revision_id=latest.revision,
        code_sha256=latest.code_sha256,
        blocked=_blocked(function, latest, role, aliases or (), rules),
    )


def _blocked(
    function: Function, latest: Reading, role: RolePlan, aliases: Sequence[AliasPlan], rules: PlanRules
) -> str:
    """The first reason why nothing may be changed, with a next step; "" where something may."""
    if rules.patch_only_functions and function.managed_by:
        return (
            "It is deployed by a template, and such functions are changed there only. "
            "Set its tracing to Active in the template and deploy that."
        )
    if role.blocked:
        return role.blocked
    if latest.mode is not TracingMode.ACTIVE:
        return _blocked_runtime(latest.runtime)
    left = [alias for alias in aliases if alias.step is AliasStep.DEPLOY]
    settled = not any(alias.step is AliasStep.PUBLISH for alias in aliases)
    if left and settled and not role.changes:
        return f"It needs a deployment, not a fix of its configuration. Alias `{left[0].name}`: {left[0].why}."
    return ""


def _blocked_runtime(runtime: str) -> str:
    """UNCONFIRMED: that Lambda refuses a change of TracingConfig alone."""
    since = UPDATES_BLOCKED.get(runtime)
    if since is None:
        return ""
    return f"AWS blocks changes of functions on `{runtime}` since {since}. Move it to a newer runtime, then ask again."

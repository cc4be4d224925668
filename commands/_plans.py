"""The plan of a fix as AWS stands now, and whether one that was approved still holds."""

from dataclasses import replace

from commands._types import Context
from commands.aws.planning import PlanRules, make_plan
from storage.fixes import AliasPlan, AliasStep, FixPlan, RoleStep
from storage.models import Function, MayWrite, TracingMode


def plan_now(context: Context, function: Function) -> FixPlan:
    """Asks AWS with the account's audit role. Raises FunctionGone and AwsProblem."""
    rules = PlanRules(context.policy.patch_only_functions, context.policy.patch_only_roles)
    with context.cloud.acting_as(function.account):
        plan = make_plan(
            reads=context.cloud.clients(function.region),
            function=function,
            sharing=0,
            rules=rules,
            now=context.clock(),
            patience=context.cloud.patience,
        )
    return replace(
        plan,
        sharing=context.store.functions.sharing(plan.role, function.arn),
        forecast=context.store.forecasts.get(function.arn),
    )


def remembered(context: Context, function: Function) -> FixPlan:
    """What a digest's row and its confirm dialog say of a fix, from memory alone."""
    step = {MayWrite.NO: RoleStep.ATTACH, MayWrite.YES: RoleStep.NOTHING}
    return FixPlan(
        made_at=context.store.functions.seen_at(function.arn) or context.clock(),
        mode=function.mode,
        role=function.role or "",
        role_may_write=function.role_may_write,
        role_step=step.get(function.role_may_write or MayWrite.CONDITIONAL, RoleStep.ASK_LAMBDA),
        sharing=context.store.functions.sharing(function.role, function.arn) if function.role else 0,
        manager=function.managed_by,
        stack=function.stack,
        logical_id=function.logical_id,
        runtime=function.runtime,
        revision_id=function.revision_id or "",
        code_sha256=function.code_sha256 or "",
        forecast=context.store.forecasts.get(function.arn),
        remembered=True,
    )


def with_forecast(context: Context, plan: FixPlan, function: Function) -> FixPlan:
    """What was shown beside a plan that was made before anything was known of its cost."""
    return replace(plan, forecast=plan.forecast or context.store.forecasts.get(function.arn))


def check_still_holds(approved: FixPlan, now: FixPlan) -> str:
    """What a fix would do now that was not approved, as a sentence; "" where there is nothing.

    Less is no reason: what is done already, or is no longer needed, was approved with the rest. Nor is a new revision,
    nor another forecast: traffic moves by itself.
    """
    return next(
        filter(
            None,
            (now.blocked, _other_role(approved, now), _other_mode(approved, now), _other_aliases(approved, now)),
        ),
        _other_manager(approved, now),
    )


def only_what_was_shown(plan: FixPlan, name: str) -> FixPlan:
    """For an approval of what a digest showed: no message spoke of moving an alias."""
    if not plan.publishes:
        return plan
    why = f"`/trace-fix {name}` shows what moving it takes"
    aliases = tuple(
        replace(one, step=AliasStep.DEPLOY, why=why) if one.step is AliasStep.PUBLISH else one
        for one in plan.aliases or ()
    )
    return replace(plan, aliases=aliases)


def _other_role(approved: FixPlan, now: FixPlan) -> str:
    was, name = approved.role.rpartition("/")[2], now.role.rpartition("/")[2]
    if now.role != approved.role:
        return f"`{was}` was shown as its execution role, and now it has `{name}`."
    if now.role_step is approved.role_step or not now.changes_role:
        return ""
    if not approved.changes_role:
        return f"Role `{name}` has lost its permission since it was shown, and a fix would change the role too."
    how = "an inline policy" if now.role_step is RoleStep.INLINE else "a managed policy"
    return f"Role `{name}` would be given {how} now, and another kind of policy was shown."


def _other_mode(approved: FixPlan, now: FixPlan) -> str:
    if approved.mode is TracingMode.ACTIVE and now.mode is not TracingMode.ACTIVE:
        return f"$LATEST was shown as Active, and now it is {now.mode}."
    return ""


def _other_aliases(approved: FixPlan, now: FixPlan) -> str:
    if now.aliases is None:
        return "Its aliases cannot be read any more, and moving them was approved." if approved.publishes else ""
    before = {alias.name: alias for alias in approved.aliases or ()}
    return next(filter(None, (_other_alias(before.get(alias.name), alias) for alias in now.aliases)), "")


def _other_alias(was: AliasPlan | None, now: AliasPlan) -> str:
    if now.step is AliasStep.NOTHING or (was and (was.step, _matters(was)) == (now.step, _matters(now))):
        return ""
    serves = f" serves version {now.version}" if now.version else ""
    if now.step is AliasStep.PUBLISH:
        return f"`{now.name}`{serves} and would be moved now, and this was not shown."
    if was and was.step is AliasStep.PUBLISH:
        return f"`{now.name}`{serves} and was to be moved, but cannot be now: {now.why}."
    return f"`{now.name}`{serves}, which is not traced, and this was not shown: {now.why}."


def _matters(alias: AliasPlan) -> str:
    """Which version is replaced; one that is left as it is may be any."""
    return alias.version if alias.step is AliasStep.PUBLISH else ""


def _other_manager(approved: FixPlan, now: FixPlan) -> str:
    if now.manager in (None, approved.manager):
        return ""
    return "It has come to be deployed by a template since it was shown, which may take the change back."

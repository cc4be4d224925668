"""The change to make in the code that deploys a function, and the modal that shows it."""

from collections.abc import Iterator
from dataclasses import dataclass

from commands.views import blocks, iac, tools
from commands.views.blocks import Block
from commands.views.text import clip, code, listing, prose
from storage.fixes import FixPlan, RoleStep
from storage.models import XRAY_WRITE_POLICY, Function, Manager, MayWrite, TracingMode

TITLE_LIMIT = 24
SERVED_LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class Patch:
    """Lines to add to what is there already."""

    title: str  # mrkdwn: which file, and where in it
    language: str  # "yaml", "typescript", "python" or "hcl"
    text: str
    note: str = ""  # mrkdwn: what else to know
    beside: tuple["Patch", ...] = ()  # the same in another language, or for the whole service


def patch_for(function: Function, plan: FixPlan | None = None) -> Patch:
    """For the tool that its tags name; for Terraform, which leaves no tag, where they name none."""
    note = "\n".join(f"• {one}" for one in _notes(function, plan))
    match function.managed_by:
        case Manager.CLOUDFORMATION:
            text = iac.cloudformation(
                function.logical_id,
                role=_role(function, plan),
                publish=bool(dark_aliases(function)) or _published(function),
            )
            return Patch(_place("Add to the template", function), "yaml", text, note)
        case Manager.SAM:
            alias = next(iter(dark_aliases(function)), "")
            text = iac.sam(function.logical_id, role=_sam_role(function, plan), alias=alias)
            return Patch(_place("Add to the template", function), "yaml", text, note)
        case Manager.CDK:
            python = Patch("The same in Python", "python", iac.cdk_python(function.logical_id))
            title = f"{_place('Add to the app', function)}, in TypeScript"
            return Patch(title, "typescript", iac.cdk_typescript(function.logical_id), note, (python,))
        case Manager.SERVERLESS:
            return _serverless(function, note)
        case None:
            text = iac.terraform(
                function.name,
                partition=function.arn.split(":")[1],
                role=_role(function, plan),
                inline=plan is not None and plan.role_step is RoleStep.INLINE,
                publish=bool(dark_aliases(function)) or _published(function),
            )
            return Patch("If Terraform deploys it, add", "hcl", text, note)


def patch_view(function: Function, patch: Patch) -> Block:
    """The modal: nothing in it can be clicked, and its code is shown as it is."""
    tool = tools.NAMES[function.managed_by].split(" Framework")[0] if function.managed_by else "Terraform"
    made = [blocks.section(f"*{code(function.name)}*  {function.account} · {function.region}")]
    for one in (patch, *patch.beside):
        made += [blocks.section(f"*{one.title}*"), blocks.preformatted(one.text)]
    made += [blocks.section(patch.note)] if patch.note else []
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": clip(f"Patch for {tool}", TITLE_LIMIT)},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": made,
    }


def dark_aliases(function: Function) -> list[str]:
    """The aliases that serve a published version without active tracing."""
    return [
        alias.name
        for alias in function.aliases or ()
        if any(one.version != SERVED_LATEST and one.mode is not TracingMode.ACTIVE for one in alias.versions)
    ]


def _serverless(function: Function, note: str) -> Patch:
    """The framework calls a function `service-stage-key` and its stack `service-stage`, unless it is told otherwise."""
    whole = Patch("Or for every function of the service", "yaml", iac.serverless_service())
    prefix = f"{function.stack}-"
    key = function.name.removeprefix(prefix) if function.stack and function.name.startswith(prefix) else ""
    if not key:
        title = f"{_place('Add to serverless.yml', function)}, for every function of the service"
        return Patch(title, "yaml", whole.text, note)
    title = f"{_place('Add to serverless.yml', function)}, for this function"
    return Patch(title, "yaml", iac.serverless_function(key), note, (whole,))


def _place(where: str, function: Function) -> str:
    return f"{where} of stack {code(function.stack)}" if function.stack else where


def _published(function: Function) -> bool:
    return function.managed_instances and function.published_mode is not TracingMode.ACTIVE


def _role(function: Function, plan: FixPlan | None) -> str:
    """The name of the execution role, where it is known to lack the permission and one more policy may help."""
    return function.role_name if function.role_may_write is MayWrite.NO and not _in_vain(plan) else ""


def _in_vain(plan: FixPlan | None) -> bool:
    """Whether AWS was asked, and the role is not to be given a policy: a Deny or a boundary, say, forbids it."""
    if plan is None or plan.remembered:
        return False
    return plan.role_may_write is MayWrite.NO and plan.role_step is RoleStep.NOTHING


def _sam_role(function: Function, plan: FixPlan | None) -> str:
    """SAM itself lets the role write that it makes for a function; one from elsewhere it leaves alone."""
    made_elsewhere = plan is not None and plan.role_manager is not Manager.SAM
    return _role(function, plan) if made_elsewhere else ""


def _notes(function: Function, plan: FixPlan | None) -> Iterator[str]:
    yield tools.next_deployment(function.managed_by)
    role = _about_role(function, plan)
    if role:
        yield role
    aliases = dark_aliases(function)
    if aliases:
        yield f"{listing([code(one) for one in aliases])} {_about_aliases(function.managed_by, len(aliases))}"
    elif _published(function):
        yield "Calls run `$LATEST.PUBLISHED`: the function has to be published again after the change."


def _about_role(function: Function, plan: FixPlan | None) -> str:
    if function.role_may_write is MayWrite.YES:
        return ""
    role = f"role {code(function.role_name)}" if function.role_name else "its execution role"
    may = "may not" if function.role_may_write is MayWrite.NO else "perhaps may not"
    lacks = f"{role[:1].upper()}{role[1:]} {may} write to X-Ray"
    if plan and _in_vain(plan):
        return f"{lacks}, and Lambda refuses the change until it may. {prose(plan.blocked)}".rstrip()
    match function.managed_by:
        case Manager.CDK | Manager.SERVERLESS:
            made = "a role that the construct makes" if function.managed_by is Manager.CDK else "the service's own role"
            return f"{lacks}. The line gives {made} the permission; a role from elsewhere needs {_policy()} besides."
        case Manager.SAM if not _sam_role(function, plan):
            return f"{lacks}. SAM gives the permission to a role that it makes; one from elsewhere needs {_policy()}."
        case _ if function.role_may_write is not MayWrite.NO:
            return f"{lacks}: it needs {_policy()}, and Lambda refuses the change without."
        case None:
            return (
                f"{lacks}. If its code has an exclusive list of policies (`managed_policy_arns`), add {_policy()} "
                "there instead: the next apply takes off what the list does not name."
            )
        case _:
            return (
                f"{lacks}. If the role stands in the same template, add {_policy()} to its `ManagedPolicyArns` "
                "in place of the policy and `DependsOn`. IAM takes some seconds: if Lambda refuses "
                "`PutTraceSegments`, deploy again."
            )


def _policy() -> str:
    return code(XRAY_WRITE_POLICY)


def _about_aliases(manager: Manager | None, number: int) -> str:
    """What moves an alias to a version with the new mode.

    SAM: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html;
    CDK: https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_lambda.Version.html; the Serverless Framework
    makes a version where a function's properties differ (lib/plugins/aws/package/compile/functions.js).
    """
    serves = "serves a version that keeps" if number == 1 else "serve versions that keep"
    begin = f"{serves} its old mode." if number == 1 else f"{serves} their old mode."
    match manager:
        case Manager.SAM:
            return (
                f"{begin} Tracing alone publishes none: that takes `AutoPublishAliasAllProperties`. Where a resource "
                "of its own makes the alias, leave out both lines and give that resource a new version."
            )
        case Manager.CDK:
            return f"{begin} An alias of `fn.currentVersion` moves with the deployment; any other stays."
        case Manager.SERVERLESS:
            return (
                f"{begin} A deployment publishes a version, unless `versionFunctions` is off; what makes the alias has "
                "to move it."
            )
        case Manager.CLOUDFORMATION:
            return f"{begin} Let `FunctionVersion` of the alias be `!GetAtt` of the new version's `Version`."
        case None:
            return f"{begin} `publish` makes a new one; the alias follows if its `function_version` is that resource's."

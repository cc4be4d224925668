"""How the plan of a fix reads: in full beside a request, and in the few words of a confirm dialog."""

from collections.abc import Iterator

from commands.views import tools
from commands.views.money import busy_line, confirm_line, loud_line, plan_line
from commands.views.text import clip, code, count, prose, sentence
from storage.fixes import AliasPlan, AliasStep, FixPlan, RoleStep
from storage.models import XRAY_WRITE_POLICY, MayWrite, TracingMode

LINE_LIMIT = 300
BLOCKED_LIMIT = 1000
CONFIRM_LIMIT = 300
MOST_ALIASES = 4
NAME_WIDTHS = (64, 40, 24, 8)  # of a name in a dialog, as much of it as there is room for

_MAY_WRITE = {
    MayWrite.YES: "may write to X-Ray",
    MayWrite.NO: "may not write to X-Ray",
    MayWrite.CONDITIONAL: "may write to X-Ray under a condition",
    None: "could not be read",
}
_GIVES = (RoleStep.ATTACH, RoleStep.INLINE)
_ROLE_STEPS = {
    RoleStep.NOTHING: "left as it is",
    RoleStep.ATTACH: f"it is given `{XRAY_WRITE_POLICY}`",
    RoleStep.INLINE: "it is given an inline policy of the two X-Ray actions, as it can hold no more managed ones",
    RoleStep.ASK_LAMBDA: "left as it is, and Lambda's own check decides",
}


def plan_lines(plan: FixPlan, undo_hours: float | None = None) -> list[str]:
    """In mrkdwn, a line for each thing that an approval decides on; `undo_hours` is for how long it can be undone.

    Of what cannot be approved, only why: the rest will not happen.
    """
    if plan.blocked:
        return [f"*Cannot be approved:* {clip(prose(plan.blocked), BLOCKED_LIMIT)}"]
    lines = [
        f"*Mode:* {_mode(plan)}",
        f"*Role:* {_role(plan)}",
        *_beside(plan),
        *(f"*Alias:* {one}" for one in _aliases(plan)),
        *_deployed(plan),
        f"*Next deployment:* {tools.next_deployment(plan.manager)}",
        f"*Cost:* {plan_line(plan.forecast, plan.no_forecast)}",
        *filter(None, [busy_line(plan.forecast)]),
        f"*Undo{_for_hours(undo_hours)}:* {_undo(plan, undo_hours)}",
    ]
    return [clip(line, LINE_LIMIT) for line in lines]


def confirm_lines(plan: FixPlan, undo_hours: float | None = None, room: int = CONFIRM_LIMIT) -> list[str]:
    """In plain text, at most `room` characters with their line breaks; what matters less is left out first."""
    if plan.blocked:
        return [clip(f"Cannot be approved: {plan.blocked}", room)]
    firsts = [_first(plan, width) for width in NAME_WIDTHS]
    kept = next((each for each in firsts if len("\n".join(each)) <= room), firsts[-1])
    for line in filter(None, _then(plan, undo_hours)):
        if len("\n".join([*kept, line])) <= room:
            kept.append(line)
    return kept


def _first(plan: FixPlan, width: int) -> list[str]:
    """What is never left out: mode, role and cost. `width`: characters of the role's name."""
    return [f"Mode: {_mode(plan)}.", _brief_role(plan, width), confirm_line(plan.forecast)]


def _brief_role(plan: FixPlan, width: int) -> str:
    role = f"Role {clip(plan.role.rsplit('/', 1)[-1], width)}"
    match plan.role_step:
        case RoleStep.ATTACH:
            return f"{role}{_shared(plan)} gets {XRAY_WRITE_POLICY}."
        case RoleStep.INLINE:
            return f"{role}{_shared(plan)} gets an inline policy."
        case RoleStep.ASK_LAMBDA:
            return "Its role could not be judged: Lambda's own check decides."
        case RoleStep.NOTHING:
            return f"{role} stays as it is."


def _then(plan: FixPlan, undo_hours: float | None) -> Iterator[str]:
    yield loud_line(plan.forecast)
    yield _brief_aliases(plan)
    yield f"{tools.NAMES[plan.manager]} may take this back." if plan.manager else ""
    yield f"Can be undone{_for_hours(undo_hours)}." if undo_hours != 0 else "Cannot be undone here."


def _shared(plan: FixPlan) -> str:
    return f" (shared with {count(plan.sharing, 'other function')})" if plan.sharing else ""


def _brief_aliases(plan: FixPlan) -> str:
    if plan.aliases is None:
        return "Its aliases could not be read."
    moved = [one for one in plan.aliases if one.step is AliasStep.PUBLISH]
    left = [one for one in plan.aliases if one.step is AliasStep.DEPLOY]
    words = []
    if len(moved) == 1:
        words.append(f"{_called(moved[0])} gets a new version.")
    elif moved:
        words.append(f"{len(moved)} aliases get a new version.")
    if len(left) == 1:
        words.append(f"{_called(left[0])} needs a deployment.")
    elif left:
        words.append(f"{len(left)} aliases need a deployment.")
    return " ".join(words)


def _called(one: AliasPlan) -> str:
    """What is published on Managed Instances has a name, and is no alias."""
    return f"Alias {clip(one.name, 30)}" if one.version else clip(one.name, 30)


def _mode(plan: FixPlan) -> str:
    if plan.mode is TracingMode.ACTIVE:
        return "Active already"
    return f"{plan.mode or 'none (counts as PassThrough)'} → Active"


def _role(plan: FixPlan) -> str:
    name = code(plan.role.rsplit("/", 1)[-1]) if plan.role else "none given"
    return f"{name} {_MAY_WRITE[plan.role_may_write]}; {_ROLE_STEPS[plan.role_step]}{_others(plan)}"


def _others(plan: FixPlan) -> str:
    """Only who is given a policy matters to the other functions of the role."""
    if plan.role_step not in _GIVES:
        return ""
    if not plan.sharing:
        return ". No other function that is known uses the role"
    return f". {count(plan.sharing, 'other function')} {'uses' if plan.sharing == 1 else 'use'} the role too"


def _beside(plan: FixPlan) -> list[str]:
    if plan.role_manager is None or plan.role_step not in _GIVES:
        return []
    return [f"*Role deployed by:* {tools.role_beside(plan.role_manager)}"]


def _aliases(plan: FixPlan) -> Iterator[str]:
    if plan.aliases is None:
        yield "none could be read; what they serve is left as it is"
        return
    if not plan.aliases:
        yield "none in use"
    ranked = sorted(plan.aliases, key=lambda one: one.step is AliasStep.NOTHING)
    yield from (_alias(one) for one in ranked[:MOST_ALIASES])
    if len(ranked) > MOST_ALIASES:
        yield f"and {len(ranked) - MOST_ALIASES:,} more"


def _alias(alias: AliasPlan) -> str:
    serves = f"{code(alias.name)} serves version {prose(alias.version)}" if alias.version else code(alias.name)
    match alias.step:
        case AliasStep.NOTHING:
            return f"{serves}: traced, or follows $LATEST; left as it is"
        case AliasStep.PUBLISH if alias.version:
            return f"{serves}: a version that differs in tracing alone is published, and the alias moved to it"
        case AliasStep.PUBLISH:
            return f"{serves}: published anew"
        case AliasStep.DEPLOY:
            return f"{serves}: needs a deployment. {prose(sentence(alias.why))}"


def _deployed(plan: FixPlan) -> list[str]:
    """Nothing where it is not known: what is said of the next deployment says that."""
    if plan.manager is None:
        return []
    stack = f", stack {code(plan.stack)}" if plan.stack else ""
    resource = f", resource {code(plan.logical_id)}" if plan.logical_id else ""
    return [f"*Deployed by:* {tools.NAMES[plan.manager]}{stack}{resource}"]


def _for_hours(hours: float | None) -> str:
    return f" for {hours:g} hour{'' if hours == 1 else 's'}" if hours else ""


def _undo(plan: FixPlan, hours: float | None) -> str:
    if hours == 0:
        return "not offered: `[policy] undo_hours` is 0"
    parts = [] if plan.mode is TracingMode.ACTIVE else [f"the mode back to {plan.mode or TracingMode.PASS_THROUGH}"]
    moved = [one for one in plan.aliases or () if one.step is AliasStep.PUBLISH and one.version]
    parts += [f"{code(one.name)} back to version {prose(one.version)}" for one in moved[:MOST_ALIASES]]
    if plan.role_step in _GIVES:
        parts.append("the policy off the role, unless another traced function needs it")
    return "; ".join(parts) or "nothing to take back"

"""The buttons under a function, and the dialogs that stand between a click and its effect."""

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.item import Item, reachable
from commands.views.money import confirm_line, loud_line
from commands.views.plan import CONFIRM_LIMIT, NAME_WIDTHS, confirm_lines
from commands.views.text import clip, count
from storage.fixes import FixRequest, RequestState
from storage.models import XRAY_WRITE_POLICY, CheckName, Function, MayWrite, TracingMode, Verdict

APPROVE = "approve-fix"
EXEMPT = "open-exempt"
SHOW_PATCH = "show-patch"
DENY = "open-deny"
CANCEL = "cancel-fix"
UNDO = "undo-fix"


def action_blocks(item: Item, *, patch: bool) -> list[Block]:
    """One block of buttons, or none. `patch`: where no tag names what deploys it too."""
    elements = _buttons(item, patch=patch)
    if not elements:
        return []
    # The same id at each drawing: a click on what was shown a moment ago finds its button.
    block_id = {"block_id": item.request.id} if item.request else {}
    return [{"type": "actions", **block_id, "elements": elements}]


def _buttons(item: Item, *, patch: bool) -> list[Block]:
    """Those that are still of use; who may click them is decided at the click."""
    request, function = item.request, item.function
    if request is None or function is None:
        return []
    where = f"{function.name} in {function.account}"
    exempt = blocks.button("Exempt…", EXEMPT, request.id, described=f"Exempt {where}")
    in_code = [_show_patch(item, request.id)] if patch or function.managed_by or not function.fixable else []
    if request.state is RequestState.APPLIED:
        undo = [_undo(request, where)] if request.undo_until else []
        if function.verdict is Verdict.UNTRACED:
            return [exempt, *in_code, *undo]
        return [*(in_code if function.managed_by else []), *undo]
    if not request.waiting:
        return []
    by_click = reachable(item, function) and not item.patch_only and not (request.plan and request.plan.blocked)
    approve = [_approve(item, request, where)] if by_click else []
    if not request.asked_by:
        return [*approve, exempt, *in_code]
    deny = blocks.button("Deny…", DENY, request.id, described=f"Deny the fix of {where}")
    cancel = blocks.button("Cancel request", CANCEL, request.id, described=f"Cancel the request to fix {where}")
    return [*approve, deny, exempt, *in_code, cancel]


def _approve(item: Item, request: FixRequest, where: str) -> Block:
    approve = blocks.button("Approve fix", APPROVE, request.id, described=f"Approve fix of {where}", primary=True)
    approve["confirm"] = blocks.confirm("Turn on active tracing?", confirm_text(item), "Approve fix", "Cancel")
    return approve


def _undo(request: FixRequest, where: str) -> Block:
    undo = blocks.button("Undo", UNDO, request.id, described=f"Undo the fix of {where}")
    text = f"Takes back what this fix changed of {clip(where, 150)}, and nothing else."
    undo["confirm"] = blocks.confirm("Undo this fix?", text, "Undo", "Cancel")
    return undo


def _show_patch(item: Item, request_id: str) -> Block:
    return blocks.button("Show patch", SHOW_PATCH, request_id, described=f"Show patch for {item.name}")


def confirm_text(item: Item) -> str:
    """What an approval changes, in at most 300 characters."""
    function = item.function
    if function is None:
        return ""
    plan = item.request.plan if item.request else None
    if plan:
        where = _where(function, NAME_WIDTHS[0])
        return "\n".join([where, *confirm_lines(plan, item.undo_hours, CONFIRM_LIMIT - len(where) - 1)])
    cost = confirm_line(item.forecast)
    loud = " ".join(filter(None, (cost, loud_line(item.forecast))))
    for end in (loud, cost):
        for width in NAME_WIDTHS:
            said = f"{_from_memory(item, function, width)}\n{end}"
            if len(said) <= CONFIRM_LIMIT:
                return said
    return f"{clip(_from_memory(item, function, NAME_WIDTHS[-1]), CONFIRM_LIMIT - len(cost) - 1)}\n{cost}"


def _where(function: Function, width: int) -> str:
    return f"{clip(function.name, max(24, width))} ({function.account}, {function.region})"


def _from_memory(item: Item, function: Function, width: int) -> str:
    """Of what no plan was made; `width`: characters of names."""
    words, where = [], _where(function, width)
    if function.mode is not TracingMode.ACTIVE:
        now = f" from {function.mode}" if function.mode else ""
        words.append(f"Sets TracingConfig of {where}{now} to Active.")
    else:
        words.append(f"Lets {where} send the traces that are lost now.")
    if function.role_may_write is MayWrite.NO:
        verb = "uses" if item.sharing == 1 else "use"
        shared = f", which {count(item.sharing, 'other function')} {verb} too," if item.sharing else ""
        role = clip(function.role_name, width)
        words.append(f"Role {role}{shared} gets {XRAY_WRITE_POLICY} if that is what it lacks.")
    elif function.role_may_write is None:
        words.append("Its role could not be read and is checked first.")
    if any(finding.check is CheckName.ALIAS_UNTRACED for finding in function.findings):
        served = "What is published" if function.managed_instances else "Its alias"
        words.append(f"{served} needs a deployment besides.")
    return " ".join(words)

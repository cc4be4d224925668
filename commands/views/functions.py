"""How a function looks in Slack: a row of a digest, a card of its own, a line in a list."""

from dataclasses import dataclass
from datetime import datetime

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import clip, clock_time, code, count, day, day_and_time, escape, mention, prose
from storage.models import CheckName, Exemption, FixRequest, Function, MayWrite, RequestState, Verdict

APPROVE = "approve-fix"
EXEMPT = "open-exempt"

# Slack takes about 12,000 characters of text in all blocks of a message, and a digest has twelve rows.
ROW_LIMIT = 500

XRAY_POLICY = "AWSXRayDaemonWriteAccess"

# Findings that the row's own words already say.
_SAID = {CheckName.PASSTHROUGH, CheckName.ROLE_DENIED, CheckName.UNOWNED, CheckName.ROLE_UNREADABLE}


@dataclass(frozen=True, slots=True)
class Item:
    """A function and all that is remembered of it at the moment of drawing."""

    function: Function | None  # None: it is gone
    request: FixRequest | None
    exemption: Exemption | None = None
    sharing: int = 0  # other functions with the same execution role
    since: datetime | None = None  # when its verdict was first seen

    @property
    def name(self) -> str:
        if self.function:
            return self.function.name
        return self.request.function_arn.rsplit(":", 1)[-1] if self.request else "?"


def item_blocks(item: Item) -> list[Block]:
    """A row of a digest: what it is, how it stands, and the buttons that are still of use. One or two blocks."""
    made = [blocks.section(clip("\n".join([_place(item), *_status(item)]), ROW_LIMIT))]
    buttons = _buttons(item)
    if buttons:
        made.append({"type": "actions", "elements": buttons})
    return made


def card_blocks(item: Item) -> list[Block]:
    """Everything about one function."""
    function = item.function
    if function is None:
        return [blocks.section("\n".join([_place(item), *_status(item)]))]
    made = [
        blocks.section(_place(item)),
        blocks.fields(
            ("Tracing mode", str(function.mode) if function.mode else "none given (counts as PassThrough)"),
            ("Verdict", _verdict(item)),
            ("Execution role", f"{_role(function)}\n{_may_write(function)}"),
            ("Team", escape(function.team) if function.team else "none: no tag names one"),
            ("Exemption", _exemption(item.exemption) if item.exemption else "none"),
            ("Aliases", _aliases(function)),
        ),
    ]
    notes = [prose(finding.text) for finding in function.findings]
    if notes:
        made.append(blocks.section(clip("\n".join(f"• {note}" for note in notes), 2000)))
    status = _status(item)
    if item.request and item.request.state is not RequestState.OPEN:
        made.append(blocks.section("\n".join(status)))
    buttons = _buttons(item)
    if buttons:
        made.append({"type": "actions", "elements": buttons})
    elif function.verdict is Verdict.UNTRACED and not function.fixable:
        made.append(
            blocks.context("A fix of $LATEST changes nothing here: publish a version and move the alias to it.")
        )
    return made


def line(function: Function) -> str:
    """One line of a list."""
    findings = " ".join(prose(finding.text) for finding in function.findings if finding.check not in _SAID)
    role = "" if function.role_may_write is not MayWrite.NO else " · its role may not write to X-Ray"
    words = f"{code(function.name)} · {function.account} · {function.region} · {_mode(function)}{role}"
    return f"{words}\n      {findings}" if findings else words


def _place(item: Item) -> str:
    if item.function is None:
        return f"*{code(item.name)}*"
    return f"*{code(item.name)}*  {item.function.account} · {item.function.region}"


def _status(item: Item) -> list[str]:
    request, function = item.request, item.function
    if request is None or request.state is RequestState.OPEN:
        return [] if function is None else _open(item, function)
    by = mention(request.approved_by)
    match request.state:
        case RequestState.RUNNING:
            return [f"*Turning on…* {prose(request.step) or 'asking AWS'} · approved by {by}"]
        case RequestState.APPLIED:
            at = clock_time(request.finished_at) if request.finished_at else "now"
            note = [f"_But:_ {prose(request.note)}"] if request.note else []
            return [f"*Active since {at}*, approved by {by} :white_check_mark:", *note]
        case RequestState.FAILED:
            when = clock_time(request.finished_at) if request.finished_at else ""
            return [f"*Not fixed* ({when}, approved by {by}): {prose(request.error)}"]
        case _:
            if item.exemption:
                return [_exemption(item.exemption)]
            return [prose(request.error)]


def _open(item: Item, function: Function) -> list[str]:
    facts = [_mode(function), _may_write(function)]
    if item.since:
        facts.append(f"seen since {day(item.since)}")
    lines = [" · ".join(facts)]
    lines += [prose(finding.text) for finding in function.findings if finding.check not in _SAID]
    return lines


def _buttons(item: Item) -> list[Block]:
    request, function = item.request, item.function
    if request is None or function is None or request.state not in (RequestState.OPEN, RequestState.FAILED):
        return []
    made = []
    if function.fixable:
        approve = blocks.button(
            "Approve fix", APPROVE, request.id, described=f"Approve fix of {function.name}", primary=True
        )
        approve["confirm"] = blocks.confirm("Turn on active tracing?", confirm_text(item), "Approve fix", "Cancel")
        made.append(approve)
    made.append(blocks.button("Exempt…", EXEMPT, request.id, described=f"Exempt {function.name}"))
    return made


def confirm_text(item: Item) -> str:
    """What an approval changes, in at most 300 characters."""
    function = item.function
    if function is None:
        return ""
    where = f"{clip(function.name, 70)} ({function.account}, {function.region})"
    words = []
    if not function.mode or function.mode != "Active":
        words.append(f"Sets TracingConfig of {where} from PassThrough to Active.")
    else:
        words.append(f"Lets {where} send the traces that are lost now.")
    if function.role_may_write is MayWrite.NO:
        shared = f", which {count(item.sharing, 'other function')} also use" if item.sharing else ""
        shared = shared.replace("function also use", "function also uses")
        words.append(f"Its role gets {XRAY_POLICY}{shared}.")
    elif function.role_may_write is None:
        words.append("Its role could not be read and is checked first.")
    return clip(" ".join(words), 300)


def _mode(function: Function) -> str:
    return f"{function.mode}" if function.mode else "no tracing mode"


def _role(function: Function) -> str:
    return code(function.role.rsplit("/", 1)[-1]) if function.role else "none given"


def _may_write(function: Function) -> str:
    role = _role(function)
    match function.role_may_write:
        case MayWrite.YES:
            return f"role {role} may write to X-Ray"
        case MayWrite.NO:
            return f"role {role} may not write to X-Ray yet"
        case MayWrite.CONDITIONAL:
            return f"whether role {role} may write depends on a condition"
        case _:
            return f"role {role} could not be read"


def _verdict(item: Item) -> str:
    assert item.function is not None  # noqa: S101 - a card is drawn of a function
    since = f" since {day_and_time(item.since)}" if item.since else ""
    return f"{str(item.function.verdict).replace('_', ' ')}{since}"


def _exemption(exemption: Exemption) -> str:
    until, by = day(exemption.last_moment), mention(exemption.granted_by)
    return f"*Exempt until {until}*, granted by {by}: {escape(exemption.reason)}"


def _aliases(function: Function) -> str:
    if function.aliases is None:
        return "could not be read"
    names = [
        f"{code(alias.name)} serves {', '.join(f'version {served.version}' for served in alias.versions)}"
        for alias in function.aliases
    ]
    return "\n".join(names) or "none in use"

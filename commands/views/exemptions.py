"""How exemptions look: in a list, while one waits for a second person, and when one is about to end."""

from collections.abc import Sequence
from datetime import date, datetime

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.exempt import until_input
from commands.views.standing import MOST_APPROVERS
from commands.views.text import (
    clip,
    code,
    count,
    day,
    day_and_time,
    entities,
    escape,
    listing,
    mention,
    plain_day,
    prose,
)
from storage.models import Exemption, ExemptScope, ExemptState

CONFIRM = "confirm-exemption"
DENY = "deny-exemption"
EXTEND = "extend-exemption"
LET_END = "let-end"
PREVIOUS, NEXT = "exemptions-previous", "exemptions-next"
EXTEND_CALLBACK = "extend-exemption-form"
EXTEND_TITLE = "Extend an exemption"
ROWS = 12
REASON_SHOWN = 200
TARGET_SHOWN = 100
NAMED = 15


def what(exemption: Exemption) -> str:
    """What it is about."""
    match exemption.scope:
        case ExemptScope.FUNCTION:
            return code(exemption.function_arn.rsplit(":", 1)[-1])
        case ExemptScope.NAME:
            return f"Functions named {code(clip(exemption.target, TARGET_SHOWN))}"
        case ExemptScope.TAG:
            return f"Functions tagged {code(clip(exemption.target, TARGET_SHOWN))}"


def exempt_now(exemption: Exemption, number: int) -> str:
    """ "12 functions named `ctl-*` are exempt"."""
    about = what(exemption).removeprefix("Functions ")
    return f"{count(number, 'function')} {about} {'is' if number == 1 else 'are'} exempt"


def ticket_link(ticket: str) -> str:
    """A link that shows where it leads; "" where there is none."""
    if not ticket:
        return ""
    shown = clip(ticket.removeprefix("https://"), 60)
    return f"<{entities(ticket)}|{entities(shown)}>"


def reason_line(exemption: Exemption) -> str:
    link = ticket_link(exemption.ticket)
    why = escape(clip(exemption.reason, REASON_SHOWN))
    return f"{why} · {link}" if link else why


def row(exemption: Exemption, number: int) -> str:
    """One of a list: `number` functions are covered by it."""
    who = f"Granted by {mention(exemption.granted_by)}"
    if exemption.asked_by:
        who += f", asked for by {mention(exemption.asked_by)}"
    covers = f" · {count(number, 'function')}" if exemption.by_rule else _place(exemption)
    later = ", later ones too" if exemption.later else ""
    left = f" · {mention(exemption.let_end_by)} lets it end" if exemption.let_end_by else ""
    head = f"{what(exemption)}{covers}{later} · until *{day(exemption.last_moment)}*{left} · number {exemption.id}"
    return f"{head}\n{who}: {reason_line(exemption)}"


def list_text(team: str | None, total: int, everybody: bool) -> str:
    whose = "" if everybody else f" of {escape(team or 'no known team')}"
    return f"{count(total, 'exemption')}{whose} in force" if total else f"No exemption{whose} is in force"


def list_blocks(head: str, rows: Sequence[str], *, page: int, pages: int, waiting: int, value: str) -> list[Block]:
    """`value`: what the buttons carry, behind the number of the page that they lead to."""
    made = [blocks.header(head)]
    made += [blocks.section(clip(one, 800)) for one in rows]
    if waiting:
        made.append(blocks.context(f"{count(waiting, 'more exemption')} wait for a second person."))
    if rows:
        how = "`/trace-exempt revoke &lt;number&gt; &lt;reason&gt;`"
        made.append(blocks.context(f"The first to end stands first. End one by its number: {how}"))
    buttons = []
    if page > 1:
        described = f"Page {page - 1} of {pages} of exemptions"
        buttons.append(blocks.button("Previous", PREVIOUS, f"{page - 1} {value}".strip(), described=described))
    if page < pages:
        described = f"Page {page + 1} of {pages} of exemptions"
        buttons.append(blocks.button("Next", NEXT, f"{page + 1} {value}".strip(), described=described))
    if buttons:
        made += [blocks.context(f"Page {page} of {pages}"), {"type": "actions", "elements": buttons}]
    return made


def asked_text(exemption: Exemption, names: Sequence[str]) -> str:
    """For notifications and screen readers; stands alone."""
    goal = "extend the exemption of" if exemption.extends else "exempt"
    until = day(exemption.last_moment)
    about = f"{goal} {_about(exemption, names)} until {until}"
    return f"{mention(exemption.asked_by)} asks to {about}: {reason_line(exemption)}"


def asked_blocks(exemption: Exemption, names: Sequence[str], approvers: Sequence[str]) -> list[Block]:
    """While it waits: what, who has to click, and the buttons; then what came of it."""
    made = [blocks.section(asked_text(exemption, names))]
    if exemption.scope is not ExemptScope.FUNCTION and names:
        made.append(blocks.context(_covers(exemption, names)))
    if exemption.state is not ExemptState.ASKED:
        return [*made, blocks.context(decided_line(exemption))]
    until = f" It waits until {day_and_time(exemption.ask_until)}." if exemption.ask_until else ""
    made.append(blocks.context(f"{_who(approvers)}{until}"))
    about = _plain(exemption)
    grant = blocks.button("Confirm", CONFIRM, exemption.token, described=f"Confirm: exempt {about}", primary=True)
    text = f"{clip(about, 120)} may stay untraced until {plain_day(exemption.last_moment)}. Recorded as yours."
    grant["confirm"] = blocks.confirm("Confirm this exemption?", text, "Confirm", "Cancel")
    deny = blocks.button("Deny", DENY, exemption.token, described=f"Deny: exempt {about}")
    denies = f"{clip(about, 120)} stays as it is. Recorded as yours."
    deny["confirm"] = blocks.confirm("Deny this exemption?", denies, "Deny", "Cancel")
    return [*made, {"type": "actions", "block_id": f"asked-{exemption.id}", "elements": [grant, deny]}]


def decided_line(exemption: Exemption) -> str:
    """How it ended, or that it stands."""
    by, at = mention(exemption.ended_by), day_and_time(exemption.ended_at) if exemption.ended_at else ""
    match exemption.state:
        case ExemptState.ASKED:
            return "It waits for another approver."
        case ExemptState.GRANTED:
            by = mention(exemption.granted_by)
            return f"*Confirmed* by {by}: exempt until {day(exemption.last_moment)}. It is number {exemption.id}."
        case ExemptState.MERGED:
            return f"*Confirmed* by {by} {at}."
        case ExemptState.DENIED:
            return f"*Denied* by {by} {at}."
        case ExemptState.EXPIRED:
            return f"*Expired* {at}: nobody confirmed it in time. Ask anew with `/trace-exempt`."
        case ExemptState.REVOKED:
            return f"*Revoked* by {by} {at}{_why(exemption)}"
        case ExemptState.ENDED:
            return f"*Ended* {at}{_why(exemption)}"


def ending_text(exemption: Exemption, names: Sequence[str]) -> str:
    """The reminder; stands alone."""
    return (
        f"The exemption of {_about(exemption, names)} ends: its last day is {day(exemption.last_moment)}. "
        f"Why it was granted, by {mention(exemption.granted_by)}: {reason_line(exemption)}"
    )


def ending_blocks(exemption: Exemption, names: Sequence[str], extended: str) -> list[Block]:
    """`extended`: who has chosen a later day since this was said, "" where nobody has."""
    if exemption.state is not ExemptState.GRANTED:
        return [blocks.section(f"The exemption of {_about(exemption, names)}: {decided_line(exemption)}")]
    if extended:
        until = day(exemption.last_moment)
        return [
            blocks.section(f"The exemption of {_about(exemption, names)} was extended until {until} by {extended}.")
        ]
    made = [blocks.section(ending_text(exemption, names))]
    if exemption.by_rule and names:
        made.append(blocks.context(_covers(exemption, names)))
    if exemption.let_end_by:
        made.append(
            blocks.context(f"{mention(exemption.let_end_by)} lets it end. After that it is in the digest again.")
        )
    else:
        made.append(blocks.context("If nobody extends it, what it covers is untraced again and in the next digest."))
    return [*made, ending_buttons(exemption)]


def ending_buttons(exemption: Exemption) -> Block:
    about = _plain(exemption)
    buttons = [blocks.button("Extend…", EXTEND, exemption.token, described=f"Extend the exemption of {about}")]
    if not exemption.let_end_by:
        buttons.append(blocks.button("Let it end", LET_END, exemption.token, described=f"Let it end: {about}"))
    return {"type": "actions", "block_id": f"ending-{exemption.id}", "elements": buttons}


def extend_form(exemption: Exemption, names: Sequence[str], chosen: date, latest: date, note: str = "") -> Block:
    made = [blocks.section(f":warning: {note}")] if note else []
    made.append(blocks.section(f"{_about(exemption, names)}, exempt until {day(exemption.last_moment)}"))
    made.append(blocks.context(f"Why it was granted: {reason_line(exemption)}"))
    return {
        "type": "modal",
        "callback_id": EXTEND_CALLBACK,
        "private_metadata": exemption.token,
        "title": {"type": "plain_text", "text": EXTEND_TITLE},
        "submit": {"type": "plain_text", "text": "Extend"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [*made, until_input(chosen, latest)],
    }


def left_line(name: str, by: str, why: str, at: datetime | None) -> str:
    """For the row of a function that is untraced again because its exemption ended for it."""
    who = f", revoked by {mention(by)}" if by[:1] in ("U", "W") else ""
    when = f" {day(at)}" if at else ""
    said = f": {escape(clip(why, REASON_SHOWN))}" if why else "."
    return f"*Not exempt any more* since{when}{who}{said} Ask anew: {code(f'/trace-fix {name}')}"


def unsure_line(exemption: Exemption) -> str:
    """For the row of a function whose tags could not be read."""
    about = what(exemption).removeprefix("Functions ")
    return f"Not counted as exempt: its tags could not be read, and the exemption is of functions {about}."


def _place(exemption: Exemption) -> str:
    parts = exemption.function_arn.split(":")
    return f" · {parts[4]} · {parts[3]}" if len(parts) > 6 else ""


def _about(exemption: Exemption, names: Sequence[str]) -> str:
    if exemption.scope is ExemptScope.FUNCTION:
        return f"{what(exemption)}{_place(exemption)}"
    about = what(exemption).removeprefix("Functions ")
    later = " and those that match later" if exemption.later else ""
    return f"{count(len(names), 'function')} {about}{later}"


def _covers(exemption: Exemption, names: Sequence[str]) -> str:
    return f"{listing([code(clip(name, 64)) for name in names], NAMED)}. {_later(exemption)}".strip()


def _later(exemption: Exemption) -> str:
    return "Functions of the same teams that match later are covered too." if exemption.later else ""


def _plain(exemption: Exemption) -> str:
    """For buttons and dialogs, which take no markup."""
    return exemption.target or exemption.function_arn.rsplit(":", 1)[-1]


def _who(approvers: Sequence[str]) -> str:
    if not approvers:
        return "Nobody else may confirm it: name another approver under [policy] in lamplighter.toml."
    return f"Another approver has to confirm it: {listing(approvers, MOST_APPROVERS)}."


def _why(exemption: Exemption) -> str:
    return f": {prose(exemption.ended_why)}" if exemption.ended_why else "."

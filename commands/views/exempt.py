"""The modal that asks what may stay untraced, why, and until when; it shows what a rule covers before it is granted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.form import reason_input
from commands.views.text import CONTEXT_LIMIT, clip, code, count, escape, plain_day
from storage.models import ExemptScope, Function

CALLBACK = "exempt"
EXEMPT_SOME = "exempt-some"  # the button for several of a team's functions
TITLE = "Exempt from tracing"
UNTIL = "until"
TICKET = "exempt-ticket"
SCOPE = "exempt-scope"
NAMES = "exempt-names"
TAG = "exempt-tag"
EVERYWHERE = "exempt-everywhere"
LATER = "exempt-later"
FIELDS = (SCOPE, NAMES, TAG, EVERYWHERE)  # each change of these draws anew what is covered
TARGETS = {ExemptScope.NAME: NAMES, ExemptScope.TAG: TAG}
TICKET_LIMIT = 300
TARGET_LIMIT = 200
NAMED = 25
NAME_SHOWN = 64
ROOM = 2400

_SCOPES = {
    ExemptScope.FUNCTION: "This function only",
    ExemptScope.NAME: "Functions by a pattern of their names",
    ExemptScope.TAG: "Functions by a tag",
}


@dataclass(frozen=True, slots=True)
class Covered:
    """What a rule would cover now."""

    names: Sequence[str]  # of untraced functions, sorted
    others: int = 0  # untraced functions that match and are another team's


@dataclass(frozen=True, slots=True)
class ExemptForm:
    """What the modal shows."""

    metadata: str  # what a change in it, or its submission, is to be held against
    function: Function | None
    team: str | None
    until: date
    latest: date
    scope: ExemptScope = ExemptScope.FUNCTION
    target: str = ""
    everywhere: bool | None = None  # functions of every team; None: that may not be chosen
    later: bool = False
    reason: str = ""
    ticket: str = ""
    covered: Covered | None = None  # None: there is no rule to look at yet
    suggestion: str = ""  # why it may well be exempt
    two_people: str = ""  # who has to confirm it; "" where one is enough
    note: str = ""  # what the person has to know first


def exempt_form(shown: ExemptForm) -> Block:
    """The names of fields are block and action ids alike."""
    made = [blocks.section(f":warning: {shown.note}")] if shown.note else []
    made.append(blocks.section(_about(shown)))
    if shown.suggestion:
        made.append(blocks.context(f"Suggested: {escape(shown.suggestion)} It is exempt only if you say so."))
    made.append(_scope(shown))
    if shown.scope is not ExemptScope.FUNCTION:
        made += [_target(shown), *_teams(shown), _preview(shown), _later(shown)]
    made += [_reason(shown.reason), _ticket(shown.ticket), until_input(shown.until, shown.latest)]
    if shown.two_people:
        made.append(blocks.context(clip(shown.two_people, CONTEXT_LIMIT)))
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": shown.metadata,
        "title": {"type": "plain_text", "text": TITLE},
        "submit": {"type": "plain_text", "text": "Exempt"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": made,
    }


def until_input(chosen: date, latest: date) -> Block:
    return {
        "type": "input",
        "block_id": UNTIL,
        "label": {"type": "plain_text", "text": "Until when?"},
        "hint": {"type": "plain_text", "text": f"The last day of the exemption: {plain_day(latest)} at the latest."},
        "element": {"type": "datepicker", "action_id": UNTIL, "initial_date": chosen.isoformat()},
    }


def _about(shown: ExemptForm) -> str:
    if shown.function and shown.scope is ExemptScope.FUNCTION:
        return f"*{code(shown.function.name)}*  {shown.function.account} · {shown.function.region}"
    return f"Team *{escape(clip(shown.team or 'no known team', 100))}*"


def _scope(shown: ExemptForm) -> Block:
    offered = [one for one in ExemptScope if shown.function or one is not ExemptScope.FUNCTION]
    options = {one: _option(_SCOPES[one], one) for one in offered}
    element: Block = {
        "type": "static_select",
        "action_id": SCOPE,
        "options": list(options.values()),
        "initial_option": options[shown.scope],
    }
    return _input(SCOPE, "What may stay untraced?", element, dispatch=True)


def _target(shown: ExemptForm) -> Block:
    field = TARGETS[shown.scope]
    by_name = shown.scope is ExemptScope.NAME
    element: Block = {
        "type": "plain_text_input",
        "action_id": field,
        "max_length": TARGET_LIMIT,
        "placeholder": {"type": "plain_text", "text": "ctl-*" if by_name else "purpose=deployment"},
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if shown.target:
        element["initial_value"] = shown.target[:TARGET_LIMIT]
    what = "* stands for any text, ? for one character" if by_name else "As in AWS: key=value; case counts"
    return _input(
        field,
        "Pattern of names" if by_name else "Tag",
        element,
        hint=f"{what}. Press Enter to see what it covers.",
        dispatch=True,
    )


def _teams(shown: ExemptForm) -> list[Block]:
    if shown.everywhere is None:
        return []
    option = _option("Not only this team's", "all")
    element: Block = {"type": "checkboxes", "action_id": EVERYWHERE, "options": [option]}
    if shown.everywhere:
        element["initial_options"] = [option]
    return [_input(EVERYWHERE, "Functions of every team", element, optional=True, dispatch=True)]


def _preview(shown: ExemptForm) -> Block:
    return {**blocks.section("\n".join(_covers(shown))), "block_id": "exempt-covered"}


def _covers(shown: ExemptForm) -> list[str]:
    covered = shown.covered
    if covered is None:
        return ["*Nothing is looked at yet.* Write it above and press Enter."]
    as_of = " Tags are as the last audit read them." if shown.scope is ExemptScope.TAG else ""
    if not covered.names:
        lines = [f"*No untraced function matches.*{as_of}"]
    else:
        lines = [f"*Covers {count(len(covered.names), 'untraced function')}:* {_names(covered.names)}.{as_of}"]
    if covered.others:
        lines.append(f"{count(covered.others, 'more function')} of other teams would match and are not covered.")
    return lines


def _names(names: Sequence[str]) -> str:
    """As many as there is room for, and how many more there are."""
    shown: list[str] = []
    room = ROOM
    for name in names[:NAMED]:
        text = code(clip(name, NAME_SHOWN))
        room -= len(text) + 2
        if room < 0:
            break
        shown.append(text)
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _later(shown: ExemptForm) -> Block:
    option = _option("Cover later functions too", "later")
    element: Block = {"type": "checkboxes", "action_id": LATER, "options": [option]}
    if shown.later:
        element["initial_options"] = [option]
    hint = "Of the same teams, once they match. The digest says when that happens."
    return _input(LATER, "Functions that match later", element, hint=hint, optional=True)


def _reason(text: str) -> Block:
    return reason_input(
        "Why may it stay untraced?",
        hint="Auditors will read this.",
        example="Traced by our own agent until the move in OPS-1234",
        typed=text,
    )


def _ticket(text: str) -> Block:
    element: Block = {
        "type": "plain_text_input",
        "action_id": TICKET,
        "max_length": TICKET_LIMIT,
        "placeholder": {"type": "plain_text", "text": "https://…"},
    }
    if text:
        element["initial_value"] = text[:TICKET_LIMIT]
    return _input(TICKET, "Ticket", element, hint="A link that begins with https://", optional=True)


def _option(text: str, value: str) -> Block:
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}


def _input(
    block_id: str, label: str, element: Block, *, hint: str = "", optional: bool = False, dispatch: bool = False
) -> Block:
    made: Block = {
        "type": "input",
        "block_id": block_id,
        "label": {"type": "plain_text", "text": label},
        "element": element,
    }
    if dispatch:
        made["dispatch_action"] = True
    if hint:
        made["hint"] = {"type": "plain_text", "text": hint}
    return {**made, "optional": True} if optional else made

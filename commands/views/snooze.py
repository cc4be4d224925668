"""The modal that asks what makes no new message, and for how long."""

from collections.abc import Sequence

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.living import who
from commands.views.text import HIDDEN, clip
from storage.models import Function

CALLBACK = "snooze"
WHAT = "snooze-what"
FOR = "snooze-for"
TEAM = "team"
END_NOW = "end"
DAYS = (1, 7, 30)

GROUP = 100
MOST_LISTED = 500
OPTION = 75


def snooze_form(team: str | None, post_id: str, listed: Sequence[tuple[str, Function]], total: int) -> Block:
    """`listed` are requests' ids with their functions, of `total`; the form carries the digest's id."""
    more = f" The first {len(listed):,} of {total:,} are listed." if len(listed) < total else ""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": post_id,
        "title": {"type": "plain_text", "text": "Snooze"},
        "submit": {"type": "plain_text", "text": "Save"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            blocks.section(
                f"What is snoozed makes no new message for {who(team)}. It stays untraced, in the coverage and in the "
                f"digest's counts; to stop counting it, exempt it.{more}"
            ),
            _what(listed),
            _for(),
        ],
    }


def _what(listed: Sequence[tuple[str, Function]]) -> Block:
    whole = {"label": _plain("Team"), "options": [_option("The whole team", TEAM)]}
    options = [_option(_name(one), request_id) for request_id, one in listed]
    parts = [options[start : start + GROUP] for start in range(0, len(options), GROUP)]
    groups = [
        {"label": _plain(f"Functions ({number})" if len(parts) > 1 else "Functions"), "options": part}
        for number, part in enumerate(parts, 1)
    ]
    return {
        "type": "input",
        "block_id": WHAT,
        "label": _plain("What?"),
        "hint": _plain("Any member may snooze a function; the whole team, only an approver of it."),
        "element": {
            "type": "multi_static_select",
            "action_id": WHAT,
            "placeholder": _plain("Choose functions, or the whole team"),
            "option_groups": [whole, *groups],
        },
    }


def _for() -> Block:
    lengths = [_option("1 day" if days == 1 else f"{days} days", str(days)) for days in DAYS]
    options = [*lengths, _option("End the snooze now", END_NOW)]
    element = {"type": "static_select", "action_id": FOR, "options": options, "initial_option": options[1]}
    return {"type": "input", "block_id": FOR, "label": _plain("For how long?"), "element": element}


def _name(one: Function) -> str:
    return clip(HIDDEN.sub("", f"{one.name} · {one.account} · {one.region}"), OPTION)


def _option(text: str, value: str) -> Block:
    return {"text": {"type": "plain_text", "text": text, "emoji": False}, "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}

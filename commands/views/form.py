"""Parts of several modals: one that only tells, and the field that asks why."""

from collections.abc import Sequence

from commands.views.blocks import Block, section
from commands.views.standing import REASON_LIMIT

REASON = "reason"


def result_view(title: str, text: str, blocks: Sequence[Block] = ()) -> Block:
    """What a form becomes once it was submitted."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": list(blocks) or [section(text)],
    }


def reason_input(label: str, *, hint: str, example: str, typed: str = "") -> Block:
    """The field's name is block and action id alike."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": REASON_LIMIT,
        "placeholder": {"type": "plain_text", "text": example},
    }
    return {
        "type": "input",
        "block_id": REASON,
        "label": {"type": "plain_text", "text": label},
        "hint": {"type": "plain_text", "text": hint},
        "element": element | ({"initial_value": typed[:REASON_LIMIT]} if typed else {}),
    }

"""The modal that asks why a fix is denied."""

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.standing import REASON_LIMIT, asked_line
from commands.views.text import code
from storage.fixes import FixRequest
from storage.models import Function

CALLBACK = "deny"
REASON = "reason"


def deny_form(function: Function, request: FixRequest) -> Block:
    """`private_metadata` is the request's id and nothing else; the field name is block and action id alike."""
    place = f"*{code(function.name)}*  {function.account} · {function.region}"
    asked = asked_line(request, two_people=False)
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": request.id,
        "title": {"type": "plain_text", "text": "Deny a fix"},
        "submit": {"type": "plain_text", "text": "Deny"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [blocks.section("\n".join(filter(None, (place, asked)))), _reason()],
    }


def _reason() -> Block:
    return {
        "type": "input",
        "block_id": REASON,
        "label": {"type": "plain_text", "text": "Why is it not to be fixed now?"},
        "hint": {"type": "plain_text", "text": "Whoever asked reads this, and so do auditors."},
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "max_length": REASON_LIMIT,
            "placeholder": {"type": "plain_text", "text": "Not before the sale ends on Friday; ask again then"},
        },
    }

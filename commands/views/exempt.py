"""The modal that asks why a function may stay untraced, and until when."""

from datetime import date, timedelta

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.text import code
from storage.models import Function

CALLBACK = "exempt"
REASON = "reason"
UNTIL = "until"
DEFAULT_DAYS = 90
MOST_DAYS = 365
REASON_LIMIT = 500


def exempt_form(function: Function, request_id: str, today: date) -> dict[str, object]:
    """`private_metadata` is the request's id and nothing else; the field names are block and action ids alike."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": request_id,
        "title": {"type": "plain_text", "text": "Exempt a function"},
        "submit": {"type": "plain_text", "text": "Exempt"},
        "close": {"type": "plain_text", "text": "Cancel"},
        "blocks": [
            blocks.section(f"*{code(function.name)}*  {function.account} · {function.region}"),
            _reason(),
            _until(today),
        ],
    }


def _reason() -> Block:
    return {
        "type": "input",
        "block_id": REASON,
        "label": {"type": "plain_text", "text": "Why may it stay untraced?"},
        "hint": {"type": "plain_text", "text": "Auditors will read this. Name a ticket if there is one."},
        "element": {
            "type": "plain_text_input",
            "action_id": REASON,
            "multiline": True,
            "max_length": REASON_LIMIT,
            "placeholder": {"type": "plain_text", "text": "Traced by our own agent until the move in OPS-1234"},
        },
    }


def _until(today: date) -> Block:
    return {
        "type": "input",
        "block_id": UNTIL,
        "label": {"type": "plain_text", "text": "Until when?"},
        "hint": {"type": "plain_text", "text": "The last day of the exemption; one year ahead at most."},
        "element": {
            "type": "datepicker",
            "action_id": UNTIL,
            "initial_date": (today + timedelta(days=DEFAULT_DAYS)).isoformat(),
        },
    }

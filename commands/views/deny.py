"""The modal that asks why a fix is denied."""

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.form import reason_input
from commands.views.standing import asked_line
from commands.views.text import code
from storage.fixes import FixRequest
from storage.models import Function

CALLBACK = "deny"


def deny_form(function: Function, request: FixRequest) -> Block:
    """`private_metadata` is the request's id and nothing else."""
    place = f"*{code(function.name)}*  {function.account} · {function.region}"
    asked = asked_line(request, two_people=False)
    why = reason_input(
        "Why is it not to be fixed now?",
        hint="Whoever asked reads this, and so do auditors.",
        example="Not before the sale ends on Friday; ask again then",
    )
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": request.id,
        "title": {"type": "plain_text", "text": "Deny a fix"},
        "submit": {"type": "plain_text", "text": "Deny"},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [blocks.section("\n".join(filter(None, (place, asked)))), why],
    }

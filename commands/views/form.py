"""Modals that only tell."""

from collections.abc import Sequence

from commands.views.blocks import Block, section


def result_view(title: str, text: str, blocks: Sequence[Block] = ()) -> Block:
    """What a form becomes once it was submitted."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": list(blocks) or [section(text)],
    }

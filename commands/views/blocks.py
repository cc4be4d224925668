"""The Block Kit pieces that views are put together from, each kept within Slack's limits."""

from typing import Any

from commands.views.text import CONTEXT_LIMIT, HEADER_LIMIT, SECTION_LIMIT, clip

Block = dict[str, Any]  # Block Kit JSON


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": clip(text, HEADER_LIMIT), "emoji": False}}


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip(text, SECTION_LIMIT)}}


def fields(*pairs: tuple[str, str]) -> Block:
    """Up to ten label and value pairs."""
    texts = [{"type": "mrkdwn", "text": clip(f"*{label}*\n{value}", 2000)} for label, value in pairs[:10]]
    return {"type": "section", "fields": texts}


def context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": clip(text, CONTEXT_LIMIT)}]}


def preformatted(text: str) -> Block:
    """Code, shown letter by letter: rich text takes no markup, so that there is nothing to escape."""
    lines = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [lines]}


def button(label: str, action_id: str, value: str, *, described: str, primary: bool = False) -> Block:
    """`described` is what a screen reader says where several buttons share a label."""
    made: Block = {
        "type": "button",
        "text": {"type": "plain_text", "text": clip(label, 75), "emoji": False},
        "action_id": action_id,
        "value": value,
        "accessibility_label": clip(described, 75),
    }
    if primary:
        made["style"] = "primary"
    return made


def confirm(title: str, text: str, yes: str, no: str) -> Block:
    """The dialog that stands between a click and its effect."""
    return {
        "title": {"type": "plain_text", "text": clip(title, 100)},
        "text": {"type": "plain_text", "text": clip(text, 300)},
        "confirm": {"type": "plain_text", "text": clip(yes, 30)},
        "deny": {"type": "plain_text", "text": clip(no, 30)},
    }

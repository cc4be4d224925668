"""Whether Slack would take these blocks, this message, this view: every limit and rule, with Slack's own words.

It looks at JSON only and keeps nothing. Sources: Slack's Block Kit reference, slack_sdk's models and slackblocks'
limits; where they disagree, the stricter holds.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from bot.demo.slack import elements, tables
from bot.demo.slack.elements import ELEMENTS, text
from bot.demo.slack.nouns import Json
from bot.demo.slack.shapes import (
    Check,
    Problems,
    anything,
    boolean,
    by_type,
    exactly_one,
    items,
    one_of,
    problem,
    shape,
    string,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
MESSAGE_TEXT, UPDATE_TEXT = 40_000, 4_000
MARKDOWN_TEXT = 12_000
# Undocumented: Slack answers msg_blocks_too_long somewhere above 12,000 characters (bolt-js issues 2509 and 2867).
BLOCKS_TEXT = 12_000
VIEW_TITLE, PRIVATE_METADATA, VIEW_BYTES = 24, 3000, 250_000
CHARTS_PER_MESSAGE = 2

_ID: dict[str, Check] = {"block_id": string(elements.ID, 1)}
_IMAGE_SOURCE: dict[str, Check] = {"image_url": elements.WEB_ADDRESS, "slack_file": elements.SLACK_FILE}
_TITLED: dict[str, Check] = {"title": text(150), "subtitle": text(150)}
_IMAGE = by_type({"image": ELEMENTS["image"]})


def _has_text_or_fields(block: Any, pointer: str, problems: Problems) -> None:
    if "text" not in block and "fields" not in block:
        problem(problems, "missing required field: text or fields", pointer)


def _has_something_to_show(block: Any, pointer: str, problems: Problems) -> None:
    if not any(name in block for name in ("hero_image", "title", "actions", "body")):
        problem(problems, "must have one of hero_image, title, body, actions", pointer)


def _context_element(value: Any, pointer: str, problems: Problems) -> None:
    if isinstance(value, dict) and value.get("type") == "image":
        ELEMENTS["image"](value, pointer, problems)
    else:
        text()(value, pointer, problems)


_CARD = shape(
    {},
    {
        **_ID,
        **_TITLED,
        "hero_image": _IMAGE,
        "icon": _IMAGE,
        "slack_icon": anything,
        "body": text(200),
        "subtext": text(200),
        "actions": items(by_type(ELEMENTS, only=frozenset({"button"})), least=1, most=3),
    },
    _has_something_to_show,
)
_TASK = shape(
    {"task_id": string(elements.ID, 1), "title": string(elements.TEXT, 1)},
    {
        **_ID,
        "details": by_type({"rich_text": tables.RICH_TEXT}),
        "output": by_type({"rich_text": tables.RICH_TEXT}),
        "sources": items(anything, most=50),
        "status": one_of("pending", "in_progress", "complete", "error"),
    },
)

BLOCKS: dict[str, Check] = {
    "section": shape(
        {},
        {
            **_ID,
            "text": text(),
            "fields": items(text(2000), least=1, most=10),
            "accessory": by_type(ELEMENTS, only=elements.IN_SECTION),
            "expand": boolean,
        },
        _has_text_or_fields,
    ),
    "header": shape({"text": text(150, plain=True)}, {**_ID, "level": anything}),
    "divider": shape({}, _ID),
    "context": shape({"elements": items(_context_element, least=1, most=10)}, _ID),
    "actions": shape({"elements": items(by_type(ELEMENTS, only=elements.IN_ACTIONS), least=1, most=25)}, _ID),
    "context_actions": shape(
        {"elements": items(by_type(ELEMENTS, only=elements.IN_CONTEXT_ACTIONS), least=1, most=5)}, _ID
    ),
    "image": shape(
        {"alt_text": string(2000, 1)},
        {**_ID, **_IMAGE_SOURCE, "title": text(2000, plain=True)},
        exactly_one("image_url", "slack_file"),
    ),
    "input": shape(
        {"label": text(2000, plain=True), "element": by_type(ELEMENTS, only=elements.IN_INPUT)},
        {**_ID, "hint": text(2000, plain=True), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": shape({"text": string(MARKDOWN_TEXT, 1)}, _ID),
    "rich_text": tables.RICH_TEXT,
    "table": tables.TABLE,
    "data_table": tables.DATA_TABLE,
    "data_visualization": tables.DATA_VISUALIZATION,
    "alert": shape({"text": text(200)}, {**_ID, "level": one_of("default", "info", "success", "warning", "error")}),
    "card": _CARD,
    "carousel": shape({"elements": items(by_type({"card": _CARD}), least=1, most=10)}, _ID),
    "task_card": _TASK,
    "plan": shape({"title": string(elements.TEXT, 1)}, {**_ID, "tasks": items(by_type({"task_card": _TASK}), most=50)}),
    "video": shape(
        {"title": text(200, plain=True), "video_url": elements.WEB_ADDRESS, "thumbnail_url": elements.WEB_ADDRESS}
        | {"alt_text": string(2000, 1)},
        {**_ID, "description": text(200, plain=True), "author_name": string(50), "provider_name": string(50)}
        | {"title_url": elements.WEB_ADDRESS, "provider_icon_url": elements.WEB_ADDRESS},
    ),
    "file": shape({"external_id": string(elements.ID, 1), "source": one_of("remote")}, _ID),
}


def _child(value: Any, pointer: str, problems: Problems) -> None:
    inside = frozenset(BLOCKS) - {"container", "carousel", "card", "file", "plan", "task_card", "alert"}
    by_type(BLOCKS, only=inside)(value, pointer, problems)


BLOCKS["container"] = shape(
    {"child_blocks": items(_child, least=1, most=10)},
    {
        **_ID,
        **_TITLED,
        "title": text(150, plain=True),
        "rich_text_title": by_type({"rich_text": tables.RICH_TEXT}),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": _IMAGE,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    exactly_one("title", "rich_text_title"),
)

_EVERYWHERE = {"actions", "card", "context", "divider", "header", "image", "input", "rich_text", "section", "video"}
_DATA = {"table", "data_table", "data_visualization", "carousel", "container"}
SURFACES: dict[str, frozenset[str]] = {
    "message": frozenset(_EVERYWHERE | _DATA | {"context_actions", "file", "markdown", "plan", "task_card"}),
    "modal": frozenset(_EVERYWHERE | {"alert"}),
    "home": frozenset(_EVERYWHERE | _DATA),
}


def message_problems(blocks: Any) -> Problems:
    """Why Slack would answer `invalid_blocks` to these blocks in a message; empty where it would not."""
    return _block_problems(blocks, "message", "/blocks")


def view_problems(view: Any) -> Problems:
    """Why Slack would answer `invalid_arguments` to this modal or home view."""
    problems: Problems = []
    if not isinstance(view, dict):
        return ["[ERROR] must be an object [json-pointer:/view]"]
    kind = view.get("type")
    if kind not in ("modal", "home"):
        problem(problems, f"unsupported type: {kind}", "/view/type")
        return problems
    name = text(VIEW_TITLE, plain=True)
    kept: dict[str, Check] = {
        "callback_id": string(elements.ID),
        "external_id": string(elements.ID),
        "private_metadata": string(PRIVATE_METADATA),
    }
    modal: dict[str, Check] = {
        "close": name,
        "submit": name,
        "clear_on_close": boolean,
        "notify_on_close": boolean,
        "submit_disabled": boolean,
    }
    if kind == "modal":
        shape({"title": name, "blocks": anything}, {**kept, **modal})(view, "/view", problems)
    else:
        shape({"blocks": anything}, kept)(view, "/view", problems)
    if "blocks" in view:
        problems += _block_problems(view["blocks"], str(kind), "/view/blocks")
    if kind == "modal" and "submit" not in view and any(b["type"] == "input" for b in _dicts(view.get("blocks"))):
        problem(problems, "submit is required when an input block is within the blocks array", "/view/submit")
    return problems


def view_is_too_large(view: Json) -> bool:
    """Whether Slack would answer `view_too_large`."""
    return len(json.dumps(view, ensure_ascii=False).encode()) > VIEW_BYTES


def blocks_are_too_long(blocks: Any) -> bool:
    """Whether Slack would answer `msg_blocks_too_long`; tables have their own limits and are not counted."""
    counted = [block for block in _dicts(blocks) if block["type"] not in ("table", "data_table")]
    return tables.text_length(counted) > BLOCKS_TEXT


def interactive(blocks: Any) -> Iterator[tuple[Json, Json]]:
    """Each (block, element) that people can act on, also inside cards and containers."""
    for block in _dicts(blocks):
        yield from interactive(block.get("child_blocks"))
        if block["type"] == "carousel":
            yield from interactive(block.get("elements"))
            continue
        parts = [block.get("accessory"), block.get("element")]
        for name in ("elements", "actions"):
            if isinstance(block.get(name), list):
                parts += block[name]
        for part in _dicts(parts):
            if part["type"] in elements.INTERACTIVE:
                yield block, part


def _block_problems(blocks: Any, surface: str, pointer: str) -> Problems:
    problems: Problems = []
    most = MESSAGE_BLOCKS if surface == "message" else VIEW_BLOCKS
    items(by_type(BLOCKS, only=SURFACES[surface]), most=most)(blocks, pointer, problems)
    if not problems:
        _check_together(blocks, pointer, problems)
    return problems


def _check_together(blocks: list[Json], pointer: str, problems: Problems) -> None:
    """The rules about all blocks at once: ids that must differ, kinds that may stand only so often."""
    for block_id, times in Counter(block["block_id"] for block in blocks if "block_id" in block).items():
        if times > 1:
            problem(problems, f"block_id must be unique: {block_id}", pointer)
    kinds = Counter(block["type"] for block in _opened_up(blocks))
    if kinds["table"] + kinds["data_table"] > 1:
        problem(problems, "only_one_table_allowed", pointer)
    if kinds["data_visualization"] > CHARTS_PER_MESSAGE:
        problem(problems, f"no more than {CHARTS_PER_MESSAGE} data_visualization blocks allowed", pointer)
    if sum(len(block["text"]) for block in blocks if block["type"] == "markdown") > MARKDOWN_TEXT:
        problem(problems, f"markdown text must be less than {MARKDOWN_TEXT + 1} characters in total", pointer)
    actions = Counter((id(block), part["action_id"]) for block, part in interactive(blocks) if "action_id" in part)
    for (_, action_id), times in actions.items():
        if times > 1:
            problem(problems, f"action_id must be unique within a block: {action_id}", pointer)
    if sum(bool(part.get("focus_on_load")) for _, part in interactive(blocks)) > 1:
        problem(problems, "only one element can have focus_on_load", pointer)


def _opened_up(blocks: list[Json]) -> Iterator[Json]:
    """The blocks, and those inside of containers."""
    for block in blocks:
        yield block
        yield from _opened_up(_dicts(block.get("child_blocks")))


def _dicts(things: Any) -> list[Json]:
    if not isinstance(things, list | tuple):
        return []
    return [thing for thing in things if isinstance(thing, dict) and "type" in thing]

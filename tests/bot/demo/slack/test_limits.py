"""Slack's limits on blocks and views: each at its edge and one beyond."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bot.demo.slack.limits import (
    VIEW_BYTES,
    blocks_are_too_long,
    message_problems,
    view_is_too_large,
    view_problems,
)
from tests.bot.demo.slack.conftest import actions, button, plain, reason_modal, section

Block = dict[str, Any]


def option(text: str = "One", value: str = "1", **more: Any) -> Block:
    return {"text": plain(text), "value": value, **more}


def menu(kind: str = "static_select", **more: Any) -> Block:
    return {"type": kind, "action_id": "pick", "options": [option()], **more}


def confirm(**more: Any) -> Block:
    return {"title": plain("Sure?"), "text": plain("It costs."), "confirm": plain("Yes"), "deny": plain("No"), **more}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def header(text: str) -> Block:
    return {"type": "header", "text": plain(text)}


def table(rows: int, columns: int = 2, text: str = "x") -> Block:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows}


def data_table(rows: int, **more: Any) -> Block:
    row = [{"type": "raw_text", "text": "x"}, {"type": "raw_number", "value": 1}]
    return {"type": "data_table", "caption": "Functions", "rows": [row] * rows, **more}


def chart(**more: Any) -> Block:
    points = [{"label": "Mon", "value": 1}, {"label": "Tue", "value": 2.5}]
    axes = {"categories": ["Mon", "Tue"]}
    drawn = {"type": "line", "series": [{"name": "Dark", "data": points}], "axis_config": axes, **more}
    return {"type": "data_visualization", "title": "Coverage", "chart": drawn}


def rich(text: str) -> Block:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }


def image(**more: Any) -> Block:
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "A", **more}


def field(element: Block) -> Block:
    return {"type": "input", "label": plain("Which"), "element": element}


TAKEN = {
    "section of 3000": [section("x" * 3000)],
    "ten fields of 2000": [{"type": "section", "fields": [mrkdwn("x" * 2000)] * 10}],
    "header of 150": [header("x" * 150)],
    "fifty blocks": [{"type": "divider"}] * 50,
    "button of 75": [actions(button(text="x" * 75))],
    "button value of 2000": [actions(button(value="x" * 2000))],
    "button url": [actions(button(url="https://example.com"))],
    "25 actions": [actions(*(button(f"b{i}") for i in range(25)))],
    "same action_id in two blocks": [actions(button()), actions(button())],
    "ten context elements": [{"type": "context", "elements": [mrkdwn("x")] * 9 + [image()]}],
    "overflow of five": [
        actions({"type": "overflow", "action_id": "o", "options": [option(value=str(i)) for i in range(5)]})
    ],
    "overflow option with a link": [
        actions({"type": "overflow", "action_id": "o", "options": [option(url="https://example.com")]})
    ],
    "100 options": [actions(menu(options=[option(value=str(i)) for i in range(100)]))],
    "initial option": [actions(menu(initial_option=option()))],
    "multi menu in a section": [section(accessory=menu("multi_static_select"))],
    "ten checkboxes in mrkdwn": [
        actions(menu("checkboxes", options=[{"text": mrkdwn("*a*"), "value": str(i)} for i in range(10)]))
    ],
    "confirm dialog": [actions(button(confirm=confirm(style="danger")))],
    "table of 100 rows and 20 columns": [table(100, 20)],
    "data_table of 101 rows": [data_table(101, page_size=100, row_header_column_index=1)],
    "two charts": [chart(), chart()],
    "rich text": [rich("x")],
    "markdown of 12000": [{"type": "markdown", "text": "x" * 12_000}],
    "image from the web": [image(title=plain("T"))],
    "image from a file": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "A"}],
    "input in a message": [field({"type": "plain_text_input", "action_id": "t"})],
    "context actions": [
        {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain("Del")}]}
    ],
    "card": [{"type": "card", "title": plain("T"), "body": mrkdwn("x" * 200), "actions": [button()]}],
    "container": [{"type": "container", "title": plain("T"), "child_blocks": [section()]}],
}

REFUSED = {
    "no list": ({"type": "divider"}, "must be an array"),
    "51 blocks": ([{"type": "divider"}] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "unknown type": ([{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
    "no type": ([{}], "missing required field: type"),
    "unknown field": ([section(colour="red")], "invalid additional property: colour [json-pointer:/blocks/0]"),
    "section of 3001": ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "empty section": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "section of nothing": ([{"type": "section"}], "missing required field: text or fields"),
    "text that is null": ([{"type": "section", "text": None}], "must be a text object"),
    "text that is a string": ([{"type": "section", "text": "x"}], "must be a text object"),
    "field of 2001": ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "/blocks/0/fields/0/text]"),
    "eleven fields": ([{"type": "section", "fields": [mrkdwn("x")] * 11}], "no more than 10 items"),
    "no fields": ([{"type": "section", "fields": []}], "must have at least 1 item"),
    "header of 151": ([header("x" * 151)], "must be less than 151 characters"),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn("x")}], "must be plain_text"),
    "emoji in mrkdwn": ([{"type": "section", "text": {**mrkdwn("x"), "emoji": True}}], "additional property: emoji"),
    "button of 76": ([actions(button(text="x" * 76))], "must be less than 76 characters"),
    "button without words": ([actions(button(text=""))], "must be more than 0 characters"),
    "button in mrkdwn": ([actions({**button(), "text": mrkdwn("x")})], "must be plain_text"),
    "button value of 2001": ([actions(button(value="x" * 2001))], "[json-pointer:/blocks/0/elements/0/value]"),
    "button value that is a number": ([actions(button(value=7))], "must be a string"),
    "button of another style": ([actions(button(style="blue"))], "must be one of: primary, danger"),
    "action_id of 256": ([actions(button("x" * 256))], "must be less than 256 characters"),
    "block_id of 256": ([section(block_id="x" * 256)], "must be less than 256 characters"),
    "same block_id twice": ([section(block_id="a"), section(block_id="a")], "block_id must be unique: a"),
    "same action_id in one block": ([actions(button(), button())], "action_id must be unique within a block: fix"),
    "26 actions": ([actions(*(button(f"b{i}") for i in range(26)))], "no more than 25 items"),
    "no actions": ([actions()], "must have at least 1 item"),
    "eleven context elements": ([{"type": "context", "elements": [mrkdwn("x")] * 11}], "no more than 10 items"),
    "button in a context": ([{"type": "context", "elements": [button()]}], "unsupported type: button"),
    "overflow of six": (
        [actions({"type": "overflow", "options": [option(value=str(i)) for i in range(6)]})],
        "no more than 5 items",
    ),
    "overflow value of 151": ([actions({"type": "overflow", "options": [option(value="x" * 151)]})], "less than 151"),
    "option of 76": ([actions(menu(options=[option("x" * 76)]))], "less than 76"),
    "option in mrkdwn": ([actions(menu(options=[{"text": mrkdwn("x"), "value": "1"}]))], "must be plain_text"),
    "link on a menu option": ([actions(menu(options=[option(url="https://a.example")]))], "additional property: url"),
    "101 options": ([actions(menu(options=[option(value=str(i)) for i in range(101)]))], "no more than 100 items"),
    "no options": ([actions(menu(options=[]))], "must have at least 1 item"),
    "options and groups": (
        [actions(menu(option_groups=[{"label": plain("G"), "options": [option()]}]))],
        "only one of options, option_groups",
    ),
    "initial option that is none": ([actions(menu(initial_option=option("Two", "2")))], "exactly match"),
    "multi menu in actions": ([actions(menu("multi_static_select"))], "multi_static_select cannot be used here"),
    "text input in actions": ([actions({"type": "plain_text_input"})], "plain_text_input cannot be used here"),
    "button in an input": ([field(button())], "button cannot be used here"),
    "image beside a section without alt text": (
        [section(accessory={"type": "image", "image_url": "https://a.example/a.png"})],
        "missing required field: alt_text",
    ),
    "eleven checkboxes": (
        [actions(menu("checkboxes", options=[option(value=str(i)) for i in range(11)]))],
        "no more than 10 items",
    ),
    "confirm title of 101": ([actions(button(confirm=confirm(title=plain("x" * 101))))], "less than 101"),
    "confirm text of 301": ([actions(button(confirm=confirm(text=plain("x" * 301))))], "less than 301"),
    "confirm button of 31": ([actions(button(confirm=confirm(confirm=plain("x" * 31))))], "less than 31"),
    "confirm deny of 31": ([actions(button(confirm=confirm(deny=plain("x" * 31))))], "less than 31"),
    "confirm without text": ([actions(button(confirm={"title": plain("x")}))], "missing required field: text"),
    "table of 101 rows": ([table(101)], "no more than 100 items"),
    "table of 21 columns": ([table(2, 21)], "no more than 20 items"),
    "table of 10001 characters": ([table(2, 1, "x" * 5001)], "less than 10001 characters"),
    "table cell of nothing": ([table(2, 1, "")], "must be more than 0 characters"),
    "table cell of a number": ([{"type": "table", "rows": [[{"type": "raw_number", "value": 1}]]}], "raw_number"),
    "table cell of null": ([{"type": "table", "rows": [[None]]}], "must be an object"),
    "null for a column's settings": ([{**table(1), "column_settings": [None]}], "must be an object"),
    "two tables, one inside of a container": (
        [table(2), {"type": "container", "title": plain("All"), "child_blocks": [table(2)]}],
        "only_one_table_allowed",
    ),
    "two tables": ([table(2), data_table(2)], "only_one_table_allowed"),
    "data_table of 102 rows": ([data_table(102)], "no more than 101 items"),
    "data_table of a header only": ([data_table(1)], "must have at least 2 items"),
    "data_table page of 101": ([data_table(2, page_size=101)], "must be at most 100"),
    "ragged data_table": (
        [{**data_table(2), "rows": [[{"type": "raw_text", "text": "a"}], [{"type": "raw_text", "text": "a"}] * 2]}],
        "all rows must have the same number of columns",
    ),
    "rich text in a data_table's header": (
        [{**data_table(2), "rows": [[rich("x")], [rich("x")]]}],
        "header cells cannot contain rich text",
    ),
    "three charts": ([chart()] * 3, "no more than 2 data_visualization blocks"),
    "chart title of 51": ([{**chart(), "title": "x" * 51}], "less than 51"),
    "chart point without category": ([chart(axis_config={"categories": ["Mon"]})], "exactly one point for every"),
    "rich text of nothing": ([rich("")], "must be more than 0 characters"),
    "markdown of 12001": ([{"type": "markdown", "text": "x" * 6001}] * 2, "less than 12001 characters in total"),
    "image address of a file system": ([image(image_url="file:///etc/passwd")], "must be a valid http(s) URL"),
    "image of two sources": ([image(slack_file={"id": "F1"})], "only one of image_url, slack_file"),
    "alert in a message": ([{"type": "alert", "text": plain("x")}], "alert cannot be used here"),
    "card body of 201": ([{"type": "card", "body": plain("x" * 201)}], "less than 201"),
    "four card buttons": (
        [{"type": "card", "title": plain("T"), "actions": [button(f"b{i}") for i in range(4)]}],
        "no more than 3 items",
    ),
    "container in a container": (
        [{"type": "container", "title": plain("T"), "child_blocks": [{"type": "container"}]}],
        "container cannot be used here",
    ),
}


@pytest.mark.parametrize("blocks", TAKEN.values(), ids=TAKEN.keys())
def test_what_slack_takes_is_taken(blocks: list[Block]) -> None:
    before = copy.deepcopy(blocks)

    assert message_problems(blocks) == []
    assert blocks == before


@pytest.mark.parametrize(("blocks", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_slack_refuses_is_refused_in_its_words(blocks: Any, why: str) -> None:
    problems = message_problems(blocks)

    assert any(why in problem for problem in problems), problems
    assert all(problem.startswith("[ERROR] ") for problem in problems)


VIEWS_REFUSED = {
    "title of 25": (reason_modal(title=plain("x" * 25)), "must be less than 25 characters [json-pointer:/view/title"),
    "submit of 25": (reason_modal(submit=plain("x" * 25)), "/view/submit/text]"),
    "close of 25": (reason_modal(close=plain("x" * 25)), "/view/close/text]"),
    "private_metadata of 3001": (reason_modal(private_metadata="x" * 3001), "less than 3001"),
    "callback_id of 256": (reason_modal(callback_id="x" * 256), "less than 256"),
    "unknown field": (reason_modal(width="wide"), "invalid additional property: width"),
    "unknown type": ({"type": "sheet"}, "unsupported type: sheet"),
    "101 blocks": (reason_modal(blocks=[{"type": "divider"}] * 101), "no more than 100 items"),
    "table in a modal": (reason_modal(blocks=[table(2)]), "table cannot be used here"),
    "two focused fields": (
        reason_modal(blocks=[field({"type": "plain_text_input", "action_id": "t", "focus_on_load": True})] * 2),
        "only one element can have focus_on_load",
    ),
    "home with a title": ({"type": "home", "title": plain("T"), "blocks": []}, "additional property: title"),
    "alert at home": ({"type": "home", "blocks": [{"type": "alert", "text": plain("x")}]}, "cannot be used here"),
}


@pytest.mark.parametrize(("view", "why"), VIEWS_REFUSED.values(), ids=VIEWS_REFUSED.keys())
def test_views_that_slack_refuses_are_refused(view: Block, why: str) -> None:
    assert any(why in problem for problem in view_problems(view)), view_problems(view)


def test_a_modal_with_inputs_needs_a_submit_button() -> None:
    view = reason_modal()
    del view["submit"]

    assert view_problems(view) == [
        "[ERROR] submit is required when an input block is within the blocks array [json-pointer:/view/submit]"
    ]


@pytest.mark.parametrize(
    "view",
    [
        reason_modal(title=plain("x" * 24), private_metadata="x" * 3000, notify_on_close=True),
        reason_modal(blocks=[{"type": "divider"}] * 100),
        {"type": "home", "blocks": [table(3), section(), actions(button())], "private_metadata": "x"},
        {"type": "home", "blocks": []},
    ],
    ids=["full title and metadata", "100 blocks", "home", "empty home"],
)
def test_views_that_slack_takes_are_taken(view: Block) -> None:
    assert view_problems(view) == []


def test_a_view_may_weigh_250_kilobytes() -> None:
    view = reason_modal(blocks=[section("ä" * 2900) for _ in range(40)])

    assert not view_is_too_large(view)
    assert view_is_too_large({**view, "blocks": [section("x" * 3000)] * (VIEW_BYTES // 3000 + 1)})


def test_all_text_in_a_message_together_is_limited_but_tables_are_not_counted() -> None:
    assert not blocks_are_too_long([section("x" * 3000)] * 4)
    assert blocks_are_too_long([*[section("x" * 3000)] * 4, section("x")])
    assert not blocks_are_too_long([*[section("x" * 3000)] * 4, table(100, 5, "x" * 20)])

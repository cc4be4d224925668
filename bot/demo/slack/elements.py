"""What buttons, menus, inputs and the small objects inside of them may look like, and where each may stand."""

from __future__ import annotations

import re
from typing import Any

from bot.demo.slack.shapes import (
    Check,
    Problems,
    anything,
    boolean,
    exactly_one,
    integer,
    items,
    matching,
    one_of,
    problem,
    shape,
    string,
)

TEXT = 3000
BUTTON_TEXT, BUTTON_VALUE, URL = 75, 2000, 3000
ID = 255
OPTIONS, GROUP_OPTIONS, FEW_OPTIONS, OVERFLOW_OPTIONS = 100, 100, 10, 5
OPTION_TEXT, OPTION_VALUE = 75, 150
PLACEHOLDER = 150
INPUT_TEXT = 3000


def text(most: int = TEXT, *, plain: bool = False) -> Check:
    """A text object of 1 to `most` characters; `plain` where mrkdwn would be shown as it is written."""

    def check(value: Any, pointer: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            problem(problems, "must be a text object", pointer)
            return
        kind = value.get("type")
        if kind not in ("plain_text", "mrkdwn"):
            problem(problems, f"unsupported type: {kind}", f"{pointer}/type")
        elif plain and kind == "mrkdwn":
            problem(problems, "unsupported type: mrkdwn, must be plain_text", f"{pointer}/type")
        else:
            # emoji belongs to plain_text, verbatim to mrkdwn; Slack refuses either in the other.
            extra = {"emoji": boolean} if kind == "plain_text" else {"verbatim": boolean}
            shape({"type": anything, "text": string(most, 1)}, extra)(value, pointer, problems)

    return check


CONFIRM = shape(
    {"title": text(100, plain=True), "text": text(300), "confirm": text(30, plain=True), "deny": text(30, plain=True)},
    {"style": one_of("primary", "danger")},
)
SLACK_FILE = shape({}, {"id": string(ID, 1), "url": string(URL, 1)}, exactly_one("id", "url"))
WEB_ADDRESS = matching(lambda url: bool(re.match(r"https?://\S+$", url)) and len(url) <= URL, "a valid http(s) URL")
LINK = matching(
    lambda url: ":" in url and " " not in url and 0 < len(url) <= URL, f"a valid URL of up to {URL} characters"
)
DATE = matching(lambda day: bool(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day)), "a date in the form YYYY-MM-DD")
TIME = matching(lambda time: bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time)), "a time in the form HH:mm")


def option(*, plain: bool = True, url: bool = False) -> Check:
    extra = {"url": LINK} if url else {}
    return shape(
        {"text": text(OPTION_TEXT, plain=plain), "value": string(OPTION_VALUE, 1)},
        {"description": text(OPTION_TEXT, plain=plain), **extra},
    )


def options(most: int, *, plain: bool = True, url: bool = False) -> Check:
    return items(option(plain=plain, url=url), least=1, most=most)


GROUPS = items(shape({"label": text(75, plain=True), "options": options(GROUP_OPTIONS)}), least=1, most=100)


def offered(element: dict[str, Any]) -> list[dict[str, Any]]:
    """All options of a menu, groups opened up."""
    groups = element.get("option_groups", [])
    return [*element.get("options", []), *(each for group in groups for each in group["options"])]


def _initials_are_offered(element: Any, pointer: str, problems: Problems) -> None:
    chosen = [("initial_option", element["initial_option"])] if "initial_option" in element else []
    chosen += [("initial_options", each) for each in element.get("initial_options", [])]
    for name, each in chosen:
        if each not in offered(element):
            problem(problems, f"{name} must exactly match one of the options", f"{pointer}/{name}")


def _lengths_agree(element: Any, pointer: str, problems: Problems) -> None:
    if element.get("min_length", 0) > element.get("max_length", INPUT_TEXT):
        problem(problems, "min_length must not be greater than max_length", pointer)
    if len(element.get("initial_value", "")) > element.get("max_length", INPUT_TEXT):
        problem(problems, "initial_value is longer than max_length", f"{pointer}/initial_value")


_ANY_OPTION = shape({"text": text(OPTION_TEXT), "value": string(OPTION_VALUE, 1)}, {"description": text(OPTION_TEXT)})
_ACTION: dict[str, Check] = {"action_id": string(ID, 1)}
_FIELD: dict[str, Check] = {**_ACTION, "confirm": CONFIRM, "focus_on_load": boolean}
_HINTED: dict[str, Check] = {**_FIELD, "placeholder": text(PLACEHOLDER, plain=True)}
_MANY: dict[str, Check] = {**_HINTED, "max_selected_items": integer(1)}
_MENU: dict[str, Check] = {"options": options(OPTIONS), "option_groups": GROUPS}
_IDS = items(string(ID, 1), least=1, most=1000)
_DISPATCH = shape(
    {}, {"trigger_actions_on": items(one_of("on_enter_pressed", "on_character_entered"), least=1, most=2)}
)
_FILTER = shape(
    {},
    {
        "include": items(one_of("im", "mpim", "private", "public"), least=1, most=4),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
_TYPED: dict[str, Check] = {
    **_ACTION,
    "focus_on_load": boolean,
    "placeholder": text(PLACEHOLDER, plain=True),
    "initial_value": string(INPUT_TEXT),
    "dispatch_action_config": _DISPATCH,
}
_FEW: dict[str, Check] = {"options": options(FEW_OPTIONS, plain=False)}
_CONVERSATIONS: dict[str, Check] = {"default_to_current_conversation": boolean, "filter": _FILTER}
_PERSONAL: dict[str, Check] = {"visible_to_user_ids": items(string(ID, 1), most=10)}

ELEMENTS: dict[str, Check] = {
    "button": shape(
        {"text": text(BUTTON_TEXT, plain=True)},
        {
            **_ACTION,
            "value": string(BUTTON_VALUE, 1),
            "url": LINK,
            "style": one_of("primary", "danger"),
            "confirm": CONFIRM,
            "accessibility_label": string(75, 1),
            "agent_prompt": string(4000, 1),
            "agent_prompt_display": anything,
            **_PERSONAL,
        },
    ),
    "overflow": shape({"options": options(OVERFLOW_OPTIONS, url=True)}, {**_ACTION, "confirm": CONFIRM}),
    "checkboxes": shape(
        _FEW, {**_FIELD, "initial_options": items(_ANY_OPTION, least=1, most=10)}, _initials_are_offered
    ),
    "radio_buttons": shape(_FEW, {**_FIELD, "initial_option": _ANY_OPTION}, _initials_are_offered),
    "static_select": shape(
        {},
        {**_HINTED, **_MENU, "initial_option": option()},
        exactly_one("options", "option_groups"),
        _initials_are_offered,
    ),
    "multi_static_select": shape(
        {},
        {**_MANY, **_MENU, "initial_options": items(option(), least=1, most=OPTIONS)},
        exactly_one("options", "option_groups"),
        _initials_are_offered,
    ),
    "external_select": shape({}, {**_HINTED, "initial_option": option(), "min_query_length": integer(0)}),
    "multi_external_select": shape(
        {}, {**_MANY, "initial_options": items(option(), least=1, most=OPTIONS), "min_query_length": integer(0)}
    ),
    "users_select": shape({}, {**_HINTED, "initial_user": string(ID, 1)}),
    "multi_users_select": shape({}, {**_MANY, "initial_users": _IDS}),
    "conversations_select": shape(
        {}, {**_HINTED, **_CONVERSATIONS, "initial_conversation": string(ID, 1), "response_url_enabled": boolean}
    ),
    "multi_conversations_select": shape({}, {**_MANY, **_CONVERSATIONS, "initial_conversations": _IDS}),
    "channels_select": shape({}, {**_HINTED, "initial_channel": string(ID, 1), "response_url_enabled": boolean}),
    "multi_channels_select": shape({}, {**_MANY, "initial_channels": _IDS}),
    "datepicker": shape({}, {**_HINTED, "initial_date": DATE}),
    "timepicker": shape({}, {**_HINTED, "initial_time": TIME, "timezone": string(100, 1)}),
    "datetimepicker": shape({}, {**_FIELD, "initial_date_time": integer(10**9, 10**10 - 1)}),
    "plain_text_input": shape(
        {},
        {
            **_TYPED,
            "multiline": boolean,
            "min_length": integer(0, INPUT_TEXT),
            "max_length": integer(1, INPUT_TEXT),
        },
        _lengths_agree,
    ),
    "email_text_input": shape({}, _TYPED),
    "url_text_input": shape({}, _TYPED),
    "number_input": shape(
        {"is_decimal_allowed": boolean}, {**_TYPED, "min_value": string(40, 1), "max_value": string(40, 1)}
    ),
    "rich_text_input": shape(
        {}, {**_TYPED, "initial_value": anything, "min_lines": integer(1, 100), "max_lines": integer(1, 100)}
    ),
    "file_input": shape(
        {}, {**_ACTION, "filetypes": items(string(40, 1), least=1, most=100), "max_files": integer(1, 10)}
    ),
    "image": shape(
        {"alt_text": string(2000, 1)},
        {"image_url": WEB_ADDRESS, "slack_file": SLACK_FILE},
        exactly_one("image_url", "slack_file"),
    ),
    "workflow_button": shape(
        {"text": text(BUTTON_TEXT, plain=True), "workflow": anything, "action_id": string(ID, 1)},
        {"style": one_of("primary", "danger"), "accessibility_label": string(75, 1)},
    ),
    "icon_button": shape(
        {"icon": one_of("trash"), "text": text(BUTTON_TEXT, plain=True)},
        {
            **_ACTION,
            **_PERSONAL,
            "value": string(BUTTON_VALUE, 1),
            "confirm": CONFIRM,
            "accessibility_label": string(75, 1),
        },
    ),
    "feedback_buttons": shape({"positive_button": anything, "negative_button": anything}, _ACTION),
}

_CHOICES = frozenset({"users", "conversations", "channels", "static", "external"})
SINGLE_MENUS = frozenset(f"{kind}_select" for kind in _CHOICES)
MULTI_MENUS = frozenset(f"multi_{kind}_select" for kind in _CHOICES)
PICKERS = frozenset({"datepicker", "timepicker", "checkboxes", "radio_buttons"})
BUTTONS = frozenset({"button", "overflow", "workflow_button"})
TYPED = frozenset({"plain_text_input", "email_text_input", "url_text_input", "number_input"})

IN_ACTIONS = BUTTONS | SINGLE_MENUS | PICKERS | {"datetimepicker"}
# Multi-select menus: "Works in blocks: Section, Input", not in actions.
IN_SECTION = BUTTONS | SINGLE_MENUS | MULTI_MENUS | PICKERS | {"image"}
IN_INPUT = SINGLE_MENUS | MULTI_MENUS | PICKERS | TYPED | {"datetimepicker", "rich_text_input", "file_input"}
IN_CONTEXT_ACTIONS = frozenset({"icon_button", "feedback_buttons"})
INTERACTIVE = (IN_ACTIONS | IN_SECTION | IN_INPUT | IN_CONTEXT_ACTIONS) - {"image"}

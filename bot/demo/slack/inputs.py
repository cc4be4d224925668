"""Elements in people's hands: the ids Slack makes up, what is chosen at first, and whether a choice is possible."""

from __future__ import annotations

import re
import secrets
from typing import Any

from bot.demo.slack import limits
from bot.demo.slack.elements import INTERACTIVE, offered
from bot.demo.slack.nouns import Json
from bot.demo.slack.refusals import Refusal

Values = dict[str, dict[str, Json]]

# element type -> (field that holds the choice, field that holds the first choice)
STATEFUL = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", "files"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}
_LISTS = {"selected_options", "selected_users", "selected_conversations", "selected_channels", "files"}
_FORMS = {
    "selected_date": r"\d{4}-\d{2}-\d{2}",
    "selected_time": r"([01]\d|2[0-3]):[0-5]\d",
    "selected_date_time": r"\d{10}",
}
REQUIRED = "Please complete this required field."


def with_ids(blocks: Any) -> list[Json]:
    """The blocks with a block_id each and an action_id for each element, as Slack stores them."""
    filled = []
    for block in blocks:
        own = {**block}
        own.setdefault("block_id", secrets.token_urlsafe(4))
        for name in ("elements", "actions"):
            if isinstance(own.get(name), list):
                own[name] = [_with_action_id(each) for each in own[name]]
        for name in ("accessory", "element"):
            if name in own:
                own[name] = _with_action_id(own[name])
        if "child_blocks" in own:
            own["child_blocks"] = with_ids(own["child_blocks"])
        filled.append(own)
    return filled


def _with_action_id(element: Any) -> Any:
    if isinstance(element, dict) and element.get("type") in INTERACTIVE and "action_id" not in element:
        return {**element, "action_id": secrets.token_urlsafe(4)}
    return element


def find(blocks: Any, block_id: str, action_id: str) -> Json | None:
    """The element with these ids, if it is really there."""
    for block, element in limits.interactive(blocks):
        if block.get("block_id") == block_id and element.get("action_id") == action_id:
            return element
    return None


def first_values(blocks: Any, kept: Values | None = None) -> Values:
    """`state.values` of freshly drawn blocks; `kept` choices of the same block and action survive, as in Slack."""
    values: Values = {}
    for block, element in limits.interactive(blocks):
        if element["type"] in STATEFUL:
            block_id, action_id = block["block_id"], element["action_id"]
            before = (kept or {}).get(block_id, {}).get(action_id)
            same = before is not None and before["type"] == element["type"]
            values.setdefault(block_id, {})[action_id] = before if same and before else _first_value(element)
    return values


def _first_value(element: Json) -> Json:
    field, initial = STATEFUL[element["type"]]
    return {"type": element["type"], field: element.get(initial, [] if field in _LISTS else None)}


def chosen(element: Json, given: Json, known_ids: set[str]) -> Json:
    """What a person chose, taken from the stored element; Refusal where the element does not offer it.

    `given` is one entry of `state.values` as a browser sends it. Of an option only its value is believed.
    """
    field, _ = STATEFUL[element["type"]]
    value = given.get(field)
    if field == "selected_option":
        value = None if value is None else _offered_option(element, value)
    elif field == "selected_options":
        value = [_offered_option(element, each) for each in value or []]
    elif field in _LISTS:
        value = list(value or [])
    elif field != "rich_text_value" and field != "selected_date_time":
        value = None if value in (None, "") else str(value)
    _check_form(element, field, value, known_ids)
    return {"type": element["type"], field: value}


def _offered_option(element: Json, given: Any) -> Json:
    wanted = given.get("value") if isinstance(given, dict) else given
    if element["type"].endswith("external_select") and isinstance(given, dict):
        return given  # the app offers these by itself; there is no list to compare with
    for option in offered(element):
        if option["value"] == wanted:
            return option
    raise Refusal("invalid_choice", messages=[f"{wanted!r} is not offered by {element.get('action_id')}"])


def _check_form(element: Json, field: str, value: Any, known_ids: set[str]) -> None:
    form = _FORMS.get(field)
    if form and value is not None and not re.fullmatch(form, str(value)):
        raise Refusal("invalid_choice", messages=[f"{value!r} is not a {element['type']} value"])
    if field.startswith(("selected_user", "selected_channel", "selected_conversation")) and value:
        for each in value if isinstance(value, list) else [value]:
            if each not in known_ids:
                raise Refusal("invalid_choice", messages=[f"there is no {each}"])
    most = element.get("max_selected_items")
    if most is not None and isinstance(value, list) and len(value) > most:
        raise Refusal("invalid_choice", messages=[f"no more than {most} can be selected"])


def form_errors(blocks: Any, values: Values) -> dict[str, str]:
    """What Slack's own client would complain about before it submits, by block_id."""
    errors: dict[str, str] = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        field, _ = STATEFUL[element["type"]]
        value = values.get(block["block_id"], {}).get(element["action_id"], {}).get(field)
        if value in (None, "", []):
            if not block.get("optional", False):
                errors[block["block_id"]] = REQUIRED
        elif complaint := _complaint(element, value):
            errors[block["block_id"]] = complaint
    return errors


def _complaint(element: Json, value: Any) -> str | None:
    kind = element["type"]
    if kind == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if len(value) < least:
            return f"Please enter at least {least} characters."
        if len(value) > most:
            return f"Please enter no more than {most} characters."
    if kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "Please enter a valid email address."
    if kind == "url_text_input" and not re.match(r"https?://\S+$", value):
        return "Please enter a valid URL."
    return _number_complaint(element, value) if kind == "number_input" else None


def _number_complaint(element: Json, value: str) -> str | None:
    whole = not element["is_decimal_allowed"]
    if not re.fullmatch(r"-?\d+" if whole else r"-?\d+(\.\d+)?", value):
        return "Please enter a whole number." if whole else "Please enter a number."
    if "min_value" in element and float(value) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(value) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return None

"""From what Slack sends to a Request; Slack's shapes go no further than here."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from commands._types import Request
from storage.models import Source

Body = Mapping[str, Any]


def from_slash(body: Body, now: datetime) -> Request:
    return Request(
        user=str(body.get("user_id", "")),
        now=now,
        source=Source.SLASH,
        text=_unescaped(str(body.get("text") or "")),
        workspace=str(body.get("team_id") or ""),
        channel=str(body.get("channel_id") or ""),
    )


def from_button(body: Body, now: datetime) -> Request:
    container = body.get("container") or {}
    action = (body.get("actions") or [{}])[0]
    return Request(
        user=str((body.get("user") or {}).get("id", "")),
        now=now,
        source=Source.BUTTON,
        value=str(action.get("value") or (action.get("selected_option") or {}).get("value") or ""),
        workspace=_workspace(body),
        channel=str((body.get("channel") or {}).get("id") or container.get("channel_id") or ""),
        message=str(container.get("message_ts") or ""),
        private=bool(container.get("is_ephemeral")),
        page=str((body.get("view") or {}).get("private_metadata") or ""),
    )


def from_event(body: Body, now: datetime) -> Request:
    """What happened, told without anybody asking for an answer."""
    event = body.get("event") or {}
    return Request(
        user=str(event.get("user") or ""), now=now, source=Source.EVENT, workspace=str(body.get("team_id") or "")
    )


def is_home(event: Body) -> bool:
    """Whether the tab that was opened is Home, and not the app's messages."""
    return bool(event.get("tab", "home") == "home")


def is_in_home(body: Body) -> bool:
    """Whether somebody clicked in App Home."""
    return bool((body.get("view") or {}).get("type") == "home")


def from_field(body: Body, now: datetime) -> Request:
    """A change of a form's field: the form as it is by now."""
    return replace(from_form(body, now), source=Source.BUTTON)


def from_form(body: Body, now: datetime) -> Request:
    view = body.get("view") or {}
    return Request(
        user=str((body.get("user") or {}).get("id", "")),
        now=now,
        source=Source.FORM,
        value=str(view.get("private_metadata") or ""),
        fields=form_fields(view),
        workspace=_workspace(body),
    )


def trigger_of(body: Body) -> str:
    """What opens a form within three seconds, once."""
    return str(body.get("trigger_id") or "")


def form_of(body: Body) -> tuple[str, str]:
    """The submitted form's id, by which it is drawn again, and its title."""
    view = body["view"]
    return str(view["id"]), str(view["title"]["text"])


def is_in_form(body: Body) -> bool:
    """Whether a field of an open form was changed, and not something in a message clicked."""
    return (body.get("view") or {}).get("type") == "modal"


def form_drawing(body: Body) -> tuple[str, str, str]:
    """The form's id, the hash of the drawing that was acted on, and when that was."""
    action = (body.get("actions") or [{}])[0]
    return str(body["view"]["id"]), str(body["view"].get("hash") or ""), str(action.get("action_ts") or "")


def form_fields(view: Body) -> dict[str, str]:
    """What was put in, by action id; several choices with commas between."""
    found: dict[str, str] = {}
    for inputs in ((view.get("state") or {}).get("values") or {}).values():
        for action_id, put in inputs.items():
            chosen = put.get("selected_option") or {}
            several = ",".join(str(one.get("value") or "") for one in put.get("selected_options") or ())
            given = put.get("value") or put.get("selected_date") or chosen.get("value") or several
            found[action_id] = str(given or "")
    return found


def _workspace(body: Body) -> str:
    """The workspace of the person, which is not the bot's in a channel shared with another company."""
    user = body.get("user") or {}
    team = body.get("team") or {}
    return str(user.get("team_id") or team.get("id") or "")


def _unescaped(text: str) -> str:
    """Slack escapes what is typed; names are compared as they are."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

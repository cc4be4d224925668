"""Brings a command's answers to the person who asked: by response_url, or in the modal that they submitted."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from slack_bolt import Respond
from slack_sdk import WebClient

from commands._types import OpenForm, Progress, Replace, Reply, Say
from commands.views.blocks import section

log = logging.getLogger(__name__)

FORM_PATIENCE_SECONDS = 1.5
ACK_SECONDS = 1.0

Deliver = Callable[[Reply], None]


class ToCommand:
    """A slash command's answers; a response_url takes five, so that only the first progress is shown."""

    def __init__(self, respond: Respond, client: WebClient, trigger_id: str) -> None:
        self._respond, self._client, self._trigger_id = respond, client, trigger_id
        self._progressed = False

    def __call__(self, reply: Reply) -> None:
        match reply:
            case Progress(text):
                if not self._progressed:
                    self._progressed = True
                    self._respond(text=text, response_type="ephemeral", replace_original=False)
            case Say(text, blocks) | Replace(text, blocks):
                self._respond(text=text, blocks=list(blocks) or None, response_type="ephemeral", replace_original=False)
            case OpenForm(view):
                self._client.views_open(trigger_id=self._trigger_id, view=view)


class ToButton:
    """A button's answers. What changes in a posted message is drawn from memory by the outbox, not here."""

    def __init__(self, respond: Respond, client: WebClient, trigger_id: str) -> None:
        self._respond, self._client, self._trigger_id = respond, client, trigger_id

    def __call__(self, reply: Reply) -> None:
        match reply:
            case Say(text, blocks):
                self._respond(text=text, blocks=list(blocks) or None, response_type="ephemeral", replace_original=False)
            case Replace(text, blocks):
                self._respond(text=text, blocks=list(blocks), response_type="ephemeral", replace_original=True)
            case OpenForm(view):
                self._client.views_open(trigger_id=self._trigger_id, view=view)
            case Progress():
                pass


class ToForm:
    """A form's answer, shown where the form was: with the acknowledgement if it comes in time, else a little later.

    An update that overtakes the acknowledgement would be overwritten by it, so that one sent on its own waits until
    Slack must have had the acknowledgement.
    """

    def __init__(self, client: WebClient, view: dict[str, Any]) -> None:
        self._client, self._view = client, view
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._answer: dict[str, Any] | None = None
        self._acknowledged_at: float | None = None

    def __call__(self, reply: Reply) -> None:
        if not isinstance(reply, Say):
            return
        shown = result_view(str(self._view["title"]["text"]), reply.text, list(reply.blocks))
        with self._lock:
            self._answer = shown
            acknowledged_at = self._acknowledged_at
        self._answered.set()
        if acknowledged_at is not None:
            threading.Event().wait(max(0.0, acknowledged_at + ACK_SECONDS - time.monotonic()))
            self._client.views_update(view_id=self._view["id"], view=shown)

    def view_for_ack(self) -> dict[str, Any]:
        """The answer's view if there is one within two seconds, else one that says that it is being worked on."""
        self._answered.wait(FORM_PATIENCE_SECONDS)
        with self._lock:
            self._acknowledged_at = time.monotonic()
            return self._answer or result_view(str(self._view["title"]["text"]), "Recording…")


def result_view(title: str, text: str, blocks: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A modal that only tells."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": blocks or [section(text)],
    }

"""Brings a command's answers to the person who asked: by response_url, or in the modal that they submitted."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

from slack_bolt import Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.slack_errors import error_code
from commands._types import OpenForm, Progress, Replace, Reply, Request, Say
from commands.views.blocks import Block
from commands.views.form import result_view

log = logging.getLogger(__name__)

OK = HTTPStatus.OK
FORM_PATIENCE_SECONDS = 1.5  # of the three that Slack gives
ACK_SECONDS = 1.0  # by then an acknowledgement has arrived

Deliver = Callable[[Reply], None]


TOO_LATE = "Slack opens a form only within three seconds, and I was slower. Please click or type that again."


class Asker:
    """The person who asked: reached by response_url, and where that is refused, by a message only they can see."""

    def __init__(self, respond: Respond, client: WebClient, request: Request, trigger_id: str) -> None:
        self._respond, self._client, self._request, self._trigger_id = respond, client, request, trigger_id

    def tell(self, text: str, blocks: Sequence[Block] = (), *, replace: bool = False) -> None:
        """Raises SlackClientError or OSError where neither way is open."""
        shown = list(blocks) or None
        try:
            answer = self._respond(text=text, blocks=shown, response_type="ephemeral", replace_original=replace)
            refused = "" if answer.status_code == OK else str(answer.status_code)
        except (SlackClientError, OSError) as problem:
            refused = error_code(problem)
        if refused:
            log.warning("a response_url answered %s", refused)
            self._client.chat_postEphemeral(
                channel=self._request.channel, user=self._request.user, text=text, blocks=shown
            )

    def open_form(self, view: Block) -> None:
        try:
            self._client.views_open(trigger_id=self._trigger_id, view=view)
        except (SlackClientError, OSError) as problem:
            log.warning("a form could not be opened: %s", error_code(problem))
            self.tell(TOO_LATE)


class ToCommand:
    """A slash command's answers; a response_url takes five, so that only the first progress is shown."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._progressed = False

    def __call__(self, reply: Reply) -> None:
        match reply:
            case Progress(text):
                if not self._progressed:
                    self._progressed = True
                    self._asker.tell(text)
            case Say(text, blocks) | Replace(text, blocks):
                self._asker.tell(text, blocks)
            case OpenForm(view):
                self._asker.open_form(view)


class ToButton:
    """A button's answers. What changes in a posted message is drawn from memory by the outbox, not here."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker

    def __call__(self, reply: Reply) -> None:
        match reply:
            case Say(text, blocks):
                self._asker.tell(text, blocks)
            case Replace(text, blocks):
                self._asker.tell(text, blocks, replace=True)
            case OpenForm(view):
                self._asker.open_form(view)
            case Progress():
                pass


class ToForm:
    """A form's answer, shown where the form was: with the acknowledgement if it comes in time, else a little later.

    An update that overtakes the acknowledgement would be overwritten by it, so that one sent on its own waits until
    Slack must have had the acknowledgement.
    """

    def __init__(self, client: WebClient, view_id: str, title: str) -> None:
        self._client, self._view_id, self._title = client, view_id, title
        self._lock = threading.Lock()
        self._answered = threading.Event()
        self._answer: Block | None = None
        self._acknowledged_at: float | None = None

    def __call__(self, reply: Reply) -> None:
        if not isinstance(reply, Say):
            return
        shown = result_view(self._title, reply.text, reply.blocks)
        with self._lock:
            self._answer = shown
            acknowledged_at = self._acknowledged_at
        self._answered.set()
        if acknowledged_at is not None:
            # Slack does not say when it has drawn the acknowledgement, so there is nothing to wait for but time.
            time.sleep(max(0.0, acknowledged_at + ACK_SECONDS - time.monotonic()))
            self._update(shown)

    def _update(self, shown: Block) -> None:
        """What was decided is recorded by now; the form must not go on saying that it is being worked on."""
        for wait in (1.0, 3.0, 0.0):
            try:
                self._client.views_update(view_id=self._view_id, view=shown)
                return
            except (SlackClientError, OSError) as problem:
                log.warning("a form could not be drawn again: %s", error_code(problem))
                time.sleep(wait)  # the pause before the next attempt; Slack names none for what is no rate limit

    def view_for_ack(self) -> Block:
        """The answer's view if there is one in good time, else one that says that it is being worked on."""
        self._answered.wait(FORM_PATIENCE_SECONDS)
        with self._lock:
            self._acknowledged_at = time.monotonic()
            return self._answer or result_view(self._title, "Recording…")

"""Brings a command's answers to the person who asked: by response_url, or in the modal that they submitted."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

from slack_bolt import Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.slack_errors import NO_ANSWER, error_code
from commands._types import Background, OpenForm, Progress, PublishHome, Replace, Reply, Request, Say
from commands.views.blocks import Block
from commands.views.form import result_view

log = logging.getLogger(__name__)

OK = HTTPStatus.OK
FORM_PATIENCE_SECONDS = 1.5  # of the three that Slack gives
MOST_FORMS = 1000  # that are remembered
ACK_SECONDS = 1.0  # by then an acknowledgement has arrived

Deliver = Callable[[Reply], None]


NOT_FILLED = "The form that I opened could not be filled. Please close it and click or type that again."
TOO_LATE = "Slack opens a form only within three seconds, and I was slower. Please click or type that again."


class Asker:
    """The person who asked: reached by response_url, and where that is refused, by a message only they can see."""

    def __init__(self, respond: Respond, client: WebClient, request: Request, trigger_id: str) -> None:
        self._respond, self._client, self._request, self._trigger_id = respond, client, request, trigger_id
        self._opened: tuple[str, str] | None = None  # the form's id and hash

    def tell(self, text: str, blocks: Sequence[Block] = (), *, replace: bool = False) -> None:
        """Raises SlackClientError or OSError where neither way is open."""
        shown = list(blocks) or None
        try:
            answer = self._respond(text=text, blocks=shown, response_type="ephemeral", replace_original=replace)
            refused = "" if answer.status_code == OK else str(answer.status_code)
        except NO_ANSWER as problem:
            refused = error_code(problem)
        if refused:
            log.warning("a response_url answered %s", refused)
            self._client.chat_postEphemeral(
                channel=self._request.channel, user=self._request.user, text=text, blocks=shown
            )

    def open_form(self, view: Block) -> None:
        """Opens it; draws it anew where one was opened before."""
        try:
            if self._opened:
                self._client.views_update(view_id=self._opened[0], hash=self._opened[1], view=view)
                return
            opened = self._client.views_open(trigger_id=self._trigger_id, view=view).get("view") or {}
            self._opened = str(opened.get("id")), str(opened.get("hash"))
        except NO_ANSWER as problem:
            if self._opened:
                log.warning("a form could not be filled: %s", error_code(problem))
                self.tell(NOT_FILLED)
                return
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
            case Background():
                pass  # the desk's


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
            case Progress() | PublishHome() | Background():
                pass


class Drawings:
    """Which change of a form is its latest: an earlier one's drawing must not overwrite that of a later one."""

    def __init__(self) -> None:
        self._latest: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, view_id: str, at: float) -> None:
        with self._lock:
            latest = max(at, self._latest.pop(view_id, 0.0))
            self._latest = dict([*self._latest.items(), (view_id, latest)][-MOST_FORMS:])

    def is_latest(self, view_id: str, at: float) -> bool:
        with self._lock:
            return at >= self._latest.get(view_id, 0.0)


class ToField:
    """A form drawn anew after one of its fields was changed."""

    def __init__(self, client: WebClient, drawings: Drawings, view_id: str, view_hash: str, at: str) -> None:
        self._client, self._drawings, self._view_id, self._hash, self._at = (
            client,
            drawings,
            view_id,
            view_hash,
            float(at or 0),
        )
        drawings.note(view_id, self._at)

    def __call__(self, reply: Reply) -> None:
        if not isinstance(reply, OpenForm) or not self._latest():
            return
        try:
            self._client.views_update(view_id=self._view_id, hash=self._hash, view=reply.view)
        except SlackClientError as problem:
            if error_code(problem) != "hash_conflict":
                raise
            if self._latest():  # it is an earlier change that was drawn meanwhile
                self._client.views_update(view_id=self._view_id, view=reply.view)

    def _latest(self) -> bool:
        return self._drawings.is_latest(self._view_id, self._at)


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
        if isinstance(reply, OpenForm):
            shown = reply.view  # it is asked again
        elif isinstance(reply, Say):
            shown = result_view(self._title, reply.text, reply.blocks)
        else:
            return
        with self._lock:
            self._answer = shown
            acknowledged_at = self._acknowledged_at
        self._answered.set()
        if acknowledged_at is not None:
            left = acknowledged_at + ACK_SECONDS - time.monotonic()
            time.sleep(max(0.0, left))  # Slack does not say when it has drawn it: there is nothing to wait for but time
            self._update(shown)

    def _update(self, shown: Block) -> None:
        """What was decided is recorded by now; the form must not go on saying that it is being worked on."""
        for wait in (1.0, 3.0, 0.0):
            try:
                self._client.views_update(view_id=self._view_id, view=shown)
                return
            except NO_ANSWER as problem:
                log.warning("a form could not be drawn again: %s", error_code(problem))
                time.sleep(wait)  # the pause before the next attempt; Slack names none for what is no rate limit

    def view_for_ack(self) -> Block:
        """The answer's view if there is one in good time, else one that says that it is being worked on."""
        self._answered.wait(FORM_PATIENCE_SECONDS)
        with self._lock:
            self._acknowledged_at = time.monotonic()
            return self._answer or result_view(self._title, "Recording…")

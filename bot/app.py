"""Bolt: one listener for each Slack entry of COMMANDS, and the one answer to an error that nobody foresaw.

A listener acknowledges and hands over. Commands run on pools of our own: Bolt's threads are few, and an exception in
one of them can erase an acknowledgement that was already given.
"""

import logging
import secrets
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot import inbound
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.replies import Deliver, ToButton, ToCommand, ToForm
from commands._types import Button, Clock, Context, Form, Request, Run, Say, Slash
from commands.help import asks_for_help, help_for

log = logging.getLogger(__name__)

Entry = Slash | Button | Form | Clock
Body = dict[str, Any]

LISTENERS = 20
WORKERS = 32
FORM_OPENERS = 8


class Desk:
    """Where requests are worked on: a pool for work, and one that is always free to open a form within 3 seconds."""

    def __init__(self, context: Context, people: SlackPeople, outbox: Outbox) -> None:
        self.context = context
        self._people = people
        self._outbox = outbox
        self._work = ThreadPoolExecutor(WORKERS, thread_name_prefix="work")
        self._forms = ThreadPoolExecutor(FORM_OPENERS, thread_name_prefix="forms")

    def take(self, run: Run, request: Request, deliver: Deliver, *, quick: bool = False) -> None:
        pool: Executor = self._forms if quick else self._work
        try:
            pool.submit(self._answer, run, request, deliver)
        except RuntimeError:
            # The pool is closed: the bot is ending. The person gets Slack's own time-out and nothing has changed.
            log.warning("a request of %s came while Lamplighter was ending", request.user)

    def run_alone(self, what: str, run: Callable[[], object]) -> None:
        """Work that nobody waits for in Slack."""
        self._work.submit(self._alone, what, run)

    def stop(self) -> None:
        """Waits for what is running; what has not begun is dropped (nothing was promised for it)."""
        self._forms.shutdown(wait=False, cancel_futures=True)
        self._work.shutdown(wait=True, cancel_futures=True)

    def _answer(self, run: Run, request: Request, deliver: Deliver) -> None:
        try:
            asks = self._people.may_ask(request.user, request.workspace)
            if not asks.allowed:
                deliver(Say(f"Sorry: {asks.why}"))
                return
            for reply in run(request, self.context):
                self._outbox.nudge()
                _deliver(deliver, reply)
        except Exception:  # what nobody foresaw: a reference for the person, the traceback for the log
            reference = secrets.token_hex(4)
            log.exception("reference %s: a request of %s failed", reference, request.user)
            _deliver(deliver, Say(f"Something went wrong on my side. Quote `{reference}` to whoever runs Lamplighter."))
        finally:
            self._outbox.nudge()

    def _alone(self, what: str, run: Callable[[], object]) -> None:
        try:
            run()
        except Exception:  # nobody waits for an answer here; the log is where it is read
            log.exception("%s failed", what)
        finally:
            self._outbox.nudge()


def _deliver(deliver: Deliver, reply: Any) -> None:
    """Slack's refusal to take an answer must not stop the work that the answer is about."""
    try:
        deliver(reply)
    except (SlackClientError, OSError, ValueError) as problem:
        log.warning("an answer could not be delivered: %s", problem)


def build_app(entries: tuple[Entry, ...], desk: Desk, client: WebClient, signing_secret: str) -> App:
    """The Bolt app with a listener for each entry that Slack knows of."""
    app = App(
        client=client,
        signing_secret=signing_secret or None,
        token_verification_enabled=False,
        # Over Socket Mode Slack is authenticated by the connection; over HTTP the signature is always checked.
        request_verification_enabled=bool(signing_secret),
        listener_executor=ThreadPoolExecutor(LISTENERS, thread_name_prefix="listener"),
        raise_error_for_unhandled_request=False,
    )
    for entry in entries:
        match entry:
            case Slash():
                app.command(entry.command)(_slash_listener(entry, desk))
            case Button():
                app.action(entry.action_id)(_button_listener(entry, desk))
            case Form():
                app.view(entry.callback_id)(_form_listener(entry, desk))
            case Clock():
                pass  # the scheduler's
    return app


def _now(desk: Desk) -> datetime:
    return desk.context.clock()


def _slash_listener(entry: Slash, desk: Desk) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, respond: Respond, client: WebClient) -> None:
        ack()
        deliver = ToCommand(respond, client, str(body.get("trigger_id") or ""))
        request = inbound.from_slash(body, _now(desk))
        run: Run = (lambda _request, _context: [help_for(entry)]) if asks_for_help(request.text) else entry.run
        desk.take(run, request, deliver, quick=entry.opens_form)

    return listen


def _button_listener(entry: Button, desk: Desk) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, respond: Respond, client: WebClient) -> None:
        ack()
        deliver = ToButton(respond, client, str(body.get("trigger_id") or ""))
        desk.take(entry.run, inbound.from_button(body, _now(desk)), deliver, quick=entry.opens_form)

    return listen


def _form_listener(entry: Form, desk: Desk) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, client: WebClient) -> None:
        now = _now(desk)
        request = inbound.from_form(body, now)
        wrong = entry.check(request.fields, now, desk.context.zone)
        if wrong:
            ack(response_action="errors", errors=wrong)
            return
        deliver = ToForm(client, body["view"])
        desk.take(entry.run, request, deliver, quick=True)
        ack(response_action="update", view=deliver.view_for_ack())

    return listen

"""Bolt: one listener for each Slack entry of COMMANDS. A listener acknowledges and hands over, and nothing else.

An exception in a listener can erase an acknowledgement that was already given, so that all work is the desk's.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App, Respond
from slack_bolt.middleware.authorization import SingleTeamAuthorization
from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot import inbound
from bot.at_home import Homes, ToHome, beside_home
from bot.desk import Desk
from bot.once import Once
from bot.replies import Asker, Deliver, Drawings, ToButton, ToCommand, ToField, ToForm
from bot.socket_mode import Envelope, NeedsNoWords
from commands._types import Button, Clock, Entry, Event, Form, Run, Slash
from commands.help import asks_for_help, help_for
from commands.home import kept_up

Body = dict[str, Any]

LISTENERS = 20


def build_app(
    entries: Iterable[Entry], desk: Desk, client: WebClient, signing_secret: str, who: SlackResponse | None = None
) -> App:
    """The Bolt app with a listener for each entry that Slack knows of. `who`: what auth.test answered; without it, Bolt
    asks at the first request, which is lost where Slack does not answer then."""
    app = App(
        client=client,
        signing_secret=signing_secret or None,
        token_verification_enabled=False,
        # Over Socket Mode Slack is authenticated by the connection; over HTTP the signature is always checked.
        request_verification_enabled=bool(signing_secret),
        listener_executor=ThreadPoolExecutor(LISTENERS, thread_name_prefix="listener"),
    )
    for step in app._middleware_list:  # Bolt takes it of nobody else
        if isinstance(step, SingleTeamAuthorization):
            step.auth_test_result = who
    drawings, homes = Drawings(), Homes()
    for entry in entries:
        match entry:
            case Slash():
                app.command(entry.command)(_slash_listener(entry, desk))
            case Button():
                app.action(entry.action_id)(_button_listener(entry, desk, drawings, homes))
            case Form():
                app.view(entry.callback_id)(_form_listener(entry, desk, homes))
            case Event():
                app.event(entry.event)(_event_listener(entry, desk, homes))
            case Clock():
                pass  # the scheduler's
    return app


def needs_no_words(entries: Iterable[Entry]) -> NeedsNoWords:
    """Whether a request is one of these entries' that its listener takes for certain, and says nothing with that: a
    command, a button or an event. A form may be told what is wrong in it; what nobody knows is Slack's to refuse."""
    commands, actions, events = set(), set(), set()
    for entry in entries:
        match entry:
            case Slash():
                commands.add(entry.command)
            case Button():
                actions.add(entry.action_id)
            case Event():
                events.add(entry.event)

    def known(envelope: Envelope) -> bool:
        payload = envelope["payload"]
        match envelope["type"]:
            case "slash_commands":
                return payload["command"] in commands
            case "events_api":
                return payload["event"]["type"] in events
            case "interactive" if payload["type"] == "block_actions":
                return all(action["action_id"] in actions for action in payload["actions"])
        return False

    return known


def _event_listener(entry: Event, desk: Desk, homes: Homes) -> Callable[..., None]:
    once = Once()

    def listen(body: Body, client: WebClient) -> None:  # Bolt has acknowledged an event by itself
        # Slack sends an event up to three times more where it did not hear that it arrived, with a new signature each.
        if body.get("event_id") and not once.take(str(body["event_id"])):
            return
        if inbound.is_home(body.get("event") or {}):
            request = inbound.from_event(body, desk.context.clock())
            desk.take(entry.run, request, ToHome(client, homes, request.user), quick=True)

    return listen


def _slash_listener(entry: Slash, desk: Desk) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, respond: Respond, client: WebClient) -> None:
        ack()
        request = inbound.from_slash(body, desk.context.clock())
        deliver = ToCommand(Asker(respond, client, request, inbound.trigger_of(body)))
        run: Run = (
            (lambda _request, _context: [help_for(entry, request.text)]) if asks_for_help(request.text) else entry.run
        )
        desk.take(run, request, deliver, quick=entry.opens_form)

    return listen


def _button_listener(entry: Button, desk: Desk, drawings: Drawings, homes: Homes) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, respond: Respond, client: WebClient) -> None:
        ack()
        deliver: Deliver
        run = entry.run
        if inbound.is_in_form(body):
            request = inbound.from_field(body, desk.context.clock())
            deliver = ToField(client, drawings, *inbound.form_drawing(body))
        else:
            request = inbound.from_button(body, desk.context.clock())
            if inbound.is_in_home(body):
                deliver = ToHome(client, homes, request.user, inbound.trigger_of(body))
                run = entry.run if entry.opens_form else kept_up(entry.run)
            else:
                deliver = ToButton(Asker(respond, client, request, inbound.trigger_of(body)))
        desk.take(run, request, deliver, quick=entry.opens_form, decides=entry.decides)

    return listen


def _form_listener(entry: Form, desk: Desk, homes: Homes) -> Callable[..., None]:
    def listen(ack: Ack, body: Body, client: WebClient) -> None:
        now = desk.context.clock()
        request = inbound.from_form(body, now)
        wrong = entry.check(request.fields, now, desk.context.zone)
        if wrong:
            ack(response_action="errors", errors=wrong)
            return
        form = ToForm(client, *inbound.form_of(body))
        page = homes.page_of(request.user)
        if page is None:
            desk.take(entry.run, request, form, quick=True, decides=entry.decides)
        else:
            both = beside_home(form, ToHome(client, homes, request.user))
            desk.take(kept_up(entry.run), replace(request, page=page), both, quick=True, decides=entry.decides)
        ack(response_action="update", view=form.view_for_ack())

    return listen

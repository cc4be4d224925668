"""What people do: run commands, click, choose, look, write. Each is told to the app as Slack tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.demo.slack import inputs, payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.delivery import Ack, Delivery, Outcome, Retry
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Channel, Json, Message, Person
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.responses import Responses
from bot.demo.slack.submissions import Submissions
from bot.demo.slack.tickets import ResponseUrl, Tickets
from bot.demo.slack.workspace import Workspace

EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)
BAD_COMMAND_ANSWER = "invalid_command_response"


class Interactions:
    """Tells the app of what people do, and does what its answers ask for.

    Lives in the stand-in's event loop. `faults` collects what the app did wrong: no answer in time, answers that
    Slack would not take.
    """

    def __init__(
        self,
        workspace: Workspace,
        app: InstalledApp,
        modals: Modals,
        tickets: Tickets,
        responses: Responses,
        delivery: Delivery,
        base_url: str,
        faults: list[str],
        event_retry_seconds: tuple[float, ...] = EVENT_RETRY_SECONDS,
    ) -> None:
        self.workspace = workspace
        self.app = app
        self.modals = modals
        self.tickets = tickets
        self.responses = responses
        self.delivery = delivery
        self.base_url = base_url
        self.faults = faults
        self.event_retry_seconds = event_retry_seconds
        self.submissions = Submissions(workspace, app, modals, tickets, delivery, faults)
        self._message_values: dict[tuple[str, str, str], inputs.Values] = {}
        self._background: set[asyncio.Task[None]] = set()

    # -- commands ------------------------------------------------------------------------------------------

    async def command(self, person_id: str, channel_id: str, line: str) -> Outcome:
        """`/trace-audit payments`, typed into a channel."""
        person, channel = self._person(person_id), self._channel(person_id, channel_id)
        word, _, text = line.strip().partition(" ")
        command = self.app.command(word)
        if command is None:
            return Outcome(f"{word} is not a valid command")
        payload = payloads.slash_command(self.app, self.workspace, person, channel, command, text.strip())
        payload["response_url"] = self._response_url("commands", self.tickets.response_url(person_id, channel_id))
        payload["trigger_id"] = self.tickets.trigger(person_id)
        ack = await self.delivery.send("slash_commands", payload)
        failure = ack.failure or self._take_command_answer(person, channel, line, ack)
        if failure:
            return self._fault(f"{word} failed with the error “{failure}”")
        return Outcome()

    def _take_command_answer(self, person: Person, channel: Channel, line: str, ack: Ack) -> str | None:
        if not ack.payload:
            return None
        if not isinstance(ack.payload, dict):
            return BAD_COMMAND_ANSWER
        if ack.payload.get("response_type") == "in_channel":
            self.workspace.post(channel.id, person.id, line)
        try:
            self.responses.answer(ResponseUrl(person.id, channel.id, self.workspace.clock()), ack.payload)
        except Refusal as refusal:
            self.faults.append(f"the answer to {line!r} was refused: {refusal.error} {refusal.messages}")
            return BAD_COMMAND_ANSWER
        return None

    # -- clicks and choices --------------------------------------------------------------------------------

    async def act_on_message(self, person_id: str, channel_id: str, message_ts: str, action: Json) -> Outcome:
        """A click or a choice on a message. `action` is like an entry of `actions[]`; only its choice is believed."""
        person, channel = self._person(person_id), self._channel(person_id, channel_id)
        message = self.workspace.message(channel_id, message_ts, person_id)
        if message is None or not message.bot:
            return Outcome("message_not_found")
        element, told = self._told(message.blocks, action)
        key = (person_id, channel_id, message_ts)
        values = inputs.first_values(message.blocks, self._message_values.get(key))
        if element["type"] in inputs.STATEFUL:
            values[told["block_id"]][told["action_id"]] = self._chosen(element, action)
        self._message_values[key] = values
        payload = payloads.interaction("block_actions", self.app, self.workspace, person)
        payload |= self._message_part(message, channel)
        url = self.tickets.response_url(person_id, channel_id, message_ts, message.thread_ts)
        payload |= {
            "trigger_id": self.tickets.trigger(person_id),
            "response_url": self._response_url("actions", url),
            "state": {"values": values},
            "actions": [told],
        }
        ack = await self.delivery.send("interactive", payload)
        still_there = self.workspace.message(channel_id, message_ts, person_id)
        if still_there is not None:
            self.workspace.warn(still_there, person_id, _warning(ack))
        return self._fault(f"{told['action_id']} failed with the error “{ack.failure}”") if ack.failure else Outcome()

    async def act_on_view(self, person_id: str, view_id: str, action: Json, values: Json | None = None) -> Outcome:
        """A click or a choice in a modal or the home tab; `values` are the other fields as they are on the screen."""
        person = self._person(person_id)
        view = self.modals.view(person_id, view_id)
        if view is None:
            return Outcome("view_not_found")
        element, told = self._told(view["blocks"], action)
        if any(one["block_id"] == told["block_id"] and _is_quiet(one) for one in view["blocks"]):
            raise Refusal("no_dispatch_action", messages=[f"the input block {told['block_id']} tells of no change"])
        noted = self.submissions.chosen_values(view, values or {})
        if element["type"] in inputs.STATEFUL:
            noted.setdefault(told["block_id"], {})[told["action_id"]] = self._chosen(element, action)
        view = self.modals.remember(person_id, view_id, noted) or view
        payload = payloads.interaction("block_actions", self.app, self.workspace, person)
        inside = view_id if view["type"] == "modal" else None
        payload |= {
            "container": {"type": "view", "view_id": view_id},
            "view": view,
            "trigger_id": self.tickets.trigger(person_id, inside),
            "actions": [told],
        }
        ack = await self.delivery.send("interactive", payload)
        return self._fault(f"{told['action_id']} failed with the error “{ack.failure}”") if ack.failure else Outcome()

    def _told(self, blocks: Any, action: Json) -> tuple[Json, Json]:
        if not self.app.interactive:
            raise Refusal("interactivity_disabled")
        block_id, action_id = str(action.get("block_id")), str(action.get("action_id"))
        element = inputs.find(blocks, block_id, action_id)
        if element is None:
            raise Refusal("no_such_element", messages=[f"no element {action_id} in a block {block_id}"])
        choice: Json = {}
        if element["type"] in inputs.STATEFUL:
            choice = {name: each for name, each in self._chosen(element, action).items() if name != "type"}
        elif element["type"] == "overflow":
            picked = self._chosen({**element, "type": "static_select"}, action)["selected_option"]
            if picked is None:
                raise Refusal("invalid_choice")
            choice = {"selected_option": picked}
        return element, payloads.action(element, block_id, choice, self.workspace.next_ts())

    def _chosen(self, element: Json, action: Json) -> Json:
        return self.submissions.chosen(element, action)

    def _message_part(self, message: Message, channel: Channel) -> Json:
        ephemeral = message.ephemeral_to is not None
        container = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        part: Json = {"container": container, "channel": {"id": channel.id, "name": payloads.channel_name(channel)}}
        if not ephemeral:  # of an ephemeral message Slack sends no copy
            part["message"] = payloads.message(message, self.app, self.workspace.team_id, self.base_url)
        return part

    # -- the home tab, plain messages ----------------------------------------------------------------------

    def open_home(self, person_id: str) -> Json | None:
        """The person's home as it is now; the app is told that they look at it."""
        self._person(person_id)
        view = self.modals.home(person_id)
        if self.app.home_tab:
            channel = self.workspace.direct_channel(person_id, self.app.bot_user_id)
            event = {"type": "app_home_opened", "user": person_id, "channel": channel.id, "tab": "home"}
            self.tell_event({**event, **({"view": view} if view else {})})
        return view

    def say(self, person_id: str, channel_id: str, text: str, thread_ts: str | None = None) -> Message:
        """A person's plain message; the app hears of it where its manifest asks for such events."""
        self._person(person_id)
        channel = self._channel(person_id, channel_id)
        message = self.workspace.post(channel_id, person_id, text, thread_ts=thread_ts)
        event = payloads.message(message, self.app, self.workspace.team_id, self.base_url) | {"channel": channel_id}
        if self.app.bot_user_id in channel.members:
            kind = "group" if channel.is_private else "channel"
            self.tell_event({**event, "channel_type": kind}, f"message.{kind}s")
            if f"<@{self.app.bot_user_id}" in text:
                self.tell_event({**event, "type": "app_mention"})
        return message

    def tell_event(self, event: Json, subscription: str | None = None) -> None:
        """Send an event in the background, with Slack's three retries, if the manifest subscribes to it."""
        if (subscription or event["type"]) in self.app.events:
            event = {**event, "event_ts": self.workspace.next_ts()}
            self._in_background(self._send_event(payloads.event_callback(event, self.app, self.workspace)))

    async def _send_event(self, payload: Json) -> None:
        if not await self.delivery.ready_for_events():
            self.faults.append("the request URL did not answer url_verification with the challenge")
            return
        ack = await self.delivery.send("events_api", payload)
        for number, seconds in enumerate(self.event_retry_seconds, start=1):
            if ack.failure is None:
                return
            await asyncio.sleep(seconds)
            ack = await self.delivery.send("events_api", payload, Retry(number, ack.reason))
        if ack.failure is not None:
            self.faults.append(f"the event {payload['event']['type']} was never acknowledged: {ack.failure}")

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def close(self) -> None:
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)

    # -- who and where -------------------------------------------------------------------------------------

    def _person(self, person_id: str) -> Person:
        person = self.workspace.person(person_id)
        if person is None or person.deleted:
            raise Refusal("user_not_found")
        return person

    def _channel(self, person_id: str, channel_id: str) -> Channel:
        channel = self.workspace.channel(channel_id)
        if channel is None or (channel.is_private and person_id not in channel.members):
            raise Refusal("channel_not_found")
        if person_id not in channel.members:
            raise Refusal("not_in_channel")
        if channel.is_archived:
            raise Refusal("is_archived")
        return channel

    def _response_url(self, kind: str, secret: str) -> str:
        return f"{self.base_url}/{kind}/{self.workspace.team_id}/{self.app.id}/{secret}"

    def _fault(self, text: str) -> Outcome:
        self.faults.append(text)
        return Outcome(text)


def _is_quiet(block: Json) -> bool:
    """An input block tells the app of a change only where it has `dispatch_action`."""
    return block["type"] == "input" and not block.get("dispatch_action", False)


def _warning(ack: Ack) -> str | None:
    return None if ack.failure is None else "This app did not answer in time. Try again?"

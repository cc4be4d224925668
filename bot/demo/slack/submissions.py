"""Modals as people fill them in: submitting, closing, and what the app answers to it."""

from __future__ import annotations

from typing import Any

from bot.demo.slack import inputs, payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.delivery import Delivery, Outcome
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Json, Person
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.tickets import Tickets
from bot.demo.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"  # what Slack shows for any answer that it cannot use


class Submissions:
    """Sends view_submission and view_closed, and does what `response_action` asks for.

    `faults` gets what Slack would not take, since the person only ever sees TROUBLE.
    """

    def __init__(
        self,
        workspace: Workspace,
        app: InstalledApp,
        modals: Modals,
        tickets: Tickets,
        delivery: Delivery,
        faults: list[str],
    ) -> None:
        self.workspace = workspace
        self.app = app
        self.modals = modals
        self.tickets = tickets
        self.delivery = delivery
        self.faults = faults

    def chosen(self, element: Json, given: Json) -> Json:
        """What was chosen in one element, as `state.values` holds it; Refusal for a choice that is not offered."""
        return inputs.chosen(element, given, self._known_ids())

    def chosen_values(self, view: Json, given: Json) -> inputs.Values:
        """The browser's values for the elements that the view really has."""
        values: inputs.Values = {}
        for block_id, actions in given.items():
            for action_id, value in actions.items():
                element = inputs.find(view["blocks"], block_id, action_id)
                if element is None or element["type"] not in inputs.STATEFUL:
                    raise Refusal("no_such_element", messages=[f"no input {action_id} in a block {block_id}"])
                values.setdefault(block_id, {})[action_id] = self.chosen(element, value or {})
        return values

    async def submit(self, person_id: str, view_id: str, given: Json) -> Outcome:
        """The submit button: Slack's own checks of the fields first, then the app's answer."""
        person = self.workspace.person(person_id)
        view = self._open_view(person_id, view_id)
        if person is None or person.deleted or view is None:
            return Outcome("view_not_found")
        view = self.modals.remember(person_id, view_id, self.chosen_values(view, given)) or view
        if errors := inputs.form_errors(view["blocks"], view["state"]["values"]):
            return Outcome(errors=errors)
        payload = payloads.interaction("view_submission", self.app, self.workspace, person)
        payload |= {"trigger_id": self.tickets.trigger(person_id, view_id), "view": view, "response_urls": []}
        ack = await self.delivery.send("interactive", payload)
        if ack.failure:
            return self._trouble(view, ack.failure)
        try:
            return await self._respond(person, view, ack.payload)
        except Refusal as refusal:
            return self._trouble(view, f"{refusal.error} {refusal.messages}")

    async def close(self, person_id: str, view_id: str, *, cleared: bool = False) -> Outcome:
        """The close button; the app hears of each closed view that has `notify_on_close`."""
        person = self.workspace.person(person_id)
        closed = self.modals.close(person_id, view_id)
        if person is None or not closed:
            return Outcome("view_not_found")
        for view in closed:
            await self._tell_closed(person, view, cleared=cleared or len(closed) > 1)
        return Outcome()

    async def _respond(self, person: Person, view: Json, answer: Any) -> Outcome:
        if not answer:
            self.modals.close(person.id, view["id"])
            return Outcome()
        match answer:
            case {"response_action": "errors", "errors": dict(errors)} if errors:
                return self._field_errors(view, errors)
            case {"response_action": "update", "view": dict(new)}:
                self.modals.replace(person.id, view, new)
            case {"response_action": "push", "view": dict(new)}:
                self.modals.push(person.id, new, onto=view["id"])
            case {"response_action": "clear"}:
                for closed in self.modals.clear(person.id):
                    if closed["id"] != view["id"]:
                        await self._tell_closed(person, closed, cleared=True)
            case _:
                return self._trouble(view, f"not an answer to a submission: {answer!r:.300}")
        return Outcome()

    def _field_errors(self, view: Json, errors: Json) -> Outcome:
        fields = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
        wrong = [block_id for block_id, text in errors.items() if block_id not in fields or not isinstance(text, str)]
        if wrong:
            return self._trouble(view, f"errors for what is no input block: {', '.join(map(str, wrong))}")
        return Outcome(errors=dict(errors))

    async def _tell_closed(self, person: Person, view: Json, *, cleared: bool) -> None:
        if view["notify_on_close"]:
            payload = payloads.interaction("view_closed", self.app, self.workspace, person)
            ack = await self.delivery.send("interactive", payload | {"view": view, "is_cleared": cleared})
            if ack.failure:
                self.faults.append(f"view_closed of {view['callback_id']} failed: {ack.failure}")

    def _trouble(self, view: Json, why: str) -> Outcome:
        self.faults.append(f"submitting {view['callback_id'] or view['id']} failed: {why}")
        return Outcome(TROUBLE)

    def _open_view(self, person_id: str, view_id: str) -> Json | None:
        return next((view for view in self.modals.stack(person_id) if view["id"] == view_id), None)

    def _known_ids(self) -> set[str]:
        people = {person.id for person in self.workspace.people()}
        return people | {channel.id for channel in self.workspace.channels()}

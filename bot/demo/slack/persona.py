"""Somebody's hands: what a test does in a person's stead, without a browser and over the same paths."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from bot.demo.slack import inputs, limits
from bot.demo.slack.delivery import Outcome
from bot.demo.slack.interactions import Interactions
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Json, Message
from bot.demo.slack.workspace import Workspace

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class Persona:
    """One person. Each act returns when the app has acknowledged it, or has not in time."""

    def __init__(
        self, person_id: str, interactions: Interactions, workspace: Workspace, modals: Modals, run: Run
    ) -> None:
        self.person_id = person_id
        self._interactions = interactions
        self._workspace = workspace
        self._modals = modals
        self._run = run

    def command(self, channel_id: str, line: str) -> Outcome:
        """Type a slash command: `command("C1", "/trace-audit payments")`."""
        return self._outcome(self._interactions.command(self.person_id, channel_id, line))

    def click(self, message: Message, action_id: str, choice: Any = None, *, nth: int = 0) -> Outcome:
        """Use the `nth` element with this action_id on a message.

        `choice` is what to pick, type or switch on; of several buttons it is the value of the one that is meant.
        """
        action = _action(message.blocks, action_id, choice, nth)
        return self._outcome(self._interactions.act_on_message(self.person_id, message.channel, message.ts, action))

    def click_in_view(self, view_id: str, action_id: str, choice: Any = None, *, nth: int = 0) -> Outcome:
        """Use an element of an open modal or of the home tab."""
        view = self._modals.view(self.person_id, view_id)
        blocks = view["blocks"] if view else []
        action = _action(blocks, action_id, choice, nth)
        return self._outcome(self._interactions.act_on_view(self.person_id, view_id, action))

    def submit(self, view_id: str, **choices: Any) -> Outcome:
        """Fill in fields by their action_id and press the submit button."""
        view = self._modals.view(self.person_id, view_id) or {"blocks": []}
        values: dict[str, Json] = {}
        for action_id, choice in choices.items():
            action = _action(view["blocks"], action_id, choice, 0)
            values.setdefault(action["block_id"], {})[action_id] = action
        return self._outcome(self._interactions.submissions.submit(self.person_id, view_id, values))

    def close(self, view_id: str) -> Outcome:
        """Press the close button of a modal."""
        return self._outcome(self._interactions.submissions.close(self.person_id, view_id))

    def say(self, channel_id: str, text: str, thread_ts: str | None = None) -> Message:
        """Write a plain message."""

        async def say() -> Message:
            return self._interactions.say(self.person_id, channel_id, text, thread_ts)

        message: Message = self._run(say())
        return message

    def open_home(self) -> Json | None:
        """Open the app's home tab; what it shows at this moment."""

        async def look() -> Json | None:
            return self._interactions.open_home(self.person_id)

        view: Json | None = self._run(look())
        return view

    def modal(self, seconds: float = 5.0) -> Json:
        """The modal on top, waited for."""
        return self._workspace.wait_for(lambda: self._modals.stack(self.person_id), seconds)[-1]

    def _outcome(self, act: Coroutine[Any, Any, Outcome]) -> Outcome:
        outcome: Outcome = self._run(act)
        return outcome


def _action(blocks: Any, action_id: str, choice: Any, nth: int) -> Json:
    found = [(block, each) for block, each in limits.interactive(blocks) if each.get("action_id") == action_id]
    if choice is not None and any(each["type"] == "button" for _, each in found):
        found = [(block, each) for block, each in found if each.get("value") == choice]
    if len(found) <= nth:
        there = sorted({str(each.get("action_id")) for _, each in limits.interactive(blocks)})
        raise LookupError(f"no {action_id!r} here, but {', '.join(there) or 'nothing to use'}")
    block, element = found[nth]
    action = {"block_id": block["block_id"], "action_id": action_id, "type": element["type"]}
    if element["type"] == "overflow":
        return action | {"selected_option": {"value": choice}}
    if element["type"] in inputs.STATEFUL:
        return action | {inputs.STATEFUL[element["type"]][0]: choice}
    return action

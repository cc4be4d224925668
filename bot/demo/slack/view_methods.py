"""views.*: opening, pushing, updating modals and publishing homes, paid for with trigger ids."""

from __future__ import annotations

from typing import Any

from bot.demo.slack.app import InstalledApp
from bot.demo.slack.drafts import missing_files, parsed
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Json
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.tickets import Tickets
from bot.demo.slack.web_api import Method, required
from bot.demo.slack.workspace import Workspace


class ViewMethods:
    """The app showing views; whose they are follows from the trigger id."""

    def __init__(self, workspace: Workspace, app: InstalledApp, modals: Modals, tickets: Tickets) -> None:
        self.workspace = workspace
        self.app = app
        self.modals = modals
        self.tickets = tickets

    def methods(self) -> dict[str, Method]:
        return {
            "views.open": Method(self.open),
            "views.push": Method(self.push),
            "views.update": Method(self.update),
            "views.publish": Method(self.publish),
        }

    def open(self, args: Json) -> Json:
        view = self._view(args)
        self.modals.check(view, "modal")  # before the trigger is spent: a wrong view costs none
        trigger = self.tickets.use_trigger(args.get("trigger_id"))
        return {"view": self.modals.open(trigger.person_id, view)}

    def push(self, args: Json) -> Json:
        view = self._view(args)
        self.modals.check(view, "modal")  # before the trigger is spent: a wrong view costs none
        trigger = self.tickets.use_trigger(args.get("trigger_id"))
        return {"view": self.modals.push(trigger.person_id, view, onto=trigger.view_id)}

    def update(self, args: Json) -> Json:
        view = self._view(args)
        view_id, external_id = args.get("view_id"), args.get("external_id")
        if not view_id and not external_id:
            required(args, "view_id")
        changed = self.modals.update(view, view_id=view_id, external_id=external_id, view_hash=args.get("hash"))
        return {"view": changed}

    def publish(self, args: Json) -> Json:
        (person_id,) = required(args, "user_id")
        view = self._view(args)
        if not self.app.home_tab:
            raise Refusal("not_enabled")
        if self.workspace.person(person_id) is None:
            raise Refusal("invalid_arguments", messages=["invalid `user_id`"])
        return {"view": self.modals.publish(person_id, view, args.get("hash"))}

    def _view(self, args: Json) -> Any:
        required(args, "view")
        view = parsed(args["view"], "invalid_arguments")
        if isinstance(view, dict) and (problems := missing_files(view.get("blocks"), self.workspace, "/view/blocks")):
            raise Refusal("invalid_arguments", messages=problems)
        return view

"""Modals and homes: each person's stack of open views and their home tab, with Slack's rules for changing them."""

from __future__ import annotations

import secrets
from typing import Any

from bot.demo.slack import inputs, limits
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.nouns import Json
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.workspace import Workspace

MOST_VIEWS = 3


class Modals:
    """What views are open for whom. Views are dictionaries in the shape that views.open answers with.

    A view is never changed in place, so one that was handed out stays as it was.
    """

    def __init__(self, workspace: Workspace, app: InstalledApp) -> None:
        self.workspace = workspace
        self.app = app
        self._stacks: dict[str, list[Json]] = {}
        self._homes: dict[str, Json] = {}

    def stack(self, person_id: str) -> list[Json]:
        """The person's open views, the one on top last."""
        with self.workspace.lock:
            return list(self._stacks.get(person_id, []))

    def home(self, person_id: str) -> Json | None:
        with self.workspace.lock:
            return self._homes.get(person_id)

    def view(self, person_id: str, view_id: str) -> Json | None:
        """A view this person has before them, in a modal or as their home."""
        with self.workspace.lock:
            shown = [*self._stacks.get(person_id, []), *filter(None, [self._homes.get(person_id)])]
            return next((view for view in shown if view["id"] == view_id), None)

    def open(self, person_id: str, view: Any) -> Json:
        """Show a modal in place of whatever modals were open."""
        with self.workspace.lock:
            made = self._make(view, "modal")
            self._set_stack(person_id, [made])
            return made

    def push(self, person_id: str, view: Any, onto: str | None) -> Json:
        """Put a view on top of the one whose id is `onto`, up to three."""
        with self.workspace.lock:
            stack = self._stacks.get(person_id, [])
            if onto is None or onto not in [each["id"] for each in stack]:
                raise Refusal("invalid_trigger_id", messages=["views.push needs a trigger from inside an open modal"])
            if len(stack) >= MOST_VIEWS:
                raise Refusal("push_limit_reached")
            made = self._make(view, "modal", below=stack[-1])
            self._set_stack(person_id, [*stack, made])
            return made

    def update(self, view: Any, *, view_id: str | None, external_id: str | None, view_hash: str | None) -> Json:
        """Replace an open view's contents; choices in the same fields stay."""
        with self.workspace.lock:
            person_id, old = self._find(view_id, external_id)
            if view_hash is not None and view_hash != old["hash"]:
                raise Refusal("hash_conflict")
            return self.replace(person_id, old, view)

    def replace(self, person_id: str, old: Json, view: Any) -> Json:
        with self.workspace.lock:
            made = self._make(view, old["type"], stands_for=old)
            if old["type"] == "home":
                self._set_home(person_id, made)
            else:
                stack = self._stacks.get(person_id, [])
                self._set_stack(person_id, [made if each["id"] == old["id"] else each for each in stack])
            return made

    def publish(self, person_id: str, view: Any, view_hash: str | None) -> Json:
        """Set a person's home tab."""
        with self.workspace.lock:
            old = self._homes.get(person_id)
            if view_hash is not None and (old is None or view_hash != old["hash"]):
                raise Refusal("hash_conflict")
            made = self._make(view, "home", stands_for=old)
            self._set_home(person_id, made)
            return made

    def close(self, person_id: str, view_id: str) -> list[Json]:
        """Close a view and those above it, or all where `clear_on_close` says so; the closed ones, top first."""
        with self.workspace.lock:
            stack = self._stacks.get(person_id, [])
            ids = [view["id"] for view in stack]
            if view_id not in ids:
                return []
            at = 0 if stack[ids.index(view_id)]["clear_on_close"] else ids.index(view_id)
            self._set_stack(person_id, stack[:at])
            return stack[at:][::-1]

    def clear(self, person_id: str) -> list[Json]:
        """Close all of a person's modals; the closed ones, top first."""
        with self.workspace.lock:
            stack = self._stacks.get(person_id, [])
            self._set_stack(person_id, [])
            return stack[::-1]

    def remember(self, person_id: str, view_id: str, values: inputs.Values) -> Json | None:
        """Note what a person chose in a view; the view as it then is."""
        with self.workspace.lock:
            old = self.view(person_id, view_id)
            if old is None:
                return None
            merged = {**old["state"]["values"]}
            for block_id, actions in values.items():
                merged[block_id] = {**merged.get(block_id, {}), **actions}
            changed = {**old, "state": {"values": merged}}
            if old["type"] == "home":
                self._homes[person_id] = changed
            else:
                self._stacks[person_id] = [changed if v["id"] == view_id else v for v in self._stacks[person_id]]
            return changed

    def _find(self, view_id: str | None, external_id: str | None) -> tuple[str, Json]:
        for person_id, stack in self._stacks.items():
            for view in stack:
                if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                    return person_id, view
        for person_id, view in self._homes.items():
            if view["id"] == view_id or (external_id and view["external_id"] == external_id):
                return person_id, view
        raise Refusal("not_found")

    def _make(self, view: Any, kind: str, *, below: Json | None = None, stands_for: Json | None = None) -> Json:
        self.check(view, kind, stands_for)
        blocks = inputs.with_ids(view["blocks"])
        kept = stands_for["state"]["values"] if stands_for else None
        made = {
            "id": self.workspace.next_id("V"),
            "team_id": self.workspace.team_id,
            "title": {"type": "plain_text", "text": "View Title", "emoji": True},  # what Slack puts where none is given
            "close": None,
            "submit": None,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "previous_view_id": below["id"] if below else None,
            **view,
            "blocks": blocks,
            "state": {"values": inputs.first_values(blocks, kept)},
            "hash": f"{int(self.workspace.clock())}.{secrets.token_hex(4)}",
            "app_id": self.app.id,
            "app_installed_team_id": self.workspace.team_id,
            "bot_id": self.app.bot_id,
        }
        made["root_view_id"] = below["root_view_id"] if below else made["id"]
        if stands_for:
            made |= {name: stands_for[name] for name in ("id", "root_view_id", "previous_view_id")}
        return made

    def check(self, view: Any, kind: str, stands_for: Json | None = None) -> None:
        """Raise the Refusal that this view would get, if any; `stands_for` is the view that it replaces."""
        problems = limits.view_problems(view)
        if not problems and view["type"] != kind:
            problems = [f"[ERROR] must be a {kind} view [json-pointer:/view/type]"]
        if problems:
            raise Refusal("invalid_arguments", messages=problems)
        if limits.view_is_too_large(view):
            raise Refusal("view_too_large")
        taken = [v["external_id"] for v in self._all() if stands_for is None or v["id"] != stands_for["id"]]
        if view.get("external_id") and view["external_id"] in taken:
            raise Refusal("duplicate_external_id")

    def _all(self) -> list[Json]:
        return [view for stack in self._stacks.values() for view in stack] + list(self._homes.values())

    def _set_stack(self, person_id: str, stack: list[Json]) -> None:
        self._stacks[person_id] = stack
        self.workspace.tell("views", person=person_id)

    def _set_home(self, person_id: str, view: Json) -> None:
        self._homes[person_id] = view
        self.workspace.tell("home", person=person_id)

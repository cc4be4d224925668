"""Answers that come by a response URL or inside the acknowledgement of a slash command."""

from __future__ import annotations

from typing import Any

from bot.demo.slack.app import InstalledApp
from bot.demo.slack.drafts import Draft, draft
from bot.demo.slack.nouns import Json, Message
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.tickets import ResponseUrl, Tickets
from bot.demo.slack.workspace import Workspace


class Responses:
    """Puts an app's answers where they belong. They need no membership and no scope, as in Slack."""

    def __init__(self, workspace: Workspace, app: InstalledApp, tickets: Tickets) -> None:
        self.workspace = workspace
        self.app = app
        self.tickets = tickets

    def by_url(self, secret: str, body: Any) -> None:
        """One POST to a response URL; Refusal where the URL is used up or the message cannot be taken."""
        url = self.tickets.use_response_url(secret)
        if not isinstance(body, dict):
            raise Refusal("invalid_payload")
        if body.get("delete_original"):
            self._delete(url)
        else:
            self.answer(url, body)

    def answer(self, url: ResponseUrl, body: Json) -> None:
        """Say, or put in the original's place, what the body says; unseen by others unless it asks for more."""
        if body.get("response_type", "ephemeral") not in ("ephemeral", "in_channel"):
            raise Refusal("invalid_response_type")
        contents = draft(body, self.workspace)
        channel = self.workspace.channel(url.channel_id)
        if channel is None or channel.is_archived:
            raise Refusal("is_archived")
        original = self._original(url)
        if body.get("replace_original") and original is not None:
            changes = {"blocks": (), "attachments": ()} | contents.changes()
            edited = self.workspace.next_ts() if original.ephemeral_to is None else None
            self.workspace.rewrite(original, **changes, edited_ts=edited)
        else:
            self._say(url, body, contents)

    def _say(self, url: ResponseUrl, body: Json, contents: Draft) -> None:
        thread = body.get("thread_ts")
        if body.get("response_type") == "in_channel":
            self.workspace.post(url.channel_id, self.app.bot_user_id, bot=True, thread_ts=thread, **contents.fields())
        else:
            self.workspace.post_ephemeral(
                url.channel_id, url.person_id, self.app.bot_user_id, bot=True, thread_ts=thread, **contents.fields()
            )

    def _delete(self, url: ResponseUrl) -> None:
        original = self._original(url)
        if original is None:  # a slash command has no message of the app's to delete
            raise Refusal("no_original_message")
        self.workspace.erase(original)

    def _original(self, url: ResponseUrl) -> Message | None:
        if url.message_ts is None:
            return None
        return self.workspace.message(url.channel_id, url.message_ts, url.person_id)

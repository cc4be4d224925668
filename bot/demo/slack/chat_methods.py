"""chat.*: posting, changing and deleting messages, with every reason for which Slack refuses."""

from __future__ import annotations

import re

from bot.demo.slack import limits, payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.drafts import draft
from bot.demo.slack.nouns import Channel, Json, Message
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.web_api import Method, required, truth
from bot.demo.slack.workspace import Workspace

TS = re.compile(r"\d{10}\.\d{6}")


class ChatMethods:
    """The bot speaking. `base_url` is where permalinks and files lead."""

    def __init__(self, workspace: Workspace, app: InstalledApp, base_url: str) -> None:
        self.workspace = workspace
        self.app = app
        self.base_url = base_url
        self._taken: dict[tuple[str, str], Message] = {}  # by channel and client_msg_id

    def methods(self) -> dict[str, Method]:
        write = ("chat:write",)
        return {
            "chat.postMessage": Method(self.post, write),
            "chat.postEphemeral": Method(self.post_ephemeral, write),
            "chat.update": Method(self.update, write),
            "chat.delete": Method(self.delete, write),
            "chat.getPermalink": Method(self.permalink),
        }

    def post(self, args: Json) -> Json:
        (wanted,) = required(args, "channel")
        channel = self._postable(wanted)
        fields = draft(args, self.workspace).fields()
        fields |= {"thread_ts": self.thread(channel, args), "broadcast": truth(args.get("reply_broadcast"))}
        known = (channel.id, str(args.get("client_msg_id") or ""))
        message = self._taken.get(known) if self.workspace.takes_an_id_once else None
        if message is None:
            message = self.workspace.post(channel.id, self.app.bot_user_id, bot=True, **fields)
        if known[1]:
            self._taken[known] = message
        return {"channel": channel.id, "ts": message.ts, "message": self._shown(message)}

    def post_ephemeral(self, args: Json) -> Json:
        wanted, person_id = required(args, "channel", "user")
        channel = self._postable(wanted)
        if self.workspace.person(person_id) is None:
            raise Refusal("user_not_found")
        if person_id not in channel.members:
            raise Refusal("user_not_in_channel")
        contents = draft(args, self.workspace)
        thread_ts = self.thread(channel, args)
        message = self.workspace.post_ephemeral(
            channel.id, person_id, self.app.bot_user_id, bot=True, thread_ts=thread_ts, **contents.fields()
        )
        return {"message_ts": message.ts}

    def update(self, args: Json) -> Json:
        """A field that is left out stays: to take blocks away, send an empty list, as chat.update's reference says."""
        message = self._own_message(args, "cant_update_message")
        contents = draft(args, self.workspace, longest=limits.UPDATE_TEXT)
        changed = self.workspace.rewrite(message, **contents.changes(), edited_ts=self.workspace.next_ts())
        return {
            "channel": message.channel,
            "ts": message.ts,
            "text": changed.text,
            "message": self._shown(changed),
        }

    def delete(self, args: Json) -> Json:
        message = self._own_message(args, "cant_delete_message")
        self.workspace.erase(message)
        return {"channel": message.channel, "ts": message.ts}

    def permalink(self, args: Json) -> Json:
        channel_id, ts = required(args, "channel", "message_ts")
        channel = self.visible(channel_id)
        if self.workspace.message(channel.id, ts) is None:
            raise Refusal("message_not_found")
        return {"channel": channel.id, "permalink": f"{self.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"}

    def visible(self, channel_id: str) -> Channel:
        """The channel, if the bot may know of it: a private one without the bot might as well not be there."""
        channel = self.workspace.channel(channel_id)
        if channel is None or (channel.is_private and self.app.bot_user_id not in channel.members):
            raise Refusal("channel_not_found")
        return channel

    def joined(self, channel_id: str, *, or_public: bool = False) -> Channel:
        """The channel, if the bot is a member; or, where that will do, if it is public."""
        channel = self.visible(channel_id)
        if channel.is_archived:
            raise Refusal("is_archived")
        if self.app.bot_user_id not in channel.members and not (or_public and not channel.is_private):
            raise Refusal("not_in_channel")
        return channel

    def _postable(self, wanted: str) -> Channel:
        """Where a post goes: a channel's id or #name, or a person's id for a direct message."""
        if self.workspace.person(wanted) is not None:
            if not self.app.messages_tab:
                raise Refusal("messages_tab_disabled")
            return self.workspace.direct_channel(wanted, self.app.bot_user_id)
        channel_id = self.workspace.channel_id(wanted) or wanted
        return self.joined(channel_id, or_public="chat:write.public" in self.app.scopes)

    def thread(self, channel: Channel, args: Json) -> str | None:
        """The thread that `thread_ts` means, if any; a reply's timestamp means its parent's thread."""
        thread_ts = args.get("thread_ts")
        if thread_ts is None:
            if truth(args.get("reply_broadcast")):
                raise Refusal("invalid_arguments", messages=["[ERROR] reply_broadcast needs a thread_ts"])
            return None
        if not isinstance(thread_ts, str) or not TS.fullmatch(thread_ts):
            raise Refusal("invalid_thread_ts")
        parent = self.workspace.message(channel.id, thread_ts)
        if parent is None:
            raise Refusal("thread_not_found")
        return parent.thread_ts or parent.ts

    def _own_message(self, args: Json, not_own: str) -> Message:
        channel_id, ts = required(args, "channel", "ts")
        channel = self.visible(channel_id)
        message = self.workspace.message(channel.id, ts)
        if message is None:
            raise Refusal("message_not_found")
        if message.user != self.app.bot_user_id or message.subtype == "tombstone":
            raise Refusal(not_own)
        if channel.is_archived:
            raise Refusal("is_archived")
        return message

    def _shown(self, message: Message) -> Json:
        return payloads.message(message, self.app, self.workspace.team_id, self.base_url)

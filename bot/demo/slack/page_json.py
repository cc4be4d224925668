"""How the page is shown things: the shapes of the page API."""

from __future__ import annotations

from typing import Any

from bot.demo.slack.app import InstalledApp
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Channel, Json, Message, Person
from bot.demo.slack.previews import preview
from bot.demo.slack.workspace import Workspace

MOST_SHOWN = 300  # of a channel's messages; Slack shows older ones as one scrolls


class PageJson:
    """Draws the workspace as one of its people sees it."""

    def __init__(self, workspace: Workspace, app: InstalledApp, modals: Modals) -> None:
        self.workspace = workspace
        self.app = app
        self.modals = modals

    def state(self, person: Person) -> Json:
        """Everything that does not change with each message."""
        groups = self.workspace.usergroups()
        return {
            "me": _person(person),
            "people": [_person(each) for each in self.workspace.people() if not each.deleted],
            "channels": [
                self._channel(each, person) for each in self.workspace.channels() if self._listed(each, person)
            ],
            "app": {
                "id": self.app.id,
                "name": self.app.name,
                "bot_user_id": self.app.bot_user_id,
                "home_tab": self.app.home_tab,
            },
            "team": {"id": self.workspace.team_id, "name": self.workspace.team_name},
            "commands": [
                {"command": each.command, "description": each.description, "usage_hint": each.usage_hint}
                for each in self.app.commands
            ],
            "usergroups": [
                {"id": group.id, "handle": group.handle, "name": group.name, "members": sorted(group.members)}
                for group in groups
            ],
        }

    def messages(self, person: Person, channel_id: str, thread: str | None) -> list[Json]:
        """A channel's messages without replies, or one thread's with its parent; own ephemerals among them."""
        own = self.workspace.ephemerals(channel_id, person.id)
        if thread is None:
            shown = self.workspace.newest_in_channel(channel_id, MOST_SHOWN)
            shown += [message for message in own if message.in_channel]
        else:
            parent = self.workspace.message(channel_id, thread)
            shown = ([parent] if parent else []) + self.workspace.replies(channel_id, thread)
            shown += [message for message in own if message.thread_ts == thread]
        shown.sort(key=lambda message: message.ts)
        return [self.message(message, person.id) for message in shown]

    def message(self, message: Message, person_id: str) -> Json:
        replies = self.workspace.replies(message.channel, message.ts)
        files = [
            {
                "id": file.id,
                "name": file.name,
                "title": file.title,
                "url": f"/files/{file.id}/{file.name}",
                "mimetype": file.mimetype,
                "alt_txt": file.alt_txt,
                "size": file.length,
                "preview": preview(file),
            }
            for file in message.files
        ]
        return {
            "ts": message.ts,
            "channel": message.channel,
            "user": message.user,
            "bot": message.bot,
            "text": message.text,
            "blocks": self._with_images(list(message.blocks)),
            "edited": {"ts": message.edited_ts} if message.edited_ts else None,
            "thread_ts": message.thread_ts,
            "reply_count": len(replies),
            "reply_users": list(dict.fromkeys(reply.user for reply in reversed(replies))),
            "latest_reply": replies[-1].ts if replies else None,
            "ephemeral": message.ephemeral_to is not None,
            "files": files,
            "warning": self.workspace.warning(message, person_id),
        }

    def stack(self, person_id: str) -> list[Json]:
        return [self._view(view) for view in self.modals.stack(person_id)]

    def home(self, person_id: str) -> Json | None:
        view = self.modals.home(person_id)
        return None if view is None else self._view(view)

    def _view(self, view: Json) -> Json:
        return {**view, "blocks": self._with_images(view["blocks"])}

    def _channel(self, channel: Channel, person: Person) -> Json:
        return {
            "id": channel.id,
            "name": channel.name or self.app.name,
            "is_private": channel.is_private,
            "is_archived": channel.is_archived,
            "topic": channel.topic,
            "members": len(channel.members),
            "joined": person.id in channel.members,
            "unread": self.workspace.unread(person.id, channel.id),
        }

    def _listed(self, channel: Channel, person: Person) -> bool:
        if channel.is_im and not self.workspace.newest_in_channel(channel.id, 1):
            return False
        return not channel.is_private or person.id in channel.members

    def _with_images(self, value: Any) -> Any:
        """The same JSON with an `image_url` beside each `slack_file`, since a browser cannot ask Slack for one."""
        if isinstance(value, list):
            return [self._with_images(each) for each in value]
        if not isinstance(value, dict):
            return value
        drawn = {name: self._with_images(each) for name, each in value.items()}
        if "slack_file" in value:
            given = value["slack_file"]
            file = self.workspace.file(given.get("id") or given["url"].rpartition("/files/")[2].partition("/")[0])
            drawn["image_url"] = f"/files/{file.id}/{file.name}" if file else ""
        return drawn


def _person(person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "title": person.title,
        "color": person.color,
        "is_bot": person.is_bot,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
    }

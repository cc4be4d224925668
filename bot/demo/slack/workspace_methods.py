"""Methods that ask about the workspace: the app itself, people, user groups, conversations."""

from __future__ import annotations

from bot.demo.slack import limits, payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.chat_methods import ChatMethods
from bot.demo.slack.drafts import parsed
from bot.demo.slack.nouns import Channel, Json, UserGroup
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.tickets import Tickets
from bot.demo.slack.web_api import Method, page_of, required, truth
from bot.demo.slack.workspace import Workspace

CHANNEL_SCOPES = ("channels:read", "groups:read", "im:read", "mpim:read")
TYPE_SCOPES = dict(zip(("public_channel", "private_channel", "im", "mpim"), CHANNEL_SCOPES, strict=True))


class WorkspaceMethods:
    """`socket_url` is where apps.connections.open sends the app; `chat` knows which channels the bot may see."""

    def __init__(
        self, workspace: Workspace, app: InstalledApp, chat: ChatMethods, tickets: Tickets, socket_url: str
    ) -> None:
        self.workspace = workspace
        self.app = app
        self.chat = chat
        self.tickets = tickets
        self.socket_url = socket_url

    def methods(self) -> dict[str, Method]:
        groups, people = ("usergroups:read",), ("users:read",)
        return {
            "api.test": Method(lambda args: {"args": args}, token=None),
            "auth.test": Method(self.auth_test),
            "apps.connections.open": Method(self.open_connection, ("connections:write",), token="app"),
            "blocks.validate": Method(self.validate, token=None),
            "users.info": Method(self.user, people),
            "users.list": Method(self.users, people),
            "usergroups.list": Method(self.usergroups, groups),
            "usergroups.users.list": Method(self.usergroup_members, groups),
            "conversations.list": Method(self.conversations, CHANNEL_SCOPES),
            "conversations.info": Method(self.conversation, CHANNEL_SCOPES),
            "conversations.members": Method(self.members, CHANNEL_SCOPES),
            "conversations.open": Method(self.open, ("channels:manage", "groups:write", "im:write", "mpim:write")),
        }

    # -- the app -------------------------------------------------------------------------------------------

    def auth_test(self, _args: Json) -> Json:
        return {
            "url": f"https://{self.workspace.team_domain}.slack.com/",
            "team": self.workspace.team_name,
            "user": self.app.display_name,
            "team_id": self.workspace.team_id,
            "user_id": self.app.bot_user_id,
            "bot_id": self.app.bot_id,
            "is_enterprise_install": False,
        }

    def open_connection(self, _args: Json) -> Json:
        return {"url": f"{self.socket_url}?ticket={self.tickets.connection()}&app_id={self.app.id}"}

    def validate(self, args: Json) -> Json:
        problems: list[str] = []
        if "blocks" in args:
            problems += limits.message_problems(parsed(args["blocks"], "invalid_blocks_format"))
        if "message" in args:
            problems += limits.message_problems((parsed(args["message"], "invalid_arguments") or {}).get("blocks", []))
        if "view" in args:
            problems += limits.view_problems(parsed(args["view"], "invalid_arguments"))
        if problems:
            raise Refusal("invalid_blocks", messages=problems)
        return {}

    # -- people --------------------------------------------------------------------------------------------

    def user(self, args: Json) -> Json:
        (person_id,) = required(args, "user")
        person = self.workspace.person(person_id)
        if person is None:
            raise Refusal("user_not_found")
        return {"user": payloads.user(person, self.workspace.team_id)}

    def users(self, args: Json) -> Json:
        shown, further = page_of(self.workspace.people(), args)
        return {
            "members": [payloads.user(person, self.workspace.team_id) for person in shown],
            "cache_ts": 1700000000,
            **further,
        }

    def usergroups(self, args: Json) -> Json:
        self._need_groups()
        with_users = truth(args.get("include_users"))
        disabled = truth(args.get("include_disabled"))
        listed = [group for group in self.workspace.usergroups() if disabled or not group.disabled]
        return {"usergroups": [self._group(group, with_users) for group in listed]}

    def usergroup_members(self, args: Json) -> Json:
        self._need_groups()
        (group_id,) = required(args, "usergroup")
        group = self.workspace.usergroup(group_id)
        if group is None:
            raise Refusal("no_such_subteam")
        return {"users": sorted(group.members)}

    def _need_groups(self) -> None:
        if not self.workspace.usergroups_available:
            raise Refusal("plan_upgrade_required")

    def _group(self, group: UserGroup, with_users: bool) -> Json:
        shown: Json = {
            "id": group.id,
            "team_id": self.workspace.team_id,
            "is_usergroup": True,
            "name": group.name,
            "description": "",
            "handle": group.handle,
            "is_external": False,
            "date_delete": 1700000000 if group.disabled else 0,
            "user_count": len(group.members),
        }
        return shown | ({"users": sorted(group.members)} if with_users else {})

    # -- conversations -------------------------------------------------------------------------------------

    def conversations(self, args: Json) -> Json:
        kinds = [kind.strip() for kind in str(args.get("types") or "public_channel").split(",")]
        for kind in kinds:
            if kind not in TYPE_SCOPES:
                raise Refusal("invalid_types")
            self._need_scope(TYPE_SCOPES[kind])
        unarchived = truth(args.get("exclude_archived"))
        listed = [
            channel
            for channel in self.workspace.channels()
            if _kind(channel) in kinds and self._may_see(channel) and not (unarchived and channel.is_archived)
        ]
        shown, further = page_of(listed, args)
        return {"channels": [self._conversation(channel) for channel in shown], **further}

    def conversation(self, args: Json) -> Json:
        return {"channel": self._conversation(self._seen(args))}

    def members(self, args: Json) -> Json:
        shown, further = page_of(sorted(self._seen(args).members), args)
        return {"members": shown, **further}

    def open(self, args: Json) -> Json:
        (person_id,) = required(args, "users")
        if self.workspace.person(person_id) is None:
            raise Refusal("user_not_found")
        return {"channel": {"id": self.workspace.direct_channel(person_id, self.app.bot_user_id).id}}

    def _seen(self, args: Json) -> Channel:
        (channel_id,) = required(args, "channel")
        channel = self.chat.visible(channel_id)
        self._need_scope(TYPE_SCOPES[_kind(channel)])
        return channel

    def _may_see(self, channel: Channel) -> bool:
        return not channel.is_private or self.app.bot_user_id in channel.members

    def _need_scope(self, scope: str) -> None:
        if scope not in self.app.scopes:
            raise Refusal("missing_scope", needed=scope, provided=",".join(self.app.scopes))

    def _conversation(self, channel: Channel) -> Json:
        return payloads.conversation(channel, self.workspace.team_id, self.app.bot_user_id)


def _kind(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    return "private_channel" if channel.is_private else "public_channel"

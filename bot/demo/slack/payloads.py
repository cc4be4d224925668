"""The shapes in which Slack tells an app of things: commands, clicks, submissions, events, messages, people."""

from __future__ import annotations

import re
import secrets
from typing import Any

from bot.demo.slack.app import Command, InstalledApp
from bot.demo.slack.nouns import Channel, Json, Message, Person, SlackFile
from bot.demo.slack.workspace import Workspace


def user(person: Person, team_id: str) -> Json:
    """A user object as users.info gives it to an app of this team that may not read e-mail addresses."""
    common = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "profile": {"real_name": person.real_name, "display_name": person.name, "title": person.title},
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": 1700000000,
    }
    if person.deleted:  # Slack leaves the roles out of a deactivated person's record
        return common
    return common | {
        "color": person.color,
        "real_name": person.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted or person.is_ultra_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_stranger": person.team_id != team_id,  # somebody of a connected workspace
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }


def person_in_payload(person: Person) -> Json:
    return {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id}


def conversation(channel: Channel, team_id: str, bot_user_id: str) -> Json:
    """A conversation object as conversations.info gives it to the bot."""
    if channel.is_im:
        other = next((member for member in sorted(channel.members) if member != bot_user_id), "")
        return {"id": channel.id, "created": 1700000000, "is_im": True, "is_archived": False, "user": other}
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": 1700000000,
        "creator": "U0CREATOR",
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": channel.name == "general",
        "is_shared": False,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "is_read_only": channel.is_read_only,
        "is_member": bot_user_id in channel.members,
        "context_team_id": team_id,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def file(stored: SlackFile, base_url: str) -> Json:
    address = f"{base_url}/files/{stored.id}/{stored.name}"
    return {
        "id": stored.id,
        "name": stored.name,
        "title": stored.title,
        "mimetype": stored.mimetype,
        "filetype": stored.name.rpartition(".")[2],
        "size": stored.length,
        "alt_txt": stored.alt_txt,
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
    }


def message(stored: Message, app: InstalledApp, team_id: str, base_url: str) -> Json:
    """A message as chat.postMessage answers with it and as block_actions carries it."""
    shown: Json = {"type": "message", "user": stored.user, "ts": stored.ts, "text": stored.text, "team": team_id}
    if stored.bot:
        shown |= {"bot_id": app.bot_id, "app_id": app.id, "bot_profile": {"id": app.bot_id, "name": app.name}}
    if stored.blocks:
        shown["blocks"] = list(stored.blocks)
    if stored.attachments:
        shown["attachments"] = list(stored.attachments)
    if stored.edited_ts:
        shown["edited"] = {"user": app.bot_user_id, "ts": stored.edited_ts}
    if stored.thread_ts:
        shown["thread_ts"] = stored.thread_ts
    if stored.files:
        shown["files"] = [file(each, base_url) for each in stored.files]
    if stored.metadata:
        shown["metadata"] = stored.metadata
    if stored.subtype:
        shown["subtype"] = stored.subtype
    return shown


def channel_name(channel: Channel) -> str:
    """How interaction payloads name a channel: private ones and direct messages keep theirs to themselves."""
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def slash_command(
    app: InstalledApp, workspace: Workspace, person: Person, channel: Channel, command: Command, text: str
) -> Json:
    """A slash command without its trigger_id and response_url."""
    return {
        "token": app.verification_token,
        "team_id": workspace.team_id,
        "team_domain": workspace.team_domain,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": person.id,
        "user_name": person.name,
        "command": command.command,
        "text": escape(text, workspace) if command.should_escape else text,
        "api_app_id": app.id,
        "is_enterprise_install": "false",
    }


def escape(text: str, workspace: Workspace) -> str:
    """`@ana` and `#payments` as `<@U…|ana>` and `<#C…|payments>`, and <, >, & as entities, as "escape" asks for."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    people = {person.name: f"<@{person.id}|{person.name}>" for person in workspace.people()}
    groups = {group.handle: f"<!subteam^{group.id}|@{group.handle}>" for group in workspace.usergroups()}
    special = {name: f"<!{name}>" for name in ("here", "channel", "everyone")}
    channels = {each.name: f"<#{each.id}|{each.name}>" for each in workspace.channels() if not each.is_im}
    mentions = special | groups | people

    def mention(found: re.Match[str]) -> str:
        table = mentions if found[1] == "@" else channels
        return table.get(found[2], found[0])

    return re.sub(r"(?<![\w&])([@#])([\w.-]*\w)", mention, text)


def interaction(kind: str, app: InstalledApp, workspace: Workspace, person: Person) -> Json:
    """What block_actions, view_submission and view_closed have in common."""
    return {
        "type": kind,
        "user": person_in_payload(person),
        "api_app_id": app.id,
        "token": app.verification_token,
        "team": {"id": workspace.team_id, "domain": workspace.team_domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def event_callback(event: Json, app: InstalledApp, workspace: Workspace) -> Json:
    """An Events API payload around one event."""
    return {
        "token": app.verification_token,
        "team_id": workspace.team_id,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": workspace.next_id("Ev"),
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team_id,
                "user_id": app.bot_user_id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": secrets.token_urlsafe(12),
    }


def action(element: Json, block_id: str, choice: Json, action_ts: str) -> Json:
    """One entry of `actions[]`: the stored element's own type, text and value, and what was chosen."""
    told: dict[str, Any] = {"action_id": element["action_id"], "block_id": block_id, "type": element["type"]}
    for name in ("text", "value", "style", "placeholder"):
        if name in element and not (name == "text" and element["type"] != "button"):
            told[name] = element[name]
    return {**told, **choice, "action_ts": action_ts}

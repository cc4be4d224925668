"""The scopes that the manifest asks for, and what the bot cannot do without each."""

from collections.abc import Mapping

SCOPES: Mapping[str, str] = {
    "commands": "nobody can type its commands",
    "chat:write": "it cannot post",
    "channels:read": "it finds no channel by its name",
    "groups:read": "it finds no private channel by its name",
    "files:write": "lists and reports come without their files and pictures",
    "users:read": "it cannot tell who may approve, and refuses everybody",
    "usergroups:read": "it cannot tell who is in a user group",
}

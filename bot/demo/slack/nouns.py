"""The things a workspace holds: people, channels, groups, messages, files. Plain data; nothing happens here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TEAM_ID = "T0LAMPLIT"
APP_ID = "A0LAMPLIT"
BOT_ID = "B0LAMPLIT"
BOT_USER_ID = "U0LAMPLIT"


@dataclass(frozen=True)
class Person:
    """A member of the workspace, or somebody from a connected one when `team_id` is another."""

    id: str
    name: str
    real_name: str
    title: str = ""
    color: str = "4a6d8c"  # hex without '#', as users.info spells it
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    team_id: str = TEAM_ID


@dataclass
class Channel:
    """A channel; put `BOT_USER_ID` into `members` where the bot was invited."""

    id: str
    name: str
    topic: str = ""
    is_private: bool = False
    is_archived: bool = False
    members: set[str] = field(default_factory=set)
    is_im: bool = False
    is_ext_shared: bool = False  # with another company
    is_read_only: bool = False  # only some people may post


@dataclass(frozen=True)
class UserGroup:
    """A user group such as @lambda-approvers; `members` are ids of people, `handle` has no '@'."""

    id: str
    handle: str
    name: str
    members: tuple[str, ...] | list[str] | set[str] | frozenset[str] = ()
    disabled: bool = False


@dataclass(frozen=True)
class SlackFile:
    """An uploaded file; `content` is None until its bytes have arrived."""

    id: str
    name: str
    title: str
    length: int
    mimetype: str
    alt_txt: str = ""
    content: bytes | None = None
    shared: bool = False


@dataclass(frozen=True)
class Message:
    """One message as stored: text and blocks exactly as they were sent, ids that Slack makes up filled in.

    Never changed in place: an edit puts a new Message in the old one's stead, so a list handed out stays true.
    """

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    bot: bool = False
    edited_ts: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False  # a reply that is shown in the channel too
    ephemeral_to: str | None = None
    files: tuple[SlackFile, ...] = ()
    metadata: Json | None = None
    subtype: str | None = None

    @property
    def in_channel(self) -> bool:
        """Whether the channel itself shows it, and not only a thread."""
        return self.thread_ts in (None, self.ts) or self.broadcast


@dataclass(frozen=True)
class Call:
    """One Web API call that arrived: what was asked (without the token) and how it was answered."""

    method: str
    args: Json
    error: str | None  # None where the answer was ok
    at: float

    @property
    def ok(self) -> bool:
        return self.error is None

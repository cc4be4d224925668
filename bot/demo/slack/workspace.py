"""The state of the pretend workspace: who is there and what was said. It knows no protocol and no Web API."""

from __future__ import annotations

import itertools
import random
import re
import string
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

from bot.demo.slack.history import History
from bot.demo.slack.nouns import TEAM_ID, Channel, Json, Message, Person, SlackFile, UserGroup

T = TypeVar("T")
Observer = Callable[[str, Json], None]


class Workspace:
    """People, channels, messages, files; safe to use from any thread.

    `clock` gives the seconds since 1970 that timestamps are made of. Observers hear of each change as
    `(kind, details)` in the thread that made it; `wait_for` lets a test wait for one.
    """

    def __init__(
        self,
        people: Iterable[Person] = (),
        channels: Iterable[Channel] = (),
        usergroups: Iterable[UserGroup] = (),
        *,
        team_id: str = TEAM_ID,
        team_name: str = "Lamplit",
        team_domain: str = "lamplit",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.team_id = team_id
        self.team_name = team_name
        self.team_domain = team_domain
        self.clock = clock
        self.usergroups_available = True  # False: answers plan_upgrade_required, as a free plan does
        self.uploads_allowed = True  # False: answers file_uploads_disabled, as where an admin forbids files
        # True: a client_msg_id that comes again gives the message that it made. UNCONFIRMED that Slack does; it
        # documents duplicate_message_not_found and duplicate_channel_not_found, which make no sense otherwise.
        self.takes_an_id_once = False
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._generation = 0
        self._observers: list[Observer] = []
        self._people = {person.id: person for person in people}
        self._channels = {channel.id: channel for channel in channels}
        self._usergroups = {group.id: group for group in usergroups}
        self._histories: dict[str, History] = {}
        self._ephemerals: dict[tuple[str, str], dict[str, Message]] = {}
        self._warnings: dict[tuple[str, str, str], str] = {}
        self._last_read: dict[tuple[str, str], str] = {}
        self._files: dict[str, SlackFile] = {}
        self._last_ts = (0, 0)
        self._numbers = itertools.count(1)

    # -- people and places ---------------------------------------------------------------------------------

    def person(self, person_id: str) -> Person | None:
        with self.lock:
            return self._people.get(person_id)

    def people(self) -> list[Person]:
        with self.lock:
            return list(self._people.values())

    def put_person(self, person: Person) -> None:
        """Add a person, or change one: `put_person(replace(ana, deleted=True))`."""
        with self.lock:
            self._people[person.id] = person

    def channel(self, channel_id: str) -> Channel | None:
        with self.lock:
            return self._channels.get(channel_id)

    def channel_id(self, wanted: str) -> str | None:
        """The id of the channel with this id, name or #name; None where there is none."""
        with self.lock:
            if wanted in self._channels:
                return wanted
            name = wanted.lstrip("#")
            return next((each.id for each in self._channels.values() if name and each.name == name), None)

    def channels(self) -> list[Channel]:
        with self.lock:
            return list(self._channels.values())

    def put_channel(self, channel: Channel) -> None:
        with self.lock:
            self._channels[channel.id] = channel

    def usergroup(self, group_id: str) -> UserGroup | None:
        with self.lock:
            return self._usergroups.get(group_id)

    def usergroups(self) -> list[UserGroup]:
        with self.lock:
            return list(self._usergroups.values())

    def put_usergroup(self, group: UserGroup) -> None:
        with self.lock:
            self._usergroups[group.id] = group

    def direct_channel(self, person_id: str, bot_user_id: str) -> Channel:
        """The direct message between a person and the bot, opened where it was not."""
        with self.lock:
            channel_id = "D" + re.sub(r"[^A-Z0-9]", "", person_id.upper())[-10:].rjust(8, "0")
            if channel_id not in self._channels:
                members = {person_id, bot_user_id}
                self._channels[channel_id] = Channel(channel_id, "", is_private=True, members=members, is_im=True)
            return self._channels[channel_id]

    # -- messages ------------------------------------------------------------------------------------------

    def next_ts(self) -> str:
        """A message timestamp: unique in the workspace, and later than every one before."""
        with self.lock:
            second = int(self.clock())
            last_second, last_step = self._last_ts
            step = 1 if second > last_second else last_step + 1
            second = max(second, last_second)
            if step > 9999:
                second, step = second + 1, 1
            self._last_ts = (second, step)
            return f"{second}.{step * 100:06d}"

    def post(self, channel_id: str, user: str, text: str = "", **fields: Any) -> Message:
        """Store a message for everybody in the channel; `fields` are those of Message."""
        with self.lock:
            message = Message(ts=self.next_ts(), channel=channel_id, user=user, text=text, **fields)
            self._history(channel_id).put(message)
            if not message.bot:
                self._last_read[(user, channel_id)] = message.ts
            self._tell("message", channel=channel_id, ts=message.ts)
            self._tell_of_parent(message)
            return message

    def post_ephemeral(self, channel_id: str, to: str, user: str, text: str = "", **fields: Any) -> Message:
        """Store a message that only `to` sees."""
        with self.lock:
            message = Message(ts=self.next_ts(), channel=channel_id, user=user, text=text, ephemeral_to=to, **fields)
            self._ephemerals.setdefault((channel_id, to), {})[message.ts] = message
            self._tell("ephemeral", channel=channel_id, ts=message.ts, person=to)
            return message

    def rewrite(self, message: Message, **fields: Any) -> Message:
        """Put an edited copy in the message's place; raises KeyError where it has gone meanwhile."""
        with self.lock:
            old = self.message(message.channel, message.ts, message.ephemeral_to)
            if old is None:
                raise KeyError(message.ts)
            changed = replace(old, **fields)
            self._put(changed)
            self._tell("changed", channel=message.channel, ts=message.ts, person=message.ephemeral_to)
            return changed

    def erase(self, message: Message) -> None:
        """Delete a message; one that has replies leaves a stone that says so, as in Slack."""
        with self.lock:
            if message.ephemeral_to is None and self.replies(message.channel, message.ts):
                stone = replace(message, text="This message was deleted.", blocks=(), files=(), subtype="tombstone")
                self._put(stone)
                self._tell("changed", channel=message.channel, ts=message.ts, person=None)
                return
            if message.ephemeral_to is None:
                self._history(message.channel).remove(message.ts)
            else:
                self._ephemerals.get((message.channel, message.ephemeral_to), {}).pop(message.ts, None)
            self._tell("deleted", channel=message.channel, ts=message.ts, person=message.ephemeral_to)
            self._tell_of_parent(message)

    def message(self, channel_id: str, ts: str, person_id: str | None = None) -> Message | None:
        """The message with that timestamp; with `person_id`, also an ephemeral one of theirs."""
        with self.lock:
            found = self._history(channel_id).get(ts)
            if found is None and person_id is not None:
                found = self._ephemerals.get((channel_id, person_id), {}).get(ts)
            return found

    def messages(self, channel_id: str) -> list[Message]:
        """Everything said in a channel for all to see, replies included, oldest first."""
        with self.lock:
            return self._history(channel_id).all()

    def newest_in_channel(self, channel_id: str, most: int) -> list[Message]:
        """The last messages that the channel itself shows, and not only a thread; oldest first."""
        with self.lock:
            return self._history(channel_id).newest_in_channel(most)

    def replies(self, channel_id: str, thread_ts: str) -> list[Message]:
        """The replies in a thread, without the message that began it."""
        with self.lock:
            return self._history(channel_id).replies(thread_ts)

    def ephemerals(self, channel_id: str, person_id: str) -> list[Message]:
        """What only this person sees in the channel, oldest first."""
        with self.lock:
            return list(self._ephemerals.get((channel_id, person_id), {}).values())

    def warn(self, message: Message, person_id: str, text: str | None) -> None:
        """Set, or with None take away, the small warning that one person sees on a message."""
        with self.lock:
            key = (person_id, message.channel, message.ts)
            if self._warnings.get(key) == text:
                return
            if text is None:
                self._warnings.pop(key, None)
            else:
                self._warnings[key] = text
            self._tell("changed", channel=message.channel, ts=message.ts, person=person_id)

    def warning(self, message: Message, person_id: str) -> str | None:
        with self.lock:
            return self._warnings.get((person_id, message.channel, message.ts))

    # -- reading -------------------------------------------------------------------------------------------

    def unread(self, person_id: str, channel_id: str) -> int:
        """How many top-level messages came in since the person, if a member, last read the channel; 100 at most."""
        with self.lock:
            channel = self._channels.get(channel_id)
            if channel is None or person_id not in channel.members:
                return 0
            return self._history(channel_id).unread(self._last_read.get((person_id, channel_id), ""), person_id)

    def mark_read(self, person_id: str, channel_id: str) -> None:
        with self.lock:
            self._last_read[(person_id, channel_id)] = self._history(channel_id).newest()
            self._tell("read", channel=channel_id, person=person_id)

    # -- files ---------------------------------------------------------------------------------------------

    def put_file(self, file: SlackFile) -> None:
        with self.lock:
            self._files[file.id] = file

    def file(self, file_id: str) -> SlackFile | None:
        with self.lock:
            return self._files.get(file_id)

    # -- ids, change ---------------------------------------------------------------------------------------

    def next_id(self, prefix: str) -> str:
        """An id in Slack's style, such as F0000002A7Q: in order of making, and not to be guessed."""
        tail = "".join(random.choices(string.ascii_uppercase + string.digits, k=4))
        return f"{prefix}{next(self._numbers):06d}{tail}"

    def observe(self, observer: Observer) -> None:
        with self.lock:
            self._observers.append(observer)

    def wait_for(self, look: Callable[[], T | None], seconds: float = 5.0) -> T:
        """Wait until `look()` gives something true and return it; AssertionError after `seconds`.

        `look` is tried at once and after each change of the workspace, its modals and homes.
        """
        deadline = time.monotonic() + seconds
        while True:
            with self.lock:
                seen = self._generation
            # Looked at without the lock: `look` may well ask the server, whose thread needs it.
            if found := look():
                return found
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"nothing came of it in {seconds} s")
            with self._changed:
                # Some things that tests look at change outside of the workspace, so look again now and then.
                if self._generation == seen:
                    self._changed.wait(min(left, 0.05))

    def tell(self, kind: str, **details: Any) -> None:
        """Let observers and waiting tests know of a change that another module keeps (modals, homes)."""
        with self.lock:
            self._tell(kind, **details)

    def _tell(self, kind: str, **details: Any) -> None:
        for observer in self._observers:
            observer(kind, details)
        self._generation += 1
        self._changed.notify_all()

    def _tell_of_parent(self, message: Message) -> None:
        if message.thread_ts not in (None, message.ts):
            self._tell("changed", channel=message.channel, ts=message.thread_ts, person=None)

    def _history(self, channel_id: str) -> History:
        return self._histories.setdefault(channel_id, History())

    def _put(self, changed: Message) -> None:
        """An edited copy in its original's place."""
        if changed.ephemeral_to is None:
            self._history(changed.channel).put(changed)
        else:
            self._ephemerals[(changed.channel, changed.ephemeral_to)][changed.ts] = changed

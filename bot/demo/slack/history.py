"""What was said in one channel for all to see: in order, by thread, and asked about without looking at all of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from bot.demo.slack.nouns import Message

MOST_UNREAD = 100  # beyond, the page says 99+ and nobody counts


class History:
    """One channel's messages, oldest first. Not safe to use from several threads by itself: the workspace's lock is."""

    def __init__(self) -> None:
        self._messages: dict[str, Message] = {}
        self._in_channel: dict[str, None] = {}  # those that are not only in a thread
        self._threads: dict[str, dict[str, None]] = {}

    def put(self, message: Message) -> None:
        """Add the newest message, or an edited copy in its place."""
        self._messages[message.ts] = message
        if message.in_channel:
            self._in_channel[message.ts] = None
        if message.thread_ts not in (None, message.ts):
            self._threads.setdefault(str(message.thread_ts), {})[message.ts] = None

    def remove(self, ts: str) -> None:
        message = self._messages.pop(ts, None)
        self._in_channel.pop(ts, None)
        if message is not None and message.thread_ts is not None:
            self._threads.get(message.thread_ts, {}).pop(ts, None)

    def get(self, ts: str) -> Message | None:
        return self._messages.get(ts)

    def all(self) -> list[Message]:
        return list(self._messages.values())

    def newest_in_channel(self, most: int) -> list[Message]:
        """The last `most` messages that the channel itself shows."""
        return self._of(reversed(list(islice(reversed(self._in_channel), most))))

    def replies(self, thread_ts: str) -> list[Message]:
        return self._of(self._threads.get(thread_ts, ()))

    def newest(self) -> str:
        """The newest timestamp; none is an empty text, which is before all others."""
        return next(reversed(self._messages), "")

    def unread(self, seen: str, person_id: str) -> int:
        """How many messages of others the channel shows after the timestamp `seen`, up to MOST_UNREAD."""
        count = 0
        for ts in reversed(self._in_channel):
            if ts <= seen or count == MOST_UNREAD:
                break
            count += self._messages[ts].user != person_id
        return count

    def _of(self, stamps: Iterable[str]) -> list[Message]:
        return [self._messages[ts] for ts in stamps]

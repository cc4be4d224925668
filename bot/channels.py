"""From the channel names in the configuration to the ids that Slack wants."""

import re
import threading
import time
from http import HTTPStatus

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack_errors import NO_ANSWER

CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,}")
PAGE = 1000
KEEP_SECONDS = 600.0
UNKNOWN_SECONDS = 10.0  # a channel may be made, or the bot invited, at any moment
NO_ANSWER_SECONDS = 2.0  # until Slack is asked again that did not answer


class ChannelNames:
    """Names are looked up with conversations.list (scopes channels:read, groups:read) and kept for ten minutes."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._ids: dict[str, str] = {}
        self._read_at: float | None = None
        self._reading: dict[str, str] = {}
        self._cursor = ""
        self._failed: tuple[float, Exception] | None = None  # until when Slack is not asked again, and what it said
        self._lock = threading.Lock()

    def id_of(self, channel: str) -> str | None:
        """The id for `#name` or an id; None where no channel that the bot can see has that name.

        Raises SlackApiError or what else is NO_ANSWER as conversations.list does, and for a while without asking again:
        each of 500 posts wants to know.
        """
        if CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.lstrip("#").lower()
        with self._lock:
            if self._stale(KEEP_SECONDS if name in self._ids else UNKNOWN_SECONDS):
                self._read_once()
            return self._ids.get(name)

    def forget(self) -> None:
        """A channel was not what it seemed: ask again next time."""
        with self._lock:
            self._read_at = None

    def _stale(self, seconds: float) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at >= seconds

    def _read_once(self) -> None:
        if self._failed and time.monotonic() < self._failed[0]:
            raise self._failed[1]
        try:
            self._read()
        except NO_ANSWER as problem:
            self._failed = time.monotonic() + _patience(problem), problem
            raise
        self._failed = None

    def _read(self) -> None:
        """Page by page; where Slack asks for patience, the next call goes on from there."""
        while True:
            try:
                page = self._client.conversations_list(
                    types="public_channel,private_channel",
                    exclude_archived=True,
                    limit=PAGE,
                    cursor=self._cursor or None,
                )
            except SlackApiError as problem:
                if problem.response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
                    self._cursor, self._reading = "", {}
                raise
            self._reading |= {str(one["name"]).lower(): str(one["id"]) for one in page.get("channels") or ()}
            self._cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not self._cursor:
                break
        self._ids, self._reading = self._reading, {}
        self._read_at = time.monotonic()


def _patience(problem: Exception) -> float:
    """How many seconds."""
    if not isinstance(problem, SlackApiError):
        return NO_ANSWER_SECONDS
    if problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return float(problem.response.headers.get("Retry-After", UNKNOWN_SECONDS))
    return UNKNOWN_SECONDS

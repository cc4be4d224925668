"""Things that are good for a short time and few uses: trigger ids, response URLs, Socket Mode tickets."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from bot.demo.slack.refusals import Refusal

TRIGGER_SECONDS = 3.0
RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5
CONNECTION_SECONDS = 30.0


@dataclass
class Trigger:
    """Leave to open one modal: for whom, and whether it was given inside of an open modal."""

    person_id: str
    made_at: float
    view_id: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    """Leave to answer into a channel up to five times; `message_ts` is the message that was clicked, if one was."""

    person_id: str
    channel_id: str
    made_at: float
    message_ts: str | None = None
    thread_ts: str | None = None
    uses: int = 0


class Tickets:
    """Gives out tickets and takes them back once; `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._triggers: dict[str, Trigger] = {}
        self._response_urls: dict[str, ResponseUrl] = {}
        self._connections: dict[str, float] = {}

    def trigger(self, person_id: str, view_id: str | None = None) -> str:
        """A new trigger id, such as 8123456789012.1234567.0123abcd…, good for 3 seconds and one use."""
        trigger_id = f"{secrets.randbelow(10**13):013d}.{secrets.randbelow(10**12):012d}.{secrets.token_hex(16)}"
        with self._lock:
            self._triggers[trigger_id] = Trigger(person_id, self.clock(), view_id)
        return trigger_id

    def use_trigger(self, trigger_id: object) -> Trigger:
        """Spend a trigger id; raises Refusal invalid_, expired_ or exchanged_trigger_id."""
        with self._lock:
            trigger = self._triggers.get(trigger_id) if isinstance(trigger_id, str) else None
            if trigger is None:
                raise Refusal("invalid_trigger_id")
            if trigger.used:
                raise Refusal("exchanged_trigger_id")
            if self.clock() - trigger.made_at > TRIGGER_SECONDS:
                raise Refusal("expired_trigger_id")
            trigger.used = True
            return trigger

    def response_url(
        self, person_id: str, channel_id: str, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """The secret part of a new response URL."""
        secret = secrets.token_urlsafe(18)
        with self._lock:
            self._response_urls[secret] = ResponseUrl(person_id, channel_id, self.clock(), message_ts, thread_ts)
        return secret

    def use_response_url(self, secret: str) -> ResponseUrl:
        """Count one use; raises Refusal: no such URL, 30 minutes gone, or five times used."""
        with self._lock:
            url = self._response_urls.get(secret)
            if url is None:
                raise Refusal("no_service")
            if self.clock() - url.made_at > RESPONSE_URL_SECONDS:
                raise Refusal("expired_url")
            if url.uses >= RESPONSE_URL_USES:
                raise Refusal("used_url")
            url.uses += 1
            return url

    def connection(self) -> str:
        """A ticket for one WebSocket."""
        ticket = secrets.token_urlsafe(18)
        with self._lock:
            self._connections[ticket] = self.clock()
        return ticket

    def use_connection(self, ticket: str) -> bool:
        """Whether this ticket was still good; it no longer is."""
        with self._lock:
            made_at = self._connections.pop(ticket, None)
        return made_at is not None and self.clock() - made_at <= CONNECTION_SECONDS

"""How something that happened reaches the app, and what it answers in time. Socket Mode and HTTP are the two ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.demo.slack.nouns import Json

Kind = Literal["slash_commands", "interactive", "events_api"]

TIMEOUT = "operation_timeout"
FAILED = "dispatch_failed"


@dataclass(frozen=True)
class Ack:
    """The app's answer: its payload (None for an empty one), or why there is none in Slack's words."""

    payload: Any = None
    failure: str | None = None
    reason: str = ""  # for x-slack-retry-reason


@dataclass(frozen=True)
class Retry:
    """That an event is sent again: for the how-manieth time, and why."""

    number: int
    reason: str


@dataclass(frozen=True)
class Outcome:
    """How it went for the person: `errors` are those of a form, by block_id."""

    error: str | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return self.error is None and not self.errors


class Delivery(Protocol):
    """One way to the app. `send` never raises for what the app does or fails to do."""

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack: ...

    async def ready_for_events(self) -> bool: ...

    async def close(self) -> None: ...

"""How the Web API says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer `{"ok": false, "error": …}`; `extra` goes into the answer beside it."""

    def __init__(self, error: str, *, messages: list[str] | None = None, **extra: Any) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.extra = extra

    def answer(self) -> dict[str, Any]:
        answer = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["response_metadata"] = {"messages": self.messages}
        return answer


class NotNow(Exception):
    """An answer that is no answer: 429, a server error, or (status 0) a connection that breaks."""

    def __init__(self, status: int, error: str, retry_after: int | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.retry_after = retry_after

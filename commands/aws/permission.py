"""Whether a kind of question is worth asking: who was refused need not ask again, and nor need those who are alike.

An audit role comes from one template, so what the first accounts may not do, the others may not either. One yes
anywhere ends that presumption; an account that was refused itself is never asked twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Presumption:
    """Shared by an audit's accounts: after `enough` of them were refused and none was answered, no other one asks."""

    def __init__(self, enough: int) -> None:
        self._enough = enough
        self._asking = 0  # before anything is known
        self._refused = 0
        self._answered = False
        self._changed = asyncio.Condition()

    @property
    def _settled(self) -> bool:
        return self._answered or self._refused >= self._enough

    async def ask(self, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `read` returns, where None means refused; None without asking where that is presumed."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._settled or self._asking + self._refused < self._enough)
            if self._settled and not self._answered:
                return None
            self._asking += 1
        answer, told = None, False
        try:
            answer, told = await read(), True
            return answer
        finally:
            async with self._changed:
                self._asking -= 1
                self._answered = self._answered or answer is not None
                self._refused += told and answer is None
                self._changed.notify_all()


class AccountPermission:
    """One account's: its first region finds out whether AWS refuses, and the others need not ask."""

    def __init__(self, presumption: Presumption) -> None:
        self._presumption = presumption
        self._lock = asyncio.Lock()
        self._allowed: bool | None = None

    async def ask(self, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `read` returns, where None means refused."""
        if self._allowed is None:
            async with self._lock:
                if self._allowed is None:
                    answer = await self._presumption.ask(read)
                    self._allowed = answer is not None
                    return answer
        return await read() if self._allowed else None

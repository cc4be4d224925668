"""Whose turn it is at the one connection: whoever works or decides goes before whoever asks.

A lock by itself does not say who is next. Where questions follow on one another, each of which reads for a tenth of a
second, a fix that reads and writes some forty times would stand behind hundreds of them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

LONGEST_SECONDS = 2.0  # so long a question lets others go before it, each time that it reads


class Turns:
    """A lock that the thread which has it may take again."""

    def __init__(self, longest_seconds: float = LONGEST_SECONDS) -> None:
        self._longest = longest_seconds
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._depth = 0
        self._asking: set[int] = set()
        self._changed = threading.Condition(threading.Lock())
        self._waiting = 0  # threads that work or decide

    @contextmanager
    def asking(self) -> Iterator[None]:
        """What this thread does meanwhile is for a question."""
        me = threading.get_ident()
        if me in self._asking:
            yield
            return
        self._asking.add(me)
        try:
            yield
        finally:
            self._asking.discard(me)

    def acquire(self) -> None:
        me = threading.get_ident()
        if self._owner != me:  # nobody but this thread would make it so
            self._take(me)
            self._owner = me
        self._depth += 1

    def release(self) -> None:
        """Raises RuntimeError in a thread that does not have it."""
        if self._owner != threading.get_ident():
            raise RuntimeError("this thread does not have the connection")
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _take(self, me: int) -> None:
        if me in self._asking:
            self._let_others_go_first()
            self._lock.acquire()
        elif not self._lock.acquire(blocking=False):
            self._wait()

    def _wait(self) -> None:
        with self._changed:
            self._waiting += 1
        try:
            self._lock.acquire()
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def _let_others_go_first(self) -> None:
        until = time.monotonic() + self._longest
        with self._changed:
            while self._waiting and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)

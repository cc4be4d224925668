"""Whose turn it is at the one connection: whoever works or decides goes before whoever asks.

A lock by itself does not say who is next. Where questions follow on one another, each of which reads for a tenth of a
second, a fix that reads and writes some forty times would stand behind hundreds of them.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

LONGEST_SECONDS = 2.0  # so long a question lets others go before it


class Turns:
    """A lock that the thread which has it may take again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._asking: dict[int, float] = {}  # by thread: for how many seconds more it may be put off
        self._changed = threading.Condition(threading.Lock())
        self._waiting = 0  # threads that work or decide

    @contextmanager
    def asking(self, longest_seconds: float = LONGEST_SECONDS) -> Iterator[None]:
        """What this thread does meanwhile is for a question, and is put off for so long at most, all in all."""
        me = threading.get_ident()
        if me in self._asking:
            yield
            return
        self._asking[me] = longest_seconds
        try:
            yield
        finally:
            del self._asking[me]

    def acquire(self) -> None:
        if not self._lock._is_owned():  # type: ignore[attr-defined] # as threading.Condition asks
            self._let_others_go_first()
        if not self._lock.acquire(blocking=False):
            self._wait()

    def release(self) -> None:
        """Raises RuntimeError in a thread that does not have it."""
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _wait(self) -> None:
        if threading.get_ident() in self._asking:
            self._lock.acquire()
            return
        with self._changed:
            self._waiting += 1
        try:
            self._lock.acquire()
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def _let_others_go_first(self) -> None:
        me = threading.get_ident()
        patience = self._asking.get(me)
        if not patience:
            return
        until = time.monotonic() + patience
        with self._changed:
            while self._waiting and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
        self._asking[me] = max(0.0, until - time.monotonic())

"""How many questions are worked on at one time, so that Slack is answered in time whatever is asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Python runs one thread at a time. Each that computes can keep an acknowledgement waiting for one switch interval at
# each of its steps, some ten; so few must compute at once, and the others wait where they take no turn.
HANDS = 6


class Hands:
    """Held while a question is computed, and let go of where it waits for something long."""

    def __init__(self, count: int = HANDS) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._mine = threading.local()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Waits until a hand is free."""
        with self._free:
            self._mine.held = True
            try:
                yield
            finally:
                self._mine.held = False

    @contextmanager
    def set_down(self) -> Iterator[None]:
        """For what is waited for; another's question goes on meanwhile. Nothing where this thread holds no hand."""
        if not getattr(self._mine, "held", False):
            yield
            return
        self._mine.held = False
        self._free.release()
        try:
            yield
        finally:
            self._free.acquire()
            self._mine.held = True

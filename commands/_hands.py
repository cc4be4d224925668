"""How many questions are computed at one time, so that Slack is answered in time whatever is asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

# Python runs one thread at a time. Each that computes can keep an acknowledgement waiting for one switch interval at
# each of its steps, some ten; so few must compute at once, and the others wait where they take no turn.
HANDS = 3
# Who has not computed at all for so long waits, for AWS or an audit; somebody else's question goes on then.
STILL_SECONDS = 0.25


@dataclass(slots=True)
class _Work:
    """One thread's: what it had computed when it was last looked at, and since when it has been still."""

    computed: float = field(default_factory=time.thread_time)
    still_since: float = field(default_factory=time.monotonic)


class Hands:
    """Held while a question is computed."""

    def __init__(self, count: int = HANDS) -> None:
        self._count = count
        self._at_work: dict[int, _Work] = {}  # by thread
        self._changed = threading.Condition()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Waits until fewer than so many compute."""
        me = threading.get_ident()
        with self._changed:
            while self._busy() >= self._count:
                self._changed.wait(STILL_SECONDS / 2)
            self._at_work[me] = _Work()
        try:
            yield
        finally:
            with self._changed:
                del self._at_work[me]
                self._changed.notify()

    def _busy(self) -> int:
        now, busy = time.monotonic(), 0
        for thread, work in self._at_work.items():
            computed = _computed(thread)
            if computed > work.computed:
                work.computed, work.still_since = computed, now
            busy += now - work.still_since < STILL_SECONDS
        return busy


def _computed(thread: int) -> float:
    """Seconds; 0.0 where the system does not tell, as macOS does not: there a hand is free again after a moment."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return time.clock_gettime(clock_of(thread)) if clock_of else 0.0

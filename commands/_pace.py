"""How fast work may begin: a capped number of starts a second for each key."""

import threading
import time
from collections.abc import Callable, Hashable


class Pace:
    """Spaces starts evenly. Keys do not hold each other back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock  # seconds, never set back
        self._free_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def take(self, key: Hashable, per_second: float) -> float:
        """0.0 where a start is due now, which is thereby taken; else in how many seconds to ask again. 0: no cap."""
        if per_second <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            wait = self._free_at.get(key, now) - now
            if wait > 0:
                return wait
            self._free_at[key] = now + 1.0 / per_second
            return 0.0

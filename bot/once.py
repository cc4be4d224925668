"""What comes a second time is not acted on again: a request that somebody replays, an event that Slack sends anew."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

KEEP_SECONDS = 660.0  # a signature is good for five minutes before and after the time that it names
MOST_KEPT = 100_000  # 50 a second for half an hour


class Once:
    """What was taken already, for as long as it could come again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, most: int = MOST_KEPT) -> None:
        self._monotonic, self._most = monotonic, most
        self._lock = threading.Lock()
        self._taken: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str) -> bool:
        """Whether it comes for the first time."""
        now = self._monotonic()
        with self._lock:
            while self._taken and (next(iter(self._taken.values())) < now or len(self._taken) > self._most):
                self._taken.popitem(last=False)
            if name in self._taken:
                return False
            self._taken[name] = now + KEEP_SECONDS
            return True

    def give_back(self, name: str) -> None:
        """Nothing came of it, and it may be tried again."""
        with self._lock:
            self._taken.pop(name, None)

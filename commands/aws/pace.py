"""Lambda's control plane takes 15 calls a second in each account and region, from everybody together; we take less.

One budget for all that Lamplighter does there at once: an audit, a look at one function, fixes.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import threading
import time
from collections import deque
from collections.abc import Callable


class Paces:
    """Safe in threads. `rate` is calls a second for each account and region; 0: no cap.

    Half a second's worth may go at once, and no half second has more: so no second has more than `rate`.
    """

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at_once = max(1, int(rate / 2))
        self._window = 0.0 if rate <= 0 else 0.5 if rate >= 2 else 1 / rate  # seconds for as many as may go at once
        self._turns: dict[tuple[str, str], deque[float]] = {}
        self._lock = threading.Lock()

    def turn(self, account: str, region: str) -> float:
        """Takes a turn, and says in how many seconds it comes."""
        if not self._window:
            return 0.0
        now = self._clock()
        with self._lock:
            turns = self._turns.setdefault((account, region), deque(maxlen=self._at_once))
            at = max(now, turns[0] + self._window) if len(turns) == self._at_once else now
            turns.append(at)
        return at - now

"""Lambda's control plane takes 15 calls a second in each account and region, from everybody together; we take less.

One budget for all that Lamplighter does there at once: an audit, a look at one function, fixes.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

import threading
import time


class Paces:
    """Safe in threads. `rate` is calls a second for each account and region, half of them at once; 0: no cap."""

    def __init__(self, rate: float) -> None:
        self._gap = 1.0 / rate if rate > 0 else 0.0
        self._burst = max(0.0, rate / 2 - 1) * self._gap
        self._next: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    def turn(self, account: str, region: str) -> float:
        """Takes a turn, and says in how many seconds it comes."""
        if not self._gap:
            return 0.0
        now = time.monotonic()
        with self._lock:
            at = max(self._next.get((account, region), now), now)
            self._next[account, region] = at + self._gap
        return max(0.0, at - self._burst - now)

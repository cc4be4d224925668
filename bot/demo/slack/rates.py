"""How often each method may be called, and failures that a test orders in advance."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bot.demo.slack.refusals import NotNow, Refusal

TIER_2, TIER_3, TIER_4 = 20, 50, 100  # calls a minute

METHOD_TIERS = {
    "apps.connections.open": TIER_3,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "views.open": TIER_4,
    "views.update": TIER_4,
    "views.push": TIER_4,
    "views.publish": TIER_4,
    "users.info": TIER_4,
    "users.list": TIER_2,
    "usergroups.list": TIER_2,
    "usergroups.users.list": TIER_2,
    "conversations.list": TIER_2,
    "conversations.info": TIER_3,
    "conversations.members": TIER_4,
    "conversations.open": TIER_3,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
}


@dataclass
class _Bucket:
    left: float
    at: float


@dataclass
class _Ordered:
    """A failure that was ordered for the next `times` calls."""

    error: str
    status: int
    retry_after: int | None
    times: int
    after_effect: bool
    channel: str | None = None  # None: wherever the call goes


@dataclass
class _Storm:
    """Every `every`th call is put off; `methods` are those that count, or none for all of them."""

    every: int
    retry_after: int
    methods: frozenset[str]
    calls: int = 0

    def hits(self, method: str) -> bool:
        if self.methods and method not in self.methods:
            return False
        self.calls += 1
        return self.calls % self.every == 0


class Rates:
    """Counts calls as Slack does: chat.postMessage for each channel, other methods by their tier.

    `posts_per_second` and `post_burst` are the one-a-second rule and how many posts may come at once before it
    bites; `posts_per_minute` is the workspace's own limit, of which Slack says that there is one but not how many;
    `tiers=False` lifts the rules of the other methods.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        posts_per_second: float = 1.0,
        post_burst: int = 5,
        posts_per_minute: int | None = None,
        tiers: bool = True,
    ) -> None:
        self.clock = clock
        self.posts_per_second = posts_per_second
        self.post_burst = post_burst
        self.posts_per_minute = posts_per_minute
        self.tiers = tiers
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._ordered: dict[str, list[_Ordered]] = {}
        self._storm: _Storm | None = None
        self._lock = threading.Lock()

    def fail_next(
        self,
        method: str,
        error: str,
        status: int,
        retry_after: int | None,
        times: int,
        after: bool,
        channel: str | None = None,
    ) -> None:
        with self._lock:
            order = _Ordered(error, status, retry_after, times, after, channel)
            self._ordered.setdefault(method, []).append(order)

    def fail_if_ordered(self, method: str, channel: str = "", *, after_effect: bool = False) -> None:
        """Raise the failure that a test ordered for this call, if it did."""
        with self._lock:
            waiting = self._ordered.get(method, [])
            order = next((each for each in waiting if each.channel in (None, channel)), None)
            if order is None or order.after_effect != after_effect:
                return
            order.times -= 1
            if order.times <= 0:
                waiting.remove(order)
        if order.status == 200:
            raise Refusal(order.error)
        raise NotNow(order.status, order.error, order.retry_after)

    def storm(self, every: int, retry_after: int, methods: Collection[str] = ()) -> None:
        """From now on put off every `every`th call of these methods, or of all; 0 ends it."""
        with self._lock:
            self._storm = _Storm(every, retry_after, frozenset(methods)) if every else None

    def forgive(self) -> None:
        """Forget every failure that was ordered, and the storm."""
        with self._lock:
            self._ordered.clear()
            self._storm = None

    def take(self, method: str, channel: str) -> None:
        """Count one call; raises NotNow(429) with the seconds to wait where it was one too many."""
        with self._lock:
            if self._storm is not None and self._storm.hits(method):
                raise NotNow(429, "ratelimited", self._storm.retry_after)
        if method == "chat.postMessage":
            if self.posts_per_minute is not None:
                self._take((method, ""), rate=self.posts_per_minute / 60, burst=self.posts_per_minute)
            self._take((method, channel), rate=self.posts_per_second, burst=self.post_burst)
        elif self.tiers and method in METHOD_TIERS:
            self._take((method, ""), rate=METHOD_TIERS[method] / 60, burst=METHOD_TIERS[method])

    def _take(self, key: tuple[str, str], *, rate: float, burst: int) -> None:
        with self._lock:
            now = self.clock()
            bucket = self._buckets.setdefault(key, _Bucket(burst, now))
            bucket.left = min(burst, bucket.left + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.left < 1:
                raise NotNow(429, "ratelimited", max(1, math.ceil((1 - bucket.left) / rate)))
            bucket.left -= 1

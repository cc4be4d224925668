"""When the next call to Slack may go: a second apart in each channel, and as long after a 429 as Slack says.

Slack does not say whether a 429 is about a channel or about all of the workspace. The first one holds its channel; if
another channel is refused too before anything got through, it is about all of them, and nothing of that method goes.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Pacing:
    """Times are seconds on a clock that is never set back; the caller says what it shows."""

    _free_at: dict[str, float] = field(default_factory=dict)  # by lane: a channel, or one message
    _open_at: dict[str, float] = field(default_factory=dict)  # by method
    _refused: dict[str, set[str]] = field(default_factory=dict)  # lanes, by method, since a call last got through

    def wait(self, method: str, *lanes: str, now: float) -> float:
        """How many seconds until a call may go; 0 or less: now."""
        return max(self._open_at.get(method, 0.0), *(self._free_at.get(lane, 0.0) for lane in lanes)) - now

    def hold(self, lane: str, seconds: float, *, now: float) -> None:
        """Nothing more of this lane for so long."""
        self._free_at[lane] = now + seconds

    def went_through(self, method: str) -> None:
        self._refused.pop(method, None)

    def refused(self, method: str, lane: str, seconds: float, *, now: float) -> None:
        """Slack said 429, and to come back after `seconds`."""
        self.hold(lane, seconds, now=now)
        lanes = self._refused.setdefault(method, set())
        lanes.add(lane)
        if len(lanes) > 1:
            self._open_at[method] = max(self._open_at.get(method, 0.0), now + seconds)

    def forget(self, now: float) -> None:
        """What is free by now need not be remembered."""
        self._free_at = {lane: at for lane, at in self._free_at.items() if at > now}

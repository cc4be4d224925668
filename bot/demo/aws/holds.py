"""Calls that are held up on their way, so that who made them can be ended at exactly that point."""

import threading
from dataclasses import dataclass, field

from bot.demo.aws.protocol import Request

_LONGEST_SECONDS = 60.0  # a test that forgot to let go is not to hang for ever


@dataclass(slots=True)
class Hold:
    """The next call of `action` stands still: before it is carried out, or, where `done`, before it is answered."""

    action: str
    done: bool
    reached: threading.Event = field(default_factory=threading.Event)
    _let_go: threading.Event = field(default_factory=threading.Event)
    lost: bool = False  # it never got to AWS

    def wait(self) -> None:
        self.reached.set()
        self._let_go.wait(_LONGEST_SECONDS)

    def let_go(self, *, lost: bool = False) -> None:
        self.lost = lost
        self._let_go.set()


class Holds:
    """Those that nobody has run into yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: list[Hold] = []

    def add(self, action: str, *, done: bool) -> Hold:
        hold = Hold(action, done)
        with self._lock:
            self._open.append(hold)
        return hold

    def take(self, request: Request) -> Hold | None:
        """The hold that this call runs into; each holds up one call."""
        with self._lock:
            found = next((hold for hold in self._open if hold.action == request.action), None)
            if found:
                self._open.remove(found)
            return found

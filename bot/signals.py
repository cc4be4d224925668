"""SIGTERM and ctrl-C: the first one asks the bot to end, and gives it so long; a second one ends it at once."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from types import FrameType

log = logging.getLogger(__name__)


def end_when_told(
    stop: threading.Event, within: float | None = None, unfinished: Callable[[], Sequence[str]] = tuple
) -> None:
    """From now on they set `stop`; in the main thread alone, which is where Python delivers them. What has not ended
    `within` so many seconds is cut short, as `unfinished` names it: it is taken up at the next start.

    They come between any two steps of that thread, also while it holds the lock of `stop` on its way to wait for it.
    The handler itself may not touch that, or all stands still: what it puts into a queue, another thread takes out.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    told: SimpleQueue[int] = SimpleQueue()  # its `put` may be called within itself
    asked = False

    def pass_on() -> None:
        told.get()
        stop.set()
        if within is not None:
            time.sleep(within)  # where all has ended by then, this thread is no more
            _cut_short(within, unfinished)

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)  # asked twice: what is unfinished is taken up at the next start
        asked = True
        told.put(number)

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _cut_short(within: float, unfinished: Callable[[], Sequence[str]]) -> None:
    """Whoever told the bot to stop would kill it soon, and nobody would know what that hit."""
    try:
        left = "; ".join(unfinished()) or "nothing that has a name"
        log.warning("ending after %.0f s, with this cut short and taken up at the next start: %s", within, left)
        logging.shutdown()
    finally:
        os._exit(0)

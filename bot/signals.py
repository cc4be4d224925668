"""SIGTERM and ctrl-C: the first one asks the bot to end, a second one ends it at once."""

import os
import signal
import threading
from queue import SimpleQueue
from types import FrameType


def end_when_told(stop: threading.Event) -> None:
    """From now on they set `stop`; in the main thread alone, which is where Python delivers them.

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

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)  # asked twice: what is unfinished is taken up at the next start
        asked = True
        told.put(number)

    threading.Thread(target=pass_on, name="signals", daemon=True).start()
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)

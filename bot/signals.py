"""SIGTERM and ctrl-C: the first one asks the bot to end, and gives it so long; a second one ends it at once."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

ENDING = (signal.SIGTERM, signal.SIGINT)
LAST_WORDS_SECONDS = 2.0


def end_when_told(
    stop: threading.Event, within: float | None = None, unfinished: Callable[[], Sequence[str]] = tuple
) -> None:
    """From now on they set `stop`; only where called in the main thread. What has not ended `within` so many seconds is
    cut short, as `unfinished` names it: it is taken up at the next start.

    Python would run a handler in the main thread, when that next runs Python. It may wait for `stop` and not wake: the
    kernel gives a signal to any thread, mostly to one that just begins another. Or it may hold the lock of `stop`. So
    each number goes by a socket, as soon as it comes, to a thread that only waits for it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    inbox, outbox = socket.socketpair()
    outbox.setblocking(False)  # as `set_wakeup_fd` has it
    threading.Thread(target=_listen, args=[inbox, stop, within, unfinished], name="signals", daemon=True).start()
    signal.set_wakeup_fd(outbox.detach(), warn_on_full_buffer=False)
    for number in ENDING:
        signal.signal(number, lambda *_: None)  # Python must have one: it is the socket that is heard


def _listen(
    inbox: socket.socket, stop: threading.Event, within: float | None, unfinished: Callable[[], Sequence[str]]
) -> None:
    """Where all has ended in time, this thread is no more."""
    _next(inbox)
    stop.set()
    inbox.settimeout(within)
    try:
        number = _next(inbox)
    except TimeoutError:
        _cut_short(within or 0, unfinished)
    else:
        os._exit(128 + number)  # asked twice: what is unfinished is taken up at the next start


def _next(inbox: socket.socket) -> int:
    """Other signals that have a handler of Python's come by the same way."""
    while True:
        for number in inbox.recv(1):
            if number in ENDING:
                return number


def _cut_short(within: float, unfinished: Callable[[], Sequence[str]]) -> None:
    """Whoever told the bot to stop would kill it soon, and nobody would know what that hit."""
    mute = threading.Timer(LAST_WORDS_SECONDS, os._exit, [0])  # nobody may be reading what is logged
    mute.daemon = True
    mute.start()
    try:
        left = "; ".join(unfinished()) or "nothing that has a name"
        log.warning("ending after %.0f s, with this cut short and taken up at the next start: %s", within, left)
        logging.shutdown()
    finally:
        os._exit(0)

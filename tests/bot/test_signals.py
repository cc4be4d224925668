"""Told to end at any moment, the bot ends."""

import signal
import threading
from collections.abc import Iterator

import pytest

from bot.signals import end_when_told


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_as_the_main_thread_begins_to_wait_is_not_lost(number: signal.Signals) -> None:
    stop = threading.Event()
    end_when_told(stop)

    with stop._cond:  # as inside `stop.wait()`, for a moment
        signal.raise_signal(number)

    assert stop.wait(10)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_another_thread_takes_is_not_lost(number: signal.Signals) -> None:
    """As the kernel has it where one just begins a thread: nothing wakes the main thread, which waits."""
    stop = threading.Event()
    end_when_told(stop)
    waits = threading.Event()

    def take() -> None:
        waits.wait(0.5)  # until the main thread waits, and no longer runs Python
        signal.pthread_kill(threading.get_ident(), number)

    threading.Thread(target=take, daemon=True).start()

    assert stop.wait(10)


def test_elsewhere_than_in_the_main_thread_signals_stay_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=end_when_told, args=[threading.Event()])
    thread.start()
    thread.join()

    assert signal.getsignal(signal.SIGTERM) is before

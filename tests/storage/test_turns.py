"""Who decides or works does not stand behind those who ask, and nobody stands for ever."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.turns import Turns
from tests.memory import new_store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def waiting(turn: Turns, how_many: int) -> bool:
    return turn._waiting == how_many


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not look():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def taking(turn: Turns, name: str, order: list[str], *, asks: bool) -> threading.Thread:
    def take() -> None:
        with turn.asking() if asks else nullcontext(), turn:
            order.append(name)

    thread = threading.Thread(target=take)
    thread.start()
    return thread


def test_a_thread_takes_it_again_and_has_it_until_it_has_given_all_back() -> None:
    turn, entered = Turns(), threading.Event()
    with turn:
        with turn:
            pass
        other = threading.Thread(target=lambda: (turn.acquire(), entered.set(), turn.release()))
        other.start()
        assert not entered.wait(0.2)
    other.join(10)
    assert entered.is_set()


def test_nobody_gives_back_what_another_has() -> None:
    turn = Turns()
    turn.acquire()
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError):
        pool.submit(turn.release).result()
    turn.release()
    with pytest.raises(RuntimeError):
        turn.release()


def test_whoever_works_goes_before_whoever_asks_though_that_one_came_first() -> None:
    for _ in range(20):
        turn, order = Turns(), list[str]()
        with turn:
            works = [taking(turn, "a fix", order, asks=False) for _ in range(3)]
            until(lambda turn=turn: waiting(turn, 3))  # type: ignore[misc] # mypy takes the default for none
            asks = [taking(turn, "a question", order, asks=True) for _ in range(3)]
            works.append(taking(turn, "a fix", order, asks=False))
            until(lambda turn=turn: waiting(turn, 4))  # type: ignore[misc] # as above
        for one in works + asks:
            one.join(10)
        assert order == ["a fix"] * 4 + ["a question"] * 3


@pytest.fixture
def busy() -> Iterator[Turns]:
    """Four work all the time, of whom three always wait."""
    turn, stop = Turns(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            with turn:
                stop.wait(0.005)

    working = [threading.Thread(target=work) for _ in range(4)]
    for one in working:
        one.start()
    yield turn
    stop.set()
    for one in working:
        one.join(10)


def test_a_question_is_put_off_for_a_time_and_not_at_each_of_its_reads(busy: Turns) -> None:
    began, read = time.monotonic(), list[float]()
    with busy.asking(1.0):
        for _ in range(10):
            with busy, busy:
                read.append(time.monotonic() - began)

    assert read[0] > 0.9
    assert read[-1] < 5.0  # and not ten times as long


def test_a_question_within_a_question_is_put_off_as_one(busy: Turns) -> None:
    began = time.monotonic()
    with busy.asking(0.3):
        with busy.asking(6.0), busy:
            took = time.monotonic() - began
        with busy:
            pass

    assert took < 4.0


def test_a_question_goes_on_as_soon_as_nobody_works() -> None:
    turn, order = Turns(), list[str]()

    def ask() -> None:
        with turn.asking(60.0), turn:
            order.append("a question")

    with turn:
        works = taking(turn, "a fix", order, asks=False)
        until(lambda: waiting(turn, 1))
        asks = threading.Thread(target=ask, daemon=True)
        asks.start()
        until(lambda: len(turn._changed._waiters) == 1)  # type: ignore[attr-defined] # it is put off by now
    works.join(10)
    asks.join(20)

    assert order == ["a fix", "a question"]


def test_an_interrupt_leaves_nothing_locked_against_its_own_thread(tmp_path: Path) -> None:
    """ctrl-C in the terminal: whoever is interrupted closes the file all the same."""
    read_on = (
        "import signal, sys; from storage.store import Store\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has it ignored\n"
        "store = Store(sys.argv[1])\n"
        "try:\n"
        "    print('reads', flush=True)\n"
        "    while True: store.functions.get('x')\n"
        "except KeyboardInterrupt: pass\n"
        "store.close()\n"
        "print('closed', flush=True)\n"
    )
    new_store(tmp_path / "memory.db").close()
    for number in range(25):
        command = [sys.executable, "-c", read_on, str(tmp_path / "memory.db")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "reads\n"
            threading.Event().wait(0.01 + number / 1000)
            reader.send_signal(signal.SIGINT)
            try:
                assert reader.communicate(timeout=30)[0] == "closed\n"
            finally:
                reader.kill()


def test_beside_questions_that_read_all_the_time_a_decision_is_kept_at_once(tmp_path: Path) -> None:
    """Each question reads for some 50 ms; behind three of them without an order a hundred writes took minutes."""
    store = new_store(tmp_path / "memory.db")
    slow = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 150000) select sum(i) from n"
    stop, answered = threading.Event(), list[object]()

    def ask() -> None:
        while not stop.is_set():
            with store.asking():
                answered.append(store._connection.rows(slow))

    def decide(number: int) -> None:
        for step in range(10):
            store.tips.dismiss(f"tip {step}", f"U{number}", "T1", NOON)

    asking = [threading.Thread(target=ask) for _ in range(6)]
    for one in asking:
        one.start()
    try:
        until(lambda: len(answered) > 3)
        before = len(answered)
        with ThreadPoolExecutor(10) as pool:
            list(pool.map(decide, range(10)))
        meanwhile = len(answered) - before
    finally:
        stop.set()
        for one in asking:
            one.join(30)
        store.close()
    # Of ten that wait, one goes after another: between two questions there is room for all of them.
    assert meanwhile <= 40

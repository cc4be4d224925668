"""How fast this machine is at this moment, for bounds on what the processor may take.

For the same audit of 10,000 functions, one kind of virtual machine was seen to need 0.73 s of its processor on one day
and 1.85 s on the next. A bound in seconds says nothing there; so what is bounded is counted in pieces of a work that is
always the same, done just before and just after. What was done just after one is just before the next, where that
follows at once.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_ROWS = 60_000
FAST_YARD_SECONDS = 0.3  # it was 0.45 on the slower day
_AT_ONCE_SECONDS = 0.2  # less than a yard takes
_last: list[tuple[float, float]] = []  # when the last yard ended, and its seconds


def yards(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the processor's time that it took in this thread, in yards."""
    before = next((seconds for ended, seconds in _last if time.monotonic() - ended < _AT_ONCE_SECONDS), None) or yard()
    began = time.thread_time()
    done = work()
    took = time.thread_time() - began
    after = yard()
    _last[:] = [(time.monotonic(), after)]
    return done, took / ((before + after) / 2)


def yard() -> float:
    """Seconds: SQLite's joins and sums, and Python's own loops, over more than the processor's caches hold."""
    chance = random.Random(1)
    began = time.thread_time()
    file = sqlite3.connect(":memory:")
    file.execute("create table one (arn text primary key, number integer, padding text)")
    file.execute("create table other (arn text primary key, number real) without rowid")
    names = [f"arn:aws:lambda:eu-central-1:111111111111:function:service-{n}-handler" for n in range(_ROWS)]
    file.executemany("insert into one values (?, ?, ?)", ((name, n % 97, "x" * 200) for n, name in enumerate(names)))
    chance.shuffle(names)
    file.executemany("insert into other values (?, ?)", ((name, n / 7) for n, name in enumerate(names)))
    sums: dict[int, float] = {}
    for number, weight in file.execute("select one.number, other.number from one join other using (arn)"):
        sums[number] = sums.get(number, 0.0) + weight
    file.close()
    assert len(sums) == 97
    return time.thread_time() - began

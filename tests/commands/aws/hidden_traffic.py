"""Traffic of which the truth is known by the second, and what Lambda's sampling makes of it.

A shape says of each minute in how many of its seconds there were invocations, and how many there were in all.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

MINUTES_A_DAY = 1440
WINDOW_DAYS, MONTH_DAYS = 14, 30
Numbers = NDArray[np.int64]
# Of minutes, counted from Monday 0:00: the busy seconds of each, and its invocations.
Shape = Callable[[Generator, Numbers], tuple[Numbers, Numbers]]


@dataclass(frozen=True)
class Hidden:
    """Two weeks that CloudWatch counted, and the month after them."""

    counts: tuple[int, ...]  # invocations in each minute of the two weeks
    window_traces: int  # in these
    month_traces: int

    def bins(self, seconds: int) -> list[float]:
        counts = np.array(self.counts, dtype=float)
        return list(map(float, counts.reshape(-1, seconds // 60).sum(axis=1)))


@cache  # several tests look at the same traffic
def hide(shape: Shape, seed: int, first_weekday: int = 0) -> Hidden:
    """The truth of a shape, with an independent draw of 5 % for each invocation that is not a second's first."""
    dice = np.random.default_rng(seed)
    counts: list[int] = []
    traces = [0, 0]
    for day in range(WINDOW_DAYS + MONTH_DAYS):
        seconds, number = shape(dice, (first_weekday + day) * MINUTES_A_DAY + np.arange(MINUTES_A_DAY))
        later = day >= WINDOW_DAYS
        if not later:
            counts += number.tolist()
        traces[later] += int(seconds.sum() + binomial(dice, (number - seconds).sum(), 0.05))
    return Hidden(tuple(counts), *traces)


def binomial(dice: Generator, number: ArrayLike, share: float) -> Numbers:
    return dice.binomial(number, share)


def scattered(dice: Generator, number: Numbers, seconds: int = 60) -> tuple[Numbers, Numbers]:
    """So many invocations of each minute, each in any of so many seconds."""
    crowded = number > 20 * seconds  # that a second of them stays empty happens once in ten million minutes
    drawn = np.where(crowded, 0, number)
    busy = np.zeros((len(number), seconds), dtype=bool)
    busy[np.repeat(np.arange(len(number)), drawn), dice.integers(seconds, size=drawn.sum())] = True
    return np.where(crowded, seconds, busy.sum(axis=1)), number


# ---- shapes


def steady(rate: float) -> Shape:
    """By chance, so many a second."""
    return lambda dice, minutes: scattered(dice, dice.poisson(60 * rate, len(minutes)))


def diurnal(rate: float, swing: float) -> Shape:
    """More by day than by night."""

    def shape(dice: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
        wave = 1 + swing * np.sin(math.tau * minutes / MINUTES_A_DAY)
        return scattered(dice, dice.poisson(60 * rate * wave))

    return shape


def cron(number: int, every: int = 1) -> Shape:
    """So many in one second of every so many minutes."""
    return lambda _, minutes: (np.where(minutes % every, 0, 1), np.where(minutes % every, 0, number))


def bursts(number: int, seconds: int, a_minute: float) -> Shape:
    """A queue that fills now and then, and is emptied within seconds."""

    def shape(dice: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
        return scattered(dice, np.where(dice.random(len(minutes)) < a_minute, number, 0), seconds)

    return shape


def weekend_idle(rate: float) -> Shape:
    def shape(dice: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
        weekend = minutes // MINUTES_A_DAY % 7 >= 5
        return scattered(dice, dice.poisson(np.where(weekend, 0, 60 * rate)))

    return shape


def one_a_second(_: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
    each = np.full(len(minutes), 60)
    return each, each


def even(rate: float, swing: float = 0.0) -> Shape:
    """Evenly spaced; with more by day than by night."""

    def shape(_: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
        before, after = (np.floor(_until(rate, swing, at)).astype(int) for at in (minutes, minutes + 1))
        number = after - before
        return np.minimum(number, 60), number

    return shape


def _until(rate: float, swing: float, minutes: Numbers) -> NDArray[np.float64]:
    """Invocations since Monday."""
    wave = swing * MINUTES_A_DAY / math.tau * (1 - np.cos(math.tau * minutes / MINUTES_A_DAY))
    return 60 * rate * (minutes + wave)


def half_hours(rate: float) -> Shape:
    """On for half an hour, off for the next."""

    def shape(dice: Generator, minutes: Numbers) -> tuple[Numbers, Numbers]:
        return scattered(dice, dice.poisson(np.where(minutes % 60 < 30, 60 * rate, 0)))

    return shape


def nightly(number: int, minutes: int) -> Shape:
    """A batch at two o'clock each night."""

    def shape(dice: Generator, at: Numbers) -> tuple[Numbers, Numbers]:
        since = at % MINUTES_A_DAY - 120
        return scattered(dice, np.where((since >= 0) & (since < minutes), number // minutes, 0))

    return shape

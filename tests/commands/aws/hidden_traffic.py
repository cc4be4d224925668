"""Traffic of which the truth is known by the second, and what Lambda's sampling makes of it.

A shape says of each minute in how many of its seconds there were invocations, and how many there were in all.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

MINUTES_A_DAY = 1440
WINDOW_DAYS, MONTH_DAYS = 14, 30
Shape = Callable[[random.Random, int], tuple[int, int]]  # of the minute since Monday 0:00: busy seconds, invocations


@dataclass(frozen=True)
class Hidden:
    """Two weeks that CloudWatch counted, and the month after them."""

    counts: tuple[int, ...]  # invocations in each minute of the two weeks
    window_traces: int  # in these
    month_traces: int

    def bins(self, seconds: int) -> list[float]:
        step = seconds // 60
        return [float(sum(self.counts[start : start + step])) for start in range(0, len(self.counts), step)]


@cache  # several tests look at the same traffic, and a draw for each invocation takes long
def hide(shape: Shape, seed: int, first_weekday: int = 0) -> Hidden:
    """The truth of a shape, with an independent draw of 5 % for each invocation that is not a second's first."""
    dice = random.Random(seed)
    counts: list[int] = []
    traces = [0, 0]
    for minute in range((WINDOW_DAYS + MONTH_DAYS) * MINUTES_A_DAY):
        seconds, number = shape(dice, minute + first_weekday * MINUTES_A_DAY)
        later = minute >= WINDOW_DAYS * MINUTES_A_DAY
        if not later:
            counts.append(number)
        traces[later] += seconds + binomial(dice, number - seconds, 0.05)
    return Hidden(tuple(counts), *traces)


def binomial(dice: random.Random, number: int, share: float) -> int:
    if number > 400:
        spread = math.sqrt(number * share * (1 - share))
        return max(0, min(number, round(dice.gauss(number * share, spread))))
    return sum(dice.random() < share for _ in range(number))


def poisson(dice: random.Random, mean: float) -> int:
    if mean > 200:
        return max(0, round(dice.gauss(mean, math.sqrt(mean))))
    number, left, limit = 0, dice.random(), math.exp(-mean)
    while left > limit:
        number += 1
        left *= dice.random()
    return number


def scattered(dice: random.Random, number: int, seconds: int = 60) -> tuple[int, int]:
    """So many invocations, each in any of so many seconds."""
    if number > 20 * seconds:
        return seconds, number  # that one of them stays empty happens once in ten million minutes
    return len({int(dice.random() * seconds) for _ in range(number)}), number


# ---- shapes


def steady(rate: float) -> Shape:
    """By chance, so many a second."""
    return lambda dice, _: scattered(dice, poisson(dice, 60 * rate))


def diurnal(rate: float, swing: float) -> Shape:
    """More by day than by night."""

    def shape(dice: random.Random, minute: int) -> tuple[int, int]:
        wave = 1 + swing * math.sin(math.tau * minute / MINUTES_A_DAY)
        return scattered(dice, poisson(dice, 60 * rate * wave))

    return shape


def cron(number: int, every: int = 1) -> Shape:
    """So many in one second of every so many minutes."""
    return lambda _, minute: (1, number) if minute % every == 0 else (0, 0)


def bursts(number: int, seconds: int, a_minute: float) -> Shape:
    """A queue that fills now and then, and is emptied within seconds."""

    def shape(dice: random.Random, _: int) -> tuple[int, int]:
        return scattered(dice, number, seconds) if dice.random() < a_minute else (0, 0)

    return shape


def weekend_idle(rate: float) -> Shape:
    def shape(dice: random.Random, minute: int) -> tuple[int, int]:
        weekend = minute // MINUTES_A_DAY % 7 >= 5
        return (0, 0) if weekend else scattered(dice, poisson(dice, 60 * rate))

    return shape


def one_a_second(_: random.Random, __: int) -> tuple[int, int]:
    return 60, 60


def even(rate: float, swing: float = 0.0) -> Shape:
    """Evenly spaced; with more by day than by night."""

    def shape(_: random.Random, minute: int) -> tuple[int, int]:
        before, after = (_until(rate, swing, at) for at in (minute, minute + 1))
        number = math.floor(after) - math.floor(before)
        return min(number, 60), number

    return shape


def _until(rate: float, swing: float, minute: int) -> float:
    """Invocations since Monday."""
    wave = swing * MINUTES_A_DAY / math.tau * (1 - math.cos(math.tau * minute / MINUTES_A_DAY))
    return 60 * rate * (minute + wave)


def half_hours(rate: float) -> Shape:
    """On for half an hour, off for the next."""

    def shape(dice: random.Random, minute: int) -> tuple[int, int]:
        return scattered(dice, poisson(dice, 60 * rate)) if minute % 60 < 30 else (0, 0)

    return shape


def nightly(number: int, minutes: int) -> Shape:
    """A batch at two o'clock each night."""

    def shape(dice: random.Random, minute: int) -> tuple[int, int]:
        return scattered(dice, number // minutes) if 0 <= minute % MINUTES_A_DAY - 120 < minutes else (0, 0)

    return shape

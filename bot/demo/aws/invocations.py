"""How often a pretend function is invoked: its hours, and how each is split among its minutes."""

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate

HourlyRate = Callable[[datetime], float]  # invocations in the hour that begins then
Split = Callable[[datetime, int, datetime], int]  # of an hour's so many invocations, those until then
Between = Callable[[datetime, datetime], int]  # invocations from then until then, both whole minutes

_HOUR = timedelta(hours=1)


def by_hour(hourly: HourlyRate, split: Split) -> Between:
    """Whole invocations, split within their hour, so that all periods have the same sum."""

    @lru_cache(maxsize=1000)  # six weeks: the same are asked for again and again
    def in_hour(hour: datetime) -> int:
        return round(hourly(hour))

    def between(start: datetime, end: datetime) -> int:
        total, at = 0, start
        while at < end:
            hour = at.replace(minute=0, second=0, microsecond=0)
            until = min(end, hour + _HOUR)
            number = in_hour(hour)
            total += number if until - at == _HOUR else split(hour, number, until) - split(hour, number, at)
            at = until
        return total

    return between


def evenly(hour: datetime, number: int, until: datetime) -> int:
    return number * int((until - hour).total_seconds()) // 3600


def by_chance(seed: str) -> Split:
    """Minutes differ as they do where many people call: by about the root of their mean."""

    @lru_cache(maxsize=4)
    def cumulated(hour: datetime, number: int) -> list[int]:
        dice = random.Random(f"{seed} {hour.timestamp()}")
        mean = number / 60
        if mean < 20:
            drawn = sorted(dice.choices(range(60), k=number))
            return [0, *(bisect_right(drawn, minute) for minute in range(60))]
        weights = [max(0.0, dice.gauss(mean, math.sqrt(mean))) for _ in range(60)]
        whole = sum(weights)
        return [0, *(round(number * part / whole) for part in accumulate(weights))]

    def split(hour: datetime, number: int, until: datetime) -> int:
        return cumulated(hour, number)[int((until - hour).total_seconds()) // 60]

    return split


def in_bursts(hour: datetime, number: int, until: datetime) -> int:
    """All of a quarter of an hour in its first minute."""
    minutes = int((until - hour).total_seconds()) // 60
    return number * ((minutes + 14) // 15) // 4


def by_minute(first: datetime, counts: Sequence[int]) -> Between:
    sums = [0, *accumulate(counts)]

    def until(at: datetime) -> int:
        return sums[max(0, min(len(counts), math.floor((at - first).total_seconds() / 60)))]

    return lambda start, end: until(end) - until(start)


def sum_of(first: Between, second: Between) -> Between:
    return lambda start, end: first(start, end) + second(start, end)

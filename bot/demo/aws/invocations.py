"""How often a pretend function is invoked: its hours, and how each is split among its minutes."""

import math
import random
from abc import ABC, abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import accumulate

HourlyRate = Callable[[datetime], float]  # invocations in the hour that begins then
Split = Callable[[datetime, int], Sequence[int]]  # of an hour's so many, those until each minute; the 61st are all

_HOUR = timedelta(hours=1)


class Between(ABC):
    """Invocations from then until then, both whole minutes."""

    @abstractmethod
    def of_hour(self, hour: datetime) -> int:
        """All of the hour that begins then."""

    @abstractmethod
    def by_minute(self, hour: datetime) -> Sequence[int]:
        """Those of the hour until each of its minutes begins, and all of them at the end."""

    def __call__(self, start: datetime, end: datetime) -> int:
        total, at = 0, start
        while at < end:
            hour = at.replace(minute=0, second=0, microsecond=0)
            until = min(end, hour + _HOUR)
            if until - at == _HOUR:
                total += self.of_hour(hour)
            else:
                sums = self.by_minute(hour)
                total += sums[_minutes(until - hour)] - sums[_minutes(at - hour)]
            at = until
        return total

    def by_period(self, start: datetime, end: datetime, period: int) -> Iterator[tuple[datetime, int]]:
        """Those of each period of so many seconds that begins in [start, end), of which `start` is one's begin.

        Hour by hour where either fits into the other: two weeks in steps of a minute are 20,000 of them.
        """
        if period % 3600 == 0:
            while start < end:
                hours = [start + number * _HOUR for number in range(period // 3600)]
                yield start, sum(map(self.of_hour, hours))
                start = hours[-1] + _HOUR
            return
        if 3600 % period:
            step = timedelta(seconds=period)
            while start < end:
                yield start, self(start, start + step)
                start += step
            return
        minutes = period // 60
        parts = [(timedelta(minutes=first), first, first + minutes) for first in range(0, 60, minutes)]
        hour = start.replace(minute=0)
        while hour < end:
            sums = self.by_minute(hour)
            for since, first, last in parts:
                at = hour + since
                if start <= at < end:
                    yield at, sums[last] - sums[first]
            hour += _HOUR


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds()) // 60


class ByHour(Between):
    """Whole invocations, split within their hour, so that all periods have the same sum."""

    def __init__(self, hourly: HourlyRate, split: Split) -> None:
        self._hourly, self._split = hourly, split
        self._known: dict[datetime, int] = {}  # the same hours are asked for again and again

    def of_hour(self, hour: datetime) -> int:
        number = self._known.get(hour)
        if number is None:
            if len(self._known) >= 1000:  # six weeks
                self._known.clear()
            number = self._known[hour] = round(self._hourly(hour))
        return number

    def by_minute(self, hour: datetime) -> Sequence[int]:
        return self._split(hour, self.of_hour(hour))


def evenly(_: datetime, number: int) -> Sequence[int]:
    return [number * minute // 60 for minute in range(61)]


def in_bursts(_: datetime, number: int) -> Sequence[int]:
    """All of a quarter of an hour in its first minute."""
    return [number * ((minute + 14) // 15) // 4 for minute in range(61)]


def by_chance(seed: str) -> Split:
    """Minutes differ as they do where many people call: by about the root of their mean."""
    return lambda hour, number: _by_chance(seed, hour, number)


@lru_cache(maxsize=20_000)  # two weeks of sixty functions in 17 MB: each test's demo asks for the same again
def _by_chance(seed: str, hour: datetime, number: int) -> Sequence[int]:
    dice = random.Random(f"{seed} {hour.timestamp()}")
    mean = number / 60
    if mean < 20:
        drawn = sorted(dice.choices(range(60), k=number))
        return array("q", [0, *(bisect_right(drawn, minute) for minute in range(60))])
    deviation = math.sqrt(mean)
    weights = [max(0.0, dice.gauss(mean, deviation)) for _ in range(60)]
    whole = sum(weights)
    return array("q", [0, *(round(number * part / whole) for part in accumulate(weights))])


class ByMinute(Between):
    """So many in each minute from `first` on, a whole one."""

    def __init__(self, first: datetime, counts: Sequence[int]) -> None:
        self._first, self._sums = first, [0, *accumulate(counts)]

    def of_hour(self, hour: datetime) -> int:
        at = self._at(hour)
        return self._until(at + 60) - self._until(at)

    def by_minute(self, hour: datetime) -> Sequence[int]:
        at = self._at(hour)
        before = self._until(at)
        return [self._until(minute) - before for minute in range(at, at + 61)]

    def _at(self, hour: datetime) -> int:
        return math.floor((hour - self._first).total_seconds() / 60)

    def _until(self, minute: int) -> int:
        return self._sums[max(0, min(len(self._sums) - 1, minute))]


class SumOf(Between):
    """Of one function by several ways."""

    def __init__(self, first: Between, second: Between) -> None:
        self._first, self._second = first, second

    def of_hour(self, hour: datetime) -> int:
        return self._first.of_hour(hour) + self._second.of_hour(hour)

    def by_minute(self, hour: datetime) -> Sequence[int]:
        both = zip(self._first.by_minute(hour), self._second.by_minute(hour), strict=True)
        return [one + other for one, other in both]

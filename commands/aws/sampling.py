"""How many traces Lambda would record of the invocations that CloudWatch counted. Pure.

Lambda records the first invocation of every second and 5 % of all others; that rate cannot be set. CloudWatch says how
many invocations a bin of a minute or an hour had, not in how many of its seconds they came. In a bin of B seconds with
N invocations of which the first came in R different seconds, a trace is made of

    R + 5 % of the other N - R

    R at least    1 where N > 0           all in one second
    R at most     min(N, B)               each in a second of its own
    R expected    B x (1 - (1 - 1/B)^N)   by chance, each in any of the seconds
                  min(N, B)               by a timetable: counts that differ by far less than chance would make them

Each of these adds up over bins. Smaller bins raise the least and lower the others, never the other way round. The
scope of "every second" (a function, or each machine that runs it) is UNCONFIRMED: it is taken to be the function.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import accumulate
from statistics import median

from storage.forecasts import Range

RATE = 0.05  # of the invocations that are not a second's first
MONTH_DAYS = 30
WEEK_DAYS = 7
WINDOW_DAYS = 2 * WEEK_DAYS
_DAY = 86_400  # seconds
MONTH_SECONDS = MONTH_DAYS * _DAY  # so many seconds' first invocations a month has at most
DEVIATIONS = 5.0  # by how many standard deviations chance may push the ends of a range; see `_spread`
LARGEST = 1e15  # invocations of a bin; Lambda has never run so many anywhere

_FEWEST_TOGETHER = 3  # invocations that may be called a burst
_WORTH_SAYING = 1.25  # so many times what there is at least has to be expected, or bursts hardly matter
_STEADY_PAIRS = 100  # so many pairs of bins it takes to tell a timetable from chance
# The median of (one - other)² / (one + other) is 0.455 where counts are by chance (chi-squared of one degree).
_LESS_THAN_CHANCE = 0.1
_SELDOM = 0.05  # invocations a second, below which it hardly matters how they are spread


@dataclass(frozen=True, slots=True)
class Counted:
    """Invocations of some bins, and the number of seconds that saw any: at least, as expected and at most."""

    invocations: float = 0.0
    seconds: Range = field(default=Range(0.0, 0.0, 0.0))

    def __add__(self, other: "Counted") -> "Counted":
        one, two = self.seconds, other.seconds
        seconds = Range(one.low + two.low, one.expected + two.expected, one.high + two.high)
        return Counted(self.invocations + other.invocations, seconds)

    def times(self, factor: float) -> "Counted":
        return Counted(self.invocations * factor, self.seconds.times(factor))


def is_count(value: float) -> bool:
    """Whether it can be a number of invocations."""
    return 0 <= value < LARGEST  # which nothing is that is not finite


def count(bins: Iterable[float], seconds: int) -> Counted:
    """`bins`: invocations in each `seconds` long stretch of time; what is no number of invocations is passed over."""
    total = expected = high = 0.0
    busy = 0
    empty = math.log1p(-1 / seconds)  # the logarithm of the chance that one invocation leaves a second empty
    for number in bins:
        if not 0 < number < LARGEST:
            continue
        total += number
        busy += 1
        expected += min(number, -seconds * math.expm1(number * empty))
        high += min(number, seconds)
    low = min(float(busy), high)
    return Counted(total, Range(low, expected, high))


def recorded(bins: Iterable[float], seconds: int) -> Range:
    """The traces of just these bins: 0 <= low <= expected <= high <= invocations.

    `low` and `high` hold however the invocations are spread within the bins, and whatever chance does with the 5 %.
    """
    return traces(count(bins, seconds))


def traces(counted: Counted) -> Range:
    """Of so many invocations in so many seconds; see `recorded`."""
    least, most = counted.seconds.low, counted.seconds.high
    expected = _mean(counted.seconds.expected, counted.invocations)
    low = _mean(least, counted.invocations) - _spread(_variance(least, counted.invocations))
    high = _mean(most, counted.invocations) + _spread(_variance(most, counted.invocations))
    return Range(min(max(least, low), expected), expected, max(expected, min(counted.invocations, high)))


def modelled(bins: Sequence[float], seconds: int) -> float:
    """The traces that are expected of just these bins, by chance or by a timetable."""
    counted = count(bins, seconds)
    return _mean(counted.seconds.high if evenly(bins, seconds) else counted.seconds.expected, counted.invocations)


def month(bins: Sequence[float], seconds: int) -> Range:
    """The traces of 30 days, if the traffic of these fourteen goes on. `bins`: all of the window, oldest first.

    Four weeks are the quieter of the two weeks four times over, or the busier one. The two days that are left are the
    quietest or the busiest 48 hours in a row, whichever hour they begin with: a month may begin at any, and the window
    ends where somebody asked. `expected` is 30/14 of all; of a timetable, in as many seconds as it can be in (see
    `evenly`).

    Where the traffic began within the window (a day of the first week was silent and is not so a week later),
    `expected` is scaled from the first invocation on, `high` is that or the busiest day thirty times over, and `low`
    has no more in it than what was seen. To both ends is added what chance does to traffic that comes at random, in
    bursts of the size that days differ by from those a week later.
    """
    if not any(bins):  # as many of a fleet's functions have it, and soon told
        return Range(0.0, 0.0, 0.0)
    kept, a_day = _counts(bins), _DAY // seconds
    days = [count(kept[start : start + a_day], seconds) for start in range(0, len(kept), a_day)]
    whole = reduce(Counted.__add__, days, Counted())
    if not whole.invocations:
        return Range(0.0, 0.0, 0.0)
    factor = MONTH_DAYS / len(days)
    new = _began_within(days)
    if new:
        first = next(place for place, number in enumerate(kept) if number)
        factor_from_first = MONTH_DAYS / max(len(days) - first / a_day, 1 / 24)
        expected = whole.times(factor_from_first)
        least, most = whole, _most([whole.times(factor_from_first), _most(days).times(MONTH_DAYS)])
    else:
        weeks = [reduce(Counted.__add__, days[start : start + WEEK_DAYS], Counted()) for start in (0, WEEK_DAYS)]
        quietest, busiest = _two_days(kept, seconds)
        expected = whole.times(factor)
        least = _least(weeks).times(4) + quietest
        most = _most([_most(weeks).times(4) + busiest, expected])
    # What is seen in the window is itself one draw of chance, and what is to come another, `factor` times as long.
    uncertain = 1 + factor
    sizes = [1.0] * 3 if new else [_burst(each) for each in _daily(days)]
    low = _mean(least.seconds.low, least.invocations)
    spread_over = expected.seconds.high if evenly(kept, seconds) else expected.seconds.expected
    middle = _mean(min(spread_over, MONTH_SECONDS), expected.invocations)
    high = _mean(min(most.seconds.high, MONTH_SECONDS), most.invocations)
    low -= _spread(uncertain * low, sizes[0])
    high += _spread(uncertain * high, sizes[1])
    invocations = most.invocations + _spread(uncertain * most.invocations, sizes[2])
    return Range(min(max(0.0, low), middle), middle, max(middle, min(invocations, high)))


def _two_days(bins: Sequence[float], seconds: int) -> tuple[Counted, Counted]:
    """The smallest and the largest of each figure of any 48 hours in a row. (What is expected of them nobody asks.)"""
    length, hour = 2 * _DAY // seconds, max(1, 3600 // seconds)
    busy, full = [float(number > 0) for number in bins], [min(number, float(seconds)) for number in bins]
    ends = []
    for figure in (bins, busy, full):
        until = list(accumulate(figure, initial=0.0))
        sums = [until[start + length] - until[start] for start in range(0, len(bins) - length + 1, hour)]
        ends.append((min(sums), max(sums)))
    quietest, busiest = zip(*ends, strict=True)
    return _of_figures(*quietest), _of_figures(*busiest)


def _of_figures(invocations: float, low: float, high: float) -> Counted:
    return Counted(invocations, Range(low, low, high))


def _daily(days: Sequence[Counted]) -> Iterator[list[float]]:
    """By day: the fewest traces, the most, and the invocations."""
    yield [_mean(day.seconds.low, day.invocations) for day in days]
    yield [_mean(day.seconds.high, day.invocations) for day in days]
    yield [day.invocations for day in days]


def _burst(daily: Sequence[float]) -> float:
    """How many come together: days differ from those a week later by more than single ones would make them (variance =
    mean). That a whole week is busier than the other does not count: the ends of `month` allow for it.
    """
    later = [after - before for before, after in zip(daily[:WEEK_DAYS], daily[WEEK_DAYS:], strict=True)]
    shift, mean = sum(later) / WEEK_DAYS, sum(daily) / WINDOW_DAYS
    variance = sum((one - shift) ** 2 for one in later) / (WEEK_DAYS - 1) / 2
    return max(1.0, variance / mean) if mean else 1.0


def spiky(bins: Sequence[float], seconds: int) -> bool:
    """Whether invocations come in bursts that are shorter than a bin, so that `expected` is likely too high.

    Either most of them stand in bins beside which there is next to nothing, or the bins are so equal that a timetable
    must be behind them, with several invocations a minute. `bins`: one after the other, with those that had none.
    """
    if not any(bins):
        return False
    kept = _counts(bins)
    total = sum(kept)
    if not total:
        return False
    known = count(kept, seconds)
    if _mean(known.seconds.expected, total) < _WORTH_SAYING * _mean(known.seconds.low, total):
        return False
    alone = sum(
        number for place, number in enumerate(kept) if number >= _FEWEST_TOGETHER and 3 * _beside(kept, place) < number
    )
    return alone > total / 2 or (evenly(kept, seconds) and 2 <= _a_minute(kept, seconds) < 60)


def _counts(bins: Sequence[float]) -> list[float]:
    return [number if 0 <= number < LARGEST else 0.0 for number in bins]


def _beside(bins: Sequence[float], place: int) -> float:
    """Two bins away: a burst may fall into two that are next to each other."""
    return (bins[place - 2] if place >= 2 else 0.0) + (bins[place + 2] if place + 2 < len(bins) else 0.0)


def evenly(bins: Sequence[float], seconds: int) -> bool:
    """Whether a timetable is behind the invocations: counts differ by far less than chance makes them differ, from one
    bin to the next or from one week to the other, by which days and nights and weekends do not count.

    Whether one comes every second, or sixty every minute, no count of a minute tells; the first costs more, and is
    what is expected.
    """
    kept = _counts(bins)
    if _a_minute(kept, seconds) < 60 * _SELDOM:
        return False
    week = WEEK_DAYS * _DAY // seconds
    return any(_alike(zip(kept, kept[lag:], strict=False)) for lag in (1, week))


def _alike(pairs: Iterable[tuple[float, float]]) -> bool:
    differences = [(one - other) ** 2 / (one + other) for one, other in pairs if one and other]
    return len(differences) >= _STEADY_PAIRS and median(differences) < _LESS_THAN_CHANCE


def _a_minute(bins: Sequence[float], seconds: int) -> float:
    """Invocations a minute, in bins that have any."""
    busy = [number for number in bins if number]
    return sum(busy) / len(busy) * 60 / seconds if busy else 0.0


def _began_within(days: Sequence[Counted]) -> bool:
    """A week's silent days come again a week later; where they do not, the traffic is new."""
    for place, day in enumerate(days[:WEEK_DAYS]):
        if day.invocations:
            return False
        if days[place + WEEK_DAYS].invocations:
            return True
    return True  # silent for a whole week


def _least(some: Sequence[Counted]) -> Counted:
    """The smallest of each figure."""
    return _each(some, min)


def _most(some: Sequence[Counted]) -> Counted:
    """The largest of each figure."""
    return _each(some, max)


def _each(some: Sequence[Counted], choose: Callable[[Iterable[float]], float]) -> Counted:
    low, expected, high = (choose(getattr(one.seconds, end) for one in some) for end in ("low", "expected", "high"))
    return Counted(choose(one.invocations for one in some), Range(low, expected, high))


def _mean(seconds: float, invocations: float) -> float:
    return seconds + RATE * (invocations - seconds)


def _variance(seconds: float, invocations: float) -> float:
    """Of the 5 %."""
    return RATE * (1 - RATE) * max(0.0, invocations - seconds)


def _spread(variance: float, size: float = 1.0) -> float:
    """How far from its mean chance takes a sum of independent draws of at most `size` each: at least 5 deviations.

    `variance`: of the sum, if each were at most 1. Bernstein's inequality at L = 5²/2: beyond it less than 4 in a
    million, however few the draws are.
    """
    if variance <= 0:
        return 0.0
    third = size * DEVIATIONS**2 / 6
    return third + math.sqrt(third**2 + DEVIATIONS**2 * variance * size)

"""What X-Ray will have cost when the month is over, from the days of it that are billed. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

FEWEST_DAYS = 3  # that a forecast is made of
DAYS_TO_ALERT = 7  # that one is made of which somebody is told: with a weekend among them
SETTLED = timedelta(days=2)  # a day that is as old is billed whole: Cost Explorer lags by a day and more


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """US dollars for the whole month: what the whole days cost, and the days to come each like their mean.

    `low` and `high`: like the cheapest and like the dearest of them.
    """

    low: Decimal
    expected: Decimal
    high: Decimal
    days: int  # whole days that it is made of
    left: int  # days to come, one that is billed in part among them


def month_end(days: Mapping[date, Decimal], month: date, today: date, spent: Decimal) -> MonthEnd | None:
    """`days`: what each day of the month cost so far; `month`: its first day; `today`: UTC, when AWS was asked;
    `spent`: the month's bill so far, under which no forecast goes, unless days cost less than nothing. None for fewer
    than three whole days.

    Days without a bill after the newest that has one are not free: they are not billed yet. The newest one itself may
    be billed in part, unless it is two days old.
    """
    billed = sorted(day for day, usd in days.items() if usd and (day.year, day.month) == (month.year, month.month))
    if not billed:
        return None
    newest = billed[-1]
    whole = newest.day if today - newest >= SETTLED else newest.day - 1
    if whole < FEWEST_DAYS:
        return None
    costs = [days.get(month + timedelta(days=number), Decimal(0)) for number in range(whole)]
    left = monthrange(month.year, month.month)[1] - whole
    so_far = sum(costs, Decimal(0))
    each_day = (min(costs), so_far / whole, max(costs))
    low, expected, high = (so_far + usd * left if usd < 0 else max(spent, so_far + usd * left) for usd in each_day)
    return MonthEnd(low, expected, high, whole, left)

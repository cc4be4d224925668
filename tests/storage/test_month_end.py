"""The forecast to the month's end: from days that are billed whole, and from no others."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.month_end import MonthEnd, month_end

NOVEMBER = date(2026, 11, 1)


def days(*costs: float) -> dict[date, Decimal]:
    return {NOVEMBER + timedelta(days=number): Decimal(str(cost)) for number, cost in enumerate(costs)}


def test_days_to_come_are_each_like_the_mean_and_the_ends_like_the_cheapest_and_the_dearest() -> None:
    made = month_end(days(1, 2, 3, 2), NOVEMBER, date(2026, 11, 6), Decimal(8))

    assert made == MonthEnd(Decimal(8 + 26), Decimal(8 + 26 * 2), Decimal(8 + 26 * 3), days=4, left=26)


def test_the_newest_day_may_be_billed_in_part_and_counts_once_it_is_two_days_old() -> None:
    billed = days(2, 2, 2, 0.1, 0, 0)

    young = month_end(billed, NOVEMBER, date(2026, 11, 5), Decimal("6.1"))
    assert young
    assert (young.days, young.expected) == (3, Decimal(60))
    old = month_end(billed, NOVEMBER, date(2026, 11, 6), Decimal("6.1"))
    assert old
    assert old.days == 4


def test_a_free_day_in_between_is_one_and_those_at_the_end_are_not_billed_yet() -> None:
    made = month_end(days(3, 0, 3, 0, 0), NOVEMBER, date(2026, 11, 5), Decimal(6))

    assert made
    assert (made.days, made.expected, made.low) == (3, Decimal(60), Decimal(6))


@pytest.mark.parametrize("billed", [days(), days(0, 0, 0), days(1, 1), days(1, 1, 1)])
def test_fewer_than_three_whole_days_make_no_forecast(billed: dict[date, Decimal]) -> None:
    assert month_end(billed, NOVEMBER, date(2026, 11, 4), sum(billed.values(), Decimal(0))) is None


def test_days_of_another_month_say_nothing_of_this_one() -> None:
    october = {date(2026, 10, day): Decimal(9) for day in range(1, 31)}

    assert month_end(october, NOVEMBER, date(2026, 11, 9), Decimal(0)) is None


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=30), st.integers(0, 3), st.floats(0, 1e7))
def test_the_ends_hold_the_forecast_and_none_is_below_what_was_spent(
    costs: list[float], lag: int, spent: float
) -> None:
    today = NOVEMBER + timedelta(days=len(costs) + lag)
    made = month_end(days(*costs), NOVEMBER, today, Decimal(str(spent)))

    if made:
        assert Decimal(str(spent)) <= made.low <= made.expected <= made.high
        assert made.days + made.left == 30

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


@pytest.mark.parametrize(("year", "length"), [(2027, 28), (2028, 29)])
def test_february_is_as_long_as_it_is(year: int, length: int) -> None:
    february = date(year, 2, 1)
    billed = {february + timedelta(days=number): Decimal(2) for number in range(length)}

    early = month_end(dict(list(billed.items())[:4]), february, date(year, 2, 6), Decimal(8))
    last = month_end(billed, february, date(year, 2, length), Decimal(2 * length))
    over = month_end(billed, february, date(year, 3, 2), Decimal(2 * length))

    assert early
    assert (early.expected, early.days, early.left) == (Decimal(2 * length), 4, length - 4)
    assert last
    assert (last.expected, last.days, last.left) == (Decimal(2 * length), length - 1, 1)
    assert over
    assert (over.expected, over.days, over.left) == (Decimal(2 * length), length, 0)


@pytest.mark.parametrize("first", [date(2026, 12, 1), date(2027, 1, 1), date(2028, 2, 1)])
def test_on_the_first_day_of_a_month_nothing_is_forecast(first: date) -> None:
    before = {first - timedelta(days=number): Decimal(5) for number in range(1, 28)}

    assert month_end(before, first, first, Decimal(0)) is None
    assert month_end(before | {first: Decimal(5)}, first, first, Decimal(5)) is None


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=30), st.integers(0, 3), st.floats(0, 1e7))
def test_the_ends_hold_the_forecast_and_none_is_below_what_was_spent(
    costs: list[float], lag: int, spent: float
) -> None:
    today = NOVEMBER + timedelta(days=len(costs) + lag)
    made = month_end(days(*costs), NOVEMBER, today, Decimal(str(spent)))

    if made:
        assert Decimal(str(spent)) <= made.low <= made.expected <= made.high
        assert made.days + made.left == 30

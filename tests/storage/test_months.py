"""Months are counted back and forth across years."""

from datetime import date

import pytest

from storage.months import last_day_of, months_before


@pytest.mark.parametrize(
    ("first", "months", "then"),
    [
        (date(2026, 11, 1), 0, date(2026, 11, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 12, 1), 12, date(2025, 12, 1)),
        (date(2026, 11, 1), 23, date(2024, 12, 1)),
        (date(2026, 12, 1), -1, date(2027, 1, 1)),
    ],
)
def test_months_are_counted_across_years(first: date, months: int, then: date) -> None:
    assert months_before(first, months) == then


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_a_month_ends_on_its_own_last_day(first: date, last: date) -> None:
    assert last_day_of(first) == last

"""Calendar months, each by its first day, as bills go by them. Pure."""

from datetime import date, timedelta


def months_before(first: date, months: int) -> date:
    """The first day of the month that is so many months before that one."""
    total = first.year * 12 + first.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)


def last_day_of(first: date) -> date:
    return months_before(first, -1) - timedelta(days=1)

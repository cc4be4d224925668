"""On which days a team may get a new message, and when the weekly one is due."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from commands._schedule import Frequency, Plan, Slot

MONDAY = date(2026, 11, 23)
SATURDAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("plan", "day", "posted_on", "may"),
    [
        (Plan(), MONDAY, MONDAY - timedelta(days=1), True),
        (Plan(), SATURDAY, None, False),
        (Plan(days=frozenset({5})), SATURDAY, None, True),
        (Plan(frequency=Frequency.WEEKLY), MONDAY, MONDAY - timedelta(days=7), True),
        (Plan(frequency=Frequency.WEEKLY), MONDAY + timedelta(days=1), MONDAY, False),
        (Plan(frequency=Frequency.WEEKLY), MONDAY + timedelta(days=1), MONDAY - timedelta(days=7), True),
        (Plan(frequency=Frequency.NEVER), MONDAY, None, False),
    ],
    ids=[
        "a working day",
        "a weekend",
        "a weekend that is asked for",
        "weekly, on its day",
        "weekly, the day after",
        "weekly, its day was missed",
        "never",
    ],
)
def test_whether_a_new_message_may_come(plan: Plan, day: date, posted_on: date | None, may: bool) -> None:
    assert plan.may_post(day, posted_on) is may


@pytest.mark.parametrize(
    ("weekly", "day", "posted_on", "due"),
    [
        (0, MONDAY, MONDAY - timedelta(days=3), True),
        (0, MONDAY + timedelta(days=4), MONDAY, False),
        (0, MONDAY + timedelta(days=2), MONDAY - timedelta(days=2), True),
        (6, MONDAY, MONDAY - timedelta(days=2), True),
        (6, MONDAY + timedelta(days=1), MONDAY, False),
        (0, MONDAY, None, True),
    ],
    ids=["on the day", "was made", "made up for on Wednesday", "Sunday's on Monday", "made up for", "the first"],
)
def test_when_the_weekly_message_is_due(weekly: int, day: date, posted_on: date | None, due: bool) -> None:
    assert Plan(weekly=weekly).week_is_due(day, posted_on) is due


def test_slots_are_the_same_by_their_time_and_zone() -> None:
    assert Slot(time(9), ZoneInfo("Europe/Berlin")) == Slot(time(9), ZoneInfo("Europe/Berlin"))
    assert str(Slot(time(9), ZoneInfo("Asia/Tokyo"))) == "09:00 Asia/Tokyo"

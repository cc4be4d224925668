"""Last days and reminders where clocks are set at midnight, by half an hour, or skip a day's first hour."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from commands._exempting import end_of
from storage.models import ExemptState, Function, Verdict
from tests.commands.conftest import HandClock
from tests.commands.exempting import Desk

# A zone, and the last day of an exemption: its clocks change then, the day before, or in the week before.
CHANGES = [
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 9, 5)),  # the next day begins at one o'clock
    ("America/Santiago", date(2026, 9, 6)),
    ("America/Santiago", date(2027, 4, 3)),  # that day has its last hour twice
    ("Asia/Beirut", date(2027, 3, 27)),
    ("Africa/Cairo", date(2027, 4, 29)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/New_York", date(2026, 11, 1)),
    ("Pacific/Kiritimati", date(2026, 12, 31)),
    ("Pacific/Pago_Pago", date(2026, 12, 31)),
]


@pytest.fixture(params=CHANGES, ids=lambda one: f"{one[0]} {one[1]}")
def place(request: pytest.FixtureRequest) -> tuple[ZoneInfo, date]:
    name, last = request.param
    return ZoneInfo(name), last


def test_it_ends_after_its_last_day_and_is_reminded_of_twice_in_the_morning(
    desk: Callable[[ZoneInfo, date], Desk], place: tuple[ZoneInfo, date], remembered: Callable[..., Function]
) -> None:
    zone, last = place
    exempting = desk(zone, last)
    function = remembered("refund")
    assert "is exempt until" in exempting.exempts(function, until=last.isoformat())
    granted = exempting.only()
    assert granted.last_moment.astimezone(zone).date() == last
    assert (granted.last_moment + timedelta(seconds=1)).astimezone(zone).date() == last + timedelta(days=1)

    reminded: list[datetime] = []
    while exempting.only().state is ExemptState.GRANTED:
        before = len(exempting.posts())
        exempting.ticks()
        if len(exempting.posts()) > before:
            reminded.append(exempting.clock().astimezone(zone))
        if exempting.only().state is ExemptState.GRANTED:
            exempting.clock.forward(minutes=30)

    assert [one.replace(tzinfo=None) for one in reminded] == [
        datetime.combine(last - timedelta(days=days), time(9)) for days in (7, 1)
    ]
    assert exempting.verdict(function) is Verdict.UNTRACED
    over = exempting.clock().astimezone(zone)
    assert over.date() == last + timedelta(days=1)
    assert exempting.clock() - end_of(last, zone) < timedelta(minutes=30)


@pytest.fixture
def desk(exempting: Desk, clock: HandClock) -> Callable[[ZoneInfo, date], Desk]:
    def at(zone: ZoneInfo, last: date) -> Desk:
        """Ten days before, at noon there."""
        clock.now = datetime.combine(last - timedelta(days=10), time(12), zone).astimezone(ZoneInfo("UTC"))
        return replace(exempting, context=replace(exempting.context, zone=zone))

    return at

"""What comes once a day, a week or a month: over the ends of years, and where clocks are put forward or back."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.demo.aws.cost_explorer import Line
from commands._budget_rules import BudgetRules
from commands._report_rules import ReportRules
from commands._schedule import Schedule, Slot
from commands._types import Context, Progress, Request
from commands.report import weekly
from commands.spend import turn
from storage.models import THE_CLOCK, PostKind, Source
from tests.commands.conftest import HOME, HandClock, World
from tests.commands.test_report import audited

__all__ = ["audited"]  # a fixture

UTC_ZONE, BERLIN, NEW_YORK, SYDNEY, LORD_HOWE = map(
    ZoneInfo, ("UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Australia/Lord_Howe")
)
# The local day on which clocks are put forward or back: mostly at 02:00 or 03:00.
CHANGES = [
    (BERLIN, date(2026, 10, 25)),
    (BERLIN, date(2027, 3, 28)),
    (NEW_YORK, date(2026, 11, 1)),
    (NEW_YORK, date(2027, 3, 14)),
    (SYDNEY, date(2026, 10, 4)),
    (SYDNEY, date(2027, 4, 4)),
    (LORD_HOWE, date(2027, 4, 4)),  # by half an hour
]
HOURS = [time(0, 0), time(1, 30), time(2, 30), time(9, 0), time(23, 30), time(23, 50)]


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS's clock is the one that the test moves."""
    return {"clock": clock}


def moments(first: date, last: date, zone: ZoneInfo, step: timedelta) -> Iterator[datetime]:
    """UTC, from the first day's midnight to the end of the last, on the clock of a zone."""
    now = datetime.combine(first, time(), zone).astimezone(UTC)
    end = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
    while now < end:
        yield now
        now += step


def scheduled(world: World, zone: ZoneInfo, at: time = time(9)) -> Context:
    schedule = Schedule(replace(Schedule().general, slot=Slot(at, zone)))
    return replace(world.context, schedule=schedule, budget=BudgetRules(monthly_usd=Decimal(100)))


def looks(world: World, context: Context, at: Iterator[datetime], zone: ZoneInfo) -> Counter[date]:
    """How often Cost Explorer was asked on each local day."""
    found: Counter[date] = Counter()
    for now in at:
        world.clock.now = now
        said = [one for one in turn(world.asks(THE_CLOCK), context) if isinstance(one, Progress)]
        found[now.astimezone(zone).date()] += len(said)
    return found


def billed(world: World, daily: Callable[[date], float]) -> None:
    world.aws.organizations.found(HOME, {HOME: "payer"})
    world.aws.costs.bill(Line(HOME, "AWS X-Ray", "EUC1-XRay-TracesStored", daily))


@pytest.mark.parametrize("zone", [UTC_ZONE, SYDNEY, NEW_YORK], ids=str)
def test_over_the_end_of_a_year_each_month_has_one_alert_and_each_day_one_look(world: World, zone: ZoneInfo) -> None:
    billed(world, lambda _: 120.0)
    first, last = date(2026, 12, 29), date(2027, 1, 4)

    found = looks(world, scheduled(world, zone), moments(first, last, zone, timedelta(hours=1)), zone)

    assert found == {first + timedelta(days=number): 1 for number in range(7)}
    told = [post.key for post in world.store.posts.all(PostKind.NOTICE)]
    assert told == ["budget:2026-12:actual:100", "budget:2027-01:actual:100"]
    december, january = world.store.spend.months(date(2026, 12, 1))
    assert (december.month, january.month) == (date(2026, 12, 1), date(2027, 1, 1))
    assert december.xray_usd == 31 * 120  # it was asked for again after its end


@pytest.mark.parametrize("at", HOURS, ids=str)
@pytest.mark.parametrize(("zone", "day"), CHANGES, ids=str)
def test_where_clocks_change_each_day_has_one_look_at_the_bill(
    world: World, zone: ZoneInfo, day: date, at: time
) -> None:
    billed(world, lambda _: 1.0)
    first, last = day - timedelta(days=1), day + timedelta(days=1)
    context = scheduled(world, zone, at)

    found = looks(world, context, moments(first, last, zone, timedelta(minutes=10)), zone)

    assert found == {first: 1, day: 1, last: 1}


@pytest.mark.parametrize("at", HOURS, ids=str)
@pytest.mark.parametrize(("zone", "day"), CHANGES, ids=str)
def test_where_clocks_change_a_week_has_one_report(
    audited: Context, clock: HandClock, zone: ZoneInfo, day: date, at: time
) -> None:
    context = replace(audited, zone=zone, reporting=ReportRules(weekly=day.weekday(), at=at))
    request = Request(THE_CLOCK, clock(), Source.CLOCK)
    for now in moments(day - timedelta(days=1), day + timedelta(days=1), zone, timedelta(minutes=1)):
        clock.now = now
        list(weekly(request, context))

    assert [post.key for post in context.store.posts.all(PostKind.REPORT)] == [f"report:weekly:{day}"]

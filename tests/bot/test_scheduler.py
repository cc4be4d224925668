import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.scheduler import DailyClock, last_due, missed
from commands._schedule import Slot
from commands._types import Clock, Context, Progress, Reply, Request
from storage.models import THE_CLOCK, PostKind
from tests.bot.conftest import SetClock
from tests.e2e.scene import wait_for

BERLIN = ZoneInfo("Europe/Berlin")
NINE = time(9, 0)


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (at(23, 9), at(23, 9)),
        (at(23, 8, 59), at(22, 9)),
        (at(23, 23, 59), at(23, 9)),
        (at(25, 9, 0, 10), at(25, 9, 0, 10)),  # clocks went back in the night
        (at(29, 9, 0, 3), at(29, 9, 0, 3)),  # clocks went forward in the night
    ],
    ids=["now", "not yet", "late", "winter time", "summer time"],
)
def test_the_last_due_time_is_by_the_clock_on_the_wall(now: datetime, due: datetime) -> None:
    assert last_due(now, NINE, BERLIN) == due


@pytest.mark.parametrize(
    ("now", "ended", "day"),
    [
        (at(23, 9, 1), set(), date(2026, 11, 23)),
        (at(23, 23, 59), set(), date(2026, 11, 23)),
        (at(23, 9, 1), {date(2026, 11, 23)}, None),
        (at(23, 8), {date(2026, 11, 22)}, None),
        (at(23, 8), set(), None),
    ],
    ids=["a minute late", "hours late", "was made", "not yet due", "yesterday is too long ago"],
)
def test_a_missed_run_is_made_up_for_on_its_day(now: datetime, ended: set[date], day: date | None) -> None:
    assert missed(now, NINE, BERLIN, ended.__contains__) == day


def test_a_run_late_at_night_is_made_up_for_after_midnight() -> None:
    assert missed(at(24, 0, 30), time(23, 45), BERLIN, lambda _day: False) == date(2026, 11, 23)


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("now", "at_time", "day"),
    [
        (datetime(2027, 3, 14, 7, 30, tzinfo=UTC), time(2, 30), date(2027, 3, 14)),
        (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), time(1, 30), date(2026, 11, 1)),
        (datetime(2026, 11, 1, 6, 30, tzinfo=UTC), time(1, 30), date(2026, 11, 1)),
        (datetime(2026, 11, 1, 14, 0, tzinfo=UTC), time(9, 0), date(2026, 11, 1)),
    ],
    ids=["a time that the spring leaves out", "the first of two", "the second of two", "an ordinary time"],
)
def test_each_day_has_one_run_though_clocks_are_changed(now: datetime, at_time: time, day: date) -> None:
    assert last_due(now, at_time, NEW_YORK).date() == day
    assert missed(now, at_time, NEW_YORK, set().__contains__) == day
    assert missed(now, at_time, NEW_YORK, {day}.__contains__) is None  # so that the second of two does nothing


@pytest.fixture
def run_of(context: Context) -> Iterator[Callable[[Clock], DailyClock]]:
    started: list[DailyClock] = []

    def start(entry: Clock, *slots: Slot) -> DailyClock:
        slots = slots or (Slot(NINE, BERLIN),)
        made = DailyClock([entry], context, slots, lambda: None)
        made.start()
        started.append(made)
        return made

    yield start
    for one in started:
        one.stop()


def test_a_missed_run_is_made_once_at_the_start(
    context: Context, clock: SetClock, run_of: Callable[[Clock], DailyClock]
) -> None:
    runs: list[date | None] = []

    def job(request: Request, given: Context) -> Iterator[Reply]:
        runs.append(request.day)
        given.store.daily_runs.begin("daily", date(2026, 11, 23), given.clock())
        given.store.daily_runs.end("daily", date(2026, 11, 23), given.clock())
        yield Progress("done")

    run_of(Clock("daily", job))
    wait_for(lambda: context.store.daily_runs.ended("daily", date(2026, 11, 23)))
    run_of(Clock("daily", job)).stop()

    assert runs == [date(2026, 11, 23)]


def test_a_run_that_fails_is_said_and_comes_again(
    context: Context, clock: SetClock, run_of: Callable[[Clock], DailyClock]
) -> None:
    def job(request: Request, given: Context) -> Iterator[Reply]:
        raise ConnectionError("AWS is away: secret-token")
        yield

    made = run_of(Clock("daily", job))

    notice = wait_for(lambda: context.store.posts.all(PostKind.NOTICE))[0]
    assert "could not be made" in notice.text
    assert "secret-token" not in notice.text
    assert notice.channel == "#finops"
    wait_for(lambda: [job for job in made.jobs() if job == "daily:2026-11-23"])


def test_what_runs_now_and_again_runs_at_the_start_and_goes_on_after_it_stumbled(
    context: Context, run_of: Callable[[Clock], DailyClock]
) -> None:
    turns: list[Request] = []

    def job(request: Request, given: Context) -> Iterator[Reply]:
        turns.append(request)
        if len(turns) == 1:
            raise ConnectionError("not now")
        yield Progress("done")

    made = run_of(Clock("minutely", job, every=timedelta(seconds=1)))

    wait_for(lambda: len(turns) > 1)
    assert (turns[1].user, turns[1].day) == (THE_CLOCK, None)
    assert made.jobs() == ["minutely"]
    assert context.store.posts.all(PostKind.NOTICE) == []


def test_ending_while_a_job_fails_does_not_hang(context: Context, run_of: Callable[[Clock], DailyClock]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def job(request: Request, given: Context) -> Iterator[Reply]:
        begun.set()
        go_on.wait(20)
        raise ConnectionError("AWS is away")
        yield

    made = run_of(Clock("daily", job))
    assert begun.wait(20)
    wait_for(lambda: made.jobs() == ["daily"])  # the scheduler's own thread has let go of it
    ending = threading.Thread(target=made.stop)
    ending.start()
    wait_for(lambda: made.is_ending)
    go_on.set()
    ending.join(20)

    assert not ending.is_alive()
    assert made.jobs() == []


def test_each_hour_that_teams_read_at_has_a_job_and_makes_up_for_its_own_missed_run(
    context: Context, clock: SetClock, run_of: Callable[..., DailyClock]
) -> None:
    seen: list[tuple[str, date | None]] = []

    def job(request: Request, given: Context) -> Iterator[Reply]:
        seen.append((str(request.slot), request.day))
        yield Progress("done")

    context.store.daily_runs.begin("daily", date(2026, 11, 23), clock())
    context.store.daily_runs.end("daily", date(2026, 11, 23), clock())
    tokyo, late = Slot(time(10, 30), ZoneInfo("Asia/Tokyo")), Slot(time(18, 0), BERLIN)
    made = run_of(Clock("daily", job), Slot(NINE, BERLIN), tokyo, late)

    wait_for(lambda: seen)
    assert seen == [("10:30 Asia/Tokyo", date(2026, 11, 23))]
    assert {"daily", "daily 10:30 Asia/Tokyo", "daily 18:00 Europe/Berlin"} <= set(made.jobs())

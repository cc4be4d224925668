"""The clock: jobs for the clock entries of COMMANDS, the daily one at each hour that teams read, and missed ones."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.date import DateTrigger

from bot.faults import log_fault
from bot.notices import notify
from commands._schedule import Slot
from commands._types import Clock, Context, Progress, Request
from commands.aws.errors import AwsProblem
from commands.digest import NothingSeen, job_of
from commands.views.text import clip, prose
from storage.models import THE_CLOCK, Source

log = logging.getLogger(__name__)

GRACE_SECONDS = 3600
AGAIN = timedelta(minutes=15)
EXPLAINED = (AwsProblem, NothingSeen)  # their words are for people
LATE = timedelta(hours=12)


def last_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The last moment at or before `now` when the clock in `zone` showed `at`."""
    local = now.astimezone(zone)
    due = datetime.combine(local.date(), at, zone)
    if due > local:
        due = datetime.combine(local.date() - timedelta(days=1), at, zone)
    return due


def missed(now: datetime, at: time, zone: ZoneInfo, ended: Callable[[date], bool]) -> date | None:
    """The day whose run is still to be made: today's, or last night's if it is less than twelve hours late."""
    due = last_due(now, at, zone)
    local = now.astimezone(zone)
    if ended(due.date()):
        return None
    return due.date() if due.date() == local.date() or local - due < LATE else None


class DailyClock:
    """Runs clock entries in a thread of the scheduler's; `after` is called whenever one has run."""

    def __init__(
        self, entries: Sequence[Clock], context: Context, slots: Sequence[Slot], after: Callable[[], None]
    ) -> None:
        """`slots`: the times of day for what runs daily, the general one first."""
        self._entries, self._context, self._slots, self._after = entries, context, slots, after
        self._ending = threading.Lock()
        self._ended = False
        self._at_work: list[str] = []
        self._scheduler = BackgroundScheduler(
            timezone=slots[0].zone,
            job_defaults={"coalesce": True, "misfire_grace_time": GRACE_SECONDS, "max_instances": 1},
        )

    def start(self) -> None:
        for entry in self._entries:
            if entry.every:
                self.every(int(entry.every.total_seconds()), entry.job_id, partial(self._now_and_again, entry))
                continue
            for slot in self._slots:
                self._daily(entry, slot)
        self._scheduler.start()

    def _daily(self, entry: Clock, slot: Slot) -> None:
        trigger = CronTrigger(hour=slot.at.hour, minute=slot.at.minute, timezone=slot.zone)
        name = job_of(slot, self._slots[0])
        self._scheduler.add_job(self._due, trigger, args=[entry, slot], id=name, replace_existing=True)
        ended = partial(self._context.store.daily_runs.ended, name)
        day = missed(self._context.clock(), slot.at, slot.zone, ended)
        if day is not None:
            log.info("the run %s of %s was missed: running it now", name, day)
            self._once(entry, slot, day, timedelta(0))

    @property
    def is_ending(self) -> bool:
        return self._ended

    def at_work(self) -> list[str]:
        """What runs now."""
        return sorted(self._at_work)

    @contextmanager
    def _working_on(self, what: str) -> Iterator[None]:
        self._at_work.append(what)
        try:
            yield
        finally:
            self._at_work.remove(what)

    @property
    def alive(self) -> bool:
        """Whether the thread that looks at the clock lives."""
        thread = getattr(self._scheduler, "_thread", None)  # APScheduler says `running` also where it has died
        return thread is not None and thread.is_alive()

    def jobs(self) -> list[str]:
        """The ids of what is still to run."""
        return [str(job.id) for job in self._scheduler.get_jobs()]

    def every(self, seconds: int, what: str, run: Callable[[], object]) -> None:
        """Run something now and again until the end."""
        self._scheduler.add_job(run, "interval", seconds=seconds, id=what, next_run_time=datetime.now(UTC))

    def stop(self) -> None:
        """Waits for a job that runs."""
        # APScheduler holds its own lock while it waits; a job that asked for another run then would wait for ever.
        with self._ending:
            self._ended = True
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _now_and_again(self, entry: Clock) -> None:
        """What fails comes round again soon; the log is enough to say so."""
        now = self._context.clock()
        try:
            with self._working_on(entry.job_id):
                for reply in entry.run(Request(user=THE_CLOCK, now=now, source=Source.CLOCK), self._context):
                    if isinstance(reply, Progress):
                        log.info("%s", reply.text)
        except Exception as problem:  # noqa: BLE001 - the scheduler goes on whatever it is, and so does the next turn
            log_fault(log, problem, "%s stumbled", entry.job_id)
        finally:
            self._after()

    def _due(self, entry: Clock, slot: Slot) -> None:
        self._run(entry, slot, last_due(self._context.clock(), slot.at, slot.zone).date())

    def _once(self, entry: Clock, slot: Slot, day: date, after: timedelta) -> None:
        with self._ending:
            if not self._ended:
                self._add_once(entry, slot, day, after)

    def _add_once(self, entry: Clock, slot: Slot, day: date, after: timedelta) -> None:
        at = DateTrigger(datetime.now(UTC) + after)  # APScheduler goes by the machine's own clock
        name = f"{job_of(slot, self._slots[0])}:{day}"
        self._scheduler.add_job(
            self._run, at, args=[entry, slot, day], id=name, replace_existing=True, misfire_grace_time=None
        )

    def _run(self, entry: Clock, slot: Slot, day: date) -> None:
        now = self._context.clock()
        if day < last_due(now, slot.at, slot.zone).date():
            return  # a newer run is due by now, and looks at the same things
        request = Request(user=THE_CLOCK, now=now, source=Source.CLOCK, day=day, slot=slot)
        try:
            with self._working_on(f"the {entry.job_id} audit of {day}"):
                for reply in entry.run(request, self._context):
                    if isinstance(reply, Progress):
                        log.info("%s", reply.text)
                    self._after()
        except Exception as problem:  # noqa: BLE001 - it is tried again; the log and the fallback channel say so
            log_fault(log, problem, "the run %s of %s failed", job_of(slot, self._slots[0]), day)
            self._once(entry, slot, day, AGAIN)
            self._tell(entry, day, problem)
        finally:
            self._after()

    def _tell(self, entry: Clock, day: date, problem: Exception) -> None:
        minutes = int(AGAIN.total_seconds() // 60)
        why = str(problem) if isinstance(problem, EXPLAINED) else type(problem).__name__
        try:
            notify(
                self._context,
                f"{entry.job_id}:{day}",
                f"The {entry.job_id} audit of {day} could not be made: {prose(clip(why, 500))}. "
                f"It is tried again every {minutes} minutes; the log says more.",
            )
        except Exception as fault:  # noqa: BLE001 - where memory cannot be written to, the log is all there is
            log_fault(log, fault, "and that could not be said in Slack either")

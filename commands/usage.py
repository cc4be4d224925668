"""Once a week: how many GB-seconds the functions of each team used, by which the cost of Lambda is shared out.

AWS bills it: one metric for each function, $0.01 for 1,000. It counts towards `[forecast] max_usd_per_day` and takes no
more than half of it, so that forecasts are made on the same day. Functions that there is no room for wait for the next
day, and those that have waited longest come first.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from commands._purse import Purse, exactly, told_today, usd
from commands._types import Answer, Context, Progress, Request
from commands.aws.errors import AwsProblem
from commands.aws.metric_data import OVER_CAP
from commands.aws.usage import gb_seconds, memory_sizes
from commands.views.text import count
from storage.metrics_asked import Purpose
from storage.months import months_before
from storage.usage import Place, UsageLook

USAGE = "usage"
EVERY = timedelta(minutes=1)  # a question to memory alone, until the next look is due
LOOK_EVERY = timedelta(days=7)
MONTHS = 2  # this one and the one before, whose last days the week before could not see


def usage(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Ask for every account's region that has functions and is due. One that AWS will not show is a row with a reason,
    and is asked again on the next day, as is what was left when the day's money was spent."""
    if not context.forecasting.enabled:
        return
    places = due(context)
    if not places:
        return
    purse, problems = Purse(context, Purpose.GB_SECONDS, half=True), []
    for place in places:
        if context.ending.is_set():
            return
        problem = look_at(context, place, purse)
        problems += [problem] if problem else []
    asked = f"GB-seconds asked for with {count(purse.spent, 'metric')}, {exactly(usd(purse.spent))}"
    more = f"; {count(len(problems), 'place')} not known in full, the first: {problems[0]}" if problems else ""
    yield Progress(f"{asked}; {told_today(context)}{more}")


def pending(context: Context) -> bool:
    """Whether an account's region waits to be asked about."""
    return context.forecasting.enabled and bool(due(context))


def due(context: Context) -> list[Place]:
    """Each by its own last look, so that one that was cut short leaves no place out; those that told longest ago first.
    What was looked at after now was so by a clock that has been set back since."""
    now = context.clock()
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    looks = {(look.account, look.region): look for look in context.store.usage.looks()}

    def is_due(place: Place) -> bool:
        look = looks.get(place)
        if look is None or not now - LOOK_EVERY < look.looked_at <= now:
            return True
        return bool(look.problem) and look.looked_at < today

    def told_at(place: Place) -> datetime:
        look = looks.get(place)
        return (look and look.told_at) or datetime.min.replace(tzinfo=UTC)

    return sorted(filter(is_due, context.store.incidents.places()), key=told_at)


def look_at(context: Context, place: Place, purse: Purse) -> str:
    """Keep what one account's region used in the last months; why not all of it is known, as a sentence, "": it is."""
    if purse.empty:
        problem = f"Not asked: {OVER_CAP}."
        context.store.usage.failed(UsageLook(*place, context.clock(), problem=problem))
        return problem
    look = _Look(context, place, purse)
    look.take()
    return look.keep()


class _Look:
    """At one account's region. What AWS told before it failed, or before the bot was ended, is kept and stays known."""

    def __init__(self, context: Context, place: Place, purse: Purse) -> None:
        self._context, self._place, self._purse = context, place, purse
        self._store, self._now, self._spent = context.store.usage, context.clock(), purse.spent
        self._until = self._now.astimezone(UTC).date()
        self._months = [months_before(self._until.replace(day=1), ago) for ago in range(MONTHS)]
        self._told_at = dict(self._store.asked(place, self._months))  # by function
        self._memory: Mapping[str, int] = {}  # MB by function
        self._refused: dict[str, str] = {}  # by function, why it is not known
        self._problem = ""

    def take(self) -> None:
        cloud, since = self._context.cloud, self._months[-1]
        try:
            self._memory = memory_sizes(cloud, *self._place)
            due = self._due(self._memory)
            for part in gb_seconds(cloud, self._place, self._memory, due, (since, self._until), self._purse.take):
                self._store.keep(self._place, part.used, self._months, self._now)
                self._told_at |= dict.fromkeys(part.used, self._now)
                self._refused |= part.refused
        except AwsProblem as problem:
            self._problem = str(problem)

    def keep(self) -> str:
        """Why not all of it is known."""
        memory = self._memory
        left, known = len(self._due(memory)), len(memory.keys() & self._told_at.keys())
        problem = self._problem or self._wanting(left, len(memory))
        metrics = self._purse.spent - self._spent
        look = UsageLook(*self._place, self._now, None, metrics, problem, len(memory), known)
        if problem and self._now not in self._told_at.values():
            self._store.failed(look)
            return problem
        teams = self._context.store.measures.teams_in(self._place)
        self._store.told(self._months, {name: teams.get(name) for name in memory}, look)
        return problem

    def _due(self, memory: Mapping[str, int]) -> list[str]:
        """Functions of which CloudWatch has not told for a week; those first of which it never did, then the oldest."""
        never = datetime.min.replace(tzinfo=UTC)

        def told_at(name: str) -> datetime:
            return self._told_at.get(name, never)

        due = (name for name in memory if not self._now - LOOK_EVERY < told_at(name) <= self._now)
        return sorted(due, key=lambda name: (told_at(name), name))

    def _wanting(self, left: int, functions: int) -> str:
        """`left`: of how many it was asked and did not tell, or not asked."""
        waiting, of = left - len(self._refused), count(functions, "function")
        if waiting:
            return f"{waiting:,} of {of} wait for another day: {OVER_CAP}."
        if self._refused:
            return f"Of {len(self._refused):,} of {of} it is not known: {next(iter(self._refused.values()))}."
        return ""

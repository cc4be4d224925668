"""Every few hours: the alarms on functions, and what became of them, before AWS forgets it.

The first time, the 30 days that AWS still has are read. What was kept stands whatever AWS says later.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from commands._types import Answer, Context, Progress, Request
from commands.aws.alarms import read_alarms, read_history
from commands.aws.errors import AwsProblem
from storage.incidents import AlarmState, Place

INCIDENTS = "incidents"
EVERY = timedelta(minutes=1)  # a question to memory alone, until the next look is due
LOOK_EVERY = timedelta(hours=6)
AWS_KEEPS = timedelta(days=30)
OVERLAP = timedelta(minutes=15)  # what CloudWatch enters late is not missed
LONGEST = timedelta(hours=1)  # of a look at all places: where AWS throttles, each takes a minute in vain
LEFT = "AWS took an hour to answer for other places, and this one was left for the next look."
SIDE_BY_SIDE = 8  # accounts' regions; each has its own limit
MOST_PAGES = 600  # of history in one look at one account's region: 60,000 changes. The next look goes on from there


def incidents(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Look at every account's region that has functions. One that AWS will not show is a row with a reason."""
    last, now = context.store.incidents.last_look(), context.clock()
    if last and last <= now < last + LOOK_EVERY:
        return
    places = context.store.incidents.places()
    if not places:
        return
    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="alarms") as pool:
        problems = [said for said in pool.map(_look_unless(context), places) if said]
    known = f"alarms looked at in {len(places)} accounts' regions"
    yield Progress(f"{known}; {len(problems)} could not be seen, the first: {problems[0]}" if problems else known)


def pending(context: Context) -> bool:
    """Whether an account's region waits to be looked at, or to be looked at again."""
    looks = {(one.account, one.region): one.looked_at for one in context.store.incidents.looks()}
    now = context.clock()
    known = (looks.get(place) for place in context.store.incidents.places())
    return any(at is None or not now - LOOK_EVERY < at <= now for at in known)


def _look_unless(context: Context) -> Callable[[Place], str]:
    """A look at one place, as the problem that it met; empty where there was none."""
    began = context.clock()

    def look(place: Place) -> str:
        if context.ending.is_set():
            return ""
        if context.clock() - began > LONGEST:
            context.store.incidents.failed(place, context.clock(), LEFT)
            return LEFT
        try:
            look_at(context, place)
        except AwsProblem as problem:
            context.store.incidents.failed(place, context.clock(), str(problem))
            return str(problem)
        return ""

    return look


def look_at(context: Context, place: Place, most_pages: int = MOST_PAGES) -> None:
    """Keep what the alarms of one account's region told since the last look. Raises AwsProblem."""
    kept, now = context.store.incidents, context.clock()
    alarms = read_alarms(context.cloud, *place)
    kept.watched(place, alarms, now)
    oldest, seen = now - AWS_KEEPS, kept.seen_until(place)
    if seen and seen > now:
        seen = oldest  # by a clock that has been set back since: how far AWS told then, nobody knows
    since = max(seen - OVERLAP, oldest) if seen else oldest
    if seen and seen < oldest:
        kept.forgotten(place, seen, oldest)
    until = _keep_history(context, place, since, now, most_pages) if kept.any_alarm(place) else now
    if until == now:
        kept.settle(place, {alarm.name for alarm in alarms if alarm.state == AlarmState.OK}, now)
    kept.looked(place, now, since, until)


def _keep_history(context: Context, place: Place, since: datetime, now: datetime, most_pages: int) -> datetime:
    """Until when it was read: `now`, or where so much has happened that the rest is left for the next look."""
    last = since
    for number, page in enumerate(read_history(context.cloud, *place, since, now), start=1):
        context.store.incidents.record(place, page)
        last = max([last, *(one.at for one in page)])
        if number == most_pages or context.ending.is_set():
            return last
    return now

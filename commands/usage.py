"""Once a week: how many GB-seconds the functions of each team used, by which the cost of Lambda is shared out.

AWS bills it: one metric for each function, $0.01 for 1,000. It counts towards `[forecast] max_usd_per_day`, as do the
forecasts of that day.
"""

from datetime import UTC, date, datetime, timedelta

from commands._forecasts import purse_of
from commands._types import Answer, Context, Progress, Request
from commands.aws.errors import AwsProblem
from commands.aws.traffic import METRICS_A_DOLLAR
from commands.aws.usage import gb_seconds, memory_sizes
from storage.months import months_before
from storage.usage import Place, Used

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
    metrics, problems = 0, []
    for place in places:
        if context.ending.is_set():
            return
        asked, problem = look_at(context, place, purse_of(context).left)
        metrics += asked
        problems += [problem] if problem else []
    known = f"GB-seconds asked for with {metrics} metrics, which AWS bills with ${metrics / METRICS_A_DOLLAR:.2f}"
    yield Progress(f"{known}; {len(problems)} places would not tell, the first: {problems[0]}" if problems else known)


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


def look_at(context: Context, place: Place, most: int) -> tuple[int, str]:
    """Keep what one account's region used in the last months; how many metrics that took, and why it is not known."""
    now, asked = context.clock(), 0
    months = [months_before(now.date().replace(day=1), ago) for ago in range(MONTHS)]
    teams = context.store.measures.teams_in(place)
    used: dict[tuple[date, str | None], float] = {}
    try:
        memory = memory_sizes(context.cloud, *place)
        if len(memory) > most:
            why = f"Not asked: {len(memory)} functions there would cost more than [forecast] max_usd_per_day leaves."
            context.store.usage.failed(place, now, why)
            return 0, why
        for metrics, told in gb_seconds(context.cloud, *place, memory, months[-1], now.date()):
            asked += metrics
            for name, month, amount in told:
                key = (month, teams.get(name))
                used[key] = used.get(key, 0.0) + amount
    except AwsProblem as problem:
        context.store.usage.failed(place, now, str(problem), asked)
        return asked, str(problem)
    rows = [Used(month, *place, team, amount) for (month, team), amount in used.items()]
    context.store.usage.save(place, months, rows, now, asked)
    return asked, ""

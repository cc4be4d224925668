"""Once a week: how many GB-seconds the functions of each team used, by which the cost of Lambda is shared out.

AWS bills it: one metric for each function, $0.01 for 1,000, and in one look no more than `[forecast] max_usd_per_day`.
"""

from datetime import date, timedelta

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
    """Ask for every account's region that has functions. One that AWS will not show is a row with a reason."""
    last, now = context.store.usage.last_look(), context.clock()
    if not context.forecasting.enabled or (last and last <= now < last + LOOK_EVERY):
        return
    places = context.store.incidents.places()
    if not places:
        return
    metrics, problems = 0, []
    most = int(context.forecasting.max_usd_per_day * METRICS_A_DOLLAR)
    for place in places:
        if context.ending.is_set():
            return
        try:
            metrics += look_at(context, place, most - metrics)
        except AwsProblem as problem:
            context.store.usage.failed(place, context.clock(), str(problem))
            problems.append(str(problem))
    known = f"GB-seconds asked for with {metrics} metrics, which AWS bills with ${metrics / METRICS_A_DOLLAR:.2f}"
    yield Progress(f"{known}; {len(problems)} places would not tell, the first: {problems[0]}" if problems else known)


def look_at(context: Context, place: Place, most: int) -> int:
    """Keep what one account's region used in the last months; how many metrics that took. Raises AwsProblem."""
    now = context.clock()
    memory = memory_sizes(context.cloud, *place)
    if len(memory) > most:
        why = f"Not asked: {len(memory)} functions there would cost more than [forecast] max_usd_per_day leaves."
        context.store.usage.failed(place, now, why)
        return 0
    months = [months_before(now.date().replace(day=1), ago) for ago in range(MONTHS)]
    teams = context.store.measures.teams_in(place)
    used: dict[tuple[date, str | None], float] = {}
    for name, month, amount in gb_seconds(context.cloud, *place, memory, months[-1], now.date()):
        key = (month, teams.get(name))
        used[key] = used.get(key, 0.0) + amount
    context.store.usage.save(
        place,
        months,
        [Used(month, *place, team, amount) for (month, team), amount in used.items()],
        now,
        len(memory),
    )
    return len(memory)

"""How long incidents took from ALARM to OK, of traced functions and of others, and what of that is not known."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from commands._types import Context
from commands.views.text import plain_day
from storage.incidents import AlarmLook
from storage.kpis import Median, Window
from storage.measures import Counted

STALE = timedelta(days=1)  # what is looked at no more, since it has no functions, is told of no more


@dataclass(frozen=True, slots=True)
class Mttr:
    """Side by side; neither explains the other."""

    traced: Median | None
    untraced: Median | None
    unknown: str = ""  # sentences: why they are not known, or what of the window they leave out


def mttr(context: Context, window: Window, team: str | None, counts: Counted | None) -> Mttr:
    """Of the incidents that ended in the window, of one team or of all (None)."""
    kept, looks = context.store.incidents, context.store.incidents.looks()
    if not any(look.seen_from for look in looks):
        return Mttr(None, None, _nothing_read(looks))
    alarms = context.store.measures.alarms_of(team, counts)
    took: dict[bool | None, list[timedelta]] = {True: [], False: [], None: []}
    for alarm, length, traced in kept.ended(window.since, window.until):
        if alarms is None or alarm in alarms:
            took[traced].append(length)
    open_ones = {True: 0, False: 0, None: 0}
    for alarm, traced in kept.open_at(window.until):
        if alarms is None or alarm in alarms:
            open_ones[traced] += 1
    in_neither = len(took[None]) + open_ones[None]
    return Mttr(
        _median(took[True], open_ones[True]),
        _median(took[False], open_ones[False]),
        " ".join(_left_out(context, window, looks, in_neither)),
    )


def _median(took: Collection[timedelta], going_on: int) -> Median:
    seconds = median(one.total_seconds() for one in took) if took else None
    return Median(seconds, len(took), going_on)


def _nothing_read(looks: Collection[AlarmLook]) -> str:
    problem = next((look.problem for look in looks if look.problem), "")
    return f"No alarm could be read: {problem}" if problem else "The history of alarms was not read yet."


def _left_out(context: Context, window: Window, looks: Collection[AlarmLook], in_neither: int) -> list[str]:
    said = []
    newest = max(look.looked_at for look in looks)
    refused = [look for look in looks if look.problem and look.looked_at > newest - STALE]
    if refused:
        said.append(
            f"Alarms of {len(refused)} of {len(looks)} accounts' regions could not be read the last time: "
            f"{refused[0].problem.rstrip('.')}."
        )
    later = [look.seen_from for look in looks if look.seen_from and look.seen_from > window.since]
    if later:
        of = "" if len(later) == len(looks) else f" of {len(later)} of {len(looks)} accounts' regions"
        said.append(
            f"The history of alarms{of} is known from {_day(min(later))} on, and not before: AWS keeps it for 30 days, "
            "Lamplighter for good."
        )
    gaps = context.store.incidents.gaps(window.since, window.until)
    if gaps:
        since, until = min(gap.since for gap in gaps), max(gap.until for gap in gaps)
        places = len({(gap.account, gap.region) for gap in gaps})
        said.append(
            f"Between {_day(since)} and {_day(until)} nobody looked at {places} accounts' regions for more than "
            "30 days, and what their alarms told then is lost."
        )
    if in_neither:
        said.append(
            "1 incident is in neither: whether its function was traced then is not known."
            if in_neither == 1
            else f"{in_neither} incidents are in neither: whether their functions were traced then is not known."
        )
    lost = context.store.incidents.lost(window.since, window.until)
    if lost:
        said.append(
            "1 incident is over without its end having been seen."
            if lost == 1
            else f"{lost} incidents are over without their end having been seen."
        )
    return said


def _day(at: datetime) -> str:
    return plain_day(at)

"""Every minute: exemptions whose last day is over end, and before that their team is reminded, twice at most.

What is to be done stands in memory and is done by compare-and-set, so that a restart neither repeats nor forgets it.
"""

from datetime import datetime, time, timedelta

from commands import _exempting
from commands._exempted import record_end, redraw
from commands._types import Answer, Context, Progress, Request
from commands.confirm import expire, is_over
from storage.models import THE_CLOCK, Exemption, ExemptState

EXEMPTIONS = "exemptions"
EVERY = timedelta(minutes=1)
DAYS = (1, 7)  # before the last one
REMIND_AT = time(9, 0)  # in the configured zone: nobody is told at midnight
OVER = "Its last day is over."


def turn(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """End what is over, and remind of what ends soon."""
    now = context.clock()
    for asked in context.store.exemptions.waiting():
        if is_over(asked, now):
            expire(context, asked, now)
    ended = sum(_end(context, one, now) for one in context.store.exemptions.over(now))
    for one in context.store.exemptions.ending_before(now, now + timedelta(days=max(DAYS) + 2)):
        _remind(context, one, now)
    if ended:
        yield Progress(f"{ended} exemptions ended")


def _end(context: Context, exemption: Exemption, now: datetime) -> bool:
    store = context.store
    with store.transaction():
        arns = [one.arn for one in store.exempted.of(exemption.id)]
        if not store.exemptions.finish(exemption.id, ExemptState.GRANTED, ExemptState.ENDED, THE_CLOCK, now, OVER):
            return False
        for arn in ["", *arns] if exemption.by_rule else arns or [exemption.function_arn]:
            record_end(context, exemption, arn, OVER)
        _exempting.lift(context, arns)
        redraw(context, exemption)
    return True


def _remind(context: Context, exemption: Exemption, now: datetime) -> None:
    """Of the nearest of the days that have come; not of one that had gone by when the end was chosen."""
    if exemption.let_end_by:
        return
    last = exemption.last_moment.astimezone(context.zone).date()
    for days in DAYS:
        at = datetime.combine(last - timedelta(days=days), REMIND_AT, context.zone)
        if at > now:
            continue
        if (exemption.set_at or exemption.granted_at) <= at:
            _exempting.post(context, exemption, f"exemption-ends:{exemption.id}:{last}:{days}")
        return

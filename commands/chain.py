"""Every ten minutes: whether the history is as it was written. Once a week its newest hash is posted, where nobody can
take it back: a history that is written anew later shows by it."""

import hashlib
from datetime import datetime, timedelta

from commands._types import Answer, Context, Progress, Request
from commands.views.chain import broken_text, head_text
from storage.models import PostKind

CHAIN = "chain"
EVERY = timedelta(minutes=10)
KEPT = timedelta(days=7)  # so long a page of the history may be turned
MONDAY = 0


def chain(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Look at what came since the last head that was posted, and at all of it when the next one is due.

    What is wrong is said at once, and again every week for as long as it is so; no head is posted then.
    """
    store, now = context.store, context.clock()
    due = _due(context, now)
    weekly = due is not None and store.posts.find(_key(due)) is None
    checked = store.chain.verify(None if weekly else store.chain.last_posted())
    if checked.problem and (weekly or due is None):
        what = f"{CHAIN}:{hashlib.sha256(checked.problem.encode()).hexdigest()[:16]}"
        text = broken_text(checked.problem, store.chain.head())
        if _post(context, _key(due) if due else what, text, now):
            yield Progress(f"the history is not as it was written: {checked.problem}")
    elif due and weekly and checked.head:
        with store.transaction():
            post = _post(context, _key(due), head_text(checked.head, context.zone), now)
            if post:
                store.chain.note(checked.head, post, now)
        store.history.forget(now - KEPT)
        yield Progress(f"the head of {checked.rows:,} decisions waits to be posted")


def _due(context: Context, now: datetime) -> datetime | None:
    """The last weekly moment, where something had been decided by then and no head was posted since. One that was
    missed is made up for. As the weekly report's, else on Monday at the time of the daily audit."""
    rules, local = context.reporting, now.astimezone(context.zone)
    weekday = MONDAY if rules.weekly is None else rules.weekly
    at = context.schedule.general.slot.at if rules.weekly is None else rules.at
    day = local.date() - timedelta(days=(local.weekday() - weekday) % 7)
    moment = datetime.combine(day, at, context.zone)
    if moment > local:
        moment = datetime.combine(day - timedelta(days=7), at, context.zone)
    posted = context.store.chain.last_posted()
    since = posted.at if posted else context.store.chain.first_at()
    return moment if since and since < moment else None


def _key(due: datetime) -> str:
    return f"{CHAIN}:{due.date()}"


def _post(context: Context, key: str, text: str, now: datetime) -> int | None:
    """In the fallback channel; None where it was made before."""
    made = context.store.posts.create(key, PostKind.NOTICE, context.teams.fallback_channel, now, text=text)
    return made.id if made else None

"""Every minute: what `[policy.grace]` has fixed where nobody objects. First a notice, and a whole day later a batch.

It does nothing unless the settings name days and teams. What stands in memory moves by compare-and-set, so that a
restart neither repeats nor forgets it; in doubt nothing is changed, and the notice says why.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from commands._approvals import claim
from commands._batch import run_batch
from commands._left_alone import why_left_alone
from commands._order import roots_first
from commands._together import batch_of
from commands._types import Answer, Context, Progress, Request
from commands.digest import DAILY
from commands.views.grace import PAGE
from commands.views.text import count
from storage.fixes import FixRequest, GraceNotice, NoticeState
from storage.models import THE_CLOCK, THE_POLICY, Audit, Function, PostKind

GRACE = "grace"
EVERY = timedelta(minutes=1)
WARNING = timedelta(days=1)  # so long a notice stands in its channel before anything is changed
TO_POST = timedelta(hours=2)  # so late it may be posted and still be good for the day that it names


def grace(request: Request, context: Context) -> Answer:
    """Announce what is to be fixed once for a day, after its audit; have fixed what was announced in good time."""
    today = context.clock().astimezone(context.zone).date()
    context.store.grace.see_posted(context.clock())
    audit = _of_today(context, today)
    for notice in context.store.grace.announced():
        if context.ending.is_set():
            return
        yield from _go_on(request, context, notice, audit, today)
    if audit and context.policy.grace.days and context.store.daily_runs.begin(GRACE, today, context.clock()):
        for team in filter(context.policy.grace.covers, context.store.functions.teams()):
            yield from _announce(context, team, audit, today)
        context.store.daily_runs.end(GRACE, today, context.clock())


def _of_today(context: Context, today: date) -> Audit | None:
    """The newest audit of everything, once today's daily run has ended."""
    ended, _ = context.store.daily_runs.around(DAILY, context.clock() + timedelta(microseconds=1))
    if ended is None or ended.astimezone(context.zone).date() != today:
        return None
    return context.store.audits.latest()


# ---- the notice


def _announce(context: Context, team: str, audit: Audit, today: date) -> Iterator[Progress]:
    """The largest batch at most, callers before the called; what is left comes with the next notice."""
    due = _due(context, team, audit)
    if not due:
        return
    store, now = context.store, context.clock()
    with store.transaction():
        ids = [store.requests.open_for(one, now).id for one in due]
        pages = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
        first = None
        for page, shown in enumerate(pages, 1):
            post = store.posts.create(
                f"grace:{team}:{today.isoformat()}:{page}",
                PostKind.GRACE,
                context.teams.channel_of(team),
                now,
                team=team,
                requests=shown,
                page=page,
                thread=first,
            )
            if post is None:
                return  # this day's was made before
            first = first or post.id
        if first:
            store.grace.announce(
                team,
                context.teams.channel_of(team),
                first,
                len(pages),
                (now + WARNING + TO_POST).astimezone(context.zone).date(),
                [one.arn for one in due],
                now,
            )
    yield Progress(f"grace: {count(len(due), 'function')} of {team} announced")


def _due(context: Context, team: str, audit: Audit) -> list[Function]:
    candidates = context.store.batches.candidates(team, patch_only=context.policy.patch_only_functions)
    found = {}
    for one in candidates:
        function = context.store.functions.get(one.arn)
        if not function or context.store.grace.is_announced(one.arn):
            continue
        if not why_left_alone(context, function, team, audit):
            found[one.arn] = function
    order = roots_first({arn: function.untraced_callers for arn, function in found.items()})
    return [found[arn] for arn in order[: context.policy.largest_batch]]


# ---- its day


def _go_on(
    request: Request, context: Context, notice: GraceNotice, audit: Audit | None, today: date
) -> Iterator[Progress]:
    if not context.policy.grace.covers(notice.team):
        yield from _lapse(context, notice, "lamplighter.toml does not ask for it any more.")
    elif today > notice.fix_on:
        yield from _lapse(context, notice, _why_late(notice, context.clock()))
    elif today == notice.fix_on and audit and _stood(context, notice):
        yield from _take(request, context, notice, audit)


def _stood(context: Context, notice: GraceNotice) -> bool:
    """Whether it has been in its channel for a whole day."""
    return _warned(notice, context.clock()) and context.store.grace.is_there(notice.id)


def _warned(notice: GraceNotice, now: datetime) -> bool:
    return notice.posted_at is not None and now - notice.posted_at >= WARNING


def _why_late(notice: GraceNotice, now: datetime) -> str:
    if not _warned(notice, now):
        return "This notice had not stood in its channel for a whole day."
    return "No audit of everything ended that day, or this notice was deleted from the channel."


def _lapse(context: Context, notice: GraceNotice, why: str) -> Iterator[Progress]:
    if context.store.grace.end(notice.id, NoticeState.LAPSED, THE_CLOCK, context.clock(), why):
        yield Progress(f"grace: notice {notice.id} for {notice.team} lapsed. {why}")


def _take(request: Request, context: Context, notice: GraceNotice, audit: Audit) -> Iterator[Progress]:
    """Approve what still may be fixed, all in one transaction with the notice's end, and carry it out as any batch."""
    store, policy = context.store, Request(user=THE_POLICY, now=request.now, source=request.source)
    with store.transaction():
        if not store.grace.end(notice.id, NoticeState.TAKEN, THE_POLICY, context.clock()):
            return  # somebody objected just now
        left, taken = {}, []
        for arn in store.grace.functions(notice.id):
            why, asked = _approve(policy, context, notice, arn, audit)
            if asked:
                taken.append(asked)
            else:
                left[arn] = why
        batch = batch_of(policy, context, notice.team, taken, _rule(context, notice)) if taken else None
        store.grace.keep_outcome(notice.id, batch.id if batch else None, left)
    yield Progress(f"grace: {count(len(taken), 'function')} of {notice.team} to be fixed, {len(left)} left alone")
    if batch:
        run_batch(context, batch.id)


def _approve(
    policy: Request, context: Context, notice: GraceNotice, arn: str, audit: Audit
) -> tuple[str, FixRequest | None]:
    """Its request where it was approved, else why not. What was shown is what memory says: no other plan counts."""
    store = context.store
    function = store.functions.get(arn)
    if function is None:
        return "It no longer exists.", None
    why = why_left_alone(context, function, notice.team, audit)
    if why:
        return why, None
    asked = store.requests.open_for(function, context.clock())
    store.requests.forget_plan(asked.id)
    why = claim(policy, context, asked, _rule(context, notice))
    return why, None if why else asked


def _rule(context: Context, notice: GraceNotice) -> str:
    """What allows such a fix; kept with the decision."""
    return f"{context.policy.grace.rule}; notice {notice.id}, posted {notice.posted_at}"

"""Once a day, what tracing cost: Cost Explorer is asked, its answer kept, and whoever has to know of the budget told.

Every request costs a cent, so nothing else asks it: what people look at stands in memory.
"""

from datetime import UTC, date, datetime, time, timedelta

from commands import _budget_alerts
from commands._schedule import waits_until
from commands._types import Answer, Context, Progress, Request
from commands._xray_shares import keep_shares
from commands.aws.cost_explorer import PRICE, CostExplorer, needs_somebody
from commands.aws.errors import AwsProblem
from commands.digest import job_of
from commands.set_budget import end_cut_short
from commands.views.text import clip, count, prose, sentence
from storage.models import PostKind
from storage.months import months_before
from storage.spend import SpendLookUp

SPEND = "spend"
EVERY = timedelta(seconds=10)  # a question to memory alone, so that an alert follows soon on the audit
AGAIN = timedelta(minutes=15)  # after a look that failed: each one costs
PATIENCE = timedelta(hours=1)  # with the day's audit: after it more is known of what drives the cost
MONTHS = 13  # that are asked for at first, the present one among them: as many as Cost Explorer keeps by itself
USAGE_TYPES_EVERY = timedelta(days=7)
FIRST_DAYS = 3  # of a month, of which no forecast can be made yet


def turn(request: Request, context: Context) -> Answer:  # noqa: ARG001 - a command's shape
    """Ask when the day's audit is over; before its hour, which is `[schedule] daily`, where it was never asked."""
    end_cut_short(context)
    slot, now = context.schedule.general.slot, context.clock()
    local = now.astimezone(slot.zone)
    store, rules = context.store, context.spending
    if not rules.enabled or _early(context, local) or store.daily_runs.ended(SPEND, local.date()):
        return
    last = store.spend.last_asked()
    if last and not last.told and timedelta(0) <= now - last.asked_at < AGAIN:
        return
    store.daily_runs.begin(SPEND, local.date(), now)
    asked = _look_up(context, now)
    if asked:
        cost = f"{count(asked.requests, 'request')} to Cost Explorer, ${asked.usd}"
        yield Progress(f"{cost}{f': {asked.problem}' if asked.problem else ''}")
        if asked.denied:
            _tell_denied(context, asked, now)
        if asked.told:
            keep_shares(context)
    _budget_alerts.look(context, now)
    if asked is None or asked.told or asked.denied:  # all else may pass by itself: again on the next turn
        store.daily_runs.end(SPEND, local.date(), context.clock())


def pending(context: Context) -> bool:
    """Whether today's look is due, and has not come to its end."""
    zone = context.schedule.general.slot.zone
    local = context.clock().astimezone(zone)
    if not context.spending.enabled or context.store.daily_runs.ended(SPEND, local.date()):
        return False
    return not _before_hour(context, local) or context.store.spend.last_asked() is None


def _early(context: Context, local: datetime) -> bool:
    """Whether the day's hour has yet to come, or its audit is under way. `local`: on the clock of the general slot."""
    slot, store = context.schedule.general.slot, context.store
    if _before_hour(context, local):
        return store.spend.last_asked() is not None
    due = datetime.combine(local.date(), slot.at, slot.zone)
    return local < waits_until(due, PATIENCE) and not store.daily_runs.ended(job_of(slot, slot), local.date())


def _before_hour(context: Context, local: datetime) -> bool:
    slot = context.schedule.general.slot
    return local < datetime.combine(local.date(), slot.at, slot.zone)


def _look_up(context: Context, now: datetime) -> SpendLookUp | None:
    """What came of it, kept; None where the day's requests are used up."""
    store, today = context.store, now.astimezone(UTC).date()
    left = context.spending.max_requests_per_day - store.spend.requests_since(_midnight(today))
    if left <= 0:
        return None
    explorer = CostExplorer(context.cloud, left)
    look = _Look(context, explorer, now, today)
    look.take()
    asked = SpendLookUp(
        now, explorer.requests, explorer.requests * PRICE, look.problem, told=look.told, denied=look.denied
    )
    store.spend.asked(asked, look.found)
    return asked


class _Look:
    """One look-up: first which usage types there are, then the months, then the days of which a forecast is made."""

    def __init__(self, context: Context, explorer: CostExplorer, now: datetime, today: date) -> None:
        self._store, self._explorer, self._now, self._today = context.store, explorer, now, today
        self.problem, self.told, self.denied = "", False, False
        self.found: tuple[str, ...] | None = None  # the usage types, where they were asked for and told

    def take(self) -> None:
        until, present = self._today + timedelta(days=1), self._today.replace(day=1)
        first = self._first(present)
        usage_types = self._usage_types(months_before(present, MONTHS - 1), until)
        try:
            bills = self._explorer.months(first, until, usage_types)
        except AwsProblem as problem:
            self.problem = ""  # whatever was said of a part
            self._note(problem, "")
            return
        self._store.spend.save(bills.bills, self._now, bills.estimated)
        self.told = True
        if self._today.day > FIRST_DAYS:
            try:
                self._store.spend.save_days(self._explorer.days(present, until, usage_types))
            except AwsProblem as problem:
                self._note(problem, "the days of the month, of which a forecast is made: ")

    def _first(self, present: date) -> date:
        """The month before this one; where nobody asked for longer than that, the one before the last that was asked
        for, whose bill may not have been final."""
        oldest, last = months_before(present, MONTHS - 1), self._store.spend.last_asked(that_told=True)
        if last is None:
            return oldest
        asked_in = min(last.asked_at.astimezone(UTC).date().replace(day=1), present)
        return max(oldest, months_before(asked_in, 1))

    def _usage_types(self, since: date, until: date) -> tuple[str, ...]:
        """As they were known before where AWS will not say."""
        known = self._store.spend.usage_types()
        if known and timedelta(0) <= self._now - known[0] < USAGE_TYPES_EVERY:
            return known[1]
        try:
            self.found = self._explorer.usage_types(since, until)
        except AwsProblem as problem:
            self._note(problem, "whether Transaction Search, which counts as X-Ray, is on the bill: ")
            return known[1] if known else ()
        return self.found

    def _note(self, problem: AwsProblem, what: str) -> None:
        self.problem = self.problem or f"{what}{problem}"
        self.denied = self.denied or needs_somebody(problem)


def _tell_denied(context: Context, asked: SpendLookUp, now: datetime) -> None:
    """Once a month, where FinOps reads: somebody has to change a policy, or a setting."""
    key = f"notice:spend:{'in part' if asked.told else 'all'}:{now:%Y-%m}"
    text = f"*What X-Ray costs is not known{', all of it' if asked.told else ''}.* "
    text += sentence(prose(clip(asked.problem, 1500)))
    context.store.posts.create(key, PostKind.NOTICE, _budget_alerts.channel_of(context), now, text=text)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)

"""Five weeks that the demo's bot pretends to have lived through, kept as the bot keeps them.

`python -m bot.demo.past`, with the bot's environment, before the bot itself starts: one look at the pretend cloud as it
is, from which each day's audit takes back what came later. What decides and remembers is the product's; the clock
alone is moved.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from bot.config import Config, load
from bot.nobody import Nobody
from bot.scheduler import last_due
from commands import _approvals, _decide, _exempting, _requests
from commands._audits import keep_audit, remember
from commands._forecasts import forecast_now
from commands._mornings import known_after, standing
from commands._types import Context, Request
from commands.approvers import keep
from commands.aws.accounts import Cloud
from commands.aws.checks import judge
from commands.aws.inventory import take_inventory
from commands.digest import AUDIT, DAILY
from storage.approvers import ApprovalRules
from storage.digests import Told
from storage.exemptions import Wish
from storage.fixes import Receipt, RequestState
from storage.models import DecisionKind, Function, Inventory, MayWrite, Source, TracingMode, Verdict
from storage.store import Store, open_store

DAYS = 35
_READ = timedelta(seconds=9)  # so long each audit took
_FIXED_HERE = 9
_ASKED = 0.6  # of these fixes, the share that somebody else had asked for
_WHY_ASKED = "We were blind here in the last incident."
_UNDO = timedelta(hours=24)
_CHECKED = 28  # days ago: X-Ray still has the whole week after a fix, and has it for 30 days

# By how much each team did better: the share of what it has traced by now that was untraced when this begins.
_LATE = {"payments": 0.6, "checkout": 0.3, "search": 0.45, "identity": 0.2, "data-platform": 0.5, "mobile-bff": 0.25}
_MADE = {  # so many days ago an audit saw them first; 0: today's does
    "tax-quote": 0,
    "address-autocomplete": 0,
    "experiment-metrics": 0,
    "embedding-builder": 17,
    "wishlist-sync": 24,
}
_LOST_ITS_POLICY = "feature-flags"  # its role had the permission until yesterday: today's audit finds that out
_EXEMPT = "relevance-experiments"
_EXEMPT_DAYS_AGO, _EXEMPT_DAYS = 12, 40
_WHY_EXEMPT = "An experiment of two months; it is deleted in December or moved to production, with tracing."


class _Clock:
    """Stands where it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def main() -> None:
    """Raises ConfigProblem, StorageProblem or AwsProblem."""
    config = load()
    cloud = Cloud(config.aws)
    seen = take_inventory(cloud, tag_keys=config.teams.tag_keys)
    with open_store(config.database) as store:
        live_through(config, store, cloud, seen)


def live_through(config: Config, store: Store, cloud: Cloud, seen: Inventory, days: int = DAYS) -> None:
    """An audit on each of the `days` before today, and what people decided after it. `seen`: the cloud as it is now."""
    slot = config.schedule.general.slot
    today = last_due(datetime.now(UTC), slot.at, slot.zone)
    clock = _Clock(today)
    context = Context(store, cloud, config.teams, Nobody(), clock, config.zone, config.policy, config.schedule)
    past = _Past(context, clock, seen, today, days, config.file.policy.approvers)
    past.foresee()
    with store.transaction():  # all of it or nothing, and written to the disk once
        for ago in range(days, 0, -1):
            past.day(ago)
        past.tell_teams()


class _Past:
    def __init__(
        self,
        context: Context,
        clock: _Clock,
        seen: Inventory,
        today: datetime,
        days: int,
        approvers: Sequence[str],
    ) -> None:
        self._context, self._clock, self._seen, self._today = context, clock, seen, today
        self._approvers = approvers
        self._lit = {one.arn: ago for one in seen.functions if (ago := self._lit_ago(one, days))}
        here = sorted(self._lit, key=lambda arn: random.Random(f"{arn} here").random())
        self._here = frozenset(here[:_FIXED_HERE])

    def foresee(self) -> None:
        """What was forecast of each function on the morning of its fix. X-Ray's counts are asked for by the bot itself,
        which finds these fixes a week old and more."""
        for function in self._seen.functions:
            ago = self._lit.get(function.arn, 0) - 1
            if function.arn in self._here and ago <= _CHECKED:
                self._clock.now = self._today - timedelta(days=ago)
                forecast_now(self._context, [function])

    def day(self, ago: int) -> None:
        """Its audit in the morning, and then what an approver clicked."""
        store, due = self._context.store, self._today - timedelta(days=ago)
        day = due.date()
        self._clock.now = due + _READ
        for job in (DAILY, AUDIT):
            store.daily_runs.begin(job, day, due)
            store.daily_runs.end(job, day, self._clock())
        functions = tuple(self._as_it_was(ago))
        store.requests.end_undo(due)
        keep(self._context, ApprovalRules(tuple(self._approvers)))
        taken = keep_audit(self._context, replace(self._seen, functions=functions), due, source=Source.CLOCK)
        dark = {one.arn: one for one in taken.functions if one.verdict is Verdict.UNTRACED}
        for number, arn in enumerate(sorted(self._here & dark.keys())):
            if self._lit[arn] == ago - 1:
                self._clock.now = due + timedelta(hours=1, minutes=17 * number, seconds=41)
                self._fix(dark[arn], number)
        if ago == _EXEMPT_DAYS_AGO:
            self._clock.now = due + timedelta(hours=2)
            self._exempt([one for one in dark.values() if one.name == _EXEMPT])

    def tell_teams(self) -> None:
        """They were told yesterday of what was untraced, last in a message of a week ago."""
        store, zone = self._context.store, self._context.schedule.general.slot.zone
        told_at = self._today - timedelta(days=1) + _READ
        day = told_at.astimezone(zone).date()
        for team in [*store.functions.teams(), None]:
            known = known_after(standing(store.functions.members(team), ()), None, ())
            posted_on = day - timedelta(days=6)
            store.digests.keep(Told(team, day, told_at, posted_on=posted_on, news_after=told_at, known=known))

    def _lit_ago(self, function: Function, days: int) -> int:
        """So many days ago an audit found it traced for the first time; 0: it was so before all this."""
        dice = random.Random(f"{function.arn} lit")
        if function.verdict is not Verdict.TRACED or dice.random() >= _LATE.get(function.team or "", 0):
            return 0
        ago = dice.randint(1, days - 2)
        while (self._today - timedelta(days=ago)).weekday() in (5, 6, 0):  # nobody turned it on the day before
            ago += 1
        return min(ago, days - 1)

    def _as_it_was(self, ago: int) -> Iterator[Function]:
        """The functions as an audit of that day would have found them."""
        for one in self._seen.functions:
            if one.name == _LOST_ITS_POLICY:
                yield judge(structs.replace(one, role_may_write=MayWrite.YES, findings=()))
            elif self._lit.get(one.arn, 0) and ago > self._lit[one.arn]:
                yield judge(structs.replace(one, mode=TracingMode.PASS_THROUGH, findings=()))
            elif _MADE.get(one.name, ago) >= ago:
                yield one

    def _fix(self, function: Function, number: int) -> None:
        """Approved with a click on a digest, or after another had asked, and carried out on a function of the pretend
        cloud of that day."""
        context, store = self._context, self._context.store
        approver, other = (self._approvers[one % len(self._approvers)] for one in (number, number + 1))
        asked = store.requests.open_for(function, self._clock())
        if random.Random(f"{function.arn} asked").random() < _ASKED:
            _requests.ask(Request(other, self._clock(), Source.SLASH), context, asked, _WHY_ASKED)
            self._clock.now += timedelta(minutes=4)
        click = Request(approver, self._clock(), Source.BUTTON, value=asked.id)
        refused = _approvals.claim(click, context, asked, f"[policy] approvers: {approver}")
        if refused:
            raise AssertionError(refused)
        self._clock.now += timedelta(seconds=14)
        remember(context, [structs.replace(function, mode=TracingMode.ACTIVE)], self._clock())
        with store.transaction():
            now = self._clock()
            made = (str(uuid.UUID(int=random.Random(f"{function.arn} write").getrandbits(128), version=4)),)
            store.requests.keep_receipt(asked.id, Receipt(mode_before=function.mode, requests=made))
            store.requests.finish(asked.id, RequestState.APPLIED, now, undo_until=now + _UNDO)
            if forecast := store.forecasts.get(function.arn):
                store.forecast_checks.plan(asked.id, function.arn, now, forecast)
            _decide.record(
                context,
                DecisionKind.APPLIED,
                function.arn,
                actor=approver,
                request_id=asked.id,
                before=str(function.mode),
                after=str(TracingMode.ACTIVE),
                detail={"changed": True, "aws_requests": list(made)},
            )

    def _exempt(self, functions: Sequence[Function]) -> None:
        context, store = self._context, self._context.store
        until = _exempting.end_of(self._clock().date() + timedelta(days=_EXEMPT_DAYS), context.zone)
        for function in functions:
            form = Request(self._approvers[0], self._clock(), Source.FORM)
            wish = Wish(_WHY_EXEMPT, until, function.team, (function.team,), function.arn)
            with store.transaction():
                _exempting.grant(form, context, wish, [function], f"[policy] approvers: {self._approvers[0]}")


if __name__ == "__main__":
    main()

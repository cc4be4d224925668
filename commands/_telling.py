"""Seeing to one team's digest on one morning: what it is told, which message says it, and what is remembered of that.

All of it is one transaction, so that a run that was cut short repeats and forgets no team.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from commands._changes import last_known
from commands._costs import forecasts_of, in_order, shown_with
from commands._mornings import (
    Look,
    Morning,
    Standing,
    known_after,
    news_of,
    standing,
    still_news,
    what_to_do,
)
from commands._types import Context
from commands.views.digest import PAGE
from commands.views.listing import fits_a_table
from commands.views.living import zero_text
from storage.connection import to_json
from storage.digests import News, Told, Why
from storage.fixes import RequestState
from storage.forecasts import Forecast
from storage.models import Audit, Coverage, DecisionKind, Function, Post, PostKind, PostState, Snooze
from storage.news import Change

# Of a list that is longer than a page: rows for what is news; where nothing is, for those that come first.
NEWS_ROWS = 10
FIRST_ROWS = 3
CARRIED = 3  # rows for fixes that can still be undone, though their functions are traced now


@dataclass
class Day:
    """What all teams of a run share, read once."""

    context: Context
    audit: Audit
    day: date
    dim: frozenset[str | None]  # teams of whose functions the audit could not see all
    snoozed: frozenset[str]  # ARNs
    quiet: Mapping[str | None, Snooze]  # whole teams
    _changes: dict[datetime, dict[str | None, list[Change]]]
    _turns: dict[datetime, dict[str, DecisionKind]]

    @classmethod
    def of(cls, context: Context, audit: Audit, day: date, due: datetime | None = None) -> "Day":
        """`due`: when the run was to begin. An audit takes minutes, and not each morning the same: what was snoozed a
        day ago, after a faster one, is so still."""
        naps = context.store.snoozes.in_force(context.clock(), due)
        return cls(
            context,
            audit,
            day,
            frozenset(one.function.team for one in last_known(context, audit)),
            frozenset(one.function_arn for one in naps if one.function_arn),
            {one.team: one for one in naps if one.function_arn is None},
            {},
            {},
        )

    @cached_property
    def not_seen(self) -> list[list[str]]:
        return [[one.account, one.region, one.reason] for one in self.audit.not_scanned]

    def changes(self, team: str | None, told: Told | None) -> Sequence[Change]:
        """What audits told of the team since it was told; of one that was never told of anything, all is new."""
        if told is None:
            return ()
        if told.looked_at not in self._changes:
            teams: dict[str | None, list[Change]] = {}
            for one in self.context.store.changes.between(told.looked_at, self.audit.finished_at):
                teams.setdefault(one.team, []).append(one)
            self._changes[told.looked_at] = teams
        return self._changes[told.looked_at].get(team, ())

    def turned(self, told: Told | None, kind: DecisionKind) -> Collection[str]:
        """The functions whose tracing was turned on here since the team was told, or had that taken back."""
        if told is None:
            return ()
        if told.looked_at not in self._turns:
            self._turns[told.looked_at] = self.context.store.decisions.turns_since(told.looked_at)
        return {arn for arn, turn in self._turns[told.looked_at].items() if turn is kind}


def tell(context: Context, team: str | None, day: Day) -> Morning:
    """Once a day for each team; what was done."""
    store = context.store
    with store.transaction():
        told = store.digests.of_team(team)
        if told and told.looked_on >= day.day:
            return Morning.SILENCE
        members = store.functions.members(team)
        now = standing(members, day.snoozed)
        refuted = {arn for arn in day.turned(told, DecisionKind.APPLIED) if arn in now.untraced}
        said = store.deployments.still_said(now.untraced.values())
        fresh = news_of(
            now,
            told,
            day.changes(team, told),
            day.turned(told, DecisionKind.UNDONE),
            {arn for arn in refuted if now.untraced[arn].fixable},
            said,
        )
        forecasts = forecasts_of(context, now.untraced.values())
        shows = shown_with(_shows(day, team, members, now, forecasts), forecasts, told.shows if told else "")
        living = _living(context, told)
        plan, posted_on = context.schedule.of_team(team), told.posted_on if told else None
        if posted_on is None and said:  # what it was told of one by one is no reason for a first digest today
            posted_on = max(said.values()).astimezone(plan.slot.zone).date()
        what = what_to_do(
            Look(
                untraced=len(now.untraced),
                awake=len(now.untraced) - len(now.snoozed),
                news=len(fresh),
                sure=team not in day.dim and not _in_doubt(now, told),
                lives=living is not None,
                changed=told is None or told.shows != shows,
                zero_told=bool(told and told.zero_told),
                may_post=plan.may_post(day.day, posted_on),
                week_is_due=plan.week_is_due(day.day, posted_on),
                snoozed=team in day.quiet,
            )
        )
        _Telling(context, day, team, now, told, fresh, shows, living, Coverage.of(members), forecasts).do(what)
    return what


def _living(context: Context, told: Told | None) -> Post | None:
    """The message that can be edited; one that Slack does not show any more cannot."""
    post = context.store.posts.get(told.post) if told and told.post is not None else None
    return post if post and post.state is not PostState.ABANDONED else None


def _in_doubt(now: Standing, told: Told | None) -> bool:
    """Whether some that were untraced may be so still."""
    return any(arn in now.unknown for arn in (told.known if told else ()))


def _shows(
    day: Day, team: str | None, members: Sequence[Function], now: Standing, forecasts: Mapping[str, Forecast]
) -> str:
    """A hash of what the message is drawn from: no change is silence. Without the time of the audit, and without what
    is called news, for that ends with the next message and not with a change; of forecasts without the numbers.
    """
    costs = sorted((arn, one.usd is not None, one.busy, one.invocations > 0) for arn, one in forecasts.items())
    rows = [
        [one.arn, str(one.mode), str(one.role_may_write), [finding.text for finding in one.findings]]
        for one in now.untraced.values()
    ]
    nap = day.quiet.get(team)
    counts = _counts(Coverage.of(members))
    what = [counts, rows, sorted(now.snoozed), nap.id if nap else "", day.not_seen, team in day.dim, costs]
    return hashlib.sha256(to_json(what).encode()).hexdigest()[:32]


def _counts(coverage: Coverage) -> list[int]:
    return [coverage.traced, coverage.untraced, coverage.exempt, coverage.not_applicable, coverage.unknown]


@dataclass(frozen=True, slots=True)
class _Telling:
    context: Context
    day: Day
    team: str | None
    now: Standing
    told: Told | None
    fresh: Mapping[str, Why]
    shows: str
    living: Post | None
    coverage: Coverage
    forecasts: Mapping[str, Forecast]

    def do(self, what: Morning) -> None:
        match what:
            case Morning.NEW:
                self._new()
            case Morning.EDIT | Morning.ZERO:
                self._edit(zero=what is Morning.ZERO)
            case Morning.SILENCE:
                self._keep(untold=self.fresh)

    def _new(self) -> None:
        """The old one gives way once Slack has the new one."""
        posts, news = self.context.store.posts, {arn: News(why, self.day.day) for arn, why in self.fresh.items()}
        order = self._order(news)
        post = posts.create(
            f"digest:{self.team or ''}:{self.day.day}:1",
            PostKind.DIGEST,
            self.context.teams.channel_of(self.team),
            self.context.clock(),
            team=self.team,
            requests=self._rows(order, news),
        )
        if post is None:
            return
        posts.retire_all(self.team, post.id)
        self._list_below(post, len(self.now.untraced), files=True)
        self._keep(post=post.id, posted_on=self.day.day, news=news)

    def _edit(self, *, zero: bool) -> None:
        if self.living is None:
            return
        posts = self.context.store.posts
        news = still_news(self.now, self.told, self.fresh, self.day.day)
        posts.show(self.living.id, self._rows(self._order(news), news))
        posts.redraw(self.living.id)
        self._list_below(self.living, len(self.now.untraced), files=False)
        if zero:
            posts.create(
                f"zero:{self.team or ''}:{self.day.day}",
                PostKind.NOTICE,
                self.living.posted_channel or self.living.channel,
                self.context.clock(),
                team=self.team,
                text=zero_text(self.team, self.coverage, self._zero_since() or self.day.audit.finished_at),
            )
        self._keep(news=news, untold=self.fresh, zero_told=zero or bool(self.told and self.told.zero_told))

    def _zero_since(self) -> datetime | None:
        if self.now.untraced:
            return None
        return (self.told and self.told.zero_since) or self.day.audit.finished_at

    def _keep(
        self,
        *,
        post: int | None = None,
        posted_on: date | None = None,
        news: Mapping[str, News] | None = None,
        untold: Collection[str] = (),
        zero_told: bool = False,
    ) -> None:
        """What is remembered; `post`, `posted_on` and `news` stay as they were unless they are given."""
        audit, told = self.day.audit, self.told
        base = told or Told(self.team, self.day.day, audit.finished_at)
        since = self._zero_since()
        kept_news = still_news(self.now, told, self.fresh, self.day.day) if news is None else news
        self.context.store.digests.keep(
            replace(
                base,
                looked_on=self.day.day,
                looked_at=audit.finished_at,
                post=base.post if post is None else post,
                posted_on=posted_on or base.posted_on,
                news_after=base.looked_at if told and (post or self.shows != base.shows) else base.news_after,
                zero_since=since,
                zero_told=bool(since) and (zero_told or base.zero_told),
                known=known_after(self.now, told, untold),
                news=kept_news,
                shows=self.shows,
            )
        )

    def _order(self, news: Mapping[str, News]) -> list[Function]:
        """Those that are awake, in the order of their rows."""
        awake = [one for arn, one in self.now.untraced.items() if arn not in self.now.snoozed]
        return in_order(self.context, awake, news, self.forecasts)

    def _rows(self, order: Sequence[Function], news: Mapping[str, News]) -> list[str]:
        """The requests that the message shows as rows with buttons."""
        carried = self._carried()
        if len(order) + len(carried) <= PAGE:
            rows = order
        else:
            rows = [one for one in order if one.arn in news][:NEWS_ROWS] or order[:FIRST_ROWS]
        requests, now = self.context.store.requests, self.context.clock()
        found = [requests.open_for(function, now).id for function in rows]
        for one in found:
            requests.forget_plan(one)
        return [*found, *(one for one in carried if one not in found)][:PAGE]

    def _carried(self) -> list[str]:
        """Fixes of the message before that can still be undone, or are at work: their buttons must not be lost."""
        if self.told is None or self.told.post is None:
            return []
        store, found = self.context.store, []
        for number in store.posts.requests_of(self.told.post):
            one = store.requests.get(number)
            undoable = one.state is RequestState.APPLIED and one.undo_until is not None
            if undoable or one.state in (RequestState.RUNNING, RequestState.UNDOING):
                found.append(number)
        return found[:CARRIED]

    def _list_below(self, post: Post, total: int, *, files: bool) -> None:
        """The whole list in the thread: a table, drawn again with the message; a file of what no table holds."""
        posts, now = self.context.store.posts, self.context.clock()
        lists = [one for one in posts.replies(post.id) if one.kind is PostKind.LIST]
        for one in lists:
            posts.redraw(one.id)
        if total <= PAGE or lists:
            return
        kind = PostKind.LIST if fits_a_table(list(self.now.untraced.values()), self.forecasts) else PostKind.FILE
        if kind is PostKind.LIST or files:
            key = f"{kind}:{self.team or ''}:{self.day.day}"
            posts.create(key, kind, post.channel, now, team=self.team, thread=post.id)

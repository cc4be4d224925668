"""Evidence of a range of days: who could decide, who did, coverage, exceptions, and what nobody saw. From memory alone.

Nothing is made up: what memory does not have is None, or named as a gap.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from commands._context import Context
from storage.approvers import ApprovalRules
from storage.evidence import Act, Look
from storage.models import ORGANIZATION, THE_CLOCK, THE_POLICY, Coverage, DecisionKind
from storage.proof import (
    APPROVED,
    ENDED,
    EXEMPTED,
    OTHER,
    UNDONE,
    ApproversThen,
    Evidence,
    Measured,
    Person,
    Range,
    Team,
    Unseen,
)
from storage.version import VERSION

_COLUMN = {
    DecisionKind.APPROVED: APPROVED,
    DecisionKind.EXEMPTED: EXEMPTED,
    DecisionKind.EXEMPTION_EXTENDED: EXEMPTED,
    DecisionKind.UNDO: UNDONE,
    DecisionKind.DENIED: ENDED,
    DecisionKind.STOPPED: ENDED,
    DecisionKind.EXEMPTION_DENIED: ENDED,
    DecisionKind.EXEMPTION_REVOKED: ENDED,
    DecisionKind.EXEMPTION_LEFT: OTHER,
    DecisionKind.OWNER_ASSIGNED: OTHER,
    DecisionKind.OWNER_ENDED: OTHER,
    DecisionKind.BUDGET_APPROVED: OTHER,
}
MOMENT = timedelta(microseconds=1)  # what happened just now belongs to what is told of now
FIXES = (DecisionKind.APPLIED, DecisionKind.FAILED, DecisionKind.UNDONE, DecisionKind.UNDO_FAILED)


class NoEvidence(Exception):
    """There is nothing to tell of these days; the message says why, and what can be asked."""


def read_days(since: str, until: str, context: Context) -> Range:
    """Two dates as somebody wrote them. Raises NoEvidence."""
    first, last = _day(since), _day(until)
    if first > last:
        raise NoEvidence(f"{first} is after {last}: write the first day, then the last.")
    now, zone = context.clock(), context.zone
    if last > now.astimezone(zone).date():
        raise NoEvidence(
            f"{last} has not come yet: the last day can be {now.astimezone(zone).date()}, as far as it goes."
        )
    start = datetime.combine(first, time.min, zone).astimezone(UTC)
    end = min(now + MOMENT, datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC))
    begins = context.store.past.begins()
    if begins is None:
        raise NoEvidence("No audit was taken yet, so there is nothing to show: python -m bot audit, or /trace-audit.")
    if end <= begins:
        raise NoEvidence(
            f"Nothing is known up to {last}: the first audit was taken on {begins.astimezone(zone).date()}."
        )
    return Range(first, last, zone.key, start, end)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NoEvidence(f"{text[:40]!r} is no date: write it like 2026-07-01.") from None


def make_evidence(context: Context, days: Range, team: str | None) -> Evidence:
    """Of one team, or of all (None). Reads every decision that there is, to check their chain."""
    store, start, end = context.store, days.start, days.end
    broken, head = store.decisions.verify(), store.evidence.head()
    acts, strange = store.evidence.acts(start, end, team)
    approvers = _approvers(context, days)
    looks = store.evidence.looks(start, end)
    begins = store.past.begins()
    measured = _Measured(context, days, looks, team)
    return Evidence(
        range=days,
        team=team,
        made_at=context.clock(),
        version=VERSION,
        database=store.path.name,
        head=head,
        rows=head.number if head else 0,
        broken=broken,
        first=acts[0].number if acts else None,
        last=acts[-1].number if acts else None,
        history_since=begins,
        accounts=store.evidence.accounts(start, end, team),
        approvers=approvers,
        decisions=len(acts),
        strange=strange,
        people=_people(acts, context, approvers),
        by_policy=sum(act.kind is DecisionKind.APPROVED and act.actor == THE_POLICY for act in acts),
        without_another=sum(
            act.kind is DecisionKind.APPROVED and act.actor != THE_POLICY and act.asked_by in ("", act.actor)
            for act in acts
        ),
        self_approved=tuple(filter(_is_self_approved, acts)),
        second_person=len({act.detail.get("exemption") for act in acts if _is_second(act)}),
        refused=tuple(act for act in acts if act.kind is DecisionKind.REFUSED),
        fixes=Counter(str(act.kind) for act in acts if act.kind in FIXES),
        exceptions=tuple(store.evidence.exceptions(start, end, team)),
        outside=tuple(store.evidence.outside(start, end, team)),
        production_only=measured.production,
        start=measured.start,
        end=measured.end,
        lowest=measured.lowest,
        teams=measured.teams(),
        audits=len(looks),
        no_audit=_no_audit(context, days, looks, begins),
        unseen=_unseen(context, looks),
    )


# ---- who could, and who did


def _approvers(context: Context, days: Range) -> ApproversThen:
    kept = context.store.approvers
    begins = kept.begins()
    looked = kept.days()
    first = max(days.start, begins).astimezone(UTC).date() if begins else None
    yesterday = context.clock().astimezone(UTC).date() - timedelta(days=1)  # there is still time for today's look
    last = min((days.end - MOMENT).astimezone(UTC).date(), yesterday)
    return ApproversThen(
        begins,
        kept.at(days.start),
        kept.at(days.end),
        tuple(kept.changed(days.start, days.end)),
        tuple(day for day in _days(first, last) if day not in looked) if first else (),
        kept.verify(),
    )


def _people(acts: Iterable[Act], context: Context, approvers: ApproversThen) -> tuple[Person, ...]:
    counts: dict[str, Counter[str]] = {}
    selves, strangers = Counter[str](), Counter[str]()
    told: set[tuple[str, object, str]] = set()
    named = _Named(context, approvers)
    for act in acts:
        column = _COLUMN.get(act.kind)
        if column is None or act.actor in (THE_CLOCK, THE_POLICY):
            continue
        if column == EXEMPTED:
            once = (act.actor, act.detail.get("exemption", act.number), act.kind if _extends(act) else "")
            if once in told:
                continue
            told.add(once)
        counts.setdefault(act.actor, Counter())[column] += 1
        selves[act.actor] += _is_self_approved(act)
        strangers[act.actor] += not named.on_the_day(act)
    order = sorted(counts, key=lambda who: (-counts[who].total(), who))
    return tuple(Person(who, counts[who], selves[who], strangers[who]) for who in order)


def _extends(act: Act) -> bool:
    return act.kind is DecisionKind.EXEMPTION_EXTENDED


def _is_self_approved(act: Act) -> bool:
    return act.kind is DecisionKind.APPROVED and bool(act.asked_by) and act.asked_by == act.actor


def _is_second(act: Act) -> bool:
    given = act.kind in (DecisionKind.EXEMPTED, DecisionKind.EXEMPTION_EXTENDED)
    return given and act.detail.get("asked_by") not in (None, "", act.actor) and act.actor != THE_CLOCK


class _Named:
    """Whether the record names somebody: any rules that held on that day, for it is looked at now and again only."""

    def __init__(self, context: Context, approvers: ApproversThen) -> None:
        self._zone = context.zone
        self._begins = approvers.recorded_since
        self._kept = [*filter(None, [approvers.at_start]), *approvers.changes]

    def on_the_day(self, act: Act) -> bool:
        """True too where nothing was recorded by then."""
        if self._begins is None:
            return True
        day = act.at.astimezone(self._zone).date()
        if day < self._begins.astimezone(self._zone).date():
            return True
        held = [
            kept.rules
            for kept, until in zip(self._kept, [*(one.since for one in self._kept[1:]), None], strict=True)
            if kept.since.astimezone(self._zone).date() <= day
            and (until is None or until.astimezone(self._zone).date() >= day)
        ]
        return any(act.actor in self._people(rules, act.team) for rules in held)

    @staticmethod
    def _people(rules: ApprovalRules, team: str | None) -> frozenset[str]:
        """What is about no team, as many of them at once, may be of any."""
        return rules.people(team) if team else rules.everybody()


# ---- coverage, and what nobody saw


class _Measured:
    """At the start as the last audit before it left it; where there was none, as the first one found it."""

    def __init__(self, context: Context, days: Range, looks: Sequence[Look], team: str | None) -> None:
        self._store, self._team = context.store, team
        before = self._store.evidence.last_before(days.start)
        every = [*filter(None, [before]), *looks]
        last_of_day = {one.finished_at.astimezone(context.zone).date(): one for one in looks}
        within = list(last_of_day.values())
        newest = every[-1].id if every else None
        self.production = bool(newest and self._store.measures.coverage_of(newest, production=True))
        told = self._store.evidence.together(
            [one.id for one in [*every[:1], *within]], team, production=self.production
        )
        self._first = every[0] if every else None
        self._last = every[-1] if every else None
        self.start = _of(self._first, told)
        self.end = _of(self._last, told) or self.start
        measured = [found for one in within if (found := _of(one, told)) and found.coverage.percent is not None]
        self.lowest = min(measured, key=lambda one: (one.coverage.percent or 0.0, one.at), default=None)

    def teams(self) -> tuple[Team, ...]:
        """The lowest coverage first."""
        if self._last is None or self._first is None:
            return ()
        coverage_of = self._store.measures.coverage_of
        before = coverage_of(self._first.id, production=self.production) or {}
        after = coverage_of(self._last.id, production=self.production) or {}
        wanted = [name for name in after if self._team in (None, name)]
        found = [Team(name, before.get(name), after[name]) for name in wanted if any(_counts(after[name]))]
        return tuple(sorted(found, key=lambda one: (one.name is None, one.end.percent or 0.0, one.name or "")))


def _counts(coverage: Coverage) -> tuple[int, ...]:
    return (coverage.traced, coverage.untraced, coverage.exempt, coverage.unknown)


def _of(look: Look | None, told: Mapping[int, Coverage]) -> Measured | None:
    found = told.get(look.id) if look else None
    return Measured(look.finished_at, found) if look and found else None


def _no_audit(context: Context, days: Range, looks: Sequence[Look], begins: datetime | None) -> tuple[date, ...]:
    """A day that is not over yet may still have one."""
    zone = context.zone
    done = {one.finished_at.astimezone(zone).date() for one in looks}
    first = max(days.since, begins.astimezone(zone).date()) if begins else days.since
    today = context.clock().astimezone(zone).date()
    return tuple(day for day in _days(first, min(days.until, today - timedelta(days=1))) if day not in done)


def _unseen(context: Context, looks: Sequence[Look]) -> tuple[Unseen, ...]:
    """What no audit of a day saw; the account that was not seen on most days first."""
    of_day: dict[date, list[Look]] = {}
    for one in looks:
        of_day.setdefault(one.finished_at.astimezone(context.zone).date(), []).append(one)
    days: dict[str, set[date]] = {}
    places: dict[str, set[str]] = {}
    reasons: dict[str, str] = {}
    for day, audits in of_day.items():
        missing = [{(place.account, place.region): place.reason for place in one.not_seen} for one in audits]
        for account, region in set(missing[0]).intersection(*missing[1:]):
            days.setdefault(account, set()).add(day)
            places.setdefault(account, set()).add(region)
            reasons[account] = missing[-1][account, region]
    found = [Unseen(one, tuple(sorted(days[one])), len(places[one]), reasons[one]) for one in days]
    return tuple(sorted(found, key=lambda one: (one.account != ORGANIZATION, -len(one.days), one.account)))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]

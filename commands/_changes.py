"""What AWS says now against what the last audit told: what changed, and which functions are not the ones they were."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from msgspec import structs

from commands import _decide
from commands._context import Context
from storage.models import THE_CLOCK, Audit, DecisionKind, Function, Inventory, Verdict
from storage.news import Change, ChangeKind, LastKnown, change, made_anew

NOT_THE_SAME = "This was about a function that is no more; another was made under its name."


@dataclass(frozen=True, slots=True)
class Compared:
    """Functions with their verdicts, and what an audit that found them so has to tell."""

    functions: list[Function]
    changes: list[Change]
    moved: frozenset[str | None] = frozenset()  # the teams that functions have left or come to


def taken_back(context: Context, told: Change | None, function_arn: str) -> bool:
    """Whether somebody here has undone the fix since that was told: untraced again by a decision is no regression."""
    last = context.store.decisions.last_turn(function_arn)
    return bool(last and last.kind is DecisionKind.UNDONE and (told is None or told.at is None or told.at <= last.at))


def was_undone(context: Context, told: Change) -> bool:
    """Whether what was told is a regression that somebody has mended and undone since."""
    return told.kind is ChangeKind.REGRESSED and taken_back(context, told, told.function_arn)


def compare(context: Context, judged: Sequence[Function], asked_at: datetime) -> Compared:
    """To be called before they are saved, in the same transaction. What was agreed on for a function that is no more
    ends here, so that it does not cover the one that was made under its name.

    What was learnt after `asked_at` (by a fix that ended meanwhile) is newer than these, and nothing is told of it.
    """
    store, now = context.store, context.clock()
    known = store.places.known()
    unmet = {function.arn: function for function in judged}
    changes: list[Change] = []
    anew: dict[str, str] = {}
    moved: set[str | None] = set()
    for before in store.changes.before(judged):
        after = unmet.pop(before.arn, None)
        if after is None:
            continue
        if before.team != after.team and after.team_known and before.gone_at is None:
            moved |= {before.team, after.team}
        why = made_anew(before, after)
        found = change(before, after, why)
        if found is None or before.is_newer(asked_at, now):
            continue
        if found.kind is ChangeKind.REGRESSED and taken_back(context, store.changes.last_of(after.arn), after.arn):
            continue
        changes.append(_with_fix(context, found, datetime.fromisoformat(before.made_at)))
        if why:
            anew[after.arn] = why
    # A first look at a place is a baseline: nobody knows since when its functions are there.
    changes += [
        Change(one.arn, ChangeKind.NEW, None, one.verdict) for one in unmet.values() if known and _place(one) in known
    ]
    for arn, why in anew.items():
        _part_with(context, arn, why, asked_at)
    return replace(_judged_anew(judged, changes, anew), moved=frozenset(moved))


def seen_whole(seen: Inventory) -> Iterator[tuple[str, str]]:
    """The accounts' regions of which an audit saw everything."""
    unseen = seen.unseen
    for account in seen.accounts:
        if (account, "") not in unseen:
            yield from ((account, region) for region in seen.regions if (account, region) not in unseen)


def last_known(context: Context, audit: Audit) -> list[LastKnown]:
    """The functions that this audit was to see and could not, as they were when they were seen last."""
    if not audit.not_scanned:
        return []
    scope = context.store.audits.scope(audit.id)
    return context.store.functions.last_known(audit.started_at, scope.accounts, scope.regions)


def _place(function: Function) -> tuple[str, str]:
    return function.account, function.region


def _with_fix(context: Context, found: Change, made_at: datetime) -> Change:
    """A regression, with who had fixed this function and when, where that was done here and stood until now."""
    fix = context.store.decisions.last_fix(found.function_arn) if found.kind is ChangeKind.REGRESSED else None
    if fix is None or fix.at < made_at:
        return found
    return replace(found, detail={"fixed_by": fix.actor, "fixed_at": fix.at.isoformat()})


def _judged_anew(judged: Sequence[Function], changes: Iterable[Change], anew: Collection[str]) -> Compared:
    """With what no exemption covers any more."""
    if not anew:
        return Compared(list(judged), list(changes))
    functions = [
        structs.replace(one, verdict=Verdict.UNTRACED) if one.arn in anew and one.verdict is Verdict.EXEMPT else one
        for one in judged
    ]
    told = [
        replace(one, after=Verdict.UNTRACED) if one.function_arn in anew and one.after is Verdict.EXEMPT else one
        for one in changes
    ]
    return Compared(functions, told)


def _part_with(context: Context, arn: str, why: str, asked_at: datetime) -> None:
    """End what was agreed on and what waits for the function that is no more, and say so in the history."""
    store, now = context.store, context.clock()
    for exemption in store.exemptions.end(arn, now):
        _decide.record(
            context,
            DecisionKind.LAPSED,
            arn,
            actor=THE_CLOCK,
            reason=NOT_THE_SAME,
            until=exemption.expires_at,
            detail={"exemption": exemption.id, "made_anew": why},
        )
    live = store.requests.live(arn)
    if live and store.requests.resolve(live.id, NOT_THE_SAME, now):
        _decide.record(context, DecisionKind.RESOLVED, arn, actor=THE_CLOCK, request_id=live.id, reason=NOT_THE_SAME)
        store.posts.redraw_showing(live.id)
    store.changes.part_with(arn, asked_at)

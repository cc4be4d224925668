"""Taking an audit and remembering it: what `/trace-audit`, the daily job and the terminal share."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import structs

from commands import _decide
from commands._changes import Compared, compare, seen_whole
from commands._context import Context
from commands._exempted import end_overtaken, exempted
from commands._newest import newest
from commands._owners import owned
from commands.aws import checks, inventory
from commands.aws.errors import Gone
from storage.models import (
    THE_CLOCK,
    Audit,
    Coverage,
    DecisionKind,
    Function,
    Inventory,
    Source,
    Verdict,
)

OnProgress = Callable[[int, int, str], None]

NO_LONGER_EXISTS = "The function no longer exists."
OUT_OF_SIGHT = "The function no longer exists, or is outside of what Lamplighter is set to look at."
BEGUN_HERE = "Traced now: what its fix had begun has taken effect, though the fix itself had failed."
# Why a request ends without an approval, by its function's verdict.
OVERTAKEN = {
    Verdict.TRACED: "Traced now; it was changed outside of Lamplighter.",
    Verdict.NOT_APPLICABLE: "X-Ray does not apply to it.",
    Verdict.EXEMPT: "Exempt.",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """An audit, and the functions that it saw as they are remembered now."""

    audit: Audit
    functions: Sequence[Function]


def take_audit(
    context: Context,
    *,
    source: Source,
    accounts: tuple[str, ...] | None = None,
    regions: tuple[str, ...] | None = None,
    fresh: timedelta = timedelta(0),
    on_progress: OnProgress | None = None,
) -> Audit:
    """The newest audit: another's where one had to be waited for, or one that ended within `fresh`; else `audit_now`.

    Raises AwsProblem only where nothing can be asked at all.
    """
    asked_at = context.clock()
    whole = accounts is None and regions is None
    with context.one_audit:
        latest = context.store.audits.latest()
        if whole and latest and asked_at - fresh <= latest.finished_at <= context.clock():
            return latest
        return audit_now(context, source=source, accounts=accounts, regions=regions, on_progress=on_progress).audit


def audit_now(
    context: Context,
    *,
    source: Source,
    accounts: tuple[str, ...] | None = None,
    regions: tuple[str, ...] | None = None,
    on_progress: OnProgress | None = None,
) -> Taken:
    """Ask AWS for everything, judge it and remember it; whoever calls it sees to it that one is taken at a time.

    Raises AwsProblem only where nothing can be asked at all.
    """
    started_at = context.clock()
    seen = inventory.take_inventory(
        context.cloud,
        accounts=accounts,
        regions=regions,
        tag_keys=context.teams.tag_keys,
        on_progress=on_progress,
    )
    return keep_audit(context, seen, started_at, source=source, accounts=accounts, regions=regions)


def keep_audit(
    context: Context,
    seen: Inventory,
    started_at: datetime,
    *,
    source: Source,
    accounts: tuple[str, ...] | None = None,
    regions: tuple[str, ...] | None = None,
) -> Taken:
    """Judge and remember what AWS said since `started_at` when it was asked for these accounts and regions."""
    if context.cloud.settings.aggregator:
        seen = newest(context.store, seen)
    scope = " ".join([*(accounts or ()), *(regions or ())])
    return _remember(context, seen, source, scope, started_at)


def look_again(context: Context, function: Function) -> Function:
    """Ask AWS about one function, judge it and remember it. Raises AwsProblem; Gone is remembered too.

    Who calls it, only a whole audit finds out; who of them is still untraced, memory tells.
    """
    from commands.aws import one_function  # which a whole audit does not need

    asked_at = context.clock()
    try:
        fresh = one_function.read_function(
            context.cloud, function.account, function.region, function.name, context.teams.tag_keys
        )
    except Gone:
        context.store.functions.mark_gone(function.arn, asked_at)
        _settle(context)
        raise
    known = (context.store.functions.get(arn) for arn in function.untraced_callers)
    callers = tuple(caller.arn for caller in known if caller and not caller.sends)
    judged = remember(context, [structs.replace(fresh, untraced_callers=callers)], asked_at)[0]
    return context.store.functions.get(function.arn) or judged


def remember(context: Context, functions: Iterable[Function], asked_at: datetime) -> list[Function]:
    """Judge and keep them in one transaction, so that an exemption granted meanwhile is not overwritten."""
    return _keep(context, map(checks.judge, functions), asked_at, audited=False).functions


def _keep(context: Context, judged: Iterable[Function], asked_at: datetime, *, audited: bool) -> Compared:
    store = context.store
    with store.transaction():
        before = store.requests.shown()
        judged = exempted(context, owned(context, judged, audited=audited))
        compared = compare(context, judged, asked_at)
        store.functions.save(compared.functions, asked_at, context.clock(), audited=audited)
        _settle(context)
        if compared.moved:
            from commands._moved import follow  # it loads the digest's views, which an audit seldom needs

            follow(context, compared.moved)
        for request_id, shown in store.requests.shown().items():
            if before.get(request_id, shown) != shown:
                store.posts.redraw_showing(request_id)
    return compared


def coverage_by_team(functions: Iterable[Function]) -> dict[str | None, Coverage]:
    teams: dict[str | None, list[Function]] = {}
    for function in functions:
        teams.setdefault(function.team, []).append(function)
    return {team: Coverage.of(members) for team, members in teams.items()}


def judge(context: Context, functions: Iterable[Function]) -> list[Function]:
    """A verdict for each; an exemption that is in force turns `untraced` into `exempt`."""
    return exempted(context, map(checks.judge, functions), seen=False)


def _remember(context: Context, seen: Inventory, source: Source, scope: str, started_at: datetime) -> Taken:
    store = context.store
    places, unseen = list(seen_whole(seen)), seen.unseen
    with store.transaction():
        compared = _keep(context, seen.functions, started_at, audited=True)
        store.places.record(places, started_at)
        store.functions.mark_unseen_gone(places, started_at)
        if not scope and seen.accounts_whole:
            whole = [one for one in seen.accounts if seen.regions_whole and (one, "") not in unseen]
            store.functions.mark_gone_outside(seen.accounts, whole, seen.regions, started_at)
        taken = store.audits.record(
            seen,
            coverage_by_team(compared.functions),
            source=source,
            scope=scope,
            started_at=started_at,
            finished_at=context.clock(),
            production=_production(context, compared.functions, scope),
        )
        store.changes.record(taken.id, [*compared.changes, *store.changes.take_gone()])
        _settle(context)
        # What the tags would not say stands in memory; all else need not be read again.
        complete = all(one.team_known for one in compared.functions)
        return Taken(taken, compared.functions if complete else store.functions.seen_since(started_at))


def _production(context: Context, functions: Iterable[Function], scope: str) -> dict[str | None, Coverage] | None:
    """The totals of production alone, which KPIs go by; None where nothing says what that is, or not all was seen."""
    rule = context.policy.production
    return None if scope or not rule else coverage_by_team(one for one in functions if rule.covers(one))


def _settle(context: Context) -> None:
    """End the requests that nobody needs to approve any more, and have their messages say so."""
    store, now = context.store, context.clock()
    with store.transaction():
        end_overtaken(context)
        for request, verdict in store.requests.overtaken(OVERTAKEN):
            outcome = OVERTAKEN[verdict] if verdict else OUT_OF_SIGHT
            if verdict is Verdict.TRACED and request.receipt.mode_before:
                outcome = BEGUN_HERE
            store.requests.resolve(request.id, outcome, now)
            _decide.record(
                context,
                DecisionKind.RESOLVED,
                request.function_arn,
                actor=THE_CLOCK,
                request_id=request.id,
                reason=outcome,
            )
            store.posts.redraw_showing(request.id)

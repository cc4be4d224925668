"""`/trace-audit` and `python -m bot audit`: which functions are traced, and which are not."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from commands import _find
from commands._coverage import coverage_by_team, coverage_of
from commands._shown import item_of
from commands._types import Answer, Context, Progress, Request, Say
from commands.aws import checks, inventory
from commands.aws.errors import AwsProblem, Gone
from commands.views import digest
from commands.views.functions import card_blocks
from commands.views.text import count, escape
from storage.models import (
    Audit,
    Decision,
    DecisionKind,
    Exemption,
    Function,
    Inventory,
    Verdict,
)

# Somebody who asks again at once is shown the audit that has just ended.
FRESH = timedelta(seconds=60)

OnProgress = Callable[[int, int, str], None]


def audit(request: Request, context: Context) -> Answer:
    """Answer `/trace-audit [team or function]`."""
    wanted = _find.Wanted.read(request.text)
    if not wanted.name:
        yield Progress("Looking at every account and region…")
        yield _everything(context, take_audit(context, source=request.source))
        return
    known = _known(context, request.text, wanted)
    if not known:
        yield Progress(f"I don't know {escape(wanted.name)} yet: looking at every account and region…")
        take_audit(context, source=request.source, fresh=FRESH)
        known = _known(context, request.text, wanted)
    if isinstance(known, str):
        yield Progress(f"Looking at every account and region for {escape(known)}…")
        yield _team(context, known, take_audit(context, source=request.source, fresh=FRESH))
    elif len(known) == 1:
        yield Progress(f"Looking at {escape(known[0].name)}…")
        yield card(context, known[0], request)
    elif known:
        yield Say(_find.choices(known, "/trace-audit"))
    else:
        yield Say(_find.unknown(context.store, wanted, "/trace-audit", teams=True))


def card(context: Context, function: Function, request: Request) -> Say:
    """One function, asked of AWS now, with its buttons."""
    try:
        current = look_again(context, function)
    except Gone:
        return Say(f"`{function.name}` no longer exists in {function.account} {function.region}.")
    except AwsProblem as problem:
        return Say(f"AWS did not say how `{function.name}` stands: {escape(str(problem))}")
    if current.verdict is Verdict.UNTRACED:
        context.store.requests.open_for(current, request.user, context.clock())
    shown = item_of(context, current)
    return Say(f"{current.name}: {current.verdict}", tuple(card_blocks(shown)))


def look_again(context: Context, function: Function) -> Function:
    """Ask AWS about one function, judge it and remember it. Raises AwsProblem; Gone is remembered too."""
    asked_at = context.clock()
    try:
        fresh = inventory.read_function(
            context.cloud, function.account, function.region, function.name, context.teams.tag_keys
        )
    except Gone:
        context.store.functions.gone(function.arn, asked_at)
        _settle(context, asked_at)
        raise
    judged = judge(context, [fresh])[0]
    context.store.functions.save([judged], asked_at)
    _settle(context, asked_at)
    return judged


def take_audit(
    context: Context,
    *,
    source: str,
    accounts: tuple[str, ...] | None = None,
    regions: tuple[str, ...] | None = None,
    fresh: timedelta | None = None,
    on_progress: OnProgress | None = None,
) -> Audit:
    """Ask AWS for everything, judge it and remember it; one audit at a time.

    Who had to wait for another's whole audit is given that one. `fresh`: an audit that ended so recently will do.
    """
    asked_at = context.clock()
    whole = accounts is None and regions is None
    with context.one_audit:
        latest = context.store.audits.latest()
        if whole and latest and latest.finished_at >= asked_at - (fresh or timedelta(0)):
            return latest
        started_at = context.clock()
        seen = inventory.take_inventory(
            context.cloud,
            accounts=accounts,
            regions=regions,
            tag_keys=context.teams.tag_keys,
            on_progress=on_progress,
        )
        scope = "" if whole else " ".join([*(accounts or ()), *(regions or ())])
        return _remember(context, seen, source, scope, started_at)


def judge(context: Context, functions: Iterable[Function]) -> list[Function]:
    """A verdict for each; an exemption that is in force turns `untraced` into `exempt`."""
    exempt = context.store.exemptions.in_force(context.clock())
    return [_exempted(checks.judge(function), exempt) for function in functions]


def _exempted(function: Function, exempt: dict[str, Exemption]) -> Function:
    if function.verdict is Verdict.UNTRACED and function.arn in exempt:
        return replace(function, verdict=Verdict.EXEMPT)
    return function


def _remember(context: Context, seen: Inventory, source: str, scope: str, started_at: datetime) -> Audit:
    judged = judge(context, seen.functions)
    store = context.store
    unseen = {(row.account, row.region) for row in seen.not_scanned}
    with store.transaction():
        store.functions.save(judged, started_at)
        for account in seen.accounts:
            for region in seen.regions:
                if (account, region) not in unseen and (account, "") not in unseen:
                    store.functions.mark_gone(account, region, started_at)
        taken = store.audits.record(
            replace(seen, functions=tuple(judged)),
            coverage_by_team(judged),
            source=source,
            scope=scope,
            started_at=started_at,
            finished_at=context.clock(),
        )
        _settle(context, context.clock())
    return taken


# Why a request ends without an approval, by its function's verdict; None is a function that is gone.
_OVERTAKEN = {
    None: "The function no longer exists.",
    Verdict.TRACED: "Traced now; it was changed outside of Lamplighter.",
    Verdict.NOT_APPLICABLE: "X-Ray does not apply to it.",
    Verdict.EXEMPT: "Exempt.",
}


def _settle(context: Context, now: datetime) -> None:
    """End the requests that nobody needs to approve any more, and have their messages say so."""
    store = context.store
    with store.transaction():
        for request, verdict in store.requests.overtaken():
            how = _OVERTAKEN[verdict]
            store.requests.resolve(request.id, how, now)
            store.decisions.record(
                Decision(DecisionKind.RESOLVED, now, "clock", request.function_arn, request_id=request.id, reason=how)
            )
            store.posts.touch(request.id)


def _known(context: Context, text: str, wanted: _find.Wanted) -> str | list[Function]:
    """A team's name, or the functions that are meant."""
    return _find.team(context.store, text) or _find.functions(context.store, wanted)


def _everything(context: Context, taken: Audit) -> Say:
    functions = context.store.functions.seen_since(taken.started_at)
    teams, total = coverage_by_team(functions), coverage_of(functions)
    seconds = (taken.finished_at - taken.started_at).total_seconds()
    made = digest.everything_blocks(taken, total, teams, seconds)
    return Say(f"{digest.everything_text(total)}; {count(taken.functions, 'function')}", tuple(made))


def _team(context: Context, team: str, taken: Audit) -> Say:
    members = context.store.functions.of_team_since(team, taken.started_at)
    counts = coverage_of(members)
    untraced = [function for function in members if function.verdict is Verdict.UNTRACED]
    channel = context.teams.channel_of(team)
    shown = f"<#{channel}>" if channel[:1] in "CG" else channel
    made = digest.team_blocks(team, untraced, audit=taken, coverage=counts, channel=shown)
    return Say(digest.team_text(team, untraced, counts), tuple(made))

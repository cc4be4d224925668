"""`/trace-audit`: which functions are traced, and which are not."""

from datetime import timedelta

from commands import _as_of, _find
from commands._answers import ask_now
from commands._audits import take_audit
from commands._changes import last_known
from commands._costs import forecasts_of, in_order
from commands._depth import as_seen, depth_now
from commands._drawing import item_of
from commands._history import token_of
from commands._one_forecast import look_up
from commands._types import Answer, Context, Progress, Request, Say
from commands.views import blocks, digest, news
from commands.views.depth import depth_blocks
from commands.views.forecast_errors import check_line
from commands.views.functions import card_blocks
from commands.views.text import channel, clip, code
from storage.models import Audit, Coverage, Function, Verdict

# Who asks about one team after another need not wait for an audit each time.
FRESH = timedelta(seconds=60)
UNOWNED, DOCTOR = "unowned", "doctor"


def audit(request: Request, context: Context) -> Answer:
    """Answer `/trace-audit [team or function] [on a day]`, and `/trace-audit doctor`."""
    if request.text.strip().lower() == DOCTOR:
        from commands.doctor import doctor  # an audit needs none of it

        yield from doctor(request, context)
        return
    before = _as_of.answer(request.text, context)
    if before:
        yield before
        return
    wanted = _find.Wanted.read(request.text)
    if not wanted.name:
        yield Progress("Looking at every account and region…")
        yield _everything(context, take_audit(context, source=request.source))
        return
    if request.text.strip().lower() == UNOWNED:
        yield Progress("Looking at the functions of no known team…")
        yield _team(context, None, take_audit(context, source=request.source, fresh=FRESH))
        return
    if not _find.known(context, wanted):
        yield Progress(f"Looking for {code(clip(wanted.name, _find.ECHO))} in every account and region…")
        take_audit(context, source=request.source, fresh=FRESH)
    team = _find.team(context, wanted)
    if team:
        yield Progress(f"Looking at the functions of {code(team)}…")
        yield _team(context, team, take_audit(context, source=request.source, fresh=FRESH))
        return
    function = _find.one(context.store, wanted, "/trace-audit", teams=True)
    if isinstance(function, Say):
        yield function
        return
    yield Progress(f"Looking at {code(function.name)}…")
    yield _card(context, function)


def _card(context: Context, function: Function) -> Say:
    """One function, asked of AWS now, with its buttons."""
    current = ask_now(context, function)
    if isinstance(current, Say):
        return current
    if current.verdict is Verdict.UNTRACED:
        context.store.requests.open_for(current, context.clock())
    depth = depth_now(context, current)
    shown = item_of(context, as_seen(current, depth), no_forecast=look_up(context, current))
    check = context.store.forecast_checks.newest(current.arn)
    told = check_line(check) if check else ""
    deep = depth_blocks(depth, current) if depth else []
    history = token_of(context, current.arn)
    made = [*card_blocks(shown, deep, history), *([blocks.context(told)] if told else [])]
    return Say(f"{code(current.name)}: {current.verdict}", tuple(made))


def _everything(context: Context, taken: Audit) -> Say:
    by_team = context.store.measures.coverage_now(taken.started_at, None)
    total = Coverage.sum(by_team.values())
    told = (news.since_line(context.store.changes.since_last(taken.id)), news.kept_line(last_known(context, taken)))
    totals = context.store.totals
    costs, recorded = totals.untraced(taken.started_at), totals.recorded(taken.started_at)
    made = digest.everything_blocks(taken, total, by_team, told, costs, recorded)
    return Say(digest.everything_text(taken, total), tuple(made))


def _team(context: Context, team: str | None, taken: Audit) -> Say:
    counts = context.store.functions.coverage_of_team_since(team, taken.started_at)
    dark = context.store.functions.untraced_of_team_since(team, taken.started_at)
    forecasts, known = forecasts_of(context, dark), context.store.digests.of_team(team)
    untraced = in_order(context, dark, known.news if known else {}, forecasts)
    where = channel(context.store.posts.channel_of(team) or context.teams.channel_of(team))
    kept = [one for one in last_known(context, taken) if one.function.team == team]
    kept_dark = [one for one in kept if one.function.verdict is Verdict.UNTRACED]
    told = (news.since_line(context.store.changes.since_last(taken.id).of_team(team)), news.kept_line(kept))
    made = digest.team_blocks(
        team,
        untraced,
        audit=taken,
        coverage=counts,
        channel=where,
        kept=kept_dark,
        news=told,
        review=_review(context, team),
        forecasts=forecasts,
    )
    return Say(digest.team_text(team, untraced, taken, counts), tuple(made))


def _review(context: Context, team: str | None) -> str:
    """The request that the button of several fixes carries; empty where there are not several."""
    candidates = context.store.batches.candidates(team, patch_only=context.policy.patch_only_functions)
    function = context.store.functions.get(candidates[0].arn) if len(candidates) > 1 else None
    return context.store.requests.open_for(function, context.clock()).id if function else ""

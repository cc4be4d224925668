"""Granting an exemption, or asking a second person for one: what is kept, recorded and drawn again."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands import _decide, _refused
from commands._answers import nothing_to_do
from commands._audits import OVERTAKEN
from commands._exempted import redraw
from commands._types import Context, Permission, Request, Say
from commands.views.exemptions import exempt_now, what
from commands.views.text import channel, code, day, day_and_time, mention, plain_day, prose
from storage.exemptions import Wish
from storage.fixes import RequestState
from storage.models import THE_CLOCK, DecisionKind, Exemption, ExemptScope, Function, PostKind, Verdict


def latest_day(context: Context) -> date:
    """The last that policy allows, counted from today."""
    return today(context) + timedelta(days=context.policy.exemption_max_days)


def today(context: Context) -> date:
    return context.clock().astimezone(context.zone).date()


def too_long(context: Context, until: date) -> str:
    """Why policy does not allow that last day; empty where it does."""
    latest = latest_day(context)
    if until <= latest:
        return ""
    return f"By policy an exemption lasts {context.policy.exemption_max_days} days at most, until {plain_day(latest)}."


def end_of(last_day: date, zone: ZoneInfo) -> datetime:
    """The first moment after that day, in the configured zone."""
    return datetime.combine(last_day + timedelta(days=1), time.min, zone)


def teams_of(context: Context, exemption: Exemption) -> tuple[str | None, ...]:
    """Whose functions it covers by now: they may have gone to other teams since it was granted or asked for."""
    get = context.store.functions.get
    return _teams(
        exemption, {one.team for member in context.store.exempted.of(exemption.id) if (one := get(member.arn))}
    )


def of_teams(context: Context, exemptions: Iterable[Exemption], teams: Collection[str | None]) -> list[Exemption]:
    """Those of them that cover, or may cover, functions of these teams."""
    now = context.store.exempted.teams()
    return [one for one in exemptions if not set(_teams(one, now.get(one.id, set()))).isdisjoint(teams)]


def _teams(exemption: Exemption, now: set[str | None]) -> tuple[str | None, ...]:
    """`now`: of its functions. A rule is also of those for which it was granted, for it may come to cover others."""
    kept = set(exemption.teams) if exemption.by_rule else set()
    return tuple(sorted(now | kept, key=str)) or exemption.teams


def may_decide(request: Request, context: Context, exemption: Exemption) -> Permission:
    """Whether they may for every team whose functions it may cover."""
    allowed = Permission(False, "Nobody knows whose functions it covers.")
    for team in teams_of(context, exemption):
        allowed = context.people.may_approve(request.user, request.workspace, team)
        if not allowed.allowed:
            break
    return allowed


def handed_over(context: Context, exemption: Exemption, teams: Sequence[str | None]) -> Say | None:
    """Of a permission that was asked for `teams`, while Slack answered: that it is worth nothing by now, else None."""
    if teams_of(context, exemption) == teams:
        return None
    return Say("Nothing was changed: what it covers went to another team just now. Look at it again.")


def refuse(request: Request, context: Context, exemption: Exemption, why: str) -> Say:
    """What to say to who may not decide; that they tried is kept, once for each person and exemption."""
    _refused.keep(request, context, _refused.of_exemption(exemption), why)
    return Say(f"Nothing was changed: {why}")


def usable(context: Context, arns: Sequence[str]) -> list[Function]:
    """Those that an exemption has something to say of, and that nobody is at work on."""
    found = []
    for arn in arns:
        function, live = context.store.functions.get(arn), context.store.requests.live(arn)
        if function is None or nothing_to_do(context, function):
            continue
        if live is None or live.state is not RequestState.RUNNING:
            found.append(function)
    return found


def grant(
    request: Request, context: Context, wish: Wish, functions: Sequence[Function], allowed_by: str
) -> Exemption | Say:
    """To be called in a transaction that has looked at the functions. Where it takes two people, it is asked for."""
    if context.policy.exemption_needs_two_people(functions, later=wish.later):
        return ask(request, context, wish, functions, allowed_by)
    arns = tuple(one.arn for one in functions)
    exemption = context.store.exemptions.create(wish, arns, request.user, context.clock())
    cover(request, context, exemption, functions, {"allowed_by": allowed_by})
    return exemption


def cover(
    request: Request,
    context: Context,
    exemption: Exemption,
    functions: Sequence[Function],
    detail: dict[str, object],
) -> None:
    """The functions of one that was granted just now: a row each, and one for a rule."""
    detail = detail | {"exemption": exemption.id} | ({"ticket": exemption.ticket} if exemption.ticket else {})
    if exemption.by_rule:
        rule = {"scope": str(exemption.scope), "target": exemption.target, "later": exemption.later}
        _record(request, context, exemption, "", exemption.token, detail | rule | {"functions": len(functions)})
    store, now = context.store, context.clock()
    for function in functions:
        live = store.requests.live(function.arn)
        store.functions.set_verdict(function.arn, Verdict.EXEMPT, now)
        if live:
            store.requests.resolve(live.id, OVERTAKEN[Verdict.EXEMPT], now)
            store.posts.redraw_showing(live.id)
        _record(request, context, exemption, function.arn, live.id if live else "", detail, str(function.verdict))


def ask(request: Request, context: Context, wish: Wish, functions: Sequence[Function], allowed_by: str) -> Say:
    """Have a second person confirm it, in the team's channel."""
    store, now = context.store, context.clock()
    known = store.exemptions.asked_for(wish)
    if known and known.ask_until and known.ask_until > now:
        return Say(
            f"That was asked for already by {mention(known.asked_by)} and waits for another approver until "
            f"{day_and_time(known.ask_until)}."
        )
    until = now + timedelta(hours=context.policy.request_hours)
    asked = store.exemptions.ask(wish, tuple(one.arn for one in functions), request.user, now, until)
    detail: dict[str, object] = {"allowed_by": allowed_by, "exemption": asked.id, "functions": len(functions)}
    _decide.record(
        context,
        DecisionKind.EXEMPTION_ASKED,
        asked.function_arn,
        actor=request.user,
        request=request,
        request_id=asked.token,
        reason=asked.reason,
        until=asked.expires_at,
        detail=detail | {"scope": str(asked.scope), "target": asked.target, "later": asked.later},
        team=asked.team,
    )
    post(context, asked, f"exemption:{asked.id}")
    where = channel(store.posts.channel_of(asked.team) or context.teams.channel_of(asked.team))
    return Say(
        f"{what(asked)}: this takes two people. Another approver than you has to confirm it in {where}; "
        f"it waits until {day_and_time(until)}."
    )


def post(context: Context, exemption: Exemption, key: str) -> bool:
    """A message of the team's channel that shows it; False where that key was used before."""
    store, team = context.store, exemption.team if exemption.by_rule else teams_of(context, exemption)[0]
    with store.transaction():
        made = store.posts.create(
            key,
            PostKind.EXEMPTION,
            context.teams.channel_of(team),
            context.clock(),
            team=team,
        )
        if made:
            store.exemptions.show(made.id, exemption.id)
    return made is not None


def lift(context: Context, arns: Sequence[str]) -> None:
    """What no exemption covers any more is untraced at once, and messages say so."""
    store, now = context.store, context.clock()
    for arn in arns:
        function = store.functions.get(arn)
        if function and function.verdict is Verdict.EXEMPT and store.exemptions.covering(arn, now) is None:
            store.functions.set_verdict(arn, Verdict.UNTRACED, now)
    for request_id in store.exempted.requests_about(arns):
        store.posts.redraw_showing(request_id)


def extend(
    request: Request, context: Context, exemption: Exemption, until: datetime, detail: dict[str, object]
) -> bool:
    """True where it was in force until now."""
    if not context.store.exemptions.extend(exemption.id, until, context.clock()):
        return False
    _decide.record(
        context,
        DecisionKind.EXEMPTION_EXTENDED,
        exemption.function_arn,
        actor=request.user,
        request=request,
        request_id=exemption.token,
        reason=exemption.reason,
        until=until,
        before=_until(context, exemption.expires_at),
        after=_until(context, until),
        detail=detail | {"exemption": exemption.id, "until_before": exemption.expires_at.isoformat()},
        team=exemption.team,
    )
    redraw(context, exemption)
    for request_id in context.store.exempted.requests_about(
        [one.arn for one in context.store.exempted.of(exemption.id)]
    ):
        context.store.posts.redraw_showing(request_id)
    return True


def granted_text(exemption: Exemption, functions: Sequence[Function]) -> str:
    """For whoever granted it."""
    until, why = day(exemption.last_moment), prose(exemption.reason)
    if exemption.scope is ExemptScope.FUNCTION:
        return f"{code(functions[0].name)} is exempt until {until}: {why}"
    later = " Functions that match later are covered too." if exemption.later else ""
    return f"{exempt_now(exemption, len(functions))} until {until}: {why}{later}"


def _until(context: Context, end: datetime) -> str:
    return f"exempt until {(end - timedelta(seconds=1)).astimezone(context.zone).date()}"


def _record(
    request: Request,
    context: Context,
    exemption: Exemption,
    arn: str,
    request_id: str,
    detail: dict[str, object],
    before: str = "",
) -> None:
    _decide.record(
        context,
        DecisionKind.EXEMPTED,
        arn,
        actor=request.user,
        request=request if request.user != THE_CLOCK else None,
        request_id=request_id,
        before=before,
        after=str(Verdict.EXEMPT) if arn else "",
        reason=exemption.reason,
        until=exemption.expires_at,
        detail=detail,
        team=exemption.team,
    )

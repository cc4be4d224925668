"""*Extend…* and *Let it end*: what becomes of an exemption that is about to end, said by whoever may grant one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from commands import _decide, _exempting
from commands._answers import UNKNOWN_BUTTON
from commands._exempt_form import check_until
from commands._exempted import redraw
from commands._types import Answer, Context, OpenForm, Permission, Request, Say
from commands.views.exempt import UNTIL
from commands.views.exemptions import decided_line, extend_form, what
from commands.views.text import day, mention
from storage.exemptions import Wish
from storage.models import DecisionKind, Exemption, Function


def open_form(request: Request, context: Context) -> Answer:
    """Answer *Extend…* with the form, from memory alone: Slack wants it within three seconds."""
    found = _decidable(request, context)
    if isinstance(found, Say):
        yield found
        return
    exemption, *_ = found
    days = context.policy.exemption_days
    yield OpenForm(_form(context, exemption, _exempting.today(context) + timedelta(days=days)))


def check(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    return check_until(fields, now, zone)


def extend(request: Request, context: Context) -> Answer:
    """Record the new end, or ask a second person for it; days are counted from today."""
    wrong = check(request.fields, context.clock(), context.zone)
    if wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    found = _decidable(request, context)
    if isinstance(found, Say):
        yield found
        return
    exemption, permission, teams = found
    chosen = date.fromisoformat(request.fields[UNTIL])
    note = _exempting.too_long(context, chosen)
    if note:
        yield OpenForm(_form(context, exemption, chosen, note))
        return
    until = _exempting.end_of(chosen, context.zone)
    if until <= exemption.expires_at:
        yield OpenForm(_form(context, exemption, chosen, "Choose a later day than it ends on; or let it end."))
        return
    with context.store.transaction():
        moved = _exempting.handed_over(context, exemption, teams)
        said = moved or _extended(request, context, exemption, until, permission.why)
    yield said


def let_end(request: Request, context: Context) -> Answer:
    """Answer *Let it end*: there is no further reminder, and it ends on its day."""
    found = _decidable(request, context)
    if isinstance(found, Say):
        yield found
        return
    exemption, permission, teams = found
    store, now = context.store, context.clock()
    with store.transaction():
        moved = _exempting.handed_over(context, exemption, teams)
        first = moved is None and store.exemptions.let_end(exemption.id, request.user, now)
        if first:
            _decide.record(
                context,
                DecisionKind.EXEMPTION_LEFT,
                exemption.function_arn,
                actor=request.user,
                request=request,
                request_id=exemption.token,
                until=exemption.expires_at,
                detail={"allowed_by": permission.why, "exemption": exemption.id},
                team=exemption.team,
            )
            redraw(context, exemption)
    left = store.exemptions.get(exemption.id)
    if moved:
        yield moved
    elif first:
        yield Say(f"{what(left)}: it ends after {day(left.last_moment)}, and nobody is reminded of it again.")
    else:
        yield Say(f"{what(left)}: {mention(left.let_end_by)} has said so already.")


def _decidable(request: Request, context: Context) -> tuple[Exemption, Permission, Sequence[str | None]] | Say:
    """The exemption of the button or form, the rule by which this person may decide on it, and for which teams; or why
    nothing can be decided on it, or not by them."""
    exemption = context.store.exemptions.find(request.value)
    if exemption is None:
        return Say(UNKNOWN_BUTTON)
    teams = _exempting.teams_of(context, exemption)
    permission = _exempting.may_decide(request, context, exemption)
    if not permission.allowed:
        return _exempting.refuse(request, context, exemption, permission.why)
    if not exemption.is_in_force(context.clock()):
        ended = "its last day is over." if exemption.ended_at is None else decided_line(exemption)
        return Say(f"Nothing was changed: {what(exemption)}: {ended}")
    return exemption, permission, teams


def _form(context: Context, exemption: Exemption, chosen: date, note: str = "") -> dict[str, object]:
    names = [one.name for one in context.store.exempted.of(exemption.id)]
    return extend_form(exemption, names, chosen, _exempting.latest_day(context), note)


def _extended(request: Request, context: Context, exemption: Exemption, until: datetime, allowed_by: str) -> Say:
    """Where it takes two people to grant it, it takes two to extend it."""
    arns = [one.arn for one in context.store.exempted.of(exemption.id)]
    functions: list[Function] = [one for arn in arns if (one := context.store.functions.get(arn))]
    if context.policy.exemption_needs_two_people(functions, later=exemption.later):
        wish = Wish(
            reason=exemption.reason,
            until=until,
            team=exemption.team,
            teams=exemption.teams,
            function_arn=exemption.function_arn,
            scope=exemption.scope,
            target=exemption.target,
            later=exemption.later,
            ticket=exemption.ticket,
            extends=exemption.id,
        )
        return _exempting.ask(request, context, wish, functions, allowed_by)
    if not _exempting.extend(request, context, exemption, until, {"allowed_by": allowed_by}):
        return Say(f"Nothing was changed: {what(exemption)} ended just now.")
    return Say(f"{what(exemption)}: exempt until {day(until - timedelta(seconds=1))}.")

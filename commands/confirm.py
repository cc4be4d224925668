"""*Confirm* and *Deny* of an exemption that takes two people: who asked is not who confirms."""

from collections.abc import Sequence
from datetime import datetime

from commands import _decide, _exempting
from commands._answers import UNKNOWN_BUTTON
from commands._exempted import redraw
from commands._types import Answer, Context, Permission, Request, Say
from commands.views.exemptions import decided_line, what
from commands.views.text import day, mention
from storage.models import THE_CLOCK, DecisionKind, Exemption, ExemptState


def confirm(request: Request, context: Context) -> Answer:
    """Answer *Confirm*: the first other approver's click counts."""
    found = _decidable(request, context)
    if isinstance(found, Say):
        yield found
        return
    asked, permission, teams = found
    if asked.asked_by == request.user:
        yield _exempting.refuse(
            request, context, asked, "you asked for this, and it takes two people. Another approver has to."
        )
        return
    with context.store.transaction():
        said = _exempting.handed_over(context, asked, teams) or _confirmed(request, context, asked, permission.why)
    yield said


def deny(request: Request, context: Context) -> Answer:
    """Answer *Deny*: any approver may, and who asked may take it back so."""
    found = _decidable(request, context)
    if isinstance(found, Say):
        yield found
        return
    asked, permission, teams = found
    with context.store.transaction():
        said = _exempting.handed_over(context, asked, teams) or _denied(request, context, asked, permission.why)
    yield said


def _decidable(request: Request, context: Context) -> tuple[Exemption, Permission, Sequence[str | None]] | Say:
    """What waits, the rule by which this person may decide on it, and for which teams; or what to say to them."""
    asked = _waiting(request, context)
    if isinstance(asked, Say):
        return asked
    teams = _exempting.teams_of(context, asked)
    permission = _exempting.may_decide(request, context, asked)
    return (
        (asked, permission, teams) if permission.allowed else _exempting.refuse(request, context, asked, permission.why)
    )


def expire(context: Context, asked: Exemption, now: datetime) -> bool:
    """End one that nobody confirmed in time: once, whoever comes first, the clock or somebody's click."""
    store = context.store
    with store.transaction():
        if not store.exemptions.finish(asked.id, ExemptState.ASKED, ExemptState.EXPIRED, "", now):
            return False
        _record(None, context, asked, DecisionKind.EXEMPTION_EXPIRED, {})
    return True


def is_over(asked: Exemption, now: datetime) -> bool:
    """Whether it waits though its time is over, or the end that it asks for."""
    until = min(asked.ask_until or asked.expires_at, asked.expires_at)
    return asked.state is ExemptState.ASKED and until <= now


def _waiting(request: Request, context: Context) -> Exemption | Say:
    asked = context.store.exemptions.find(request.value)
    if asked is None:
        return Say(UNKNOWN_BUTTON)
    if is_over(asked, context.clock()):
        expire(context, asked, context.clock())
        asked = context.store.exemptions.get(asked.id)
    return asked if asked.state is ExemptState.ASKED else Say(_too_late(asked))


def _too_late(asked: Exemption) -> str:
    return f"{what(asked)}: {decided_line(asked)}"


def _confirmed(request: Request, context: Context, asked: Exemption, allowed_by: str) -> Say:
    store, now = context.store, context.clock()
    detail: dict[str, object] = {"allowed_by": allowed_by, "asked_by": asked.asked_by}
    if asked.extends is not None:
        return _extended(request, context, asked, detail)
    # As they are now: what has been traced since, or is being fixed, needs no exemption.
    arns = [one.arn for one in store.exempted.of(asked.id)]
    functions = _exempting.usable(context, arns)
    if not functions and not asked.later:
        return Say(f"Nothing was changed: {what(asked)} needs no exemption any more, or is being fixed. Deny it.")
    if not store.exemptions.confirm(asked.id, request.user, now):
        return Say(_too_late(store.exemptions.get(asked.id)))
    kept = {one.arn for one in functions}
    store.exempted.drop(asked.id, [arn for arn in arns if arn not in kept])
    _exempting.cover(request, context, store.exemptions.get(asked.id), functions, detail)
    redraw(context, asked)
    return Say(_exempting.granted_text(store.exemptions.get(asked.id), functions))


def _extended(request: Request, context: Context, asked: Exemption, detail: dict[str, object]) -> Say:
    store, now = context.store, context.clock()
    if not store.exemptions.finish(asked.id, ExemptState.ASKED, ExemptState.MERGED, request.user, now):
        return Say(_too_late(store.exemptions.get(asked.id)))
    redraw(context, asked)
    extended = store.exemptions.get(asked.extends or 0)
    if not _exempting.extend(request, context, extended, asked.expires_at, detail):
        return Say(f"Nothing was changed: {what(asked)}: {decided_line(store.exemptions.get(extended.id))}")
    return Say(f"{what(asked)}: extended until {day(asked.last_moment)}, as {mention(asked.asked_by)} asked.")


def _denied(request: Request, context: Context, asked: Exemption, allowed_by: str) -> Say:
    store = context.store
    if not store.exemptions.finish(asked.id, ExemptState.ASKED, ExemptState.DENIED, request.user, context.clock()):
        return Say(_too_late(store.exemptions.get(asked.id)))
    _record(request, context, asked, DecisionKind.EXEMPTION_DENIED, {"allowed_by": allowed_by})
    return Say(f"{what(asked)}: denied. Nothing was changed.")


def _record(
    request: Request | None,
    context: Context,
    asked: Exemption,
    kind: DecisionKind,
    detail: dict[str, object],
) -> None:
    _decide.record(
        context,
        kind,
        asked.function_arn,
        actor=request.user if request else THE_CLOCK,
        request=request,
        request_id=asked.token,
        until=asked.expires_at,
        detail=detail | {"exemption": asked.id},
        team=asked.team,
    )
    redraw(context, asked)

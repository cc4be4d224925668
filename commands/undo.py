"""The *Undo* button: whoever may approve a fix may have it taken back, for as long as the configuration says."""

from datetime import datetime

from commands import _decide, _requests
from commands._answers import UNKNOWN_BUTTON
from commands._approvals import refuse
from commands._carry_back import carry_back
from commands._clicks import carried, decided
from commands._types import Answer, Context, Request, Say
from commands.views.text import clock_time, code, mention, prose
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind

OVERTAKEN = "The fix before it was taken back. Ask anew where it is wanted after all."


def undo(request: Request, context: Context) -> Answer:
    """Answer *Undo*: the first click counts, every other one is told how it stands."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    late = _too_late(asked, context.clock())
    if late:
        yield Say(late)
        return
    team = _requests.team_of(context, asked)
    permission = _requests.may_decide(request, context, asked)
    if not permission.allowed:
        yield Say(refuse(request, context, asked, permission.why))
        return
    with context.store.transaction():
        refusal = _requests.went(context, asked, team) or _claim(request, context, asked, permission.why)
    if refusal:
        yield Say(refusal)
        return
    yield from carried(request, context, asked, carry_back(context, asked.id))


def _claim(request: Request, context: Context, asked: FixRequest, allowed_by: str) -> str:
    """Empty for the one click that counts, recorded in the same transaction; else why this one does not."""
    store, now = context.store, context.clock()  # one moment for all: what is not undone ends no other request
    with store.transaction():
        late = _too_late(store.requests.get(asked.id), now)
        if late:
            return late
        _resolve_waiting(request, context, asked, allowed_by)
        if not store.undos.claim(asked.id, request.user, now):
            return f"Nothing was changed: another fix of {code(asked.function_name)} is under way. Undo that one."
        decided(request, context, DecisionKind.UNDO, asked, allowed_by=allowed_by)
    return ""


def _resolve_waiting(request: Request, context: Context, asked: FixRequest, allowed_by: str) -> None:
    """A newer request that waits for an approver would have the function fixed that is to be as it was."""
    store = context.store
    live = store.requests.live(asked.function_arn)
    if live is None or not store.requests.resolve(live.id, OVERTAKEN, context.clock()):
        return
    _decide.record(
        context,
        DecisionKind.RESOLVED,
        asked.function_arn,
        actor=request.user,
        request=request,
        request_id=live.id,
        reason=OVERTAKEN,
        detail={"allowed_by": allowed_by},
    )
    store.posts.redraw_showing(live.id)


def _too_late(asked: FixRequest, now: datetime) -> str:
    """Why this fix cannot be undone, or not any more; "" where it can."""
    name = code(asked.function_name)
    match asked.state:
        case RequestState.APPLIED if asked.undo_until is None:
            return (
                f"Nothing was changed: the fix of {name} cannot be undone, or not any more. Change its tracing in AWS."
            )
        case RequestState.APPLIED if asked.undo_until and asked.undo_until <= now:
            at = clock_time(asked.undo_until)
            return f"Nothing was changed: the fix of {name} could be undone until {at}. Change its tracing in AWS."
        case RequestState.APPLIED:
            return ""
        case RequestState.UNDOING:
            return f"The fix of {name} is being undone already, by {mention(asked.ended_by)}."
        case RequestState.UNDONE:
            return f"The fix of {name} was undone already, by {mention(asked.ended_by)}."
        case _:
            return f"There is nothing to undo for {name}. {prose(asked.outcome)}".rstrip()

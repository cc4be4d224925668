"""One person's approval of one request: it counts once, and every other click hears what became of it."""

from commands import _decide
from commands._answers import no_longer_exists, nothing_to_do, patch_only
from commands._audits import OVERTAKEN
from commands._carry_out import NEWEST
from commands._types import Context, Request
from commands.views.text import clock_time, code, mention, prose
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind, Verdict

WAITING = (RequestState.OPEN, RequestState.FAILED)


def claim(request: Request, context: Context, asked: FixRequest, allowed_by: str) -> str:
    """Empty for the one click that counts, recorded in the same transaction; else why this one does not."""
    store = context.store
    with store.transaction():
        function = store.functions.get(asked.function_arn)
        if function is None:
            return no_longer_exists(asked.function_name)
        if store.requests.get(asked.id).state not in WAITING:
            return too_late(context, store.requests.get(asked.id))
        needless = nothing_to_do(context, function)
        if needless:
            return f"Nothing was changed. {needless}"
        if not function.fixable:
            return f"Nothing was changed: {code(function.name)} needs a deployment, not a fix of its configuration."
        in_code = patch_only(function, context.policy)
        if in_code:
            return f"Nothing was changed. {in_code}"
        if not store.requests.claim(asked.id, request.user, context.clock()):
            return too_late(context, store.requests.get(asked.id))
        _decide.record(
            context,
            DecisionKind.APPROVED,
            asked.function_arn,
            actor=request.user,
            request=request,
            request_id=asked.id,
            detail={"allowed_by": allowed_by},
        )
        store.posts.redraw_showing(asked.id, newest=NEWEST)
        clicked = store.posts.at(request.channel, request.message)
        if clicked:
            store.posts.redraw(clicked.id)
    return ""


def too_late(context: Context, asked: FixRequest) -> str:
    """A polite word for a click that changes nothing: who was first, and what came of it."""
    name, first = code(asked.function_name), mention(asked.approved_by)
    approved = clock_time(asked.approved_at) if asked.approved_at else ""
    finished = clock_time(asked.finished_at) if asked.finished_at else ""
    match asked.state:
        case RequestState.RUNNING:
            return f"{name} is being fixed already, approved by {first} at {approved}."
        case RequestState.APPLIED:
            return f"{name} was fixed already, approved by {first}; Active since {finished}."
        case RequestState.RESOLVED:
            exemption = context.store.exemptions.covering(asked.function_arn, context.clock())
            if asked.outcome == OVERTAKEN[Verdict.EXEMPT] and exemption is None:
                return f"The exemption of {name} has run out. Ask anew: `/trace-fix {asked.function_name}`"
            why = f"exempt: {prose(exemption.reason)}" if exemption else prose(asked.outcome)
            return f"Nothing is left to do for {name}: {why}"
        case _:
            return f"{first} approved {name} just before you, and that failed: {prose(asked.outcome)}"

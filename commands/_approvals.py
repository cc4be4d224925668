"""One person's approval of one request: it counts once, and every other click hears what became of it.

Whose click counts is decided here, from the record; where two people are needed, the first who clicks on what nobody
asked for has asked.
"""

from dataclasses import replace

from commands import _refused, _requests
from commands._answers import no_longer_exists, nothing_to_do, patch_only
from commands._audits import OVERTAKEN
from commands._clicks import decided
from commands._plans import remembered, with_forecast
from commands._types import Context, Request
from commands.views.left import left_line
from commands.views.standing import MOST_APPROVERS, ask_anew, ended_line
from commands.views.text import clock_time, code, listing, mention, prose
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind, Function, Verdict


def claim(request: Request, context: Context, asked: FixRequest, allowed_by: str) -> str:
    """Empty for the one click that counts, recorded in the same transaction; else why this one does not."""
    store = context.store
    with store.transaction():
        function = store.functions.get(asked.function_arn)
        if function is None:
            return no_longer_exists(asked.function_name)
        standing = current(context, asked.id)
        if not standing.waiting:
            return too_late(context, standing)
        needless = nothing_to_do(context, function)
        if needless:
            return f"Nothing was changed. {needless}"
        plan = with_forecast(context, standing.plan, function) if standing.plan else remembered(context, function)
        if not (function.fixable or plan.publishes):
            return f"Nothing was changed: {code(function.name)} needs a deployment, not a fix of its configuration."
        in_code = patch_only(function, context.policy)
        if in_code:
            return f"Nothing was changed. {in_code}"
        another = _another(request, context, standing, function, allowed_by)
        if another:
            return another
        store.requests.keep_plan(asked.id, plan)
        if not store.requests.claim(asked.id, request.user, context.clock()):
            return too_late(context, current(context, asked.id))  # its time was over between two looks at the clock
        decided(request, context, DecisionKind.APPROVED, asked, allowed_by=allowed_by)
    return ""


def current(context: Context, request_id: str) -> FixRequest:
    """As it stands now: one whose time is over ends here, though the clock has not come round yet."""
    store = context.store
    if _requests.is_over(store.requests.get(request_id), context.clock()):
        _requests.expire(context, store.requests.get(request_id))
    return store.requests.get(request_id)


def refuse(request: Request, context: Context, asked: FixRequest, why: str) -> str:
    """What to say to who may not decide; that they tried is kept, once for each person and request."""
    _refused.keep(request, context, _refused.of_request(asked), why)
    return f"Nothing was changed: {why}"


def refuse_budget(request: Request, context: Context, why: str) -> str:
    """The same of the AWS budget, of which there is one."""
    _refused.keep(request, context, _refused.BUDGET, why)
    return f"Nothing was changed: {why}"


def _another(request: Request, context: Context, asked: FixRequest, function: Function, allowed_by: str) -> str:
    """Where it takes another person, what to say to this one; else empty."""
    if not context.policy.needs_two_people(function):
        return ""
    others = _requests.who_may_click(context, replace(asked, asked_by=request.user), function)
    whom = listing(others, MOST_APPROVERS) or "nobody else may; name another approver in lamplighter.toml"
    name = code(function.name)
    if not asked.asked_by:
        _requests.ask(request, context, asked, allowed_by=allowed_by)
        return f"A fix of {name} takes two people. You have asked for it now; another approver has to click: {whom}"
    if asked.asked_by == request.user:
        why = f"you asked for this fix, and it takes two people. Another approver has to click: {whom}"
        return refuse(request, context, asked, why)
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
        case RequestState.EXPIRED:
            nothing = left_line(asked) or f"Nothing was changed. {ask_anew(asked)}"
            return f"{name}: the request expired at {finished}. {nothing}"
        case RequestState.DENIED | RequestState.CANCELLED:
            return f"{name}: {ended_line(asked)} {left_line(asked) or ask_anew(asked)}"
        case RequestState.UNDOING | RequestState.UNDONE:
            return f"{name}: {ended_line(asked)}"
        case _:
            return f"{first} approved {name} just before you, and that failed: {prose(asked.outcome)}"

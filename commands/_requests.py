"""A request from when somebody asks for it until its time is over: what is recorded, and what is drawn again."""

from datetime import datetime, timedelta

from commands import _decide
from commands._types import Context, Permission, Request
from commands.views.text import code, mention
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind, Function

OUT_OF_TIME = "Nobody decided in time."


def ask(request: Request, context: Context, asked: FixRequest, reason: str = "", allowed_by: str = "") -> bool:
    """True for the first who asks. `allowed_by`: the rule that lets them approve too, where they clicked to."""
    store, now = context.store, context.clock()
    expires_at = now + timedelta(hours=context.policy.request_hours)
    with store.transaction():
        if not store.requests.ask(asked.id, request.user, reason, expires_at):
            return False
        _decide.record(
            context,
            DecisionKind.REQUESTED,
            asked.function_arn,
            actor=request.user,
            request=request,
            request_id=asked.id,
            reason=reason,
            until=expires_at,
            detail={"allowed_by": allowed_by} if allowed_by else None,
        )
        store.posts.redraw_showing(asked.id)
    return True


def team_of(context: Context, asked: FixRequest) -> str | None:
    """Whose its function is now; of one that is gone, whose it was."""
    function = context.store.functions.get(asked.function_arn)
    return function.team if function else asked.team


def may_decide(request: Request, context: Context, asked: FixRequest) -> Permission:
    """By the function's team of now, whoever was shown the request before."""
    return context.people.may_approve(request.user, request.workspace, team_of(context, asked))


def went(context: Context, asked: FixRequest, team: str | None) -> str:
    """Of a permission that was asked for `team`, while Slack answered: why it is worth nothing by now, else empty."""
    if team_of(context, asked) == team:
        return ""
    return f"Nothing was changed: {code(asked.function_name)} went to another team just now. Look at it again."


def who_may_click(context: Context, asked: FixRequest, function: Function | None) -> tuple[str, ...]:
    """Those whose approval would count, as mentions: not of whoever asked, where it takes two people."""
    approvers = context.people.approvers(function.team if function else asked.team)
    if function is None or not context.policy.needs_two_people(function):
        return approvers
    return tuple(one for one in approvers if one != mention(asked.asked_by))


def is_over(asked: FixRequest, now: datetime) -> bool:
    """Whether it waits though its time is over."""
    return asked.waiting and asked.expires_at is not None and asked.expires_at <= now


def expire(context: Context, asked: FixRequest) -> bool:
    """End a request whose time is over: once, whoever comes first, the clock or somebody's click."""
    store, now = context.store, context.clock()
    with store.transaction():
        standing, outcome = store.requests.get(asked.id), OUT_OF_TIME
        if standing.state is RequestState.FAILED:
            outcome = f"It had failed, and nobody approved it again in time: {standing.outcome}"
        if not store.requests.expire(asked.id, outcome, now):
            return False
        _decide.record(
            context,
            DecisionKind.EXPIRED,
            asked.function_arn,
            actor=THE_CLOCK,
            request_id=asked.id,
            reason=outcome,
            until=asked.expires_at,
        )
        store.posts.redraw_showing(asked.id)
    return True


def expire_due(context: Context) -> int:
    """End all whose time is over; how many."""
    return sum(expire(context, asked) for asked in context.store.requests.run_out(context.clock()))

"""A row for the history, filled in from what is asked and of which function, and the rule that allowed it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from commands._context import Context
from storage.models import THE_CLOCK, Decision, DecisionKind, Source

if TYPE_CHECKING:
    from commands._types import Request


def record(
    context: Context,
    kind: DecisionKind,
    function_arn: str,
    *,
    actor: str,
    request: "Request | None" = None,
    request_id: str = "",
    before: str | None = None,
    after: str = "",
    reason: str = "",
    until: datetime | None = None,
    detail: Mapping[str, object] | None = None,
    team: str | None = None,
) -> Decision:
    """`before` is what is remembered, unless it is given: the verdict where an exemption is decided on, else the
    tracing mode. `team`: whose it is, where that is no function's. The rule that allowed it is `allowed_by` of the
    detail; for what follows from a decision that is that decision's."""
    function = context.store.functions.get(function_arn)
    remembered = "" if function is None else str((function.verdict if kind in _OF_VERDICTS else function.mode) or "")
    told = dict(detail or {})
    rule = str(told.get("allowed_by") or "") or _rule(context, kind, function_arn, request_id, actor)
    if rule:
        told["allowed_by"] = rule
    if function_arn:
        team = (function.team or "") if function else context.store.functions.last_team(function_arn)
    return context.store.decisions.record(
        Decision(
            kind,
            context.clock(),
            actor,
            function_arn,
            source=request.source if request else Source.CLOCK,
            workspace=request.workspace if request else "",
            channel=request.channel if request else "",
            message=request.message if request else "",
            request_id=request_id,
            before=remembered if before is None else before,
            after=after,
            reason=reason,
            until=until,
            detail=told,
            team=team if function_arn or team else str(told.get("team") or ""),
        )
    )


ANY_MEMBER = "any full member of the workspace may"
WHAT_WAS_SEEN = "nobody's leave: it says what was found"
_OF_VERDICTS = frozenset(kind for kind in DecisionKind if kind.startswith("exempt")) | {DecisionKind.LAPSED}
_FOLLOWS = {
    DecisionKind.APPLIED: (DecisionKind.APPROVED,),
    DecisionKind.FAILED: (DecisionKind.APPROVED,),
    DecisionKind.UNDONE: (DecisionKind.UNDO,),
    DecisionKind.UNDO_FAILED: (DecisionKind.UNDO,),
    DecisionKind.RESOLVED: (DecisionKind.APPROVED, DecisionKind.UNDO),
    DecisionKind.BUDGET_SET: (DecisionKind.BUDGET_APPROVED,),
    DecisionKind.BUDGET_FAILED: (DecisionKind.BUDGET_APPROVED,),
}
_BY_ANYBODY = (DecisionKind.REQUESTED, DecisionKind.SNOOZED, DecisionKind.SNOOZE_ENDED)
_BY_TIME = (DecisionKind.EXPIRED, DecisionKind.EXEMPTION_EXPIRED)
_SEEN = (DecisionKind.RESOLVED, DecisionKind.LAPSED, DecisionKind.EXEMPTION_ENDED)


def _rule(context: Context, kind: DecisionKind, function_arn: str, request_id: str, actor: str) -> str:
    """What allows what nobody asked a person's right for; "" where that is not known."""
    if kind in _FOLLOWS and actor != THE_CLOCK:
        rows = context.store.decisions.of_request(request_id) if request_id else []
        return next((row.allowed_by for row in reversed(rows) if row.kind in _FOLLOWS[kind]), "")
    if kind in _BY_ANYBODY and (function_arn or kind is DecisionKind.REQUESTED):
        return ANY_MEMBER
    if kind in _BY_TIME:
        return f"[policy] request_hours = {context.policy.request_hours:g}"
    return WHAT_WAS_SEEN if kind in _SEEN else ""

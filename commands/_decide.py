"""A row for the history, filled in from what is asked and of which function."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from commands._context import Context
from storage.models import Decision, DecisionKind, Source

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
) -> Decision:
    """`before` is the tracing mode that is remembered, unless it is given."""
    function = context.store.functions.get(function_arn)
    remembered = str(function.mode or "") if function else ""
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
            detail=detail or {},
        )
    )

"""What is looked at before and after a change on AWS, so that memory and messages say what AWS says now."""

import logging

from msgspec import structs

from commands import _decide
from commands._audits import judge, look_again
from commands._types import Context
from commands.aws.errors import AwsProblem, Gone
from commands.aws.remediation import FunctionGone
from storage.models import THE_CLOCK, DecisionKind, Function, MayWrite, Verdict

PATIENCE_SECONDS = (1.0, 3.0, 9.0, None)  # between the attempts to look at a function
TRACED_BY_ROLE = "Traced now: its execution role was given the permission in a fix of another function."

log = logging.getLogger(__name__)


def as_it_is_now(context: Context, function: Function) -> Function:
    """Patient with an AWS that is busy for a moment. Raises FunctionGone, AwsProblem."""
    for wait in PATIENCE_SECONDS:
        try:
            return look_again(context, function)
        except Gone as gone:
            raise FunctionGone(function.arn, None, gone.request_id) from None
        except AwsProblem as problem:
            if not problem.transient or wait is None:
                raise
            log.info("%s, again in %s s", problem, wait)
            context.cloud.patience.wait(wait)
    raise AssertionError("the last of PATIENCE_SECONDS is None")


def look_after(context: Context, function_arn: str, *, role_changed: bool) -> str:
    """Look at a function once more after something was changed, though not as was hoped, or was taken back. Its tracing
    mode by then; "" where that was not to be seen."""
    function = context.store.functions.get(function_arn)
    if function is None or function.role is None:
        return ""
    try:
        seen = look_again(context, function)
        if role_changed and seen.role_may_write:
            remember_role(context, function.role, seen.role_may_write)
        return str(seen.mode or "")
    except AwsProblem as problem:
        log.warning("%s could not be looked at after it was changed: %s", function_arn, problem)
        return ""


def remember_role(context: Context, role: str, may_write: MayWrite) -> None:
    """The other functions of a role that was given a policy gain by it, and lose by its loss; their messages say so.

    AWS was not asked about those functions, so that what an audit sees of them counts as newer.
    """
    store, now = context.store, context.clock()
    was = MayWrite.YES if may_write is MayWrite.NO else MayWrite.NO
    with store.transaction():
        others = [one for one in store.functions.of_role(role) if one.role_may_write is was]
        for one in judge(context, [structs.replace(one, role_may_write=may_write) for one in others]):
            store.functions.amend(one, now)
            live = store.requests.live(one.arn)
            if live is None:
                continue
            if one.verdict is Verdict.TRACED and store.requests.resolve(live.id, TRACED_BY_ROLE, now):
                _decide.record(
                    context,
                    DecisionKind.RESOLVED,
                    one.arn,
                    actor=THE_CLOCK,
                    request_id=live.id,
                    reason=TRACED_BY_ROLE,
                )
            store.posts.redraw_showing(live.id)

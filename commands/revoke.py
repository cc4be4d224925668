"""`/trace-exempt revoke`: an exemption ends before its day, for one function or as a whole, and this is recorded."""

import re

from commands import _decide, _exempting, _find, _refused
from commands._exempted import end_if_empty, redraw
from commands._types import Answer, Context, Request, Say
from commands.views.exemptions import decided_line, what
from commands.views.standing import REASON_LIMIT
from commands.views.text import code, count
from storage.models import DecisionKind, Exemption, ExemptState, Function, Verdict

COMMAND = "/trace-exempt revoke"
NUMBERED = re.compile(r"#?(\d{1,12})")
REVOKED = "Revoked."


def revoke(request: Request, context: Context) -> Answer:
    """Answer `/trace-exempt revoke <function or id> [reason]`."""
    first, _, rest = request.text.partition(" ")
    numbered = NUMBERED.fullmatch(first)
    wanted, reason = (None, rest.strip()) if numbered else _find.Wanted.with_reason(request.text)
    if len(reason) > REASON_LIMIT:
        yield Say(f"That reason has {len(reason):,} characters. Say it in {REASON_LIMIT} at most.")
        return
    if numbered:
        yield _by_number(request, context, int(numbered[1]), reason)
        return
    if not wanted or not wanted.name:
        yield Say(f"Say which: `{COMMAND} refund-worker` or `{COMMAND} 12`. `/trace-exempt list` has the numbers.")
        return
    function = _find.one(context.store, wanted, COMMAND)
    yield function if isinstance(function, Say) else _of_function(request, context, function, reason)


def _by_number(request: Request, context: Context, number: int, reason: str) -> Say:
    exemption = context.store.exemptions.numbered(number)
    if exemption is None:
        return Say(f"There is no exemption number {number}. `/trace-exempt list` has those in force.")
    teams = _exempting.teams_of(context, exemption)
    permission = _exempting.may_decide(request, context, exemption)
    if not permission.allowed:
        return _exempting.refuse(request, context, exemption, permission.why)
    if exemption.state is ExemptState.ASKED:
        return Say(f"Number {number} waits for a second person: deny it in the team's channel.")
    with context.store.transaction():
        if moved := _exempting.handed_over(context, exemption, teams):
            return moved
        arns = [one.arn for one in context.store.exempted.of(number)]
        if not exemption.is_in_force(context.clock()) or not _finish(request, context, exemption, reason):
            ended = context.store.exemptions.get(number)
            said = "Its last day is over." if ended.state is ExemptState.GRANTED else decided_line(ended)
            return Say(f"Nothing was changed: {what(exemption)}: {said}")
        detail: dict[str, object] = {"allowed_by": permission.why}
        for arn in ["", *arns] if exemption.by_rule else arns or [exemption.function_arn]:
            _record(request, context, exemption, arn, reason, detail)
        _exempting.lift(context, arns)
    return Say(f"Revoked number {number}, {what(exemption)}: {count(len(arns), 'function')} {_counted(len(arns))}.")


def _of_function(request: Request, context: Context, function: Function, reason: str) -> Say:
    """Its own exemption, and its part in every rule that covers it; a rule stays for the others."""
    name = code(function.name)
    permission = context.people.may_approve(request.user, request.workspace, function.team)
    if not permission.allowed:
        covering = context.store.exemptions.covering(function.arn, context.clock())
        thing = _refused.of_exemption(covering) if covering else _refused.of_function(context, function)
        _refused.keep(request, context, thing, permission.why)
        return Say(f"Nothing was changed: {permission.why}")
    with context.store.transaction():
        ended = _end_all(request, context, function, reason, permission.why)
        _exempting.lift(context, [function.arn])
    if not ended:
        return Say(f"{name} is not exempt, so there is nothing to revoke.")
    rules = [one for one in ended if one.by_rule]
    stay = f" Rule number {rules[0].id}, {what(rules[0])}, stays for the others." if rules else ""
    return Say(f"{name} is not exempt any more, and counts as untraced again.{stay}")


def _end_all(request: Request, context: Context, function: Function, reason: str, allowed_by: str) -> list[Exemption]:
    store, ended = context.store, []
    while exemption := store.exemptions.covering(function.arn, context.clock()):
        if exemption.by_rule:
            store.exempted.leave(exemption.id, function.arn, reason or REVOKED, context.clock())
            end_if_empty(context, exemption)
            redraw(context, exemption)
        else:
            _finish(request, context, exemption, reason)
        _record(request, context, exemption, function.arn, reason, {"allowed_by": allowed_by})
        ended.append(exemption)
    return ended


def _finish(request: Request, context: Context, exemption: Exemption, reason: str) -> bool:
    """True for the one who revokes it."""
    done = context.store.exemptions.finish(
        exemption.id, ExemptState.GRANTED, ExemptState.REVOKED, request.user, context.clock(), reason
    )
    if done:
        redraw(context, exemption)
    return done


def _record(
    request: Request, context: Context, exemption: Exemption, arn: str, reason: str, detail: dict[str, object]
) -> None:
    _decide.record(
        context,
        DecisionKind.EXEMPTION_REVOKED,
        arn,
        actor=request.user,
        request=request,
        request_id=exemption.token,
        before=str(Verdict.EXEMPT) if arn else "",
        after=_after(context, arn),
        reason=reason,
        until=exemption.expires_at,
        detail=detail | {"exemption": exemption.id},
        team=exemption.team,
    )


def _after(context: Context, arn: str) -> str:
    """Its verdict once it is lifted: another exemption may cover it still."""
    function = context.store.functions.get(arn)
    if function is None:
        return ""
    lifted = function.verdict is Verdict.EXEMPT and context.store.exemptions.covering(arn, context.clock()) is None
    return str(Verdict.UNTRACED if lifted else function.verdict)


def _counted(number: int) -> str:
    return "counts as untraced again" if number == 1 else "count as untraced again"

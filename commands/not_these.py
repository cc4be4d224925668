"""*Not these…*: an approver keeps the grace period from fixing what a notice names, with a reason."""

from commands import _decide, _refused
from commands._answers import UNKNOWN_BUTTON
from commands._types import Answer, Context, OpenForm, Permission, Request, Say
from commands.deny import check
from commands.views.form import REASON
from commands.views.grace import stop_form
from commands.views.text import clock_time, count, mention, prose
from storage.fixes import GraceNotice, NoticeState
from storage.models import DecisionKind, Function, Verdict


def open_form(request: Request, context: Context) -> Answer:
    """Answer the *Not these…* button with the form, from memory alone: Slack wants it within three seconds."""
    notice = _waiting(request, context)
    if isinstance(notice, Say):
        yield notice
        return
    permission = _may_decide(request, context, notice)
    names = [function.name for function in _named(context, notice)]
    yield OpenForm(stop_form(notice, names)) if permission.allowed else _no(request, context, notice, permission)


def not_these(request: Request, context: Context) -> Answer:
    """Record the objection that the form gives a reason for: a denial of each function's fix."""
    wrong = check(request.fields, context.clock(), context.zone)
    notice = _waiting(request, context)
    if wrong or isinstance(notice, Say):
        yield notice if isinstance(notice, Say) else Say(f"Nothing was stopped: {' '.join(wrong.values())}")
        return
    permission = _may_decide(request, context, notice)
    if not permission.allowed:
        yield _no(request, context, notice, permission)
        return
    store, reason = context.store, request.fields[REASON].strip()
    with store.transaction():
        stopped = store.grace.end(notice.id, NoticeState.STOPPED, request.user, context.clock(), reason)
        denied = _deny(request, context, notice, permission.why, reason) if stopped else 0
    yield _stopped(context, denied) if stopped else Say(_too_late(store.grace.get(notice.id)))


def _deny(request: Request, context: Context, notice: GraceNotice, allowed_by: str, reason: str) -> int:
    """How many. Their requests stay open: whoever may approve may still click."""
    functions = _named(context, notice)
    for function in functions:
        _decide.record(
            context,
            DecisionKind.DENIED,
            function.arn,
            actor=request.user,
            request=request,
            reason=reason,
            detail={"allowed_by": allowed_by, "notice": notice.id},
        )
    return len(functions)


def _named(context: Context, notice: GraceNotice) -> list[Function]:
    """Those of its functions that are still untraced."""
    known = map(context.store.functions.get, context.store.grace.functions(notice.id))
    return [one for one in known if one and one.verdict is Verdict.UNTRACED]


def _waiting(request: Request, context: Context) -> GraceNotice | Say:
    notice = context.store.grace.with_token(request.value)
    if notice is None:
        return Say(UNKNOWN_BUTTON)
    return notice if notice.state is NoticeState.ANNOUNCED else Say(_too_late(notice))


def _may_decide(request: Request, context: Context, notice: GraceNotice) -> Permission:
    return context.people.may_approve(request.user, request.workspace, notice.team)


def _no(request: Request, context: Context, notice: GraceNotice, permission: Permission) -> Say:
    _refused.keep(request, context, _refused.of_notice(notice), permission.why)
    return Say(f"Nothing was stopped: {permission.why}")


def _stopped(context: Context, denied: int) -> Say:
    days = context.policy.grace.days
    again = f", and no notice names them again for {count(days, 'day')}" if days else ""
    return Say(f"Stopped. {count(denied, 'function')} will not be fixed without a click{again}.")


def _too_late(notice: GraceNotice) -> str:
    at = clock_time(notice.ended_at) if notice.ended_at else "now"
    match notice.state:
        case NoticeState.STOPPED:
            return f"{mention(notice.ended_by)} stopped it already, at {at}."
        case NoticeState.TAKEN:
            return f"Too late: its day has come, and the fixes began at {at}. *Stop* in their message ends them."
        case _:
            return f"Nothing is left to stop. {prose(notice.reason)}"

"""*Deny…* and *Cancel request*: how a request ends without a fix, by whom, and what is said of it."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from commands import _requests
from commands._answers import UNKNOWN_BUTTON, no_longer_exists
from commands._approvals import current, refuse, too_late
from commands._clicks import EVERY, decided, redrawn
from commands._types import Answer, Context, OpenForm, Permission, Request, Say
from commands.views.deny import deny_form
from commands.views.form import REASON
from commands.views.left import left_line
from commands.views.standing import REASON_LIMIT, ask_anew, ended_line
from commands.views.text import code
from storage.fixes import FixRequest, RequestState
from storage.models import DecisionKind


def open_form(request: Request, context: Context) -> Answer:
    """Answer the *Deny…* button with the form, from memory alone: Slack wants it within three seconds."""
    asked = _waiting(request, context)
    if isinstance(asked, Say):
        yield asked
        return
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        yield Say(no_longer_exists(asked.function_name))
        return
    permission = _requests.may_decide(request, context, asked)
    yield (
        OpenForm(deny_form(function, asked))
        if permission.allowed
        else Say(refuse(request, context, asked, permission.why))
    )


def check(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> dict[str, str]:  # noqa: ARG001 - a form's shape
    """What is wrong with the form, by field; empty when nothing is."""
    reason = fields.get(REASON, "").strip()
    if len(reason) < 3:
        return {REASON: "Say why in a few words."}
    return {REASON: f"At most {REASON_LIMIT} characters."} if len(reason) > REASON_LIMIT else {}


def deny(request: Request, context: Context) -> Answer:
    """Record the denial that the form gives a reason for."""
    wrong = check(request.fields, context.clock(), context.zone)
    asked = _waiting(request, context)
    if wrong or isinstance(asked, Say):
        yield asked if isinstance(asked, Say) else Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    permission = _requests.may_decide(request, context, asked)
    if not permission.allowed:
        yield Say(refuse(request, context, asked, permission.why))
        return
    reason = request.fields[REASON].strip()
    yield _end(request, context, asked, RequestState.DENIED, permission.why, reason)


def cancel(request: Request, context: Context) -> Answer:
    """Answer *Cancel request*: whoever asked may withdraw it, and so may an approver."""
    asked = _waiting(request, context)
    if isinstance(asked, Say):
        yield asked
        return
    if not asked.asked_by:
        yield Say(f"Nobody has asked for a fix of {code(asked.function_name)}, so there is nothing to cancel.")
        return
    permission = _may_cancel(request, context, asked)
    if not permission.allowed:
        yield Say(refuse(request, context, asked, permission.why))
        return
    yield _end(request, context, asked, RequestState.CANCELLED, permission.why)
    if request.private:
        yield redrawn(context, asked.id)


def _waiting(request: Request, context: Context) -> FixRequest | Say:
    """The request of the button or form, or why nothing can be decided on it any more."""
    if context.store.requests.find(request.value) is None:
        return Say(UNKNOWN_BUTTON)
    asked = current(context, request.value)
    return asked if asked.waiting else Say(too_late(context, asked))


def _may_cancel(request: Request, context: Context, asked: FixRequest) -> Permission:
    if request.user == asked.asked_by:
        return Permission(True, "asked for it")
    return _requests.may_decide(request, context, asked)


_KINDS = {RequestState.DENIED: DecisionKind.DENIED, RequestState.CANCELLED: DecisionKind.CANCELLED}


def _end(
    request: Request, context: Context, asked: FixRequest, state: RequestState, allowed_by: str, reason: str = ""
) -> Say:
    store = context.store
    with store.transaction():
        if store.requests.end(asked.id, state, request.user, context.clock(), reason):
            decided(request, context, _KINDS[state], asked, allowed_by=allowed_by, reason=reason, newest=EVERY)
            ended = store.requests.get(asked.id)
            return Say(f"{code(asked.function_name)}: {ended_line(ended)} {left_line(ended) or ask_anew(ended)}")
    return Say(too_late(context, current(context, asked.id)))

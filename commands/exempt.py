"""`/trace-exempt` and the *Exempt…* button: a function may stay untraced, for a reason and until a date."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands import _decide, _find
from commands._answers import UNKNOWN_BUTTON, no_longer_exists, nothing_to_do
from commands._audits import OVERTAKEN
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.views.exempt import MOST_DAYS, REASON, REASON_LIMIT, UNTIL, exempt_form
from commands.views.text import code, day, prose
from storage.fixes import RequestState
from storage.models import DecisionKind, Function, Verdict


def exempt(request: Request, context: Context) -> Answer:
    """Answer `/trace-exempt <function>` with the form."""
    function = _find.one(context.store, _find.Wanted.read(request.text), "/trace-exempt")
    yield function if isinstance(function, Say) else _form(request, context, function)


def open_form(request: Request, context: Context) -> Answer:
    """Answer the *Exempt…* button with the form."""
    asked = context.store.requests.find(request.value)
    if asked is None:
        yield Say(UNKNOWN_BUTTON)
        return
    function = context.store.functions.get(asked.function_arn)
    yield Say(no_longer_exists(asked.function_name)) if function is None else _form(request, context, function)


def _form(request: Request, context: Context, function: Function) -> OpenForm | Say:
    """From memory alone: Slack wants the form within three seconds."""
    permission = context.people.may_approve(request.user, request.workspace, function.team)
    if not permission.allowed:
        return Say(permission.why)
    needless = nothing_to_do(context, function)
    if needless:
        return Say(needless)
    asked = context.store.requests.open_for(function, context.clock())
    return OpenForm(exempt_form(function, asked.id, context.clock().astimezone(context.zone).date()))


def check(fields: Mapping[str, str], now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    wrong = {}
    reason = fields.get(REASON, "").strip()
    if len(reason) < 3:
        wrong[REASON] = "Say why in a few words."
    elif len(reason) > REASON_LIMIT:
        wrong[REASON] = f"At most {REASON_LIMIT} characters."
    today = now.astimezone(zone).date()
    latest = today + timedelta(days=MOST_DAYS)
    try:
        until = date.fromisoformat(fields.get(UNTIL, ""))
    except ValueError:
        wrong[UNTIL] = "Choose the last day of the exemption."
    else:
        if until <= today:
            wrong[UNTIL] = "Choose a day after today."
        elif until > latest:
            wrong[UNTIL] = f"One year at most: {latest:%b %-d, %Y} is the last day you can choose."
    return wrong


def grant(request: Request, context: Context) -> Answer:
    """Record the exemption that the form asks for."""
    wrong = check(request.fields, context.clock(), context.zone)
    if wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    asked = context.store.requests.find(request.value)
    function = context.store.functions.get(asked.function_arn) if asked else None
    if asked is None or function is None:
        yield Say(no_longer_exists(asked.function_name) if asked else UNKNOWN_BUTTON)
        return
    permission = context.people.may_approve(request.user, request.workspace, function.team)
    if not permission.allowed:
        yield Say(f"Nothing was changed: {permission.why}")
        return
    with context.store.transaction():
        said = _granted(request, context, function.arn, permission.why)
    yield said  # only now that it is kept, and with nothing held while Slack is told


def _granted(request: Request, context: Context, arn: str, allowed_by: str) -> Say:
    """Looks at the function once more, now that nothing else can change what is remembered of it."""
    store, now, reason = context.store, context.clock(), request.fields[REASON].strip()
    function, live = store.functions.get(arn), store.requests.live(arn)
    if function is None:
        return Say(no_longer_exists(arn.rsplit(":", 1)[-1]))
    if live and live.state is RequestState.RUNNING:
        return Say(f"Nothing was changed: {code(function.name)} is being fixed right now.")
    needless = nothing_to_do(context, function)
    if needless:
        return Say(f"Nothing was changed. {needless}")
    until = _end_of(date.fromisoformat(request.fields[UNTIL]), context.zone)
    exemption = store.exemptions.grant(arn, reason, request.user, now, until)
    store.functions.set_verdict(arn, Verdict.EXEMPT, now)
    if live:
        store.requests.resolve(live.id, OVERTAKEN[Verdict.EXEMPT], now)
        store.posts.redraw_showing(live.id)
    _decide.record(
        context,
        DecisionKind.EXEMPTED,
        arn,
        actor=request.user,
        request=request,
        request_id=live.id if live else "",
        reason=reason,
        until=until,
        detail={"allowed_by": allowed_by, "exemption": exemption.id},
    )
    return Say(f"{code(function.name)} is exempt until {day(exemption.last_moment)}: {prose(reason)}")


def _end_of(last_day: date, zone: ZoneInfo) -> datetime:
    """The first moment after that day, in the configured zone."""
    return datetime.combine(last_day + timedelta(days=1), time.min, zone)

"""`/trace-exempt` and the *Exempt…* button: a function may stay untraced, for a reason and until a date."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commands import _find
from commands._types import Answer, Context, OpenForm, Request, Say
from commands.views.exempt import MOST_DAYS, REASON, REASON_LIMIT, UNTIL, exempt_form
from commands.views.text import code, day, escape
from storage.models import Decision, DecisionKind, Function, Verdict


def exempt(request: Request, context: Context) -> Answer:
    """Answer `/trace-exempt <function>` with the form."""
    wanted = _find.Wanted.read(request.text)
    if not wanted.name:
        yield Say("Say which function: `/trace-exempt refund-worker`")
        return
    found = _find.functions(context.store, wanted)
    if not found:
        yield Say(_find.unknown(context.store, wanted, "/trace-exempt"))
    elif len(found) > 1:
        yield Say(_find.choices(found, "/trace-exempt"))
    elif found[0].verdict is not Verdict.UNTRACED:
        yield Say(_needless(context, found[0]))
    else:
        live = context.store.requests.open_for(found[0], request.user, context.clock())
        yield OpenForm(exempt_form(found[0], live.id, _today(context)))


def open_form(request: Request, context: Context) -> Answer:
    """Answer the *Exempt…* button with the form."""
    try:
        asked = context.store.requests.get(request.value)
    except KeyError:
        yield Say("This button is of another installation. Use `/trace-exempt <function>`.")
        return
    function = context.store.functions.get(asked.function_arn)
    if function is None:
        yield Say(f"`{asked.function_arn.rsplit(':', 1)[-1]}` no longer exists.")
    elif function.verdict is not Verdict.UNTRACED:
        yield Say(_needless(context, function))
    else:
        yield OpenForm(exempt_form(function, asked.id, _today(context)))


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
            wrong[UNTIL] = f"One year at most: {latest:%d %b %Y} is the last day you can choose."
    return wrong


def grant(request: Request, context: Context) -> Answer:
    """Record the exemption that the form asks for."""
    store, now = context.store, context.clock()
    wrong = check(request.fields, now, context.zone)
    if wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    try:
        asked = store.requests.get(request.value)
    except KeyError:
        yield Say("This form is of another installation. Use `/trace-exempt <function>`.")
        return
    function = store.functions.get(asked.function_arn)
    if function is None:
        yield Say(f"`{asked.function_arn.rsplit(':', 1)[-1]}` no longer exists.")
        return
    permission = context.people.may_approve(request.user, request.workspace, function.team)
    if not permission.allowed:
        yield Say(f"Nothing was changed: {permission.why}")
        return
    until = _end_of(date.fromisoformat(request.fields[UNTIL]), context.zone)
    yield _granted(request, context, function, permission.why, until)


def _granted(request: Request, context: Context, function: Function, allowed_by: str, until: datetime) -> Say:
    store, now, reason = context.store, context.clock(), request.fields[REASON].strip()
    with store.transaction():
        live = store.requests.live(function.arn)
        if live and live.state == "running":
            return Say(f"Nothing was changed: {code(function.name)} is being fixed right now.")
        current = store.functions.get(function.arn)
        if current is None or current.verdict is not Verdict.UNTRACED:
            return Say(f"Nothing was changed. {_needless(context, function)}")
        exemption = store.exemptions.grant(function.arn, reason, request.user, now, until)
        store.functions.set_verdict(function.arn, Verdict.EXEMPT, now)
        if live:
            store.requests.resolve(live.id, "Exempt.", now)
            store.posts.touch(live.id)
        store.decisions.record(
            Decision(
                DecisionKind.EXEMPTED,
                now,
                request.user,
                function.arn,
                source=request.source,
                workspace=request.workspace,
                channel=request.channel,
                message=request.message,
                request_id=live.id if live else "",
                before=str(function.mode or ""),
                after=str(function.mode or ""),
                reason=reason,
                until=until,
                detail={"allowed_by": allowed_by, "exemption": exemption.id},
            )
        )
    return Say(f"{code(function.name)} is exempt until {day(exemption.last_moment)}: {escape(reason)}.")


def _needless(context: Context, function: Function) -> str:
    exemption = context.store.exemptions.covering(function.arn, context.clock())
    name = code(function.name)
    if exemption:
        return f"{name} is exempt until {day(exemption.last_moment)} already: {escape(exemption.reason)}"
    match function.verdict:
        case Verdict.TRACED:
            return f"{name} is traced: there is nothing to exempt."
        case Verdict.NOT_APPLICABLE:
            return f"X-Ray does not apply to {name}: there is nothing to exempt."
        case _:
            return f"It is unknown whether {name} is traced. Ask `/trace-audit {function.name}` first."


def _today(context: Context) -> date:
    return context.clock().astimezone(context.zone).date()


def _end_of(last_day: date, zone: ZoneInfo) -> datetime:
    """The first moment after that day, in the configured zone."""
    return datetime.combine(last_day + timedelta(days=1), time.min, zone)

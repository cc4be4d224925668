"""*Set AWS budget…*: an approver makes or changes AWS's own budget of X-Ray, as a recorded decision."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from zoneinfo import ZoneInfo

from commands import _decide
from commands._approvals import refuse_budget
from commands._budget_alerts import channel_of
from commands._types import Answer, Background, Context, OpenForm, Request, Say
from commands.aws import budgeting
from commands.aws.budgeting import BudgetFailed, BudgetSet
from commands.aws.errors import AwsProblem
from commands.views import set_budget as form
from commands.views.budget import OUR_BUDGET
from commands.views.form import result_view
from commands.views.set_budget import ACTUAL, FORECAST, TOPIC, USD
from commands.views.text import channel, clip, prose, sentence
from storage.aws_budgets import MOST_ALARMS, AwsBudget, BudgetAlarm, WantedBudget
from storage.models import DecisionKind, PostKind

MOST_USD = Decimal(10_000_000)
LONGEST = timedelta(minutes=15)  # after which nobody is at work on it any more
_COURSE = (DecisionKind.BUDGET_APPROVED, DecisionKind.BUDGET_SET, DecisionKind.BUDGET_FAILED)
_USD = re.compile(r"\$?\s*([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(\.[0-9]{1,2})?")
_TOPIC = re.compile(r"arn:aws[\w-]*:sns:[a-z0-9-]+:[0-9]{12}:[\w-]{1,256}")
_PERCENT = re.compile(r"[0-9]{1,4}")


def open_form(request: Request, context: Context) -> Answer:
    """Answer the button."""
    yield OpenForm(form.loading())
    permission = context.people.may_approve(request.user, request.workspace, None)
    if not permission.allowed:
        yield OpenForm(result_view(form.TITLE, refuse_budget(request, context, permission.why)))
        return
    try:
        now = budgeting.read(context.cloud)
        account = context.cloud.home_account()
    except AwsProblem as problem:
        yield OpenForm(result_view(form.TITLE, sentence(prose(clip(str(problem), 1500)))))
        return
    alarms = [one for one in (now.alarms if now else None) or () if one.topic and one.ours]
    rules = context.budget
    shown = form.BudgetForm(
        usd=now.limit if now else rules.monthly_usd,
        actual=_percents_of(alarms, forecast=False) if now else rules.thresholds_actual,
        forecast=_percents_of(alarms, forecast=True) if now else rules.thresholds_forecast,
        topic=alarms[0].topic if alarms else "",
        now=now,
        account=account,
        usage_types=len(_usage_types(context)),
        metadata=f"{OUR_BUDGET} {_seen(now)}",
    )
    yield OpenForm(form.budget_form(shown))


def check(fields: Mapping[str, str], _now: datetime, _zone: ZoneInfo) -> dict[str, str]:
    """What is wrong with the form, by field; empty when nothing is."""
    wrong = {}
    if _usd(fields) is None:
        wrong[USD] = "An amount in US dollars, like 200 or 1,250.50; 10 million at most."
    topic = fields.get(TOPIC, "").strip()
    if "@" in topic:
        wrong[TOPIC] = "An SNS topic's ARN. E-mail addresses are not taken here."
    elif topic and not _TOPIC.fullmatch(topic):
        wrong[TOPIC] = "An SNS topic's ARN, like arn:aws:sns:us-east-1:111122223333:finops."
    for name in (ACTUAL, FORECAST):
        if _percents(fields, name) is None:
            wrong[name] = "Whole percentages from 1 to 1000 with commas between, like 80, 100."
    if not wrong and topic:
        number = sum(len(_percents(fields, name) or ()) for name in (ACTUAL, FORECAST))
        if not number:
            wrong[ACTUAL] = "Say at which percentage the topic is told."
        elif number > MOST_ALARMS:
            wrong[ACTUAL] = f"AWS takes {MOST_ALARMS} alarms for a budget, of both kinds together."
    return wrong


def submit(request: Request, context: Context) -> Answer:
    """Record what was decided; AWS is asked while nobody waits, and what came of it is posted."""
    wrong = check(request.fields, context.clock(), context.zone)
    if wrong:
        yield Say(f"Nothing was changed: {' '.join(wrong.values())}")
        return
    permission = context.people.may_approve(request.user, request.workspace, None)
    if not permission.allowed:
        yield Say(refuse_budget(request, context, permission.why))
        return
    wanted = _wanted(request.fields, context)
    detail = {"budget": _kept(wanted), "allowed_by": permission.why}
    _record(request, context, DecisionKind.BUDGET_APPROVED, None, form.wanted_words(wanted), detail)
    yield Say(form.asked_text(channel(channel_of(context)), wanted.usd))
    yield Background("setting the AWS budget of X-Ray", partial(_carry_out, request, context, wanted))


def end_cut_short(context: Context) -> None:
    """What was approved and of which nothing came, for the bot was ended or the machine went: say so, once."""
    rows = [one for one in context.store.decisions.of_request(OUR_BUDGET) if one.kind in _COURSE]
    if not rows or rows[-1].kind is not DecisionKind.BUDGET_APPROVED or context.in_hand.held(OUR_BUDGET):
        return
    cut, now = rows[-1], context.clock()
    if now - cut.at < LONGEST:
        return
    reason = "It was cut short, and whether AWS took it is not known. `/trace-budget` shows the budgets that there are."
    request = Request(user=cut.actor, now=now, source=cut.source, workspace=cut.workspace)
    _failed(request, context, BudgetFailed(reason))


def _carry_out(request: Request, context: Context, wanted: WantedBudget) -> None:
    seen = request.value.removeprefix(f"{OUR_BUDGET} ")
    with context.in_hand.hold(OUR_BUDGET):
        try:
            came = budgeting.set_budget(context.cloud, wanted, request.user, still=lambda now: _seen(now) == seen)
        except BudgetFailed as failed:
            _failed(request, context, failed)
        else:
            _set(request, context, came)


def _set(request: Request, context: Context, came: BudgetSet) -> None:
    detail = {"before": _told(came.before), "after": _told(came.after), "aws_requests": list(came.requests)}
    text = form.set_text(request.user, came.after, len(came.left), came.requests)
    with context.store.transaction():
        number = _record(request, context, DecisionKind.BUDGET_SET, came.before, form.budget_words(came.after), detail)
        _post(context, number, text)


def _failed(request: Request, context: Context, failed: BudgetFailed) -> None:
    detail = {"before": _told(failed.before), "code": failed.code, "aws_requests": list(failed.requests)}
    with context.store.transaction():
        number = _record(request, context, DecisionKind.BUDGET_FAILED, failed.before, "", detail, reason=failed.reason)
        _post(context, number, form.failed_text(request.user, failed.reason, partly=bool(failed.requests)))


def _post(context: Context, number: int, text: str) -> None:
    key = f"aws-budget:{number}"
    context.store.posts.create(key, PostKind.NOTICE, channel_of(context), context.clock(), text=clip(text, 3000))


def _record(
    request: Request,
    context: Context,
    kind: DecisionKind,
    before: AwsBudget | None,
    after: str,
    detail: Mapping[str, object],
    reason: str = "",
) -> int:
    made = _decide.record(
        context,
        kind,
        "",
        actor=request.user,
        request=request,
        request_id=OUR_BUDGET,
        before=form.budget_words(before) if before or kind is DecisionKind.BUDGET_SET else "",  # "": not known
        after=after,
        reason=reason,
        detail=detail,
    )
    return made.id


def _wanted(fields: Mapping[str, str], context: Context) -> WantedBudget:
    """Of a form that was checked."""
    topic = fields.get(TOPIC, "").strip()
    kinds = ((ACTUAL, False), (FORECAST, True)) if topic else ()
    alarms = [
        BudgetAlarm(forecast, Decimal(percent), topic=topic)
        for name, forecast in kinds
        for percent in _percents(fields, name) or ()
    ]
    return WantedBudget(_usd(fields) or Decimal(0), tuple(sorted(alarms)), _usage_types(context))


def _usage_types(context: Context) -> tuple[str, ...]:
    known = context.store.spend.usage_types()
    return known[1] if known else ()


def _usd(fields: Mapping[str, str]) -> Decimal | None:
    text = fields.get(USD, "").strip()
    if not _USD.fullmatch(text):
        return None
    try:
        usd = Decimal(text.lstrip("$ ").replace(",", ""))
    except InvalidOperation:
        return None
    return usd if 0 < usd <= MOST_USD else None


def _percents(fields: Mapping[str, str], name: str) -> list[int] | None:
    """Each once, in order; None where something else stands there."""
    parts = [part.strip().removesuffix("%").strip() for part in fields.get(name, "").split(",") if part.strip()]
    if not all(_PERCENT.fullmatch(part) and 1 <= int(part) <= 1000 for part in parts):
        return None
    return sorted({int(part) for part in parts})


def _percents_of(alarms: list[BudgetAlarm], *, forecast: bool) -> list[int]:
    return sorted({int(one.threshold) for one in alarms if one.forecast == forecast})


def _kept(wanted: WantedBudget) -> dict[str, object]:
    return {"usd": str(wanted.usd), "alarms": _alarms(wanted.alarms), "usage_types": list(wanted.watches)}


def _told(one: AwsBudget | None) -> dict[str, object] | None:
    """For the history: no address is in it, for none is known here."""
    if one is None:
        return None
    limit = None if one.limit is None else str(one.limit)
    alarms = _alarms(one.alarms or ())
    return {"name": one.name, "limit": limit, "unit": one.unit, "watches": list(one.watches), "alarms": alarms}


def _alarms(alarms: tuple[BudgetAlarm, ...]) -> list[dict[str, object]]:
    return [
        {
            "of": "forecast" if one.forecast else "actual",
            "comparison": str(one.comparison),
            "threshold": str(one.threshold),
            "percent": one.percent,
            "topic": one.topic,
            "email_subscribers": one.people,
        }
        for one in alarms
    ]


def _seen(now: AwsBudget | None) -> str:
    """Stands for exactly what the form was drawn for; what was spent meanwhile is no change."""
    return hashlib.sha256(repr(_told(now)).encode()).hexdigest()[:16]

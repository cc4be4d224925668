"""What tracing costs against the budget: the answer of `/trace-budget`, and the alert of a threshold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from commands.views import blocks
from commands.views.amounts import dollars, ratio
from commands.views.blocks import Block
from commands.views.text import clip, code, count, day_and_time, escape, listing, prose, sentence
from storage.aws_budgets import AwsBudget
from storage.kpis import Driver, Drivers, Spent
from storage.month_end import DAYS_TO_ALERT, FEWEST_DAYS, MonthEnd
from storage.spend import AccountSpent, SpendLookUp

SET_BUDGET = "set-aws-budget"
OUR_BUDGET = "aws-budget"  # what its button carries, and under which a refused try is kept: there is one

ACCOUNTS = 5
BUDGETS = 5
_BAR = 12  # of these signs is the longest, so that a phone has room for it; they touch, as blocks do not
_WHOLE, _HALF = "━", "╸"
_NAME = 60
_REASON = 500


@dataclass(frozen=True, slots=True)
class BudgetShown:
    """All that `/trace-budget` tells."""

    month: date  # the present one's first day
    budget: Decimal | None
    spent: Spent | None  # None: not known
    transaction_search: Decimal
    end: MonthEnd | None
    accounts: Sequence[AccountSpent]
    trend: Sequence[Spent]  # oldest first, the present month last
    alerts: Sequence[tuple[str, int, datetime]]
    look_up: SpendLookUp | None  # the last one; None: none was ever made
    requests: int  # in the last 30 days, with what they cost
    requests_usd: Decimal
    metrics_usd: tuple[Decimal, Decimal]  # what look-ups of CloudWatch have cost today and in the last 30 days (UTC)
    enabled: bool
    when: str  # about what time of day AWS is asked
    aws: Sequence[AwsBudget] | None  # that watch X-Ray; None: AWS would not show them
    aws_problem: str = ""
    may_set: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """A threshold of the month's budget was reached, of what it cost or of what it will."""

    forecast: bool
    month: date
    over: bool  # the month is
    thresholds: Sequence[int]  # percent, all that were reached and not told yet, in order
    spent: Spent
    budget: Decimal
    end: MonthEnd | None
    drivers: Drivers
    approvers: Sequence[str]  # as mentions


def budget_text(shown: BudgetShown) -> str:
    """For notifications and screen readers; stands alone."""
    return f"{_so_far(shown)}. {_forecast(shown)}"


def budget_blocks(shown: BudgetShown) -> list[Block]:
    made = [blocks.header("What tracing costs"), blocks.section(f"*{_so_far(shown)}*\n{_as_of(shown)}")]
    if shown.spent:
        made.append(blocks.section(f"*{_forecast(shown)}".replace(":", ":*", 1)))
        made.append(blocks.section("\n".join([_share(shown.spent), *_accounts(shown)])))
    if shown.trend:
        made.append(_trend(shown.trend, shown.month))
    if shown.budget is not None:
        made.append(blocks.section(_alerts(shown)))
    made.append(blocks.section("\n".join(_aws(shown))))
    if shown.may_set:
        button = blocks.button("Set AWS budget…", SET_BUDGET, OUR_BUDGET, described="Set the AWS budget of X-Ray")
        made.append({"type": "actions", "block_id": SET_BUDGET, "elements": [button]})
    return [*made, blocks.context(_cost_of_asking(shown))]


def alert_text(alert: Alert) -> str:
    lines = [f"*{_headline(alert)}*", _which(alert)]
    if not alert.forecast and not alert.over:
        lines.append(_forecast_words(alert.end, alert.budget))
    lines += [*_driven_by(alert.drivers, alert.spent.xray_usd), _what_to_do(alert.approvers)]
    return clip("\n".join(lines), 3000)


# ---- the answer


def _so_far(shown: BudgetShown) -> str:
    if shown.spent is None:
        return f"What X-Ray costs in {shown.month:%B %Y} is not known"
    words = f"X-Ray has cost {dollars(shown.spent.xray_usd)} in {shown.month:%B %Y} so far"
    if shown.budget is None:
        return f"{words}; no budget is set"
    return f"{words}: {ratio(shown.spent.xray_usd, shown.budget)} of the budget of {dollars(shown.budget)}"


def _as_of(shown: BudgetShown) -> str:
    lines = []
    if shown.budget is None:
        lines.append("Set one with `[budget] monthly_usd` in lamplighter.toml, and its thresholds are told in Slack.")
    if shown.transaction_search:
        lines.append(f"Of it, {dollars(shown.transaction_search)} is billed by CloudWatch, for Transaction Search.")
    if shown.spent:
        estimate = "AWS calls it an estimate, and bills with a day or two of delay." if shown.spent.estimated else ""
        lines.append(f"As of {day_and_time(shown.spent.asked_at)}. {estimate}".strip())
    problem = _problem(shown)
    return "\n".join([*lines, *([problem] if problem else [])])


def _problem(shown: BudgetShown) -> str:
    if not shown.enabled:
        return "Cost Explorer is not asked: `enabled = false` in `[spend]` of lamplighter.toml."
    if shown.look_up is None:
        return f"Cost Explorer was not asked yet. It is once a day, {shown.when}."
    if not shown.look_up.problem:
        return "" if shown.spent else f"Cost Explorer was not asked for it yet. It is once a day, {shown.when}."
    return f"Not known: {sentence(prose(clip(shown.look_up.problem, _REASON)))}"


def _forecast(shown: BudgetShown) -> str:
    if shown.spent is None:
        return "A forecast is not known either."
    return _forecast_words(shown.end, shown.budget)


def _forecast_words(end: MonthEnd | None, budget: Decimal | None) -> str:
    if end is None:
        return f"Forecast for the month: not known. It takes {FEWEST_DAYS} days that are billed whole."
    of = f", {ratio(end.expected, budget)} of the budget" if budget else ""
    made = f"Made of {count(end.days, 'day')} that are billed whole, the {end.left:,} to come each like their mean"
    between = f"{_between(end)} if each is like the cheapest or the dearest of them"
    return f"Forecast for the month: about {dollars(end.expected)}{of}. {made}; {between}."


def _between(end: MonthEnd) -> str:
    return f"between {dollars(end.low)} and {dollars(end.high)}"


def _share(spent: Spent) -> str:
    if spent.share is None:
        cost = dollars(spent.lambda_usd) if spent.lambda_usd else "nothing"
        return f"*Of Lambda's cost:* not known, for Lambda cost {cost} in this month so far."
    of = f"{dollars(spent.xray_usd)} beside {dollars(spent.lambda_usd)}, what Savings Plans pay for included"
    return f"*Of Lambda's cost:* X-Ray is {ratio(spent.xray_usd, spent.lambda_usd)} ({of})."


def _accounts(shown: BudgetShown) -> list[str]:
    billed = [one for one in shown.accounts if one.xray_usd]
    if not billed:
        return ["*By account:* X-Ray has cost nothing in any of them."]
    lines = [f"• {code(clip(one.account, 40))} · {dollars(one.xray_usd)}" for one in billed[:ACCOUNTS]]
    rest = billed[ACCOUNTS:]
    if rest:
        usd = sum((one.xray_usd for one in rest), Decimal(0))
        lines.append(f"• {count(len(rest), 'other account')} · {dollars(usd)}")
    return ["*By account:*", *lines]


def _trend(trend: Sequence[Spent], present: date) -> Block:
    """A line and a bar for each month; the dearest has the longest."""
    most = max(one.xray_usd for one in trend)
    lines = [_month(one, most, present) for one in trend]
    return blocks.section("\n".join([f"*By month*, {_span(trend)}:", *lines]))


def _month(one: Spent, most: Decimal, present: date) -> str:
    said = (f"{one.month:%b} {dollars(one.xray_usd)}", _bar(one.xray_usd, most))
    return "  ".join(filter(None, (*said, "so far" if one.month == present else "")))


def _span(trend: Sequence[Spent]) -> str:
    first, last = trend[0].month, trend[-1].month
    return f"{last:%B %Y}" if first == last else f"{first:%B %Y} to {last:%B %Y}"


def _bar(usd: Decimal, most: Decimal) -> str:
    """In half signs, one at least; nothing where nothing was spent."""
    if usd <= 0:
        return ""
    whole, half = divmod(max(1, round(2 * _BAR * usd / most)), 2)
    return _WHOLE * whole + _HALF * half


def _alerts(shown: BudgetShown) -> str:
    if not shown.alerts:
        return "*Alerts in this month:* none was sent."
    told = [f"{threshold} % {_OF[which]} ({day_and_time(at)})" for which, threshold, at in shown.alerts[:10]]
    return f"*Alerts in this month:* {', '.join(told)}."


_OF = {"actual": "of the actual cost", "forecast": "of the forecast"}


def _aws(shown: BudgetShown) -> list[str]:
    if shown.aws is None:
        return [f"*AWS budgets that watch X-Ray:* not known. {sentence(prose(clip(shown.aws_problem, _REASON)))}"]
    if not shown.aws:
        return ["*AWS budgets that watch X-Ray:* none, in the account that Lamplighter runs in."]
    lines = [f"• {budget_line(one)}" for one in shown.aws[:BUDGETS]]
    more = [f"and {len(shown.aws) - BUDGETS:,} more"] if len(shown.aws) > BUDGETS else []
    return ["*AWS budgets that watch X-Ray:*", *lines, *more]


def budget_line(one: AwsBudget) -> str:
    """Its limit, and what AWS reckons was spent of it."""
    unit = escape(clip(one.unit, 10))
    limit = "no fixed limit" if one.limit is None else f"{one.limit:,.2f} {unit} {_EVERY.get(one.period, 'a period')}"
    spent = "" if one.actual is None else f", {one.actual:,.2f} {unit} spent by AWS's reckoning"
    if one.actual == 0:  # of a budget that was changed AWS shows nothing until it reckons anew
        spent = ", nothing spent yet by AWS's reckoning"
    others = len(one.watches) - 1
    kinds = "service or usage type" if others == 1 else "services or usage types"
    beside = f", on X-Ray and {others:,} other {kinds}" if others > 0 else ""
    return f"{code(clip(one.name, _NAME))}: {limit}{spent}{beside}"


_EVERY = {"DAILY": "a day", "MONTHLY": "a month", "QUARTERLY": "a quarter", "ANNUALLY": "a year"}


def _cost_of_asking(shown: BudgetShown) -> str:
    today, month = shown.metrics_usd
    said = f"{dollars(today)} today (UTC), {dollars(month)} in 30 days"
    metrics = f" CloudWatch's metrics, for forecasts and GB-seconds: {said}." if month else ""
    last = shown.look_up
    if last is None:
        return f"Cost Explorer costs $0.01 a request.{metrics}"
    asked = f"Cost Explorer was last asked: {day_and_time(last.asked_at)}, {count(last.requests, 'request')}"
    total = f"; in 30 days {count(shown.requests, 'request')}, {dollars(shown.requests_usd)}"
    others = total if shown.requests != last.requests else ""
    return f"{asked}, {dollars(last.usd)}{others}. `[spend] max_requests_per_day` is the cap.{metrics}"


# ---- the alert


def _headline(alert: Alert) -> str:
    month = f"{alert.month:%B %Y}"
    if alert.forecast:
        usd = alert.end.expected if alert.end else alert.spent.xray_usd
        words = f"X-Ray is likely to cost about {dollars(usd)} in {month}"
    else:
        usd = alert.spent.xray_usd
        cost = f"cost {dollars(usd)} in {month}"
        words = f"X-Ray {cost}" if alert.over else f"X-Ray has {cost} so far"
    return f"{words}: {ratio(usd, alert.budget)} of the budget of {dollars(alert.budget)}"


def _which(alert: Alert) -> str:
    reached = " and ".join(f"{one} %" for one in alert.thresholds)
    noun = "threshold" if len(alert.thresholds) == 1 else "thresholds"
    told = f"Reached: the {noun} of {reached} for the {'forecast' if alert.forecast else 'actual cost'}."
    as_of = f"Cost Explorer, as of {day_and_time(alert.spent.asked_at)}"
    if alert.forecast and alert.end:
        between = _between(alert.end)
        return f"{told} {as_of}: {count(alert.end.days, 'day')} billed whole ({DAYS_TO_ALERT} at least); {between}."
    return f"{told} {as_of}{', an estimate' if alert.spent.estimated else ''}."


def _driven_by(drivers: Drivers, billed: Decimal) -> list[str]:
    """The same shares as a report has, so that none of these sums is more than the bill."""
    why = sentence(prose(clip(drivers.why, _REASON))) if drivers.why else ""
    if not drivers.teams:
        return [f"Which teams and functions drive it is not known. {why}".strip()]
    teams = [f"{_team(one)} {dollars(one.usd)}" for one in drivers.teams]
    teams += [f"all others {dollars(drivers.others)}"] if drivers.others else []
    lines = [f"*Teams that drive it* (of {dollars(billed)} billed, by their share of traces): {', '.join(teams)}."]
    if drivers.functions:
        functions = [f"{code(clip(_name(one), _NAME))} ({_team(one)}) {dollars(one.usd)}" for one in drivers.functions]
        lines.append(f"*Biggest functions* (of the same, by theirs): {listing(functions)}.")
    return [*lines, *([why] if why else [])]


def _team(one: Driver) -> str:
    return escape(clip(one.team, _NAME)) if one.team else "no known team"


def _name(one: Driver) -> str:
    return one.function_arn.rsplit(":", 1)[-1]


def _what_to_do(approvers: Sequence[str]) -> str:
    whom = listing(approvers, 5) or "nobody yet: name approvers in lamplighter.toml"
    return (
        f"`/trace-budget` shows more. Who may act (set the AWS budget there, or exempt functions): {whom}. Whoever "
        "runs Lamplighter may raise `[budget] monthly_usd`."
    )

"""Whether a threshold of the budget was reached and nobody was told: then one post says so, once a month for each."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from commands._types import Context
from commands._xray_shares import drivers
from commands.views.budget import Alert, alert_text
from storage.kpis import Spent
from storage.models import PostKind
from storage.month_end import DAYS_TO_ALERT, MonthEnd, month_end
from storage.months import months_before
from storage.spend import MonthBilled

ACTUAL, FORECAST = "actual", "forecast"
NAMED = 5  # teams and functions


def end_of(context: Context, spent: Spent) -> MonthEnd | None:
    """The forecast of a month that is not over."""
    days = context.store.spend.days(spent.month)
    return month_end(days, spent.month, spent.asked_at.date(), spent.xray_usd)


def look(context: Context, now: datetime) -> list[str]:
    """Post what is to be told by now; the keys of the posts. `now`: UTC."""
    rules, present = context.budget, now.date().replace(day=1)
    if not rules.monthly_usd:
        return []
    first = context.store.spend.first_told()
    told = []
    for billed in context.store.spend.billed(months_before(present, 1)):
        month = billed.spent.month
        # Not of what was before Lamplighter looked, nor of what is to come by a clock that was set back.
        if month == present or (month < present and first and first.date() < present):
            told += _of_month(context, billed, rules.monthly_usd, over=month != present)
    return told


def _of_month(context: Context, billed: MonthBilled, budget: Decimal, *, over: bool) -> list[str]:
    """Of the actual cost, and of the forecast what the actual cost has not reached already."""
    rules, spent = context.budget, billed.spent
    end = None if over else end_of(context, spent)
    told = [
        _tell(context, ACTUAL, billed, budget, end, _reached(spent.xray_usd, budget, rules.thresholds_actual), over)
    ]
    if end and end.days >= DAYS_TO_ALERT:
        reached = _reached(end.expected, budget, rules.thresholds_forecast)
        happened = set(_reached(spent.xray_usd, budget, reached))
        if happened == set(reached):
            context.store.spend.alert(spent.month, FORECAST, reached, context.clock())  # it is no forecast any more
        else:
            told.append(_tell(context, FORECAST, billed, budget, end, reached, over))
    return [key for key in told if key]


def _reached(usd: Decimal, budget: Decimal, thresholds: Iterable[int]) -> list[int]:
    return sorted(one for one in thresholds if usd * 100 >= budget * one)


def _tell(
    context: Context,
    which: str,
    billed: MonthBilled,
    budget: Decimal,
    end: MonthEnd | None,
    reached: list[int],
    over: bool,
) -> str:
    """One post for all thresholds that are new, under the name of the highest; "" where there is none."""
    store, now, spent = context.store, context.clock(), billed.spent
    if not _new(context, which, spent, reached):
        return ""
    driven_by = drivers(context, billed, NAMED)  # looks through every function: not while others wait
    with store.transaction():
        new = _new(context, which, spent, reached)
        if not new:
            return ""
        alert = Alert(
            forecast=which == FORECAST,
            month=spent.month,
            over=over,
            thresholds=new,
            spent=spent,
            budget=budget,
            end=end,
            drivers=driven_by,
            approvers=context.people.approvers(None),
        )
        key = f"budget:{spent.month:%Y-%m}:{which}:{new[-1]}"
        store.posts.create(key, PostKind.NOTICE, channel_of(context), now, text=alert_text(alert))
        store.spend.alert(spent.month, which, reached, now)
    return key


def _new(context: Context, which: str, spent: Spent, reached: list[int]) -> list[int]:
    """Those that nobody was told of; one below the highest that was told says nothing new."""
    known = context.store.spend.alerted(spent.month, which)
    return [one for one in reached if one > max(known, default=0)]


def channel_of(context: Context) -> str:
    """Where FinOps reads."""
    return context.budget.channel or context.teams.fallback_channel

"""What the demo's organisation is billed: eight months of X-Ray and Lambda, and a budget that somebody made in AWS."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.demo.aws import AwsStandIn
from bot.demo.aws.cost_explorer import Line
from bot.demo.fleet_data import ACCOUNTS, MANAGEMENT

_MONTHS = 8
_XRAY = {"prod": 3.4, "data": 1.1, "staging": 0.3}  # US dollars a day, when it began
_LAMBDA = {"prod": 21.0, "data": 17.0, "staging": 2.5}
_SEARCHED = "data"  # Transaction Search is on there since a while
_SEARCHED_DAYS = 50


@dataclass(frozen=True, slots=True)
class _Daily:
    """Grows by a few percent a month, less on weekends, never the same twice."""

    name: str
    usd: float
    begins: date
    growth: float

    def __call__(self, day: date) -> float:
        if day < self.begins:
            return 0.0
        months = (day - self.begins).days / 30
        dice = random.Random(f"{self.name} {day}").uniform(0.9, 1.1)
        return float(round(self.usd * math.pow(1 + self.growth, months) * dice * (0.7 if day.weekday() >= 5 else 1), 6))


def seed_spend(aws: AwsStandIn) -> None:
    """Bills up to yesterday, and AWS's own budget of what watches all of it."""
    today = aws.now().date()
    begins, searched = today - timedelta(days=30 * _MONTHS), today - timedelta(days=_SEARCHED_DAYS)
    for name, account in ACCOUNTS.items():
        traces = _Daily(f"traces {name}", _XRAY[name], begins, 0.07)
        aws.costs.bill(
            Line(account, "AWS X-Ray", "EUC1-XRay-TracesStored", traces),
            Line(account, "AWS X-Ray", "EUC1-XRay-TracesStored", _part(traces, -0.05), record_type="Credit"),
            Line(
                account,
                "AWS Lambda",
                "EUC1-Lambda-GB-Second",
                _Daily(f"lambda {name}", _LAMBDA[name], begins, 0.02),
                amortized=0.9,
            ),
        )
    spans = _Daily("spans", 0.6, searched, 0.05)
    aws.costs.bill(Line(ACCOUNTS[_SEARCHED], "AmazonCloudWatch", "EUC1-Application-Signals-Bytes", spans))
    aws.budgets.seed(
        MANAGEMENT,
        {
            "BudgetName": "observability",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "2500.0", "Unit": "USD"},
            "CostFilters": {"Service": ["AWS X-Ray", "AmazonCloudWatch"]},
        },
        actual="1871.44",
    )


def budget_usd(now: datetime) -> float:
    """Of a month; such that four fifths of it are spent by now, which somebody is told."""
    today = now.date()
    begins, searched = today - timedelta(days=30 * _MONTHS), today - timedelta(days=_SEARCHED_DAYS)
    billed = [today.replace(day=number) for number in range(1, today.day - 1)]
    lines = [_Daily(f"traces {name}", usd, begins, 0.07) for name, usd in _XRAY.items()]
    spent = sum(line(day) for line in [*lines, _Daily("spans", 0.6, searched, 0.05)] for day in billed)
    return float(max(5, math.floor(spent / 0.84)))


def _part(daily: Callable[[date], float], share: float) -> Callable[[date], float]:
    return lambda day: daily(day) * share

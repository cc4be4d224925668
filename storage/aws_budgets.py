"""Budgets that AWS itself keeps, as its Budgets tells of them. Nothing of them is kept here."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

OURS = "lamplighter-xray"  # the one that Lamplighter makes and changes
MOST_ALARMS = 5  # of one budget, as AWS has it


class Comparison(StrEnum):
    """Of a cost with an alarm's threshold, as AWS spells it."""

    GREATER_THAN = "GREATER_THAN"
    LESS_THAN = "LESS_THAN"
    EQUAL_TO = "EQUAL_TO"


@dataclass(frozen=True, slots=True, order=True)
class BudgetAlarm:
    """When AWS tells somebody: its notification, without anybody's address."""

    forecast: bool  # of the forecast; else of the actual cost
    threshold: Decimal
    percent: bool = True  # of the limit; else in its currency
    comparison: Comparison = Comparison.GREATER_THAN
    topic: str = ""  # an SNS topic's ARN; "": none
    people: int = 0  # how many e-mail subscribers it has

    @property
    def ours(self) -> bool:
        """Whether it is of the kind that Lamplighter sets."""
        return self.percent and self.comparison is Comparison.GREATER_THAN


@dataclass(frozen=True, slots=True)
class AwsBudget:
    """A budget that watches X-Ray."""

    name: str
    limit: Decimal | None  # None: it has no fixed one
    unit: str
    period: str  # "MONTHLY", …, as AWS spells it
    actual: Decimal | None  # what AWS reckons was spent in the period so far
    watches: tuple[str, ...]  # the services and usage types that it names, sorted
    expressed: bool = True  # by FilterExpression and Metrics, not by the older CostFilters
    alarms: tuple[BudgetAlarm, ...] | None = None  # None: they were not asked for


@dataclass(frozen=True, slots=True)
class WantedBudget:
    """What somebody approved."""

    usd: Decimal  # a month
    alarms: tuple[BudgetAlarm, ...]  # each with the topic; none where there is no topic
    watches: tuple[str, ...] = ()  # usage types of Transaction Search, beside X-Ray

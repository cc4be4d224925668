"""The budgets of AWS itself that watch X-Ray, in the account of the ambient credentials.

IAM: budgets:ViewBudget. Who is told by e-mail is counted; addresses are read past and kept nowhere.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import TYPE_CHECKING, Any

from commands.aws import billing
from commands.aws.asking import ask
from commands.aws.cost_explorer import XRAY
from commands.aws.credentials import acting
from commands.aws.errors import AwsProblem, BadAnswer, Denied
from storage.aws_budgets import AwsBudget, BudgetAlarm, Comparison

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_PAGE = 100
_MOST_PAGES = 20


class Budgets:
    """Its methods raise AwsProblem."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.account = cloud.home_account()
        self._client = cloud.client("budgets", billing.region(cloud))

    def watching(self) -> tuple[AwsBudget, ...]:
        """Those that name X-Ray, by name; without their alarms."""
        pages = self._pages("describe_budgets", MaxResults=_PAGE, ShowFilterExpression=True)
        found = [_budget(one) for page in pages for one in page.get("Budgets") or ()]
        return tuple(sorted((one for one in found if XRAY in one.watches), key=lambda one: one.name))

    def find(self, name: str) -> AwsBudget | None:
        """With its alarms; None where there is none of this name."""
        try:
            told = self._ask("describe_budget", BudgetName=name, ShowFilterExpression=True)
        except AwsProblem as problem:
            if problem.code == "NotFoundException":
                return None
            raise
        pages = self._pages("describe_notifications_for_budget", BudgetName=name)
        alarms = [self._with_whom(name, one) for page in pages for one in page.get("Notifications") or ()]
        return replace(_budget(told["Budget"]), alarms=tuple(sorted(alarms)))

    def _with_whom(self, name: str, notification: Mapping[str, Any]) -> BudgetAlarm:
        alarm = _alarm(notification)
        pages = self._pages(
            "describe_subscribers_for_notification", BudgetName=name, Notification=as_notification(alarm)
        )
        topic, people = "", 0
        for one in (one for page in pages for one in page.get("Subscribers") or ()):
            if one.get("SubscriptionType") == "SNS":
                topic = str(one.get("Address", ""))
            else:
                people += 1
        return replace(alarm, topic=topic, people=people)

    def _pages(self, operation: str, **asked: Any) -> Iterator[Mapping[str, Any]]:
        token = ""
        for _ in range(_MOST_PAGES):
            page = self._ask(operation, **asked, **({"NextToken": token} if token else {}))
            yield page
            token = page.get("NextToken") or ""
            if not token:
                return

    def _ask(self, operation: str, **asked: Any) -> Mapping[str, Any]:
        call = partial(getattr(self._client, operation), AccountId=self.account, **asked)
        action = "".join(word.title() for word in operation.split("_"))
        try:
            with acting(None, self.account):
                told: Mapping[str, Any] = ask(call, account=self.account, service="budgets", action=action)
        except Denied as problem:
            words = (
                f"AWS Budgets may not be read in account {self.account}: allow budgets:ViewBudget to the bot's own "
                f"credentials there. AWS says {problem.code}: {problem.message}"
            )
            raise type(problem)(problem.code, words, own_words=True) from problem
        return told


def as_notification(alarm: BudgetAlarm) -> dict[str, Any]:
    """As AWS's calls name it."""
    return {
        "NotificationType": "FORECASTED" if alarm.forecast else "ACTUAL",
        "ComparisonOperator": str(alarm.comparison),
        "Threshold": float(alarm.threshold),
        "ThresholdType": "PERCENTAGE" if alarm.percent else "ABSOLUTE_VALUE",
    }


def _alarm(told: Mapping[str, Any]) -> BudgetAlarm:
    try:
        return BudgetAlarm(
            forecast=told["NotificationType"] == "FORECASTED",
            threshold=Decimal(str(told["Threshold"])).normalize(),
            percent=told.get("ThresholdType", "PERCENTAGE") == "PERCENTAGE",
            comparison=Comparison(told["ComparisonOperator"]),
        )
    except (KeyError, ValueError, InvalidOperation) as problem:
        words = f"a notification cannot be read: {problem}"
        raise BadAnswer(type(problem).__name__, words, service="budgets") from problem


def _budget(told: Mapping[str, Any]) -> AwsBudget:
    try:
        limit = told.get("BudgetLimit") or {}
        spent = (told.get("CalculatedSpend") or {}).get("ActualSpend") or {}
        expression, old = told.get("FilterExpression"), told.get("CostFilters") or {}
        named = _named(expression) if expression else {*old.get("Service", ()), *old.get("UsageType", ())}
        return AwsBudget(
            name=str(told["BudgetName"]),
            limit=Decimal(limit["Amount"]) if limit else None,
            unit=str(limit.get("Unit") or spent.get("Unit") or "USD"),
            period=str(told["TimeUnit"]),
            actual=Decimal(spent["Amount"]) if spent else None,
            watches=tuple(sorted(named)),
            expressed=expression is not None,
        )
    except (KeyError, TypeError, InvalidOperation) as problem:
        raise BadAnswer(type(problem).__name__, f"a budget cannot be read: {problem}", service="budgets") from problem


def _named(expression: Mapping[str, Any]) -> set[str]:
    """The services and usage types that it takes in; what stands under Not is left out."""
    dimensions = expression.get("Dimensions") or {}
    found = set(dimensions.get("Values") or ()) if dimensions.get("Key") in ("SERVICE", "USAGE_TYPE") else set()
    for one in (*(expression.get("And") or ()), *(expression.get("Or") or ())):
        found |= _named(one)
    return found

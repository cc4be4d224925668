"""AWS Budgets under the rules that AWS documents. moto's has no UpdateBudget and takes any definition."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.protocol import AwsError, Handler, Request

# IAM knows these by the one action ModifyBudget, and all others by ViewBudget.
CHANGES = frozenset({"CreateBudget", "UpdateBudget", "DeleteBudget", "CreateNotification", "DeleteNotification"})

_NEW_FORM, _OLD_FORM = ("FilterExpression", "Metrics"), ("CostFilters", "CostTypes")
_AMOUNT = re.compile(r"([0-9]*\.)?[0-9]+")
_TOPIC = re.compile(r"arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+")
_MOST_NOTIFICATIONS = 5
_MOST_EMAILS = 10
_NO_SPEND = {"ActualSpend": {"Amount": "0.0", "Unit": "USD"}, "ForecastedSpend": {"Amount": "0.0", "Unit": "USD"}}


@dataclass(slots=True)
class Budget:
    definition: dict[str, Any]
    notifications: list[tuple[dict[str, Any], list[dict[str, Any]]]] = field(default_factory=list)
    spend: Mapping[str, Any] = field(default_factory=lambda: _NO_SPEND)
    updated: datetime = datetime(2026, 1, 1, tzinfo=UTC)


class Budgets:
    """By account and name."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._all: dict[tuple[str, str], Budget] = {}
        self.most = 20_000  # of an account

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateBudget": self._create,
            "UpdateBudget": self._update,
            "DeleteBudget": self._delete,
            "DescribeBudget": self._one,
            "DescribeBudgets": self._list,
            "CreateNotification": self._notify,
            "DeleteNotification": self._silence,
            "DescribeNotificationsForBudget": self._notifications,
            "DescribeSubscribersForNotification": self._subscribers,
        }

    def seed(
        self,
        account: str,
        definition: Mapping[str, Any],
        notifications: "list[tuple[dict[str, Any], list[dict[str, Any]]]] | None" = None,
        actual: str = "0.0",
    ) -> None:
        """A budget that somebody else has made."""
        made = Budget(dict(definition), list(notifications or ()))
        made.spend = {"ActualSpend": {"Amount": actual, "Unit": "USD"}}
        self._all[account, definition["BudgetName"]] = made

    def of(self, account: str, name: str) -> Budget:
        """Raises KeyError."""
        return self._all[account, name]

    # ---- writes

    def _create(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        definition = _checked(asked["Budget"])
        key = (self._account(request), str(definition["BudgetName"]))
        if key in self._all:
            raise AwsError("DuplicateRecordException", f"Error creating budget: {key[1]} - the budget already exists.")
        if sum(account == key[0] for account, _ in self._all) >= self.most:
            raise AwsError("CreationLimitExceededException", f"Too many budgets: the limit is {self.most}.")
        made = Budget(dict(definition), updated=self._knobs.clock())
        for one in asked.get("NotificationsWithSubscribers") or []:
            _add(made, one["Notification"], one["Subscribers"])
        self._all[key] = made
        return {}

    def _update(self, request: Request) -> Mapping[str, Any]:
        definition = _checked(request.params["NewBudget"])
        found = self._find(request, str(definition["BudgetName"]), "update")
        found.definition, found.updated, found.spend = dict(definition), self._knobs.clock(), _NO_SPEND
        return {}

    def _delete(self, request: Request) -> Mapping[str, Any]:
        name = request.params["BudgetName"]
        self._find(request, name, "delete")
        del self._all[request.account, name]
        return {}

    def _notify(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        _add(self._find(request, asked["BudgetName"], "get"), asked["Notification"], asked["Subscribers"])
        return {}

    def _silence(self, request: Request) -> Mapping[str, Any]:
        found, notification = self._notification(request)
        found.notifications = [one for one in found.notifications if one[0] != notification]
        return {}

    # ---- reads

    def _one(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        found = self._find(request, asked["BudgetName"], "get")
        return {"Budget": _described(found, shows_expression=bool(asked.get("ShowFilterExpression")))}

    def _list(self, request: Request) -> Mapping[str, Any]:
        asked, account = request.params, self._account(request)
        mine = [budget for (owner, _), budget in self._all.items() if owner == account]
        size = min(1000, int(asked.get("MaxResults") or 100))
        refusal = AwsError("InvalidNextTokenException", "The pagination token is invalid.")
        shown, after = page(mine, size, asked.get("NextToken"), lambda one: str(one.definition["BudgetName"]), refusal)
        shows = bool(asked.get("ShowFilterExpression"))
        return {"Budgets": [_described(one, shows_expression=shows) for one in shown], "NextToken": after}

    def _notifications(self, request: Request) -> Mapping[str, Any]:
        found = self._find(request, request.params["BudgetName"], "get")
        return {"Notifications": [{**one, "NotificationState": "OK"} for one, _ in found.notifications]}

    def _subscribers(self, request: Request) -> Mapping[str, Any]:
        found, notification = self._notification(request)
        return {"Subscribers": next(who for one, who in found.notifications if one == notification)}

    def _notification(self, request: Request) -> tuple[Budget, dict[str, Any]]:
        asked = request.params
        found, sought = self._find(request, asked["BudgetName"], "get"), _plain(asked["Notification"])
        if not any(one == sought for one, _ in found.notifications):
            raise AwsError("NotFoundException", "Unable to find the notification.", 400)
        return found, sought

    def _find(self, request: Request, name: str, what: str) -> Budget:
        found = self._all.get((self._account(request), name))
        if found is None:
            raise AwsError("NotFoundException", f"Unable to {what} budget: {name} - the budget doesn't exist.", 400)
        return found

    def _account(self, request: Request) -> str:
        if request.params["AccountId"] != request.account:
            text = f"Account {request.account} may not see the budgets of {request.params['AccountId']}"
            raise AwsError("AccessDeniedException", text)
        return request.account


def resource(request: Request) -> str:
    """The ARN that a policy names."""
    named = (request.params.get("Budget") or request.params.get("NewBudget") or {}).get("BudgetName")
    name = named or request.params.get("BudgetName") or "*"
    return f"arn:aws:budgets::{request.params.get('AccountId', '')}:budget/{name}"


def _checked(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    if definition.get("BudgetType") != "COST" or definition.get("TimeUnit") != "MONTHLY":
        raise _invalid("The stand-in knows monthly budgets of costs")
    if ("BudgetLimit" in definition) == ("PlannedBudgetLimits" in definition):
        raise _invalid("Provide one of Budget Limit and Planned Budget Limits")
    limit = definition.get("BudgetLimit") or {}
    if limit and not _AMOUNT.fullmatch(str(limit.get("Amount"))):
        raise _invalid("Amount must be a number")
    new, old = ([name for name in form if name in definition] for form in (_NEW_FORM, _OLD_FORM))
    if new and old:
        raise _invalid("Either FilterExpression and Metrics or CostFilters and CostTypes, not both")
    if new and (len(new) < 2 or len(definition["Metrics"]) != 1):
        raise _invalid("FilterExpression goes with exactly one of Metrics")
    if "FilterExpression" in definition:
        _check_expression(definition["FilterExpression"])
    return definition


def _check_expression(expression: Mapping[str, Any]) -> None:
    if len(expression) != 1:
        raise _invalid("Expression must have exactly one root")
    ((name, inner),) = expression.items()
    if name in ("And", "Or"):
        if len(inner) < 2:
            raise _invalid(f"{name} needs at least two expressions")
        for one in inner:
            _check_expression(one)
    elif name == "Not":
        _check_expression(inner)
    elif name == "Dimensions" and not (inner.get("Key") and inner.get("Values")):
        raise _invalid("Dimensions need a key and values")


def _add(budget: Budget, notification: Mapping[str, Any], subscribers: list[dict[str, Any]]) -> None:
    plain = _plain(notification)
    if any(one == plain for one, _ in budget.notifications):
        raise AwsError("DuplicateRecordException", "Error creating notification: the notification already exists.")
    if len(budget.notifications) >= _MOST_NOTIFICATIONS:
        raise AwsError("CreationLimitExceededException", f"A budget has at most {_MOST_NOTIFICATIONS} notifications.")
    topics = [one for one in subscribers if one["SubscriptionType"] == "SNS"]
    if not subscribers or len(topics) > 1 or len(subscribers) - len(topics) > _MOST_EMAILS:
        raise _invalid(f"A notification has 1 to {1 + _MOST_EMAILS} subscribers, one SNS topic among them at most")
    for one in topics:
        if not _TOPIC.fullmatch(one["Address"]):
            raise _invalid("The ARN of the SNS topic is invalid")
    budget.notifications.append((plain, list(subscribers)))


def _plain(notification: Mapping[str, Any]) -> dict[str, Any]:
    """As it is told apart from others; its state is AWS's own."""
    return {
        "NotificationType": notification["NotificationType"],
        "ComparisonOperator": notification["ComparisonOperator"],
        "Threshold": float(notification["Threshold"]),
        "ThresholdType": notification.get("ThresholdType") or "PERCENTAGE",
    }


def _described(budget: Budget, *, shows_expression: bool) -> dict[str, Any]:
    """What a budget is filtered by in the new form is shown only to who asks for it."""
    shown = dict(budget.definition)
    if not shows_expression:
        for name in _NEW_FORM:
            shown.pop(name, None)
    return {**shown, "CalculatedSpend": budget.spend, "LastUpdatedTime": budget.updated}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)

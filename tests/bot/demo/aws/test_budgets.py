"""AWS Budgets over HTTP: definitions in one form, notifications, and who may."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, refusal

FILTER = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS X-Ray"]}}
BUDGET = {
    "BudgetName": "xray",
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "200", "Unit": "USD"},
    "FilterExpression": FILTER,
    "Metrics": ["UnblendedCost"],
}
TOPIC = {"SubscriptionType": "SNS", "Address": f"arn:aws:sns:us-east-1:{ACCOUNT}:xray"}
AT_80 = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 80.0,
    "ThresholdType": "PERCENTAGE",
}


@pytest.fixture
def budgets(client: Any) -> Any:
    return client("budgets", region="us-east-1")


def create(budgets: Any, *notifications: dict[str, Any], **more: Any) -> Any:
    several = [{"Notification": one, "Subscribers": [TOPIC]} for one in notifications]
    return budgets.create_budget(AccountId=ACCOUNT, Budget={**BUDGET, **more}, NotificationsWithSubscribers=several)


def test_the_new_forms_filter_is_shown_to_who_asks_for_it(budgets: Any) -> None:
    create(budgets)

    plain = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="xray")["Budget"]
    shown = budgets.describe_budgets(AccountId=ACCOUNT, ShowFilterExpression=True)["Budgets"]

    assert "FilterExpression" not in plain
    assert [(one["FilterExpression"], one["Metrics"]) for one in shown] == [(FILTER, ["UnblendedCost"])]
    assert shown[0]["BudgetLimit"] == {"Amount": "200", "Unit": "USD"}


def test_a_second_of_a_name_is_refused_and_can_be_updated(budgets: Any) -> None:
    create(budgets, AT_80)
    assert refusal(create, budgets=budgets)[0] == "DuplicateRecordException"

    budgets.update_budget(AccountId=ACCOUNT, NewBudget={**BUDGET, "BudgetLimit": {"Amount": "300", "Unit": "USD"}})

    found = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="xray")["Budget"]
    assert found["BudgetLimit"]["Amount"] == "300"
    kept = budgets.describe_notifications_for_budget(AccountId=ACCOUNT, BudgetName="xray")["Notifications"]
    assert [one["Threshold"] for one in kept] == [80.0]  # an update leaves notifications alone
    gone = {**BUDGET, "BudgetName": "other"}
    assert refusal(budgets.update_budget, AccountId=ACCOUNT, NewBudget=gone)[0] == "NotFoundException"


@pytest.mark.parametrize(
    "wrong",
    [
        {"CostFilters": {"Service": ["AWS X-Ray"]}},
        {"CostTypes": {"IncludeTax": False}},
        {"Metrics": ["UnblendedCost", "AmortizedCost"]},
        {"BudgetLimit": {"Amount": "-1", "Unit": "USD"}},
        {"FilterExpression": {"Or": [FILTER]}},
        {"FilterExpression": {**FILTER, "Not": FILTER}},
        {"PlannedBudgetLimits": {"1": {"Amount": "1", "Unit": "USD"}}},
    ],
)
def test_definitions_that_budgets_does_not_take(budgets: Any, wrong: dict[str, Any]) -> None:
    assert refusal(create, budgets=budgets, **wrong)[0] == "InvalidParameterException"


def test_the_old_form_is_taken_by_itself(budgets: Any) -> None:
    old = {key: value for key, value in BUDGET.items() if key not in ("FilterExpression", "Metrics")}

    budgets.create_budget(AccountId=ACCOUNT, Budget={**old, "CostFilters": {"Service": ["AWS X-Ray"]}})

    found = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="xray")["Budget"]
    assert found["CostFilters"] == {"Service": ["AWS X-Ray"]}


def test_a_budget_has_five_notifications_at_most_each_with_a_topic_or_people(budgets: Any) -> None:
    create(budgets, *({**AT_80, "Threshold": float(number)} for number in range(5)))
    more = {"AccountId": ACCOUNT, "BudgetName": "xray", "Notification": AT_80, "Subscribers": [TOPIC]}

    assert refusal(budgets.create_notification, **more)[0] == "CreationLimitExceededException"
    first = {**AT_80, "Threshold": 0.0}
    budgets.delete_notification(AccountId=ACCOUNT, BudgetName="xray", Notification=first)
    assert refusal(budgets.create_notification, **{**more, "Subscribers": [TOPIC, TOPIC]})[0].startswith("Invalid")
    budgets.create_notification(**more)
    assert refusal(budgets.create_notification, **more)[0] == "DuplicateRecordException"
    told = budgets.describe_subscribers_for_notification(AccountId=ACCOUNT, BudgetName="xray", Notification=AT_80)
    assert told["Subscribers"] == [TOPIC]


def test_another_accounts_budgets_are_not_shown(budgets: Any) -> None:
    code, _, _ = refusal(budgets.describe_budgets, AccountId="222222222222")
    assert code == "AccessDeniedException"


def test_a_limit_of_budgets(aws: AwsStandIn, budgets: Any) -> None:
    aws.budgets.most = 0
    assert refusal(create, budgets=budgets)[0] == "CreationLimitExceededException"


def test_a_policy_names_the_budget_that_may_be_changed(aws: AwsStandIn, client: Any) -> None:
    allowed = {
        "Effect": "Allow",
        "Action": "budgets:ModifyBudget",
        "Resource": f"arn:aws:budgets::{ACCOUNT}:budget/xray",
    }
    key, secret = aws.create_user(ACCOUNT, "ana", {"Version": "2012-10-17", "Statement": [allowed]})
    theirs = client("budgets", region="us-east-1", key=key, secret=secret)

    create(theirs)

    assert refusal(create, budgets=theirs, BudgetName="other")[0] == "AccessDeniedException"
    assert refusal(theirs.describe_budgets, AccountId=ACCOUNT)[0] == "AccessDeniedException"

"""*Set AWS budget…*: who may, what the form takes, what stands in AWS afterwards, and what is recorded."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from commands._budget_rules import BudgetRules, SpendRules
from commands._refused import turned_away
from commands._types import Background, Context, OpenForm, Say
from commands.aws.accounts import AwsSettings, Cloud
from commands.set_budget import LONGEST, check, open_form, submit
from commands.spend import turn
from commands.views.budget import OUR_BUDGET
from commands.views.set_budget import ACTUAL, FORECAST, TOPIC, USD
from storage.aws_budgets import OURS
from storage.models import THE_CLOCK, DecisionKind, PostKind, Source
from storage.spend import SpendLookUp
from tests.commands.conftest import ADMIN, ANA, EVE, HOME, NOON, OTHER, World

ARN = f"arn:aws:sns:us-east-1:{HOME}:finops"
FIELDS = {USD: "250", ACTUAL: "80, 100", FORECAST: "100", TOPIC: ARN}
XRAY = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS X-Ray"]}}
PEOPLE = {"SubscriptionType": "EMAIL", "Address": "farid@example.com"}


def notification(percent: float, kind: str = "ACTUAL") -> dict[str, Any]:
    return {
        "NotificationType": kind,
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": percent,
        "ThresholdType": "PERCENTAGE",
    }


def definition(amount: str = "100") -> dict[str, Any]:
    return {
        "BudgetName": OURS,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        "CostFilters": {"Service": ["AWS X-Ray"]},
    }


def drawn(world: World, who: str = ANA, context: Context | None = None) -> dict[str, Any]:
    """The form as it stands when AWS was asked."""
    last = list(open_form(world.asks(who, value=OUR_BUDGET), context or world.context))[-1]
    assert isinstance(last, OpenForm)
    return last.view


def send(
    world: World,
    fields: Mapping[str, str] = FIELDS,
    who: str = ANA,
    context: Context | None = None,
    view: Mapping[str, Any] | None = None,
) -> str:
    """What the person is told; what goes on in the background is done before this returns."""
    view = view or drawn(world, who, context)
    request = world.asks(who, source=Source.FORM, value=view.get("private_metadata", OUR_BUDGET), fields=fields)
    said = ""
    for reply in submit(request, context or world.context):
        if isinstance(reply, Background):
            reply.run()
        elif isinstance(reply, Say):
            said = reply.text
    return said


def told(world: World) -> list[str]:
    return [post.text for post in world.store.posts.all(PostKind.NOTICE)]


def kinds(world: World) -> list[DecisionKind]:
    return [one.kind for one in world.store.decisions.all()]


def in_aws(world: World) -> tuple[dict[str, Any], list[tuple[str, float, str]]]:
    """The budget, and of each alarm its kind, threshold and first subscriber."""
    kept = world.aws.budgets.of(HOME, OURS)
    alarms = [(one["NotificationType"], one["Threshold"], who[0]["Address"]) for one, who in kept.notifications]
    return kept.definition, sorted(alarms)


def test_a_budget_is_made_and_read_back_before_it_is_said_to_be_set(world: World) -> None:
    said = send(world)

    assert "Asking AWS for a budget of $250.00 a month" in said
    assert "#finops" in said
    made, alarms = in_aws(world)
    assert made == {
        "BudgetName": OURS,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "250", "Unit": "USD"},
        "FilterExpression": XRAY,
        "Metrics": ["UnblendedCost"],
    }
    assert alarms == [("ACTUAL", 80.0, ARN), ("ACTUAL", 100.0, ARN), ("FORECASTED", 100.0, ARN)]
    (text,) = told(world)
    assert "*The AWS budget of X-Ray is set*, by <@U0ANA>" in text
    assert "250.00 USD a month" in text
    approved, done = world.store.decisions.all()
    assert (approved.kind, done.kind) == (DecisionKind.BUDGET_APPROVED, DecisionKind.BUDGET_SET)
    assert (done.actor, done.before) == (ANA, "none")
    assert done.after.startswith("250.00 USD MONTHLY; 80")
    assert done.detail["before"] is None
    assert len(done.detail["aws_requests"]) == 1  # type: ignore[arg-type]  # it is a list
    assert world.store.decisions.verify() is None


def test_one_that_is_there_is_changed_whatever_form_it_had(world: World) -> None:
    mine = [(notification(50), [{"SubscriptionType": "SNS", "Address": ARN}])]
    world.aws.budgets.seed(HOME, definition(), mine)

    send(world)

    made, alarms = in_aws(world)
    assert (made["BudgetLimit"]["Amount"], made["FilterExpression"]) == ("250", XRAY)
    assert "CostFilters" not in made
    assert alarms == [("ACTUAL", 80.0, ARN), ("ACTUAL", 100.0, ARN), ("FORECASTED", 100.0, ARN)]
    done = world.store.decisions.all()[-1]
    assert done.before.startswith("100.00 USD MONTHLY; 50")
    assert done.detail["before"]["limit"] == "100"  # type: ignore[index]  # it is a table
    assert len(done.detail["aws_requests"]) == 5  # type: ignore[arg-type]  # an update, one alarm gone, three made


def test_alarms_that_tell_people_by_email_stay_and_no_address_is_kept(world: World) -> None:
    topic = {"SubscriptionType": "SNS", "Address": ARN}
    world.aws.budgets.seed(HOME, definition(), [(notification(90), [PEOPLE]), (notification(80), [PEOPLE, topic])])

    shown = json.dumps(drawn(world))
    send(world)

    assert "2 alarms that tell people by e-mail stay as they are" in shown
    _, alarms = in_aws(world)
    assert [(kind, threshold) for kind, threshold, _ in alarms] == [
        ("ACTUAL", 80.0),
        ("ACTUAL", 90.0),
        ("ACTUAL", 100.0),
        ("FORECASTED", 100.0),
    ]
    assert "2 alarms with e-mail subscribers stayed" in told(world)[0]
    kept = [repr(one) for one in world.store.decisions.all()]
    assert not any("example.com" in text for text in [shown, *told(world), *kept])


@pytest.mark.parametrize(
    ("operator", "words"),
    [("GREATER_THAN", ""), ("LESS_THAN", "less than "), ("EQUAL_TO", "exactly ")],
)
def test_an_alarm_is_read_shown_and_taken_away_by_how_it_compares(world: World, operator: str, words: str) -> None:
    mine, theirs = ({**notification(percent), "ComparisonOperator": operator} for percent in (50.0, 60.0))
    topic = {"SubscriptionType": "SNS", "Address": ARN}
    world.aws.budgets.seed(HOME, definition(), [(mine, [topic]), (theirs, [PEOPLE])])

    shown = json.dumps(drawn(world), ensure_ascii=False)
    said = f"{words}50\N{NO-BREAK SPACE}% of the actual cost"
    assert f"AWS tells at: {said}" in shown
    assert (f"takes away what the form cannot say: {said}." in shown) == bool(words)
    send(world)

    assert "is set" in told(world)[0]
    assert f"{words}60\N{NO-BREAK SPACE}% of the actual cost" in told(world)[0]
    kept = [one for one, _ in world.aws.budgets.of(HOME, OURS).notifications]
    assert mine not in kept
    assert theirs in kept
    before = world.store.decisions.all()[-1].detail["before"]["alarms"]
    assert [one["comparison"] for one in before] == [operator, operator]


def test_a_comparison_that_nobody_knows_is_said_and_changes_nothing(world: World) -> None:
    odd = {**notification(50.0), "ComparisonOperator": "NEAR"}
    world.aws.budgets.seed(HOME, definition(), [(odd, [{"SubscriptionType": "SNS", "Address": ARN}])])

    assert "a notification cannot be read" in json.dumps(drawn(world))


def test_without_a_topic_aws_tells_nobody(world: World) -> None:
    send(world, {USD: "1,250.50", ACTUAL: "80", FORECAST: "100", TOPIC: ""})

    made, alarms = in_aws(world)
    assert (made["BudgetLimit"]["Amount"], alarms) == ("1250.50", [])
    assert "AWS tells nobody" in told(world)[0]


def test_transaction_searchs_usage_types_are_watched_too(world: World) -> None:
    types = ["EUC1-Application-Signals-Bytes", "EUC1-XRay-Spans-Indexed"]
    world.store.spend.asked(SpendLookUp(NOON, 1, Decimal("0.01")), types)

    send(world)

    made, _ = in_aws(world)
    assert made["FilterExpression"] == {"Or": [XRAY, {"Dimensions": {"Key": "USAGE_TYPE", "Values": types}}]}


def test_what_the_form_begins_with_is_what_is_there_else_the_settings(world: World) -> None:
    rules = BudgetRules(Decimal("99.5"), (70,), (90, 110))
    view = drawn(world, context=replace(world.context, budget=rules))
    values = {one["block_id"]: one["element"].get("initial_value") for one in view["blocks"] if "element" in one}
    assert values == {USD: "99.5", ACTUAL: "70", FORECAST: "90, 110", TOPIC: None}
    send(world)

    view = drawn(world, context=replace(world.context, budget=rules))

    values = {one["block_id"]: one["element"].get("initial_value") for one in view["blocks"] if "element" in one}
    assert values == {USD: "250", ACTUAL: "80, 100", FORECAST: "100", TOPIC: ARN}


def test_what_was_changed_since_the_person_looked_is_left_as_it_is(world: World) -> None:
    view = drawn(world)
    world.aws.budgets.seed(HOME, definition("77"))

    send(world, view=view)

    made, _ = in_aws(world)
    assert made["BudgetLimit"]["Amount"] == "77"
    assert "changed since you looked" in told(world)[0]
    assert kinds(world) == [DecisionKind.BUDGET_APPROVED, DecisionKind.BUDGET_FAILED]


def test_who_may_not_approve_changes_nothing_and_is_kept_once(world: World) -> None:
    view = drawn(world)
    assert "You are not an approver" in json.dumps(drawn(world, EVE))
    assert "You are not an approver" in send(world, who=EVE, view=view)

    with pytest.raises(KeyError):
        world.aws.budgets.of(HOME, OURS)
    assert [(one.kind, one.actor) for one in world.store.decisions.all()] == [(DecisionKind.REFUSED, EVE)]


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("CreationLimitExceededException", "as many budgets"),
        ("InvalidParameterException", "does not take this budget"),
        ("AccessDeniedException", "lacks budgets:ModifyBudget"),
        ("ThrottlingException", "Send the form again in a few minutes"),
        ("InternalErrorException", "Send the form again"),
    ],
)
def test_what_aws_refuses_is_one_sentence_and_the_next_step(world: World, code: str, says: str) -> None:
    view = drawn(world)
    world.aws.fail(code, 500 if code.startswith("Internal") else 400, service="budgets", action="CreateBudget")

    send(world, view=view)

    (text,) = told(world)
    assert "was not set" in text
    assert says in text
    failed = world.store.decisions.all()[-1]
    assert (failed.kind, failed.detail["code"]) == (DecisionKind.BUDGET_FAILED, code)
    assert failed.reason


def test_no_room_for_alarms_is_said_before_anything_is_changed(world: World) -> None:
    world.aws.budgets.seed(HOME, definition(), [(notification(number), [PEOPLE]) for number in (10, 20, 30)])

    send(world)

    assert in_aws(world)[0]["BudgetLimit"]["Amount"] == "100"
    assert "3 with e-mail subscribers stay" in told(world)[0]
    assert kinds(world)[-1] is DecisionKind.BUDGET_FAILED


def test_what_was_done_before_a_refusal_is_not_called_nothing(world: World) -> None:
    world.aws.budgets.seed(HOME, definition())
    view = drawn(world)
    world.aws.fail("InvalidParameterException", 400, service="budgets", action="CreateNotification")

    send(world, view=view)

    assert in_aws(world)[0]["BudgetLimit"]["Amount"] == "250"
    assert "was set in part only" in told(world)[0]
    failed = world.store.decisions.all()[-1]
    assert len(failed.detail["aws_requests"]) == 1  # type: ignore[arg-type]  # it is a list


def test_one_that_was_cut_short_is_said_to_be_once(world: World) -> None:
    request = world.asks(source=Source.FORM, value=drawn(world)["private_metadata"], fields=FIELDS)
    said, background = submit(request, world.context)  # and then the machine goes
    assert isinstance(said, Say)
    assert isinstance(background, Background)
    off = replace(world.context, spending=SpendRules(enabled=False))
    for minutes in (0, 14, 2, 30):
        world.clock.forward(minutes=minutes)
        assert list(turn(world.asks(THE_CLOCK), off)) == []
        assert (kinds(world)[-1] is DecisionKind.BUDGET_FAILED) is (world.clock() >= request.now + LONGEST)

    (text,) = told(world)
    assert "whether AWS took it is not known" in text
    assert kinds(world) == [DecisionKind.BUDGET_APPROVED, DecisionKind.BUDGET_FAILED]


def test_a_guest_who_tries_is_kept_once(world: World) -> None:
    for value in (OUR_BUDGET, f"{OUR_BUDGET} 0011223344556677"):
        assert turned_away(world.asks(EVE, value=value), world.context, "Guests cannot.") == (
            "Nothing was changed: Guests cannot."
        )

    assert [(one.kind, one.actor) for one in world.store.decisions.all()] == [(DecisionKind.REFUSED, EVE)]


def test_budgets_that_may_not_be_read_are_said_in_the_form(world: World) -> None:
    world.aws.deny(service="budgets")

    assert "allow budgets:ViewBudget" in json.dumps(drawn(world))


@pytest.fixture
def fixing(world: World) -> Context:
    """With a fix role that may change every budget, and an audit role that may all."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
        "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
    }
    allowed = {"Effect": "Allow", "Action": "budgets:*", "Resource": "*"}
    for account in (HOME, OTHER):
        world.aws.create_role(
            account,
            "fix",
            {"Version": "2012-10-17", "Statement": [trust]},
            inline={"fix": {"Version": "2012-10-17", "Statement": [allowed]}},
        )
    settings = AwsSettings(accounts=(OTHER,), role="audit", fix_role="fix", calls_per_second=0)
    return replace(world.context, cloud=Cloud(settings))


def test_it_is_changed_under_the_fix_role_which_may_change_nothing_else(world: World, fixing: Context) -> None:
    send(world, context=fixing)

    assert in_aws(world)[0]["BudgetLimit"]["Amount"] == "250"
    (session,) = world.aws.sessions
    assert (session.role_arn, session.source_identity) == (f"arn:aws:iam::{HOME}:role/fix", ANA)
    assert session.duration_seconds == 900
    assert session.policy == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["budgets:ModifyBudget"],
                "Resource": f"arn:aws:budgets::{HOME}:budget/{OURS}",
            }
        ],
    }
    client = fixing.cloud.budgeter(HOME, "us-east-1", OURS, ANA)
    with pytest.raises(client.exceptions.AccessDeniedException):
        client.create_budget(AccountId=HOME, Budget={**definition(), "BudgetName": "another"})


def test_a_fix_role_that_is_not_in_the_bots_account_is_told_where_to_deploy(world: World, fixing: Context) -> None:
    view = drawn(world, context=fixing)
    boto3.client("iam").delete_role_policy(RoleName="fix", PolicyName="fix")
    boto3.client("iam").delete_role(RoleName="fix")

    send(world, context=fixing, view=view)

    assert f"The fix role could not be assumed in account {HOME}" in told(world)[0]
    assert ADMIN  # the audit role, which may all, was not used instead


def test_an_audit_role_that_may_not_is_named_in_the_failure(world: World, fixing: Context) -> None:
    view = drawn(world, context=fixing)
    client = boto3.client("iam")
    client.put_role_policy(
        RoleName="fix",
        PolicyName="fix",
        PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        ),
    )
    world.aws.settle()

    send(world, context=fixing, view=view)

    assert "lacks budgets:ModifyBudget" in told(world)[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (USD, ""),
        (USD, "0"),
        (USD, "-5"),
        (USD, "12.345"),
        (USD, "1e5"),
        (USD, "10000001"),
        (USD, "NaN"),
        (USD, "٣"),
        (TOPIC, "farid@example.com"),
        (TOPIC, "arn:aws:sqs:us-east-1:111122223333:x"),
        (TOPIC, "finops"),
        (ACTUAL, "eighty"),
        (ACTUAL, "0"),
        (ACTUAL, "80.5"),
        (ACTUAL, "1001"),
        (ACTUAL, "1,2,3,4,5"),
        (FORECAST, "100;"),
    ],
)
def test_the_form_names_the_field_that_it_does_not_take(field: str, value: str) -> None:
    wrong = check({**FIELDS, field: value}, NOON, ZoneInfo("UTC"))

    assert list(wrong) == [field]
    assert all(len(text) < 150 for text in wrong.values())


@pytest.mark.parametrize("fields", [FIELDS, {**FIELDS, USD: "$1,250.50"}, {**FIELDS, ACTUAL: "80 %, 100%"}])
def test_what_people_write_is_taken(fields: Mapping[str, str]) -> None:
    assert check(fields, NOON, ZoneInfo("UTC")) == {}


def test_a_topic_without_any_percentage_would_hear_of_nothing() -> None:
    assert list(check({**FIELDS, ACTUAL: "", FORECAST: ""}, NOON, ZoneInfo("UTC"))) == [ACTUAL]

"""Cost Explorer over HTTP: sums, pages, and what it refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.cost_explorer import Line
from tests.bot.demo.aws.conftest import ACCOUNT, refusal

OTHER = "222222222222"
NOVEMBER = {"Start": "2026-11-01", "End": "2026-11-24"}
XRAY = {"Dimensions": {"Key": "SERVICE", "Values": ["AWS X-Ray"]}}
BY_ACCOUNT = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]


@pytest.fixture
def ce(aws: AwsStandIn, client: Any) -> Any:
    """It is 23 November; the 22nd is the newest day that is billed."""
    aws.organizations.found(ACCOUNT, {ACCOUNT: "payer", OTHER: "member"})
    aws.costs.bill(
        Line(ACCOUNT, "AWS X-Ray", "EUC1-XRay-TracesStored", lambda _: 0.1),
        Line(OTHER, "AWS X-Ray", "EUC1-XRay-TracesStored", lambda day: 1.0 if day.day <= 2 else 0.0),
        Line(OTHER, "AWS Lambda", "EUC1-Lambda-GB-Second", lambda _: 1.0, amortized=0.5),
        Line(OTHER, "AmazonCloudWatch", "EUC1-XRay-Spans-Indexed", lambda _: 0.2),
        Line(ACCOUNT, "AWS X-Ray", "Credit", lambda _: -0.1, record_type="Credit"),
    )
    return client("ce", region="us-east-1")


def asked(ce: Any, **more: Any) -> Any:
    given = {"TimePeriod": NOVEMBER, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"], **more}
    return ce.get_cost_and_usage(**given)


def amounts(answer: Any, metric: str = "UnblendedCost") -> dict[tuple[str, ...], Decimal]:
    (period,) = answer["ResultsByTime"]
    return {tuple(group["Keys"]): Decimal(group["Metrics"][metric]["Amount"]) for group in period["Groups"]}


def test_months_are_summed_by_service_and_account(ce: Any) -> None:
    usage = {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit"]}}

    answer = asked(ce, GroupBy=BY_ACCOUNT, Metrics=["UnblendedCost", "AmortizedCost"], Filter={"Not": usage})

    assert amounts(answer) == {
        ("AWS X-Ray", ACCOUNT): Decimal("2.1"),  # 21 days: of the 22nd nothing is billed yet
        ("AWS X-Ray", OTHER): Decimal(2),
        ("AWS Lambda", OTHER): Decimal(21),
        ("AmazonCloudWatch", OTHER): Decimal("4.2"),
    }
    assert amounts(answer, "AmortizedCost")["AWS Lambda", OTHER] == Decimal("10.5")
    assert answer["ResultsByTime"][0]["Estimated"] is True
    assert answer["ResultsByTime"][0]["TimePeriod"] == NOVEMBER


def test_the_end_is_exclusive_and_a_month_is_final_some_days_after_its_end(ce: Any) -> None:
    answer = asked(ce, TimePeriod={"Start": "2026-10-01", "End": "2026-11-01"}, Filter=XRAY)

    (period,) = answer["ResultsByTime"]
    assert Decimal(period["Total"]["UnblendedCost"]["Amount"]) == Decimal(2)  # 31 days of 0.1, less as much credit
    assert period["Estimated"] is False


def test_days_and_filters_that_join_dimensions(ce: Any) -> None:
    either = {"Or": [XRAY, {"Dimensions": {"Key": "USAGE_TYPE", "Values": ["EUC1-XRay-Spans-Indexed"]}}]}
    usage = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Tax"]}}}

    answer = asked(ce, Granularity="DAILY", Filter={"And": [either, usage]})

    days = [Decimal(one["Total"]["UnblendedCost"]["Amount"]) for one in answer["ResultsByTime"]]
    assert [days[0], days[1], days[2]] == [Decimal("1.3"), Decimal("1.3"), Decimal("0.3")]
    assert days[21:] == [0, 0]
    assert len(days) == 23


def test_pages_hold_together_by_their_token(aws: AwsStandIn, ce: Any) -> None:
    aws.costs.page_size = 2

    first = asked(ce, GroupBy=BY_ACCOUNT)
    token = first["NextPageToken"]
    second = asked(ce, GroupBy=BY_ACCOUNT, NextPageToken=token)

    assert len(amounts(first)) == 2
    assert len(amounts(second)) == 2
    assert "NextPageToken" not in second
    assert refusal(ce.get_cost_and_usage, **_question(NextPageToken=token))[0] == "RequestChangedException"
    assert refusal(ce.get_cost_and_usage, **_question(NextPageToken="x"))[0] == "InvalidNextTokenException"


def _question(**more: Any) -> dict[str, Any]:
    return {"TimePeriod": NOVEMBER, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"], **more}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"TimePeriod": {"Start": "2026-11-24", "End": "2026-11-24"}}, "before end date"),
        ({"TimePeriod": {"Start": "2025-09-30", "End": "2026-11-24"}}, "historical data beyond"),
        ({"TimePeriod": {"Start": "November", "End": "2026-11-24"}}, "dates like"),
        ({"Granularity": "HOURLY"}, "HOURLY"),
        ({"Metrics": []}, "Metrics"),
        ({"Metrics": ["Cost"]}, "Metrics"),
        ({"GroupBy": [*BY_ACCOUNT, {"Type": "DIMENSION", "Key": "USAGE_TYPE"}]}, "at most 2"),
        ({"Filter": {**XRAY, "Not": XRAY}}, "exactly one"),
        ({"Filter": {"Or": [XRAY]}}, "at least two"),
        ({"Filter": {"Dimensions": {**XRAY["Dimensions"], "MatchOptions": ["ENDS_WITH"]}}}, "MatchOptions"),
    ],
)
def test_what_cost_explorer_does_not_take(ce: Any, wrong: dict[str, Any], says: str) -> None:
    code, status, message = refusal(ce.get_cost_and_usage, **_question(**wrong))

    assert (code, status) == ("ValidationException", 400)
    assert says in message


def test_a_member_sees_its_own_bill_alone(aws: AwsStandIn, client: Any, ce: Any) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = aws.create_role(OTHER, "reader", document, attached=["arn:aws:iam::aws:policy/AdministratorAccess"])
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="reader")["Credentials"]
    member = client(
        "ce",
        region="us-east-1",
        key=given["AccessKeyId"],
        secret=given["SecretAccessKey"],
        token=given["SessionToken"],
    )

    assert {account for _, account in amounts(asked(member, GroupBy=BY_ACCOUNT))} == {OTHER}


def test_usage_types_are_told_by_service(ce: Any) -> None:
    cloudwatch = {"Dimensions": {"Key": "SERVICE", "Values": ["AmazonCloudWatch"]}}

    answer = ce.get_dimension_values(TimePeriod=NOVEMBER, Dimension="USAGE_TYPE", Filter=cloudwatch)

    assert [one["Value"] for one in answer["DimensionValues"]] == ["EUC1-XRay-Spans-Indexed"]


def test_it_is_in_one_region(client: Any) -> None:
    wrong = client("ce", region="eu-central-1")

    assert refusal(wrong.get_cost_and_usage, **_question())[0] == "UnrecognizedClientException"


def test_the_present_day_is_not_billed_yet(aws: AwsStandIn, ce: Any) -> None:
    aws.costs.bill(Line(OTHER, "AWS X-Ray", "x", lambda day: 5.0 if day == date(2026, 11, 23) else 0.0))

    assert amounts(asked(ce, GroupBy=BY_ACCOUNT))["AWS X-Ray", OTHER] == Decimal(2)

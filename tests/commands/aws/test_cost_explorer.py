"""What is asked of Cost Explorer, page by page, against one that keeps AWS's rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.cost_explorer import Line
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.cost_explorer import PRICE, CostExplorer, needs_somebody
from commands.aws.errors import AwsProblem, Denied, Throttled
from storage.spend import Bill, Billed
from tests.commands.conftest import HOME, OTHER

OCTOBER, NOVEMBER, UNTIL = date(2026, 10, 1), date(2026, 11, 1), date(2026, 11, 24)
TYPES = ("EUC1-Application-Signals-Bytes", "EUC1-XRay-Spans-Indexed")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """It is 23 November; the bill goes to the end of the 21st."""
    with AwsStandIn(clock=lambda: datetime(2026, 11, 23, 9, tzinfo=UTC), calls_per_second=None) as running:
        for name, value in {
            "AWS_ENDPOINT_URL": running.url,
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        running.organizations.found(HOME, {HOME: "payer", OTHER: "member"})
        running.costs.bill(
            Line(HOME, "AWS X-Ray", "EUC1-XRay-TracesStored", lambda day: 0.1 if day >= NOVEMBER else 0.2),
            Line(HOME, "AWS X-Ray", "USE1-XRay-TracesStored", lambda _: 0.1),
            Line(OTHER, "AmazonCloudWatch", TYPES[0], lambda _: 0.3),
            Line(OTHER, "AmazonCloudWatch", TYPES[1], lambda _: 0.01),
            Line(OTHER, "AmazonCloudWatch", "EUC1-CW:MetricMonitorUsage", lambda _: 50.0),
            Line(OTHER, "AWS Lambda", "EUC1-Lambda-GB-Second", lambda _: 2.0, amortized=1.5),
            Line(OTHER, "AmazonEC2", "EUC1-BoxUsage", lambda _: 900.0),
            Line(HOME, "AWS X-Ray", "Credit", lambda _: -0.1, record_type="Credit"),
            Line(HOME, "AWS X-Ray", "Tax", lambda _: 0.05, record_type="Tax"),
        )
        yield running


@pytest.fixture
def explore(aws: AwsStandIn) -> Callable[..., CostExplorer]:
    cloud = Cloud(AwsSettings())
    return lambda most=9: CostExplorer(cloud, most)


Explore = Callable[..., CostExplorer]


def test_months_are_told_by_account_and_kind_and_nothing_else_is_counted(explore: Explore) -> None:
    explorer = explore()

    told = explorer.months(OCTOBER, UNTIL, TYPES)

    assert sorted(told.bills, key=str) == sorted(
        [
            Bill(OCTOBER, HOME, Billed.XRAY, Decimal("9.3")),
            Bill(OCTOBER, OTHER, Billed.TRANSACTION_SEARCH, Decimal("9.61")),
            Bill(OCTOBER, OTHER, Billed.LAMBDA, Decimal(93)),
            Bill(NOVEMBER, HOME, Billed.XRAY, Decimal("4.2")),
            Bill(NOVEMBER, OTHER, Billed.TRANSACTION_SEARCH, Decimal("6.51")),
            Bill(NOVEMBER, OTHER, Billed.LAMBDA, Decimal(63)),
        ],
        key=str,
    )
    assert told.estimated == {OCTOBER: False, NOVEMBER: True}
    assert explorer.requests == 1
    assert PRICE == Decimal("0.01")


@pytest.mark.parametrize("size", [1, 2, 4, 6])
def test_pages_make_one_answer_and_each_is_counted(aws: AwsStandIn, explore: Explore, size: int) -> None:
    whole, paged = explore().months(OCTOBER, UNTIL, TYPES), explore()
    aws.costs.page_size = size

    told = paged.months(OCTOBER, UNTIL, TYPES)

    assert (set(told.bills), told.estimated) == (set(whole.bills), whole.estimated)
    assert paged.requests == -(-6 // size)


def test_transaction_searchs_usage_types_are_found_by_how_they_end(explore: Explore) -> None:
    assert explore().usage_types(OCTOBER, UNTIL) == TYPES


def test_without_transaction_search_only_services_are_asked_for(explore: Explore) -> None:
    told = explore().months(NOVEMBER, UNTIL, ())

    assert {(bill.account, bill.kind) for bill in told.bills} == {(HOME, Billed.XRAY), (OTHER, Billed.LAMBDA)}


def test_days_are_of_xray_and_transaction_search_together(explore: Explore) -> None:
    days = explore().days(NOVEMBER, UNTIL, TYPES)

    assert len(days) == 23
    assert {days[date(2026, 11, day)] for day in range(1, 22)} == {Decimal("0.51")}
    assert (days[date(2026, 11, 22)], days[date(2026, 11, 23)]) == (0, 0)


def test_no_request_is_made_beyond_the_cap(aws: AwsStandIn, explore: Explore) -> None:
    aws.costs.page_size = 1
    explorer = explore(2)

    with pytest.raises(AwsProblem, match="max_requests_per_day") as capped:
        explorer.months(OCTOBER, UNTIL, TYPES)

    assert explorer.requests == 2
    assert sum(call.service == "ce" for call in aws.calls) == 2
    assert needs_somebody(capped.value)


def test_a_refusal_says_what_to_allow_and_how_to_do_without(aws: AwsStandIn, explore: Explore) -> None:
    aws.deny(service="ce", action="GetCostAndUsage")
    explorer = explore()

    with pytest.raises(Denied) as refused:
        explorer.months(OCTOBER, UNTIL, ())

    assert "allow ce:GetCostAndUsage and ce:GetDimensionValues to the bot's own credentials there" in str(refused.value)
    assert HOME in str(refused.value)
    assert "enabled = false in [spend]" in str(refused.value)
    assert explorer.requests == 1


def test_a_throttled_request_is_made_once_and_counted(aws: AwsStandIn, explore: Explore) -> None:
    aws.throttle(1, service="ce")
    explorer = explore()

    with pytest.raises(Throttled) as refused:
        explorer.months(OCTOBER, UNTIL, ())

    assert explorer.requests == 1
    assert not needs_somebody(refused.value)


def test_other_currencies_are_not_taken_for_dollars(aws: AwsStandIn, explore: Explore) -> None:
    aws.costs.unit = "CNY"

    with pytest.raises(AwsProblem, match="costs in CNY"):
        explore().months(OCTOBER, UNTIL, ())


def test_an_account_without_data_yet_is_told_what_to_do(aws: AwsStandIn, explore: Explore) -> None:
    aws.fail("DataUnavailableException", 400, service="ce")

    with pytest.raises(AwsProblem, match="open it once in the console"):
        explore().months(OCTOBER, UNTIL, ())


def test_a_month_without_any_bill_is_known_to_cost_nothing(aws: AwsStandIn, explore: Explore) -> None:
    told = explore().months(date(2026, 11, 1), date(2026, 11, 2), ("no-such-type",))

    assert told.estimated == {NOVEMBER: True}

"""Bills that are negative, nothing, huge, or finer than a cent, all the way from Cost Explorer to what people see."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from bot.demo.aws.cost_explorer import Line
from bot.gauges import Gauges
from commands._budget_rules import BudgetRules
from commands._reports import make_report
from commands._types import Context, Say
from commands.budget import budget
from commands.spend import turn
from commands.views.chart_data import charts_of
from commands.views.charts import picture
from commands.views.report import report_blocks, report_text
from commands.views.report_csv import report_csv
from storage.models import THE_CLOCK, PostKind
from storage.usage import UsageLook
from tests.commands.conftest import ANA, BERLIN, HOME, OTHER, HandClock, World
from tests.commands.views.test_views import words

NOVEMBER = date(2026, 11, 1)


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS's clock is the one that the test moves."""
    return {"clock": clock}


@pytest.fixture
def billed(world: World) -> Context:
    world.aws.organizations.found(HOME, {HOME: "payer", OTHER: "member"})
    world.function("refund", team="payments", mode="Active")
    world.audit()
    return replace(world.context, budget=BudgetRules(monthly_usd=Decimal(100), channel="#money"))


def shown(world: World, billed: Context, xray: float, of_lambda: float) -> str:
    """All that anybody sees of it: so much is billed on each of 21 days."""
    world.aws.costs.bill(
        Line(HOME, "AWS X-Ray", "EUC1-XRay-TracesStored", lambda _: xray),
        Line(HOME, "AWS Lambda", "EUC1-Lambda-GB-Second", lambda _: of_lambda),
    )
    list(turn(world.asks(THE_CLOCK), billed))
    answer = list(budget(world.asks(ANA), billed))[-1]
    assert isinstance(answer, Say)
    made = make_report(billed, 30, None)
    for chart in charts_of(made):
        assert picture(chart).startswith(b"\x89PNG")
    registry = CollectorRegistry()
    registry.register(Gauges(billed))
    gauges = generate_latest(registry).decode()
    assert list(text_string_to_metric_families(gauges))
    told = "\n".join(post.text for post in world.store.posts.all(PostKind.NOTICE))
    seen = [answer.text, words(answer.blocks), report_text(made), words(report_blocks(made))]
    alts = [chart.alt for chart in charts_of(made)]
    return "\n".join([*seen, *alts, report_csv(made), gauges, told])


def test_a_bill_of_less_than_nothing_is_shown_as_it_is_and_alarms_nobody(world: World, billed: Context) -> None:
    said = shown(world, billed, -0.1, 10.0)

    assert "X-Ray has cost \N{MINUS SIGN}$2.10 in November 2026 so far: \N{MINUS SIGN}2.1\N{NO-BREAK SPACE}%" in said
    assert "about \N{MINUS SIGN}$3.00" in said
    assert "X-Ray is \N{MINUS SIGN}1\N{NO-BREAK SPACE}% (" in said
    assert "X-Ray cost,all teams,2026-11-01,2026-11-30,-2.10,USD" in said
    assert "lamplighter_xray_spend_dollars -2.1" in said
    assert "$-" not in said
    assert "-1.0\N{NO-BREAK SPACE}%" not in said
    assert world.store.posts.all(PostKind.NOTICE) == []


@pytest.mark.parametrize(("of_lambda", "words_for"), [(0.0, "nothing"), (-0.5, "\N{MINUS SIGN}$10.50")])
def test_where_lambda_cost_nothing_or_less_the_share_is_not_known(
    world: World, billed: Context, of_lambda: float, words_for: str
) -> None:
    said = shown(world, billed, 1.0, of_lambda)

    assert f"*Of Lambda's cost:* not known, for Lambda cost {words_for}" in said
    assert "X-Ray cost as a share of Lambda's,all teams,2026-11-01,2026-11-30,,%" in said
    assert "% of Lambda's" not in said


def test_a_trillion_a_day_is_told_to_the_cent(world: World, billed: Context) -> None:
    said = shown(world, billed, 1e12 + 0.01, 3e12)

    assert "$21,000,000,000,000.21" in said
    assert "X-Ray cost,all teams,2026-11-01,2026-11-30,21000000000000.21,USD" in said
    assert "lamplighter_xray_spend_dollars 2.100000000000021e+013" in said or "2.100000000000021e+13" in said
    assert "E+" not in said
    assert len(world.store.posts.all(PostKind.NOTICE)) == 1


def test_what_is_finer_than_a_cent_is_no_cent_and_not_nothing(world: World, billed: Context) -> None:
    said = shown(world, billed, 0.0000012345, 0.0000000001)

    assert "X-Ray has cost under $0.01 in November 2026 so far" in said
    assert world.store.spend.months(NOVEMBER)[0].xray_usd == Decimal("0.0000259245")
    assert "E-" not in said


def answering(world: World, amount: object, unit: str = "USD") -> None:
    """Cost Explorer's amounts are changed on their way."""

    def change(parsed: dict[str, Any], **_: object) -> None:
        for period in parsed.get("ResultsByTime", ()):
            for metrics in (period["Total"], *(group["Metrics"] for group in period["Groups"])):
                for one in metrics.values():
                    one |= {"Amount": amount, "Unit": unit}

    events = world.context.cloud.client("ce", "us-east-1", attempts=1).meta.events
    events.register("after-call.cost-explorer", change)


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity", "sNaN", "1E+40", "much", "", None])
def test_what_can_be_no_amount_is_not_kept(world: World, billed: Context, amount: object) -> None:
    answering(world, amount)

    said = shown(world, billed, 1.0, 10.0)

    assert world.store.spend.months(NOVEMBER) == ()
    assert "Cost Explorer's answer cannot be read: " in said


def test_other_currencies_are_said_once_and_not_taken_for_dollars(world: World, billed: Context) -> None:
    answering(world, "5", "CNY")

    said = shown(world, billed, 1.0, 10.0)

    assert world.store.spend.months(NOVEMBER) == ()
    assert "Cost Explorer tells costs in CNY, and Lamplighter reckons in US dollars" in said
    assert len(world.store.posts.all(PostKind.NOTICE)) == 1


def test_an_account_with_less_than_nothing_makes_no_share_of_more_than_all(world: World, billed: Context) -> None:
    place = (HOME, BERLIN)
    world.store.usage.keep(place, {"refund": {NOVEMBER: 10.0}}, [NOVEMBER], world.clock())
    look = UsageLook(*place, world.clock(), functions=1, known=1)
    world.store.usage.told([NOVEMBER], {"refund": "payments"}, look)
    world.aws.costs.bill(Line(OTHER, "AWS Lambda", "EUC1-Lambda-GB-Second", lambda _: -9.0))

    said = shown(world, billed, 1.0, 10.0)

    made = make_report(billed, 30, None)
    assert made.attribution
    assert 0 <= made.attribution.known <= 1
    assert sum(one.lambda_usd for one in made.by_team.values()) == made.whole.lambda_usd
    assert json.dumps(said)

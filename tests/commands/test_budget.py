"""`/trace-budget`: what it shows of the bill, the forecast, AWS's own budgets and of what asking costs."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from bot.demo.aws.cost_explorer import Line
from commands._budget_rules import BudgetRules, SpendRules
from commands._types import Context, Progress, Say
from commands.budget import budget
from commands.spend import turn
from commands.views.budget import SET_BUDGET
from storage.models import THE_CLOCK
from tests.commands.conftest import ANA, EVE, HOME, OTHER, HandClock, World
from tests.commands.views.test_views import words

BUDGET = BudgetRules(monthly_usd=Decimal(100), channel="#money")


@pytest.fixture
def delays(clock: HandClock) -> dict[str, Any]:
    """AWS's clock is the one that the test moves."""
    return {"clock": clock}


@pytest.fixture
def show(world: World) -> Callable[..., str]:
    """All that the answer says, after one look at the bill where there is any."""
    world.aws.organizations.found(HOME, {HOME: "payer", OTHER: "member"})

    def answer(who: str = ANA, **changes: Any) -> str:
        context: Context = replace(world.context, **{"budget": BUDGET, **changes})
        first, last = budget(world.asks(who), context)
        assert isinstance(first, Progress)
        assert isinstance(last, Say)
        return f"{last.text}\n{words(last.blocks)}"

    return answer


Show = Callable[..., str]


def look(world: World, **changes: Any) -> None:
    for _ in turn(world.asks(THE_CLOCK), replace(world.context, **{"budget": BUDGET, **changes})):
        pass


def test_it_shows_the_bill_its_forecast_and_where_it_comes_from(world: World, show: Show) -> None:
    for number in range(7):
        world.aws.costs.bill(Line(f"{number:012}", "AWS X-Ray", "x", lambda _, each=number + 1: each * 0.1))
    world.aws.organizations.found(HOME, {f"{number:012}": "member" for number in range(7)})
    world.aws.costs.bill(Line(OTHER, "AWS Lambda", "l", lambda _: 14.0))
    world.aws.costs.bill(Line(OTHER, "AmazonCloudWatch", "EUC1-XRay-Spans-Indexed", lambda _: 0.2))
    look(world)

    said = show()

    assert "X-Ray has cost $63.00 in November 2026 so far: 63\N{NO-BREAK SPACE}% of the budget of $100.00" in said
    assert "Of it, $4.20 is billed by CloudWatch, for Transaction Search" in said
    assert "*Forecast for the month:* about $90.00, 90\N{NO-BREAK SPACE}% of the budget" in said
    assert "Made of 21 days that are billed whole" in said
    assert "X-Ray is 21.4\N{NO-BREAK SPACE}% ($63.00 beside $294.00" in said
    assert "`000000000006` · $14.70" in said
    assert "3 other accounts · $10.50" in said
    for month in (
        "Jun $90.00  ",
        "Jul $93.00  ",
        "Aug $93.00  ",
        "Sep $90.00  ",
        "Oct $93.00  ",
        "Nov $63.00  ━",
    ):
        assert f"\n{month}" in said
    assert "*Alerts in this month:* none was sent" in said
    assert "3 requests, $0.03. `[spend]" in said  # the same for 30 days would be said twice


def test_alerts_that_were_sent_are_listed(world: World, show: Show) -> None:
    world.aws.costs.bill(Line(OTHER, "AWS X-Ray", "x", lambda _: 4.0))
    look(world)

    assert "80 % of the actual cost (<!date" in show()


def test_before_it_was_ever_asked_nothing_is_called_zero(show: Show) -> None:
    said = show()

    assert "What X-Ray costs in November 2026 is not known" in said
    assert "Cost Explorer was not asked yet. It is once a day, at 09:00 UTC" in said
    assert "$0.00" not in said


def test_without_leave_it_says_what_to_allow(world: World, show: Show) -> None:
    world.aws.deny(service="ce")
    look(world)

    said = show()

    assert "What X-Ray costs in November 2026 is not known" in said
    assert "allow ce:GetCostAndUsage" in said


def test_old_figures_stand_with_their_age_where_the_newest_look_failed(world: World, show: Show) -> None:
    world.aws.costs.bill(Line(OTHER, "AWS X-Ray", "x", lambda _: 1.0))
    look(world)
    then = world.clock()
    world.clock.forward(days=1)
    world.aws.deny(service="ce")
    look(world)

    said = show()

    assert "X-Ray has cost $21.00" in said
    assert f"As of <!date^{int(then.timestamp())}^" in said
    assert "Not known: Cost Explorer may not be read" in said


def test_a_month_that_was_not_asked_for_yet_is_not_free(world: World, show: Show) -> None:
    world.aws.costs.bill(Line(OTHER, "AWS X-Ray", "x", lambda _: 1.0))
    look(world)
    world.clock.forward(days=8)  # 1 December

    said = show()

    assert "What X-Ray costs in December 2026 is not known" in said
    assert "Cost Explorer was not asked for it yet. It is once a day, at 09:00 UTC" in said
    assert "\nNov $21.00  ━" in said


def test_switched_off_it_says_so(show: Show) -> None:
    assert "`enabled = false` in `[spend]`" in show(spending=SpendRules(enabled=False), budget=BudgetRules())


def test_without_a_budget_it_says_how_to_set_one(world: World, show: Show) -> None:
    world.aws.costs.bill(Line(OTHER, "AWS X-Ray", "x", lambda _: 1.0))
    look(world)

    said = show(budget=BudgetRules())

    assert "no budget is set" in said
    assert "`[budget] monthly_usd` in lamplighter.toml" in said


def test_budgets_of_aws_that_watch_xray_are_listed_and_others_are_not(world: World, show: Show) -> None:
    common = {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": "50", "Unit": "USD"}}
    old = {**common, "BudgetName": "old", "CostFilters": {"Service": ["AWS X-Ray", "AWS Lambda"]}}
    both = {"Or": [{"Dimensions": {"Key": "SERVICE", "Values": [name]}} for name in ("AWS X-Ray", "AmazonEC2")]}
    new = {**common, "BudgetName": "new", "FilterExpression": both, "Metrics": ["UnblendedCost"]}
    without = {**common, "BudgetName": "without", "FilterExpression": {"Not": both["Or"][0]}, "Metrics": ["x"]}
    for one in (old, new, without, {**common, "BudgetName": "all"}):
        world.aws.budgets.seed(HOME, one, actual="12.5")

    said = show()

    assert (
        "`old`: 50.00 USD a month, 12.50 USD spent by AWS's reckoning, on X-Ray and 1 other service or usage type"
        in said
    )
    assert "`new`" in said
    assert "`without`" not in said
    assert "`all`" not in said


def test_many_pages_of_budgets_are_read(world: World, show: Show) -> None:
    for number in range(230):
        definition = {
            "BudgetName": f"b{number:03}",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": "5", "Unit": "USD"},
            "CostFilters": {"Service": ["AWS X-Ray"]} if number > 220 else {},
        }
        world.aws.budgets.seed(HOME, definition)

    said = show()

    assert "`b221`" in said
    assert "and 4 more" in said


def test_budgets_that_may_not_be_read_are_not_called_none(world: World, show: Show) -> None:
    world.aws.deny(service="budgets")

    said = show()

    assert "*AWS budgets that watch X-Ray:* not known" in said
    assert "allow budgets:ViewBudget" in said


def test_only_an_approver_sees_the_button_and_asking_never_costs_a_cent(world: World, show: Show) -> None:
    assert "Set AWS budget" in show(ANA)
    assert "Set AWS budget" not in show(EVE)
    assert SET_BUDGET
    assert not any(call.service == "ce" for call in world.aws.calls)


def test_words_behind_it_are_not_ignored(world: World) -> None:
    (said,) = budget(world.asks(ANA, text="payments"), world.context)

    assert isinstance(said, Say)
    assert said.text.startswith("`/trace-budget` takes no words")
    assert "`/trace-report <team>`" in said.text

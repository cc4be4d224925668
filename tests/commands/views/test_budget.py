"""`/trace-budget`, its form and its alerts, held against Slack's limits for any input."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import budget, set_budget
from commands.views.amounts import dollars, ratio
from commands.views.budget import Alert, BudgetShown, alert_text, budget_blocks, budget_text
from commands.views.form import result_view
from commands.views.set_budget import BudgetForm
from storage.aws_budgets import AwsBudget, BudgetAlarm
from storage.kpis import Driver, Drivers, Spent
from storage.month_end import MonthEnd
from storage.spend import AccountSpent, SpendLookUp
from tests.commands.views.test_hostile import inert
from tests.commands.views.test_views import HOSTILE, NOON, words

NOVEMBER = date(2026, 11, 1)
USD = st.decimals(0, 10**9, places=10, allow_nan=False)
MENTIONS = ["<@U0ANA>"] * 30


def spent(month: date, xray: Decimal, of_lambda: Decimal = Decimal(0)) -> Spent:
    return Spent(month, xray, of_lambda, NOON, estimated=True)


def shown(**more: Any) -> BudgetShown:
    given: dict[str, Any] = {
        "month": NOVEMBER,
        "budget": Decimal(200),
        "spent": spent(NOVEMBER, Decimal(142), Decimal(1155)),
        "transaction_search": Decimal(0),
        "end": None,
        "accounts": [],
        "trend": [],
        "alerts": [],
        "look_up": SpendLookUp(NOON, 2, Decimal("0.02")),
        "requests": 43,
        "requests_usd": Decimal("0.43"),
        "metrics_usd": (Decimal("0.00012"), Decimal("1.5")),
        "enabled": True,
        "when": "at 09:00 UTC",
        "aws": (),
        "may_set": True,
    }
    return BudgetShown(**{**given, **more})


def fits(blocks: list[dict[str, Any]]) -> None:
    assert message_problems(blocks) == []
    assert not blocks_are_too_long(blocks)


@given(
    amounts=st.lists(USD, min_size=1, max_size=12),
    limit=st.one_of(st.none(), st.decimals("0.01", 10**7, places=2)),
    text=HOSTILE,
    number=st.integers(0, 300),
    known=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_answer_is_within_slacks_limits_and_says_nothing_that_others_wrote_for_us(
    amounts: list[Decimal], limit: Decimal | None, text: str, number: int, known: bool
) -> None:
    trend = [spent(date(2026, 1 + place, 1), usd, usd) for place, usd in enumerate(amounts)]
    aws = AwsBudget(text or "b", limit, text[:10] or "USD", "MONTHLY", amounts[0], ("AWS X-Ray", text))
    made = shown(
        spent=trend[-1] if known else None,
        budget=limit,
        transaction_search=amounts[0],
        end=MonthEnd(amounts[0], amounts[-1], amounts[0], 9, 21) if known else None,
        accounts=[AccountSpent(f"{place:012}", usd, usd) for place, usd in enumerate(amounts * 20)],
        trend=trend,
        alerts=[("actual", place, NOON) for place in range(number)],
        look_up=SpendLookUp(NOON, number, amounts[0], text),
        aws=[aws] * number if known else None,
        aws_problem=text,
    )

    blocks = budget_blocks(made)

    fits(blocks)
    assert len(budget_text(made)) < 3000
    assert inert(words([block for block in blocks if block["type"] not in ("actions", "header")]))


@given(
    usd=USD,
    text=HOSTILE,
    number=st.integers(0, 30),
    forecast=st.booleans(),
    over=st.booleans(),
    thresholds=st.lists(st.integers(1, 1000), min_size=1, max_size=50),
)
@settings(max_examples=60, deadline=None)
def test_an_alert_fits_in_a_message_whatever_functions_and_teams_are_called(
    usd: Decimal, text: str, number: int, forecast: bool, over: bool, thresholds: list[int]
) -> None:
    drivers = [Driver(text or None, usd, f"arn:aws:lambda:eu-central-1:1:function:{text}")] * number
    alert = Alert(
        forecast=forecast,
        month=NOVEMBER,
        over=over,
        thresholds=thresholds,
        spent=spent(NOVEMBER, usd),
        budget=Decimal(200),
        end=MonthEnd(usd, usd, usd, 9, 21),
        drivers=Drivers(tuple(drivers), tuple(drivers), usd, usd, text),
        approvers=MENTIONS,
    )

    said = alert_text(alert)

    assert 0 < len(said) <= 3000
    assert inert(said)


@given(text=HOSTILE, usd=st.decimals("0.01", 10**7, places=2), percents=st.lists(st.integers(1, 1000), max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_form_is_within_slacks_limits(text: str, usd: Decimal, percents: list[int]) -> None:
    alarms = tuple(BudgetAlarm(True, Decimal(each), topic=text, people=2) for each in percents)
    now = AwsBudget(text or "b", usd, text or "USD", text, usd, ("AWS X-Ray", text), alarms=alarms)
    form = BudgetForm(usd, percents, percents, text, now, "111122223333", 7, "aws-budget 0011223344556677")

    for view in (set_budget.budget_form(form), set_budget.budget_form(replace(form, now=None)), set_budget.loading()):
        assert view_problems(view) == []
        assert not view_is_too_large(view)
    for said in (
        set_budget.set_text("U0ANA", now, 3, [text] * 9),
        set_budget.failed_text("U0ANA", text),
        set_budget.asked_text("#finops", usd),
    ):
        assert inert(said)
        assert view_problems(result_view(set_budget.TITLE, said)) == []


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        ("0", "$0.00"),
        ("0.004", "under $0.01"),
        ("0.0099", "$0.01"),
        ("0.01", "$0.01"),
        ("1234.5", "$1,234.50"),
        ("-2", "−$2.00"),
    ],
)
def test_dollars_are_in_cents_and_a_little_is_not_nothing(usd: str, said: str) -> None:
    assert dollars(Decimal(usd)) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("0", "0 %"),
        ("0.04", "under 0.1 %"),
        ("0.4", "0.4 %"),
        ("9.94", "9.9 %"),
        ("20.1", "20.1 %"),
        ("71", "71 %"),
        ("99.97", "99.9 %"),
        ("100", "100 %"),
        ("1234.56", "1,234.6 %"),
        ("-3", "\N{MINUS SIGN}3 %"),
    ],
)
def test_shares_have_a_decimal_where_there_is_one(part: str, said: str) -> None:
    assert ratio(Decimal(part), Decimal(100)).replace("\N{NO-BREAK SPACE}", " ") == said


def test_each_month_has_its_dollars_and_a_bar_of_as_much_of_the_dearest() -> None:
    trend = [
        spent(date(2026, 6 + place, 1), Decimal(usd)) for place, usd in enumerate(("0", "0.01", "50", "100", "-3"))
    ]
    said = words(budget_blocks(shown(trend=[*trend, spent(date(2026, 11, 1), Decimal(25))])))

    assert "*By month*, June 2026 to November 2026:" in said
    lines = [line for line in said.splitlines() if line[:3] in ("Jun", "Jul", "Aug", "Sep", "Oct", "Nov")]
    assert lines == [
        "Jun $0.00",
        "Jul $0.01  ╸",
        "Aug $50.00  ━━━━━━",
        "Sep $100.00  ━━━━━━━━━━━━",
        "Oct \N{MINUS SIGN}$3.00",
        "Nov $25.00  ━━━  so far",
    ]
    assert "`━" not in said


def test_months_that_cost_nothing_have_no_bar() -> None:
    said = words(budget_blocks(shown(trend=[spent(date(2026, 10, 1), Decimal(0))])))

    assert "*By month*, October 2026:\nOct $0.00" in said
    assert not {"━", "╸"} & set(said)


def test_what_look_ups_of_cloudwatch_cost_stands_beside_what_the_bill_costs_to_ask() -> None:
    said = words(budget_blocks(shown()))

    assert "CloudWatch's metrics, for forecasts and GB-seconds: under $0.01 today (UTC), $1.50 in 30 days." in said


def test_the_button_is_there_for_who_may_and_carries_nothing_but_its_name() -> None:
    made = json.dumps(budget_blocks(shown()))

    assert budget.SET_BUDGET in made
    assert f'"value": "{budget.OUR_BUDGET}"' in made
    assert budget.SET_BUDGET not in json.dumps(budget_blocks(shown(may_set=False)))

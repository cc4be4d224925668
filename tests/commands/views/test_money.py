"""What a forecast reads like, and that nothing unknown reads like nothing to pay."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems
from commands.views import blocks, money
from storage.forecasts import Forecast, Range, Unit
from storage.totals import NOTHING, Total
from tests.storage.forecasts import NOON, forecast

DOLLARS = st.floats(0, 1e9)
RANGES = st.lists(DOLLARS, min_size=3, max_size=3).map(lambda ends: Range(*sorted(ends)))
KNOWN = st.builds(
    Forecast,
    function_arn=st.text(max_size=20),
    asked_at=st.just(NOON),
    since=st.just(NOON - timedelta(days=14)),
    until=st.just(NOON),
    period=st.sampled_from([60, 300, 3600]),
    invocations=st.integers(0, 10**12),
    recorded=RANGES,
    unit=st.sampled_from(Unit),
    gigabytes=st.none() | RANGES,
    usd=st.none() | RANGES,
    price=st.text(max_size=2000),
    spiky=st.booleans(),
    busy=st.booleans(),
    scaled=st.sampled_from([1.0, 0.42]),
)
FORECASTS = st.none() | KNOWN
REFUND = forecast("refund", 1.2, usd=Range(0.05, 1.2, 6.1))


@pytest.mark.parametrize(
    ("usd", "said"),
    [
        (None, "price not known"),
        (Range(0, 0, 0), "under $0.01 a month"),
        (Range(0, 0.004, 0.05), "under $0.01 a month (at most $0.05)"),
        (Range(0.001, 1.2, 6.1), "about $1.20 a month (at most $6.10)"),
        (Range(0.05, 1.2, 6.1), "about $1.20 a month ($0.05–$6.10)"),
        (Range(1.2, 1.2, 1.2), "about $1.20 a month"),
        (Range(20, 310.4, 12_310.6), "about $310 a month ($20.00–$12,311)"),
    ],
)
def test_dollars_have_a_range_and_no_more_digits_than_they_are_sure_of(usd: Range | None, said: str) -> None:
    assert money.amount(usd) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0"),
        (0.3, "1"),
        (7.4, "7"),
        (43.2, "43"),
        (243_456, "240,000"),
        (999_999, "1 million"),
        (2_460_000, "2.5 million"),
        (48_000_000, "48 million"),
        (480_000_000, "480 million"),
        (31_104_000_000, "31 billion"),
    ],
)
def test_a_count_of_traces_has_two_digits_that_mean_something(number: float, said: str) -> None:
    assert money.about(number) == said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "Tracing it: ≈\N{NO-BREAK SPACE}240,000 traces, about $1.20 a month ($0.05–$6.10)"),
        ({"spiky": True}, "($0.05–$6.10), likely much lower, as it is invoked in bursts"),
        ({"busy": True}, "($0.05–$6.10) · *high volume*"),
        ({"usd": None}, "≈\N{NO-BREAK SPACE}240,000 traces, price not known"),
        (
            {"unit": Unit.SPANS, "gigabytes": Range(0.2, 0.8, 1)},
            "≈\N{NO-BREAK SPACE}240,000 spans (0.8 GB), about $1.20",
        ),
        (
            {"invocations": 0, "recorded": Range(0, 0, 0), "usd": Range(0, 0, 0)},
            "Tracing it: under $0.01 a month, as it was not invoked in 14 days",
        ),
    ],
)
def test_a_row_says_traces_dollars_and_how_sure_it_is(facts: dict[str, object], said: str) -> None:
    assert said in money.row_line(replace(REFUND, **facts))


def test_an_old_forecast_says_until_when_its_traffic_was() -> None:
    assert money.row_line(REFUND, old=True).endswith("by its traffic until Nov 23")


def test_how_a_forecast_was_made_names_the_window_the_rule_and_the_price() -> None:
    said = money.how(replace(REFUND, invocations=3_400_000, period=300, scaled=0.42))

    assert said == (
        "The forecast: 30 days like those from Nov 9 to Nov 23 (3,400,000 invocations, by 5 minutes). Lambda records "
        "one request a second and 5\N{NO-BREAK SPACE}% of the others; $5.00 a million traces. Scaled by 0.42, as "
        "earlier forecasts missed."
    )
    assert "Spans are billed there, and not traces" in money.how(replace(REFUND, unit=Unit.SPANS))


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ([REFUND, REFUND], "Tracing all 2: about $2.40 a month ($0.10–$12.20); before the free tier, by traffic until"),
        ([REFUND, None], "Tracing all 2: about $1.20 a month ($0.05–$6.10), 1 of them not known; before"),
        ([None, replace(REFUND, usd=None)], "Tracing all 2: cost not known yet"),
        ([replace(REFUND, spiky=True), REFUND], "; likely lower, as $1.20 of it comes in bursts; before"),
        ([replace(REFUND, spiky=True), forecast("dear", 40.0)], "($4.05–$66.10); before"),
        ([None], "Tracing it: cost not known yet"),
    ],
)
def test_a_sum_says_of_how_many_it_is(known: list[Forecast | None], said: str) -> None:
    assert said in money.total_line(Total.of(known))


def test_the_free_tier_is_taken_off_once_and_of_the_whole_alone() -> None:
    whole = money.whole_line(
        Total.of([forecast(str(number), 1.2, usd=Range(1.2, 1.2, 1.2)) for number in range(5)]), NOTHING
    )

    assert whole.startswith("Tracing all 5: about $6.00 a month; before the free tier, by traffic until Nov 23. ")
    assert (
        "After it (100,000 traces a month, once for all accounts that are paid together): about $5.50 a month" in whole
    )
    some = money.whole_line(Total.of([REFUND, REFUND]), Range(1, 43_210, 90_000))
    assert "paid together, of which traced functions use 43,000): about $2.12 a month" in some
    used_up = money.whole_line(Total.of([REFUND, REFUND]), Range(100_000, 200_000, 300_000))
    assert used_up.endswith(". Traced functions use up the free tier of 100,000 traces a month.")
    assert "After it" not in used_up
    assert money.whole_line(Total(), NOTHING) == ""
    assert money.whole_line(Total.of([None]), NOTHING) == "Tracing it: cost not known yet"


@given(known=FORECASTS, others=st.lists(FORECASTS, max_size=5), why=st.text(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_no_forecast_breaks_a_limit_and_what_is_not_known_is_no_zero(
    known: Forecast | None, others: list[Forecast | None], why: str
) -> None:
    total = Total.of([known, *others])
    said = [
        money.confirm_line(known),
        money.plan_line(known, why),
        money.total_line(total),
        money.whole_line(total, NOTHING),
    ]
    said += [money.how(known), money.row_line(known, old=True)] if known else []

    assert not message_problems([blocks.context(one) for one in said])
    assert len(said[0]) <= 140
    assert len(said[1]) <= 290
    for one in said:
        assert "$0.00" not in one
        assert "$0 " not in one
    if known is None:
        assert "not known" in said[0]
        assert said[1].startswith("not known")
    if total.unknown:
        assert "not known" in said[2]

"""What tracing costs, from memory: where it is shown, in which order, and what stays silent."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands._costs import in_order, moved
from commands._drawing import draw, item_of
from commands._types import OpenForm, PublishHome, Say
from commands.audit import audit
from commands.fix import approve, fix
from commands.home import opened
from commands.review import open_review
from commands.views import actions
from storage.digests import News, Why
from storage.forecasts import Range
from storage.models import Function, PostKind
from tests.commands.asking import Office
from tests.commands.conftest import ANA, World
from tests.commands.test_telling import MONDAY, Mornings
from tests.commands.views.test_views import words
from tests.storage.forecasts import forecast


@pytest.fixture
def week(world: World) -> Mornings:
    """Nobody but the test says what traffic there is."""
    world.aws.deny(service="cloudwatch")
    return Mornings(world)


def said(answer: Any) -> str:
    (last,) = [one for one in answer if isinstance(one, Say)][-1:]
    return f"{last.text}\n{words(last.blocks)}"


# ---- what is shown


def test_a_digest_says_what_each_row_and_all_together_cost(world: World, week: Mornings) -> None:
    arns = [world.function(name) for name in ("refund", "charge", "payout")]
    world.store.forecasts.save([forecast(arns[0], 1.2), forecast(arns[1], 40.0, busy=True)])
    week.come(0)

    text = words(draw(world.context, week.digest())[1])

    assert "Tracing all 3: about $41.20 a month ($4.12–$61.80), 1 of them not known; before the free tier" in text
    assert "≈\N{NO-BREAK SPACE}240,000 traces, about $1.20 a month ($0.12–$1.80)" in text
    assert "about $40.00 a month ($4.00–$60.00) · *high volume*" in text
    assert "*High volume:* `charge`. `/trace-audit &lt;function&gt;` says what can lower it." in text
    assert "sampling cannot be set" not in text  # the card says it, once
    assert text.count("cost not known yet") == 1  # of payout's row


def test_an_old_forecast_says_how_old_its_traffic_is(office: Office) -> None:
    office.context.store.forecasts.save([forecast(office.function.arn)])
    office.request()
    office.clock.forward(days=9)

    assert "by its traffic until Nov 23" in words(
        draw(office.context, office.shown(office.request(), PostKind.DIGEST))[1]
    )


def test_the_dialog_and_the_kept_plan_have_the_same_forecast(office: Office) -> None:
    known = forecast(office.function.arn, 3.1)
    office.context.store.forecasts.save([known])
    office.request()

    dialog = actions.confirm_text(item_of(office.context, office.function))
    list(approve(office.by(ANA, office.request()), office.context))

    assert "Cost: about $3.10 a month ($0.31–$4.65)." in dialog
    plan = office.again(office.context.store.requests.find(office.request().id) or office.request()).plan
    assert plan
    assert plan.forecast == known


def test_a_plan_keeps_what_was_shown_though_the_forecast_changes(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    shown = forecast(arn, 3.1)
    world.store.forecasts.save([shown])
    list(fix(world.asks(text="refund"), world.context))
    (post,) = world.store.posts.all(PostKind.REQUEST)
    world.store.forecasts.save([forecast(arn, 300.0)])

    text = words(draw(world.context, post)[1])
    asked = world.request(arn)
    list(approve(world.asks(value=asked.id), world.context))

    assert "*Cost:* about $3.10 a month ($0.31–$4.65), before the free tier" in text
    assert "The forecast: 30 days like those from Nov 9 to Nov 23" in text
    assert "300" not in text
    kept = world.store.requests.get(asked.id)
    assert kept.plan
    assert kept.plan.forecast == shown
    assert world.mode(arn) == "Active"  # another forecast is no other plan


def test_what_is_asked_for_everything_has_a_sum_and_the_free_tier_once(world: World) -> None:
    refund, search = world.function("refund"), world.function("find", team="search")
    world.function("lost", team=None)
    lit = world.function("lit", mode="Active")
    world.store.forecasts.save([forecast(refund, 40.0), forecast(search, 2.0), forecast(lit, 0.2)])

    text = said(audit(world.asks(), world.context))

    assert "Tracing all 3: about $42.00 a month ($4.20–$63.00), 1 of them not known; before the free tier" in text
    assert "of which traced functions use 40,000): about $41.70 a month" in text
    assert "*payments*: 1 untraced" in text
    assert "about $2.00 a month ($0.20–$3.00) to trace" in text
    assert "*no known team*: 1 untraced · 0 of 1 traced (0\N{NO-BREAK SPACE}%) · 0 exempt · cost not known yet" in text


def test_the_card_of_a_function_says_what_it_costs_and_what_to_do_about_much_traffic(world: World) -> None:
    arn = world.function("refund")
    world.audit()
    world.store.forecasts.save([forecast(arn, 40.0, busy=True)])

    text = said(audit(world.asks(text="refund"), world.context))

    assert (
        "*Cost:* about $40.00 a month ($4.00–$60.00), before the free tier: ≈\N{NO-BREAK SPACE}8 million traces" in text
    )
    assert "*High volume:* Lambda's own sampling cannot be set." in text
    assert "Lambda records one request a second" in text


# ---- in which order


def test_news_stand_first_and_then_what_is_invoked_most_a_day(
    context: Any, remembered: Callable[..., Function]
) -> None:
    fresh, calm, busy, brief, silent = (remembered(name) for name in ("fresh", "calm", "busy", "brief", "silent"))
    often = forecast(busy.arn, invocations=1_000_000)
    day = often.until - timedelta(days=1)
    context.store.forecasts.save(
        [
            often,
            forecast(calm.arn, invocations=14),
            forecast(
                brief.arn, invocations=100_000, since=day
            ),  # of one day: more a day than the busy one of two weeks
        ]
    )
    news = {fresh.arn: News(Why.NEW, MONDAY)}

    order = in_order(context, [silent, calm, brief, fresh, busy], news)

    assert order == [fresh, brief, busy, calm, silent]


def test_the_list_the_answer_the_form_and_the_home_page_have_that_order_too(world: World) -> None:
    arns = {name: world.function(name) for name in ("alpha", "beta", "gamma")}
    world.audit()
    world.store.forecasts.save(
        [forecast(arns["gamma"], invocations=5_000_000), forecast(arns["beta"], invocations=1_000_000)]
    )
    shown = [said(audit(world.asks(text="payments"), world.context))]
    table = world.store.posts.create("list:x", PostKind.LIST, "#c", world.clock(), team="payments")
    assert table
    shown.append(words(draw(world.context, table)[1]))
    forms = list(open_review(world.asks(value=world.request(arns["alpha"]).id), world.context))
    assert isinstance(forms[-1], OpenForm)
    shown.append(
        words([one for one in forms[-1].view["blocks"] if one.get("block_id", "").startswith("review-chosen")])
    )
    (page,) = opened(world.asks(), world.context)
    assert isinstance(page, PublishHome)
    shown.append(words([one for one in page.view["blocks"] if "*Tip:*" not in str(one)]))

    for one in shown:
        places = [one.rindex(name) for name in ("gamma", "beta", "alpha")]
        assert places == sorted(places)


def test_another_order_in_the_form_is_no_change_of_what_matches(world: World) -> None:
    first, second = world.function("alpha"), world.function("beta")
    world.audit()
    before = _metadata(world, first)
    world.store.forecasts.save([forecast(second)])

    assert _metadata(world, first) == before


def _metadata(world: World, arn: str) -> str:
    form = list(open_review(world.asks(value=world.request(arn).id), world.context))[-1]
    assert isinstance(form, OpenForm)
    return str(form.view["private_metadata"])


# ---- what stays silent


def test_a_forecast_that_moves_by_cents_changes_no_message_and_one_that_doubles_edits_it_silently(
    world: World,
    week: Mornings,
) -> None:
    arn = world.function("refund")
    world.function("charge")
    world.store.forecasts.save([forecast(arn, 3.1)])
    week.come(0)
    week.send()

    for day, usd in ((1, 3.3), (2, 3.0), (3, 3.59)):
        world.store.forecasts.save([forecast(arn, usd)])
        assert (week.come(day), week.send()) == ([], 0)

    world.store.forecasts.save([forecast(arn, 6.2)])
    assert (week.come(4), week.send()) == ([], 1)
    assert "about $6.20 a month" in week.shows()
    assert (week.come(5), week.send()) == ([], 0)


def test_many_cents_that_add_up_over_days_are_noticed(world: World, week: Mornings) -> None:
    arn = world.function("refund")
    world.store.forecasts.save([forecast(arn, 3.1)])
    week.come(0)
    week.send()

    edits = []
    for day, usd in ((1, 3.4), (2, 3.7), (3, 4.0), (4, 4.3)):
        world.store.forecasts.save([forecast(arn, usd)])
        assert week.come(day) == []
        edits.append(week.send())

    assert edits == [0, 0, 0, 1]


def test_a_cost_that_becomes_known_is_an_edit_and_no_message(world: World, week: Mornings) -> None:
    arn = world.function("refund")
    week.come(0)
    week.send()
    world.store.forecasts.save([forecast(arn, 0.02)])

    assert (week.come(1), week.send()) == ([], 1)
    assert "about $0.02 a month" in week.shows()


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": 3.0}, {"a": 3.4}, False),
        ({"a": 3.0}, {"a": 4.1}, True),
        ({}, {"a": 0.3}, False),
        ({}, {"a": 0.6}, True),
        ({"a": 0.6}, {}, True),
        ({"a": 300.0}, {"a": 360.0}, False),
        ({"a": 10.0, "b": 10.0}, {"a": 10.0, "b": 10.4}, False),
        ({str(n): 0.3 for n in range(10)}, {str(n): 0.5 for n in range(10)}, True),  # each a little, and together more
    ],
)
def test_what_counts_as_a_change(before: dict[str, float], now: dict[str, float], expected: bool) -> None:
    assert moved(before, now) is expected


def test_a_price_that_is_not_known_is_no_zero(office: Office) -> None:
    known = replace(forecast(office.function.arn), usd=None, recorded=Range(1, 2, 3))
    office.context.store.forecasts.save([known])
    office.request()

    shown = item_of(office.context, office.function)

    assert "price not known" in actions.confirm_text(shown)
    assert "$" not in actions.confirm_text(shown)

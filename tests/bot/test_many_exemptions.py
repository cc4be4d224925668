"""`/trace-exempt list` of a workspace with a thousand exemptions, through the real Bolt app and the strict stand-in."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.demo.people import ANA
from commands.exemption_list import ROWS
from commands.views.exemptions import NEXT, PREVIOUS
from storage.exemptions import Wish
from storage.models import ExemptScope, Function
from tests.bot.test_requests import PAYMENTS, Bot
from tests.bot.test_requests import start as start  # noqa: PLC0414 - a fixture, used by its name
from tests.e2e.scene import wait_for, words

MANY = 1000
PAGES = -(-MANY // ROWS)
HOSTILE = "<!channel> & `why` 👩‍👩‍👧‍👦 \u202eهذا " * 40
TICKET = "https://tickets.example.com/" + "x" * 400


def grant_many(bot: Bot, make_function: Callable[[str], Function]) -> None:
    """Of functions, but for ten rules that cover a hundred each."""
    store, now = bot.context.store, bot.clock()
    functions = [make_function(f"{number:04}-{'n' * 100}") for number in range(MANY)]
    store.functions.save(functions, now)
    with store.transaction():
        for number, one in enumerate(functions):
            rule = number % 100 == 0
            wish = Wish(
                reason=HOSTILE[:500],
                until=now + timedelta(days=1 + number % 300, hours=number // 300),
                team="payments",
                teams=("payments",),
                function_arn="" if rule else one.arn,
                scope=ExemptScope.NAME if rule else ExemptScope.FUNCTION,
                target=f"{'*' * 60}{number}" if rule else "",
                later=rule,
                ticket=TICKET,
            )
            covered = tuple(each.arn for each in functions[number : number + 100]) if rule else (one.arn,)
            store.exemptions.create(wish, covered, ANA, now)


def answers(bot: Bot) -> list[Any]:
    return [one for one in bot.slack.workspace.ephemerals(PAYMENTS, ANA) if f"{MANY:,} exemptions" in one.text]


def listed(bot: Bot, typed: str) -> tuple[Any, float]:
    """What `/trace-exempt list` answers, and after how many seconds."""
    before, began = len(answers(bot)), time.monotonic()
    assert bot.slack.acting_as(ANA).command(PAYMENTS, f"/trace-exempt list {typed}".strip()).ok
    found = wait_for(lambda: (now := answers(bot)) and len(now) > before and now[-1])
    return found, time.monotonic() - began


def redrawn(bot: Bot, page: int) -> Any:
    return wait_for(lambda: next((one for one in answers(bot) if f"Page {page} of {PAGES}" in words(one)), None))


def test_a_thousand_are_listed_page_by_page_within_a_second(
    start: Callable[..., Bot], make_function: Callable[[str], Function]
) -> None:
    bot = start()
    grant_many(bot, make_function)

    took = []
    for typed in ("", "payments", f"{PAGES}"):
        _, seconds = listed(bot, typed)
        took.append(seconds)
    assert min(took) < 1, took

    first, _ = listed(bot, "")
    assert words(first).count("· number ") == ROWS
    assert "<!channel>" not in words(first)
    assert bot.slack.acting_as(ANA).click(first, NEXT).ok
    second = redrawn(bot, 2)
    assert bot.slack.acting_as(ANA).click(second, NEXT).ok
    redrawn(bot, 3)

    last, _ = listed(bot, f"payments {PAGES + 7}")
    assert f"Page {PAGES} of {PAGES}" in words(last)
    assert words(last).count("· number ") == MANY - (PAGES - 1) * ROWS
    assert bot.slack.acting_as(ANA).click(last, PREVIOUS).ok
    redrawn(bot, PAGES - 1)
    assert {call.error for call in bot.slack.calls} == {None}

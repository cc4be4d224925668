"""The notice of a grace period and the modal of whoever objects, held against Slack's limits."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import structs

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views import grace
from commands.views.actions import EXEMPT
from commands.views.item import Item
from storage.fixes import GraceNotice, NoticeState, RequestState
from storage.models import TracingMode, Verdict
from storage.totals import Total
from tests.commands.views.test_views import APPLIED, FAILED, FUNCTION, HOSTILE, NOON, REQUEST, buttons, words
from tests.storage.forecasts import forecast

NOTICE = GraceNotice(3, "notice-token", "payments", "#team-payments", 7, 1, NOON, date(2026, 12, 1))


def drawn(notice: GraceNotice, items: list[Item], **facts: Any) -> list[dict[str, Any]]:
    given = {"total": len(items), "page": 1, "left": {}, "approvers": ("<@U0ANA>",), "days": 7, "where": "#p"}
    given |= {"cost": Total.of([forecast("refund", 3.1), None])} | facts
    made = grace.notice_blocks(notice, items, **given)
    assert not message_problems(made)
    assert not blocks_are_too_long(made)
    assert len(made) <= 50
    assert len(grace.notice_text(notice, items, given["total"], given["page"])) <= 3000
    return made


def exempts(made: list[dict[str, Any]]) -> int:
    return sum(block.get("accessory", {}).get("action_id") == EXEMPT for block in made)


def test_a_notice_names_the_day_the_functions_and_the_ways_to_object() -> None:
    made = drawn(NOTICE, [Item(FUNCTION, REQUEST, since=NOON)], total=20)

    assert "on *Tuesday, Dec 1, 2026*" in words(made)
    assert "Untraced for 7 days or more" in words(made)
    assert "role `payments-api` may not write to X-Ray" in words(made)
    assert "19 more in this thread" in words(made)
    assert "Tracing all 2: about $3.10 a month ($0.31–$4.65), 1 of them not known" in words(made)
    assert buttons(made) == [grace.REVIEW, grace.NOT_THESE]
    assert exempts(made) == 1


def test_what_somebody_has_decided_on_since_shows_and_loses_its_button() -> None:
    exempt = replace(REQUEST, state=RequestState.RESOLVED, outcome="Exempt.")
    traced = structs.replace(FUNCTION, verdict=Verdict.TRACED, mode=TracingMode.ACTIVE)
    made = drawn(NOTICE, [Item(traced, APPLIED), Item(FUNCTION, exempt), Item(None, exempt)])

    assert "*Active since" in words(made)
    assert "Exempt." in words(made)
    assert exempts(made) == 0


@pytest.mark.parametrize(
    ("ended", "says"),
    [
        ({"state": NoticeState.STOPPED, "ended_by": "U0BO", "reason": "moves"}, "*Stopped* by <@U0BO> at"),
        ({"state": NoticeState.LAPSED, "reason": "No audit."}, "*Nothing was changed.* No audit."),
        ({"state": NoticeState.TAKEN, "batch": 4}, "Progress, results and *Stop* are in #p"),
        ({"state": NoticeState.TAKEN}, "nothing was left that may be fixed without a click"),
    ],
)
def test_a_notice_that_has_ended_says_how_and_offers_nothing(ended: dict[str, Any], says: str) -> None:
    made = drawn(replace(NOTICE, ended_at=NOON, **ended), [Item(FUNCTION, REQUEST)])

    assert says in words(made)
    assert buttons(made) == []
    assert exempts(made) == 0


def test_what_was_left_alone_says_why_in_its_own_row() -> None:
    notice = replace(NOTICE, state=NoticeState.TAKEN, batch=4, ended_at=NOON)
    made = drawn(notice, [Item(FUNCTION, REQUEST)], total=3, left={FUNCTION.arn: "A fix of it was denied."})

    assert "*Left alone*: A fix of it was denied." in words(made)
    assert "2 of 3 Lambda functions approved by the grace period" in words(made)


def test_a_full_page_of_the_longest_rows_fits_a_message() -> None:
    failed = replace(FAILED, outcome="e" * 3000, asked_by="U0EVE", reason="r" * 500, expires_at=NOON)
    items = [Item(structs.replace(FUNCTION, name=f"{'n' * 62}{number:02}"), failed) for number in range(grace.PAGE)]

    assert words(drawn(NOTICE, items, total=300, approvers=tuple(f"<@U{one:010}>" for one in range(40))))
    assert drawn(NOTICE, items, total=300, page=2)[0]["elements"][0]["text"].startswith("Part 2")


@given(text=HOSTILE)
@settings(max_examples=50, deadline=timedelta(seconds=5))
def test_no_name_or_reason_breaks_slacks_limits_or_mentions_anybody(text: str) -> None:
    hostile = replace(NOTICE, team=text[:200], reason=text, ended_at=NOON)
    item = Item(structs.replace(FUNCTION, name=text[:140] or "f", team=text), REQUEST)

    for state in NoticeState:
        made = drawn(replace(hostile, state=state), [item], left={FUNCTION.arn: text})
        assert "<!channel" not in words(made)
    assert not view_problems(grace.stop_form(hostile, [item.name] * 300))

"""What is shown of exemptions: within Slack's limits for any input, and plain without colour or emoji."""

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import exemptions as views
from commands.views import functions
from commands.views.actions import EXEMPT
from commands.views.exempt import Covered, ExemptForm, exempt_form
from commands.views.functions import Item
from commands.views.text import count
from storage.models import Exemption, ExemptScope, ExemptState
from tests.commands.views.test_views import FUNCTION, HOSTILE, NOON, REQUEST, words

DAY = timedelta(days=1)
RULE = Exemption(
    7,
    "",
    "made by the platform",
    "U0ANA",
    NOON,
    NOON + 90 * DAY,
    token="t" * 22,
    scope=ExemptScope.NAME,
    target="ctl-*",
    team="payments",
    teams=("payments",),
    ask_until=NOON + DAY,
    asked_by="U0BO",
    ended_at=NOON + 2 * DAY,
)
SCOPES, STATES = st.sampled_from(ExemptScope), st.sampled_from(ExemptState)


def is_fine(blocks: list[dict[str, Any]]) -> None:
    assert message_problems(blocks) == []
    assert not blocks_are_too_long(blocks)
    assert "<!channel" not in words(blocks)
    assert [one.to_dict()["type"] for one in Block.parse_all(blocks)] == [one["type"] for one in blocks]


def is_a_fine_form(view: dict[str, Any]) -> None:
    assert view_problems(view) == []
    assert not view_is_too_large(view)
    assert len(json.dumps(view)) < 250_000
    assert "<!channel" not in words(view["blocks"])
    assert View(**view).to_dict()["callback_id"] == view["callback_id"]


@settings(max_examples=60, deadline=None)
@given(
    reason=HOSTILE, target=HOSTILE, why=HOSTILE, name=HOSTILE, scope=SCOPES, state=STATES, number=st.integers(0, 400)
)
def test_messages_are_ones_that_slack_takes(
    reason: str, target: str, why: str, name: str, scope: ExemptScope, state: ExemptState, number: int
) -> None:
    shown = replace(RULE, reason=reason, target=target, ended_why=why, scope=scope, state=state, later=True)
    names = [f"{name}{one}"[:140] for one in range(number)]
    is_fine(views.asked_blocks(shown, names, ["<@U0ANA>"] * 300))
    is_fine(views.ending_blocks(shown, names, ""))
    is_fine(views.ending_blocks(replace(shown, let_end_by="U0BO"), names, "<@U0ANA>"))
    head = views.list_text(target, number, everybody=False)
    rows = [views.row(shown, number)] * views.ROWS
    is_fine(views.list_blocks(head, rows, page=2, pages=3, waiting=number, value=target[:200]))


@settings(max_examples=60, deadline=None)
@given(
    reason=HOSTILE,
    target=HOSTILE,
    ticket=HOSTILE,
    name=HOSTILE,
    scope=SCOPES,
    number=st.sampled_from([0, 1, 40, 10_000]),
)
def test_forms_are_ones_that_slack_takes(
    reason: str, target: str, ticket: str, name: str, scope: ExemptScope, number: int
) -> None:
    names = [f"{name[:130]}{one}" for one in range(number)]
    form = ExemptForm(
        metadata="x" * 100,
        function=structs.replace(FUNCTION, name=name[:64] or "f"),
        team=target or None,
        until=date(2027, 2, 21),
        latest=date(2027, 11, 23),
        scope=scope,
        target=target,
        everywhere=True,
        later=True,
        reason=reason,
        ticket=ticket,
        covered=Covered(names, number) if number else None,
        suggestion=reason[:500],
        two_people="This takes two people.",
        note="Look again.",
    )
    is_a_fine_form(exempt_form(form))
    is_a_fine_form(
        views.extend_form(replace(RULE, reason=reason, target=target, scope=scope), names, form.until, form.latest)
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_reminder_stands_alone_as_text(number: int) -> None:
    text = views.ending_text(RULE, ["ctl-a", "ctl-b"][:number])

    assert text.startswith(f"The exemption of {count(number, 'function')} named `ctl-*` ends: its last day is ")
    assert "made by the platform" in text


def test_every_button_says_what_it_is_about_to_who_cannot_see_its_row() -> None:
    asked = views.asked_blocks(replace(RULE, state=ExemptState.ASKED), ["ctl-a"], ["<@U0ANA>"])
    ending = views.ending_blocks(RULE, ["ctl-a"], "")
    labels = [
        each["accessibility_label"]
        for block in [*asked, *ending]
        if block["type"] == "actions"
        for each in block["elements"]
    ]

    assert labels == [
        "Confirm: exempt ctl-*",
        "Deny: exempt ctl-*",
        "Extend the exemption of ctl-*",
        "Let it end: ctl-*",
    ]


def test_a_function_that_a_rule_covers_says_which() -> None:
    exempt = replace(REQUEST, state="resolved")
    row = words(functions.item_blocks(Item(FUNCTION, exempt, exemption=replace(RULE, ticket="https://t.example/1"))))

    assert "as one of the functions named `ctl-*`, granted by <@U0ANA>" in row
    assert "<https://t.example/1|t.example/1>" in row


def test_a_suggestion_is_a_line_that_leaves_it_to_people() -> None:
    item = Item(FUNCTION, REQUEST, suggestion="AWS Control Tower made it and looks after it.")
    line = "AWS Control Tower made it and looks after it. Perhaps to *Exempt…*"

    assert line in words(functions.item_blocks(item))
    assert line in words(functions.card_blocks(item))
    assert EXEMPT in [
        each["action_id"]
        for block in functions.item_blocks(item)
        if block["type"] == "actions"
        for each in block["elements"]
    ]

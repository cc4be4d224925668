"""Every view of a fix, with names and texts as others would write them to mislead: inert, and within Slack's limits."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bot.demo.slack import message_problems, view_problems
from bot.demo.slack.limits import blocks_are_too_long, view_is_too_large
from commands.views import actions, batch, functions, patch, standing
from commands.views.deny import deny_form
from commands.views.item import Item
from commands.views.text import HIDDEN
from storage.fixes import AliasPlan, AliasStep, Batch, RequestState
from storage.forecasts import Forecast
from storage.models import Alias, CheckName, Finding, Manager, ServedVersion, TracingMode, Verdict
from tests.commands.views.test_money import FORECASTS
from tests.commands.views.test_plan import PLAN
from tests.commands.views.test_views import ENDED, FUNCTION, NOON, words

NASTY = st.lists(
    st.sampled_from(
        [
            *("<!channel>", "<@U0EVIL>", "<https://evil.example|Approve fix>", "<#C0EVIL>", "&lt;!here&gt;"),
            *("`", "```", "*", "_", "~", ":rotating_light:", "> ", "\n", "\u202e", "\u2066", "💡", "שלום", "e\u0301"),
            *("refund-worker", "a" * 70, " ", '"', "\\", "${", "%{", "{{"),
        ]
    ),
    min_size=1,
    max_size=200,
).map("".join)
NAME = NASTY.map(lambda text: text[:140])
OURS = re.compile(r"<!date\^\d+\^[^<>]*\|[^<>|]*>|<@U0(?:ANA|BO|EVE)>|<#C0TEAM>")


def inert(text: str) -> bool:
    """Whether Slack makes nothing of it but what we put there: no mention, no link, no text that turns about."""
    return "<" not in OURS.sub("", text) and not HIDDEN.search(text)


@given(
    name=NAME,
    text=NASTY,
    manager=st.sampled_from([None, *Manager]),
    state=st.sampled_from(RequestState),
    cost=FORECASTS,
)
@settings(max_examples=150, deadline=None)
def test_no_name_and_no_text_makes_a_message_of_a_fix_say_or_call_what_we_did_not(
    name: str, text: str, manager: Manager | None, state: RequestState, cost: Forecast | None
) -> None:
    function = structs.replace(
        FUNCTION,
        name=name,
        team=text,
        role=f"arn:aws:iam::1:role/{name}",
        managed_by=manager,
        stack=text,
        logical_id=name,
        aliases=(Alias(name, (ServedVersion(name, TracingMode.PASS_THROUGH),)),),
        findings=(Finding(CheckName.ALIAS_UNTRACED, text),),
    )
    moved = AliasPlan(name, name, AliasStep.PUBLISH)
    plan = replace(
        PLAN,
        role=function.role or "",
        stack=text,
        logical_id=name,
        aliases=(moved, replace(moved, why=text)),
        forecast=replace(cost, price=text) if cost else None,
        no_forecast=text,
    )
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    asked = replace(
        ENDED,
        function_arn=arn,
        reason=text,
        outcome=text,
        note=text,
        step=text,
        plan=plan,
        state=state,
        approved_by="U0BO",
    )
    for verdict in (Verdict.UNTRACED, Verdict.TRACED):
        item = Item(
            structs.replace(function, verdict=verdict),
            asked,
            sharing=3,
            since=NOON,
            undo_hours=24.0,
            two_people=True,
            forecast=plan.forecast,
            no_forecast=text,
        )
        for made in (functions.item_blocks(item), functions.request_blocks(item), functions.card_blocks(item)):
            assert not message_problems(made)
            assert not blocks_are_too_long(made)
            assert inert(words([block for block in made if block["type"] != "actions"]))
    assert inert(standing.request_text(asked, ["<@U0ANA>"]))
    assert inert(standing.reminder_text(asked, ["<@U0ANA>"]))
    for request in (asked, replace(asked, plan=None)):
        said = actions.confirm_text(Item(function, request, forecast=plan.forecast))
        assert len(said) <= 300
        assert "Cost: " in said
    run = Batch(7, "batch-token", text, "C0TEAM", "U0ANA", NOON, 1)
    results = batch.batch_blocks(run, [asked] * 25, threaded=False)
    assert not message_problems(results)
    assert not blocks_are_too_long(results)
    assert inert(words([block for block in results if block["type"] not in ("actions", "header")]))
    form, shown = deny_form(function, asked), patch.patch_view(function, patch.patch_for(function, plan))
    for view in (form, shown):
        assert not view_problems(view)
        assert not view_is_too_large(view)
        assert inert(words([block for block in view["blocks"] if block["type"] != "rich_text"]))


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Approved by <@U0ANA> at <!date^1795435200^{time}|12:00 UTC>", True),
        ("Approved by <@U0EVIL>", False),
        ("<!channel>", False),
        ("<https://evil.example|Approve fix>", False),
        ("refund\u202ereknow", False),
    ],
)
def test_what_is_inert_is_told_from_what_is_not(text: str, safe: bool) -> None:
    assert inert(text) is safe


def test_the_end_of_a_long_plan_is_not_lost_in_the_message_of_a_request() -> None:
    long = "n" * 140
    aliases = tuple(AliasPlan(f"{number}{long}", "12", AliasStep.PUBLISH) for number in range(4))
    plan = replace(PLAN, role=f"r/{'r' * 64}", stack=long, logical_id=long, aliases=aliases)
    waits = replace(
        ENDED, state=RequestState.OPEN, plan=plan, expires_at=NOON + timedelta(days=1), reason="because " * 60
    )

    said = words(functions.request_blocks(Item(structs.replace(FUNCTION, name=long), waits, undo_hours=24.0)))

    for part in ("*Mode:*", "*Role:*", "*Next deployment:*", "*Cost:*", "*Undo for 24 hours:*", "Waits until"):
        assert part in said

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from bot.demo.slack import message_problems
from commands.views import actions, functions
from commands.views.item import Item
from commands.views.plan import confirm_lines, plan_lines
from storage.fixes import AliasPlan, AliasStep, FixPlan, RequestState, RoleStep
from storage.forecasts import Forecast
from storage.models import Manager, MayWrite, TracingMode
from tests.commands.views.test_money import FORECASTS
from tests.commands.views.test_views import FUNCTION, HOSTILE, NOON, REQUEST, buttons, words
from tests.storage.forecasts import forecast

SERVED = (
    AliasPlan("live", "3", AliasStep.PUBLISH),
    AliasPlan("beta", "4", AliasStep.DEPLOY, "its code differs from that of $LATEST"),
    AliasPlan("old", "5", AliasStep.NOTHING),
)
PLAN = FixPlan(
    made_at=NOON,
    mode=TracingMode.PASS_THROUGH,
    role="arn:aws:iam::111122223333:role/service-role/payments-api",
    role_may_write=MayWrite.NO,
    role_step=RoleStep.ATTACH,
    role_manager=Manager.SAM,
    sharing=3,
    aliases=SERVED,
    manager=Manager.SAM,
    stack="payments-prod",
    logical_id="RefundFunction",
    forecast=forecast("refund", 12.4),
)
BARE = replace(PLAN, role_may_write=MayWrite.YES, role_step=RoleStep.NOTHING, role_manager=None, aliases=(), sharing=0)


EVERYTHING = """
*Mode:* PassThrough → Active
*Role:* `payments-api` may not write to X-Ray; it is given `AWSXRayDaemonWriteAccess`. 3 other functions use the \
role too
*Role deployed by:* AWS SAM, which may fail to delete the role while it has a policy from elsewhere
*Alias:* `live` serves version 3: a version that differs in tracing alone is published, and the alias moved to it
*Alias:* `beta` serves version 4: needs a deployment. Its code differs from that of $LATEST.
*Alias:* `old` serves version 5: traced, or follows $LATEST; left as it is
*Deployed by:* AWS SAM, stack `payments-prod`, resource `RefundFunction`
*Next deployment:* A deployment that touches the function may take a fix from here back; that is not confirmed. \
The stack shows as drifted if its template says `PassThrough`, and not if it says nothing.
*Cost:* about $12.40 a month ($1.24–$18.60), before the free tier: ≈\N{NO-BREAK SPACE}2.5 million traces
*Undo for 24 hours:* the mode back to PassThrough; `live` back to version 3; the policy off the role, unless another \
traced function needs it
"""


def said(plan: FixPlan, undo_hours: float | None = 24.0) -> str:
    return "\n".join(plan_lines(plan, undo_hours))


def test_a_plan_says_everything_that_an_approval_decides_on() -> None:
    assert plan_lines(PLAN, 24.0) == EVERYTHING.strip().splitlines()


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"mode": None}, "*Mode:* none (counts as PassThrough) → Active"),
        ({"mode": TracingMode.ACTIVE}, "*Mode:* Active already"),
        ({"role": ""}, "*Role:* none given may write to X-Ray; left as it is"),
        (
            {"role_step": RoleStep.INLINE},
            "two X-Ray actions, as it can hold no more managed ones. No other function that is known uses the role",
        ),
        ({"role_step": RoleStep.INLINE, "sharing": 1}, ". 1 other function uses the role too"),
        ({"role_step": RoleStep.INLINE}, "an inline policy of the two X-Ray actions"),
        (
            {"role_may_write": None, "role_step": RoleStep.ASK_LAMBDA},
            "could not be read; left as it is, and Lambda's own",
        ),
        ({"aliases": None}, "*Alias:* none could be read; what they serve is left as it is"),
        ({"aliases": (AliasPlan("$LATEST.PUBLISHED", "", AliasStep.PUBLISH),)}, "`$LATEST.PUBLISHED`: published anew"),
        ({"aliases": SERVED * 3}, "*Alias:* and 5 more"),
        ({"manager": None}, "*Next deployment:* No tag names what deploys it."),
        (
            {"manager": None},
            "If it is Terraform, its next apply takes a fix from here back where the code says `PassThrough`",
        ),
        ({"forecast": None}, "*Cost:* not known yet; X-Ray bills for traces"),
        ({"forecast": None, "no_forecast": "CloudWatch said no"}, "*Cost:* not known: CloudWatch said no; X-Ray bills"),
        (
            {"forecast": forecast("refund", 0.0)},
            "*Cost:* under $0.01 a month, as it was not invoked in 14 days",
        ),
        ({"forecast": forecast("refund", busy=True)}, "*High volume:* Lambda's own sampling cannot be set."),
        ({"mode": TracingMode.ACTIVE}, "*Undo for 24 hours:* nothing to take back"),
    ],
)
def test_each_part_of_a_plan_has_its_words(changes: dict[str, object], line: str) -> None:
    assert line in said(replace(BARE, **changes))


def test_a_plan_that_is_blocked_says_why_and_promises_nothing() -> None:
    blocked = replace(PLAN, blocked="The role is service-linked. Give the function another role.")

    assert plan_lines(blocked, 24.0) == [
        "*Cannot be approved:* The role is service-linked. Give the function another role."
    ]
    assert confirm_lines(blocked) == ["Cannot be approved: The role is service-linked. Give the function another role."]


def test_where_nothing_can_be_undone_a_plan_says_so() -> None:
    assert said(PLAN, 0).endswith("*Undo:* not offered: `[policy] undo_hours` is 0")
    assert "Cannot be undone here." in confirm_lines(BARE, 0)
    assert "*Undo for 1 hour:*" in said(PLAN, 1.0)


def test_a_confirm_dialog_says_it_in_few_words() -> None:
    assert confirm_lines(PLAN, 24.0) == [
        "Mode: PassThrough → Active.",
        "Role payments-api (shared with 3 other functions) gets AWSXRayDaemonWriteAccess.",
        "Cost: about $12.40 a month ($1.24–$18.60).",
        "Alias live gets a new version. Alias beta needs a deployment.",
        "AWS SAM may take this back.",
        "Can be undone for 24 hours.",
    ]


def test_a_confirm_dialog_counts_aliases_where_there_are_several() -> None:
    left = (SERVED[1], replace(SERVED[1], name="gamma"))

    assert "2 aliases get a new version. 2 aliases need a deployment." in confirm_lines(
        replace(PLAN, aliases=(SERVED[0], SERVED[0], *left))
    )
    published = (AliasPlan("$LATEST.PUBLISHED", "", AliasStep.PUBLISH),)
    assert "$LATEST.PUBLISHED gets a new version." in confirm_lines(replace(PLAN, aliases=published))


def test_where_there_is_no_room_a_confirm_dialog_keeps_what_matters_most() -> None:
    tight = confirm_lines(PLAN, 24.0, 130)

    assert tight[0] == "Mode: PassThrough → Active."
    assert tight[1] == "Role payment… (shared with 3 other functions) gets AWSXRayDaemonWriteAccess."
    assert len("\n".join(confirm_lines(PLAN, 24.0, 150))) <= 150


def test_a_dialog_has_room_for_the_cost_whatever_the_names() -> None:
    long = structs.replace(FUNCTION, name="f" * 64, role=f"arn:aws:iam::1:role/{'r' * 64}")
    dear = forecast("refund", 12_311.0, spiky=True, busy=True)
    for plan in (replace(PLAN, mode=None, role=long.role or "", sharing=12_345, forecast=dear), None):
        item = Item(long, replace(REQUEST, plan=plan), sharing=12_345, forecast=dear)
        text = actions.confirm_text(item)

        assert "Cost: about $12,311 a month ($1,231–$18,466), likely much lower." in text
        assert "rrrr" in text
        assert "AWSXRayDaemonWriteAccess" in text
        assert "12,345 other functions" in text
        assert len(text) <= 300


def test_a_request_shows_its_plan_while_it_waits_and_a_digest_leaves_it_to_the_dialog() -> None:
    item = Item(FUNCTION, replace(REQUEST, plan=PLAN), undo_hours=24.0)

    shown = functions.request_blocks(item)

    assert "*Role:* `payments-api` may not write to X-Ray" in words(shown)
    assert "The plan, read from AWS" in words(shown)
    assert shown[-1]["type"] == "actions"
    assert not message_problems(shown)
    assert "*Role:*" not in words(functions.item_blocks(item))
    assert "*Role:*" in words(functions.card_blocks(item))
    running = Item(FUNCTION, replace(REQUEST, plan=PLAN, state=RequestState.RUNNING))
    assert "*Role:*" not in words(functions.request_blocks(running))


def test_the_dialog_names_the_function_and_then_its_plan() -> None:
    plan = replace(PLAN, aliases=SERVED[:1])
    text = actions.confirm_text(Item(FUNCTION, replace(REQUEST, plan=plan), undo_hours=24.0))

    assert text.splitlines()[:2] == [
        "refund-worker (111122223333, eu-central-1)",
        "Mode: PassThrough → Active.",
    ]
    assert text.endswith("Can be undone for 24 hours.")
    assert len(text) <= 300


def test_what_is_blocked_offers_no_approval() -> None:
    blocked = replace(REQUEST, plan=replace(PLAN, blocked="The role is service-linked."))

    assert buttons(functions.request_blocks(Item(FUNCTION, blocked))) == [actions.EXEMPT, actions.SHOW_PATCH]


def test_a_row_that_lost_its_approval_says_why() -> None:
    blocked = replace(REQUEST, plan=replace(PLAN, blocked="The role is service-linked."))

    row = functions.item_blocks(Item(FUNCTION, blocked))

    assert words(row).count("*Cannot be approved:* The role is service-linked.") == 1
    assert actions.APPROVE not in buttons(row)
    beside_its_plan = words(functions.request_blocks(Item(FUNCTION, blocked)))
    assert beside_its_plan.count("*Cannot be approved:*") == 1


@given(
    text=HOSTILE,
    role_step=st.sampled_from(RoleStep),
    alias_step=st.sampled_from(AliasStep),
    cost=FORECASTS,
    blocked=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_no_plan_breaks_slacks_limits_or_mentions_anybody(
    text: str, role_step: RoleStep, alias_step: AliasStep, cost: Forecast | None, blocked: bool
) -> None:
    plan = replace(
        PLAN,
        role=text,
        role_step=role_step,
        sharing=12_345,
        aliases=(AliasPlan(text, text, alias_step, text),) * 9,
        stack=text,
        logical_id=text,
        forecast=cost,
        no_forecast=text,
        blocked=text if blocked else "",
    )

    item = Item(structs.replace(FUNCTION, name="n" * 64), replace(REQUEST, plan=plan), undo_hours=24.0)

    assert all(len(line) <= (1030 if blocked and text else 300) for line in plan_lines(plan, 24.0))
    assert len("\n".join(confirm_lines(plan, 24.0))) <= 300
    for made in (functions.request_blocks(item), functions.card_blocks(item)):
        assert not message_problems(made)
        assert "<!channel" not in words(made)

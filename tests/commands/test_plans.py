"""Whether what was approved still holds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from commands._plans import check_still_holds, only_what_was_shown, plan_now
from commands._types import FixPolicy
from storage.fixes import AliasPlan, AliasStep, FixPlan, RoleStep
from storage.models import Manager, MayWrite, TracingMode
from tests.commands.conftest import HOME, World

MOVED = AliasPlan("live", "7", AliasStep.PUBLISH)
LEFT = AliasPlan("live", "7", AliasStep.DEPLOY, "$LATEST differs from what it serves in its code")
SHOWN = FixPlan(
    made_at=datetime(2026, 11, 23, tzinfo=UTC),
    mode=TracingMode.PASS_THROUGH,
    role=f"arn:aws:iam::{HOME}:role/refund",
    role_may_write=MayWrite.NO,
    role_step=RoleStep.ATTACH,
    aliases=(MOVED,),
    revision_id="one",
    code_sha256="abc",
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"revision_id": "two", "made_at": datetime(2026, 11, 24, tzinfo=UTC), "sharing": 9},
        {"role_step": RoleStep.NOTHING, "role_may_write": MayWrite.YES},
        {"role_step": RoleStep.ASK_LAMBDA},
        {"mode": TracingMode.ACTIVE},
        {"aliases": (replace(MOVED, step=AliasStep.NOTHING),)},
        {"aliases": ()},
    ],
    ids=str,
)
def test_the_same_or_less_is_what_was_approved(change) -> None:
    assert check_still_holds(SHOWN, replace(SHOWN, **change)) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"role": f"arn:aws:iam::{HOME}:role/other"},
            "`refund` was shown as its execution role, and now it has `other`.",
        ),
        ({"role_step": RoleStep.INLINE}, "Role `refund` would be given an inline policy now"),
        ({"aliases": (replace(MOVED, version="8"),)}, "`live` serves version 8 and would be moved now"),
        ({"aliases": (MOVED, replace(MOVED, name="blue"))}, "`blue` serves version 7 and would be moved now"),
        ({"aliases": (LEFT,)}, "`live` serves version 7 and was to be moved, but cannot be now: $LATEST differs"),
        ({"aliases": None}, "Its aliases cannot be read any more"),
        ({"manager": Manager.SAM}, "It has come to be deployed by a template since"),
        ({"blocked": "It may not."}, "It may not."),
    ],
    ids=str,
)
def test_more_than_was_approved_is_told_in_a_sentence(change, said) -> None:
    assert check_still_holds(SHOWN, replace(SHOWN, **change)).startswith(said)


@pytest.mark.parametrize(
    ("shown", "now", "said"),
    [
        ({"role_step": RoleStep.NOTHING}, {}, "Role `refund` has lost its permission since it was shown"),
        ({"mode": TracingMode.ACTIVE}, {}, "$LATEST was shown as Active, and now it is PassThrough."),
        ({"aliases": ()}, {"aliases": (LEFT,)}, "`live` serves version 7, which is not traced, and this was not shown"),
        ({"aliases": (LEFT,)}, {"aliases": (replace(LEFT, version="8"),)}, ""),
        ({"manager": Manager.SAM}, {"manager": None}, ""),
    ],
    ids=str,
)
def test_what_was_shown_otherwise_is_told(shown, now, said) -> None:
    assert check_still_holds(replace(SHOWN, **shown), replace(SHOWN, **now)).startswith(said)


def test_an_alias_of_which_no_message_spoke_is_not_moved() -> None:
    (alias,) = only_what_was_shown(SHOWN, "refund").aliases or ()

    assert (alias.step, alias.why) == (AliasStep.DEPLOY, "`/trace-fix refund` shows what moving it takes")


def test_a_plan_counts_who_shares_the_role_and_keeps_to_the_configuration(world: World) -> None:
    arn, _ = world.function("refund", role="mute"), world.function("charge", role="mute")
    world.audit()
    context = replace(world.context, policy=FixPolicy(patch_only_functions=True))

    plan = plan_now(context, structs.replace(world.known(arn), managed_by=Manager.CDK))

    assert (plan.sharing, plan.role_step, plan.made_at) == (1, RoleStep.ATTACH, world.clock())
    assert "changed there only" in plan.blocked
    assert plan_now(world.context, world.known(arn)).blocked == ""

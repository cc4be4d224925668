"""*Show patch*, and the policy that leaves what infrastructure as code deploys to that code."""

from dataclasses import replace

import pytest

from bot.demo.slack import view_problems
from commands._answers import patch_only
from commands._drawing import draw
from commands._types import Context, FixPolicy, OpenForm, Say
from commands.fix import approve, fix
from commands.patch import show
from commands.views.actions import APPROVE, EXEMPT, SHOW_PATCH
from storage.fixes import RequestState
from storage.models import Manager, PostKind
from tests.commands.conftest import BERLIN, EVE, HOME, MODIFIED, World
from tests.commands.views.test_plan import PLAN
from tests.commands.views.test_views import buttons, words

IN_CODE = FixPolicy(patch_only_functions=True)
SAID = "By policy, what AWS SAM deploys is changed in its code, not by a fix: *Show patch* has the change."


def by_sam(world: World) -> str:
    """A function of a SAM stack; nobody but a stack may set such tags, so that it is made with them."""
    tags = {
        "team": "payments",
        "aws:cloudformation:stack-name": "payments-prod",
        "aws:cloudformation:logical-id": "RefundFunction",
        "lambda:createdBy": "SAM",
    }
    spec = {
        "FunctionName": "refund",
        "Role": f"arn:aws:iam::{HOME}:role/mute",
        "Runtime": "python3.13",
        "Handler": "app.handler",
        "Code": {"ZipFile": b""},
        "Tags": tags,
    }
    return world.aws.seed_function(HOME, BERLIN, spec, MODIFIED)


def press(world: World, value: str, who: str = EVE) -> list:
    return list(show(world.asks(who, value=value), world.context))


def test_anybody_who_may_ask_is_shown_the_patch_and_nothing_changes(world: World, remembered) -> None:
    function = remembered("refund", managed_by=Manager.SAM, stack="payments-prod", logical_id="RefundFunction")
    asked = world.request(function.arn)
    world.store.requests.keep_plan(asked.id, PLAN)

    (reply,) = press(world, asked.id)

    assert isinstance(reply, OpenForm)
    assert not view_problems(reply.view)
    assert "RefundFunction:\n    Type: AWS::Serverless::Function" in words(reply.view["blocks"])
    assert "callback_id" not in reply.view
    assert world.aws.calls == []
    assert world.history(function.arn) == []


def test_a_button_of_another_installation_and_a_function_that_is_gone_are_answered(world: World, remembered) -> None:
    assert "another installation" in press(world, "unknown")[0].text
    function = remembered("refund")
    asked = world.request(function.arn)
    world.store.functions.mark_gone(function.arn, world.clock())

    assert press(world, asked.id) == [Say("`refund` no longer exists.")]


@pytest.mark.parametrize(
    ("policy", "manager", "refused"),
    [
        (IN_CODE, Manager.SAM, True),
        (IN_CODE, Manager.CLOUDFORMATION, True),
        (IN_CODE, None, False),
        (FixPolicy(), Manager.SAM, False),
        (FixPolicy(patch_only_roles=True), Manager.SAM, False),
    ],
)
def test_policy_may_leave_managed_functions_to_their_code(
    remembered, policy: FixPolicy, manager: Manager | None, refused: bool
) -> None:
    assert bool(patch_only(remembered("refund", managed_by=manager), policy)) == refused


def test_a_row_of_a_function_that_is_changed_in_its_code_shows_the_patch_instead_of_an_approval(
    context: Context, remembered
) -> None:
    managed = remembered("refund", managed_by=Manager.SAM)
    free = remembered("other")
    for policy, function, offered in (
        (IN_CODE, managed, [EXEMPT, SHOW_PATCH]),
        (IN_CODE, free, [APPROVE, EXEMPT, SHOW_PATCH]),
        (FixPolicy(), managed, [APPROVE, EXEMPT, SHOW_PATCH]),
    ):
        asked = context.store.requests.open_for(function, context.clock())
        key = f"{function.name} {policy}"
        post = context.store.posts.create(
            key,
            PostKind.REQUEST,
            "#c",
            context.clock(),
            team=function.team,
            requests=[asked.id],
            text="Please.",
        )
        _, made = draw(replace(context, policy=policy), context.store.posts.get(post.id))
        assert buttons(made) == offered
        assert (SAID in words(made)) == (APPROVE not in offered)


def test_an_approval_that_policy_leaves_to_the_code_is_refused_with_the_reason(world: World) -> None:
    arn = by_sam(world)
    world.audit()
    asked = world.request(arn)
    context = replace(world.context, policy=IN_CODE)

    (reply,) = approve(world.asks(value=asked.id), context)

    assert reply.text == f"Nothing was changed. {SAID}"
    assert world.writes() == []
    assert world.store.requests.get(asked.id).state is RequestState.OPEN
    assert world.history(arn) == []


def test_asking_for_a_fix_that_policy_leaves_to_the_code_shows_the_patch_to_who_asks_and_posts_nothing(
    world: World,
) -> None:
    arn = by_sam(world)
    world.audit()
    context = replace(world.context, policy=IN_CODE)

    answer = list(fix(world.asks(EVE, text="refund"), context))[-1]

    assert isinstance(answer, Say)
    assert world.store.posts.all() == []
    assert world.history(arn) == []
    assert buttons(answer.blocks) == [EXEMPT, SHOW_PATCH]
    assert SAID in answer.text
    assert SAID in words(answer.blocks)

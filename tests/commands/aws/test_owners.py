"""Whose a function is when its own tags do not say: its stack's team, else its account's, else nobody's or unknown."""

from dataclasses import replace
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from commands.aws.accounts import Aggregator, Cloud
from commands.aws.inventory import take_inventory
from commands.aws.one_function import read_function
from storage.models import ORGANIZATION, CheckName, Function, Inventory, TeamFrom
from tests.commands.conftest import BERLIN, HOME, MODIFIED, OTHER, SETTINGS, VIRGINIA, World, trusting

EVERYBODY = replace(SETTINGS, accounts=None, organization=True)


def take(settings: Any = SETTINGS) -> Inventory:
    return take_inventory(Cloud(settings), tag_keys=("team", "owner"))


def only(seen: Inventory) -> Function:
    (function,) = seen.functions
    return function


def owner(function: Function) -> tuple[str | None, TeamFrom | None]:
    return function.team, function.team_from


def stacked(world: World, name: str, stack: dict[str, str], **tags: str) -> str:
    """A function of a stack with these tags, and with tags of its own."""
    marks = world.aws.seed_stack(HOME, BERLIN, f"{name}-stack", stack)
    return seeded(world.aws, name, {**marks, **tags})


def seeded(aws: AwsStandIn, name: str, tags: dict[str, str], account: str = HOME) -> str:
    role = f"arn:aws:iam::{account}:role/writes"
    spec = {"FunctionName": name, "Role": role, "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b""}}
    return aws.seed_function(account, BERLIN, {**spec, "Tags": tags}, MODIFIED)


def recorded(world: World, *accounts: str) -> None:
    """AWS Config's aggregator `view` shows everything of these accounts."""
    world.aws.aggregators.aggregate(HOME, BERLIN, "view")
    for account in accounts:
        for region in (BERLIN, VIRGINIA):
            world.aws.aggregators.record(account, region)


def asked(world: World, action: str) -> int:
    return sum(call.action == action for call in world.aws.calls)


def test_a_stacks_tag_names_the_team_of_what_it_deployed(world: World) -> None:
    stacked(world, "refund", {"owner": "Payments Team"})

    assert owner(only(take())) == ("payments-team", TeamFrom.STACK)


def test_its_own_tag_wins_and_then_no_stack_is_asked(world: World) -> None:
    stacked(world, "refund", {"team": "search"}, team="payments")

    assert owner(only(take())) == ("payments", TeamFrom.TAG)
    assert asked(world, "GetResources") == 1


def test_stacks_are_asked_only_in_regions_where_a_function_of_one_has_no_team(world: World) -> None:
    stacked(world, "refund", {"team": "search"})
    world.function("plain", team=None, region=VIRGINIA)

    take()

    regions = [call.region for call in world.aws.calls if call.action == "GetResources"]
    assert sorted(regions) == [BERLIN, BERLIN, VIRGINIA]


def test_a_stack_without_a_team_leaves_it_unowned(world: World) -> None:
    stacked(world, "refund", {"env": "prod"})

    seen = take()

    assert owner(only(seen)) == (None, None)
    assert CheckName.UNOWNED in {finding.check for finding in only(seen).findings}
    assert seen.not_scanned == ()


def test_of_an_account_its_tag_names_the_team_where_nothing_nearer_does(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management", OTHER: "money"})
    world.aws.organizations.member(OTHER).tags = {"Team": "Payments"}
    world.function("mine", team=None, account=OTHER)
    world.function("theirs", team="search", account=OTHER)

    seen = take(EVERYBODY)

    owners = {function.name: owner(function) for function in seen.functions}
    assert owners == {"mine": ("payments", TeamFrom.ACCOUNT), "theirs": ("search", TeamFrom.TAG)}
    assert asked(world, "ListTagsForResource") == 1
    assert seen.not_scanned == ()


def test_a_listed_account_is_not_asked_for_its_tags(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management", OTHER: "money"})
    world.aws.organizations.member(OTHER).tags = {"team": "payments"}
    world.function("mine", team=None, account=OTHER)

    assert owner(only(take())) == (None, None)
    assert asked(world, "ListTagsForResource") == 0


def test_accounts_whose_functions_all_have_a_team_are_not_asked(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management", OTHER: "money"})
    world.function("theirs", account=OTHER)

    take(EVERYBODY)

    assert asked(world, "ListTagsForResource") == 0


def test_what_accounts_are_refused_is_unknown_said_once_and_turns_no_verdict(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management", OTHER: "money"})
    for account in (HOME, OTHER):
        world.function("mine", team=None, account=account)
    before = {function.arn: function.verdict for function in take(EVERYBODY).functions}
    world.aws.deny(action="ListTagsForResource")

    seen = take(EVERYBODY)

    assert {function.arn: function.verdict for function in seen.functions} == before
    assert {owner(function) for function in seen.functions} == {(None, TeamFrom.UNKNOWN)}
    (row,) = seen.not_scanned
    assert (row.account, row.region) == (ORGANIZATION, "")
    assert row.reason.startswith("teams that only tags of accounts name are not known in 2 accounts: organizations:")
    (text,) = {f.text for one in seen.functions for f in one.findings if f.check is CheckName.UNOWNED}
    assert text == "Its own tags name no team; what its stack or account says is not known."


def test_what_stacks_are_refused_is_unknown_and_no_account_is_asked_instead(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management"})
    world.aws.organizations.member(HOME).tags = {"team": "platform"}
    recorded(world, HOME)
    stacked(world, "refund", {"team": "payments"})
    world.aws.deny(action="GetResources")  # Config has told the function's own tags

    seen = take(replace(EVERYBODY, aggregator=Aggregator("view")))

    assert owner(only(seen)) == (None, TeamFrom.UNKNOWN)
    (row,) = seen.not_scanned
    assert row.reason.startswith(f"teams that only tags of CloudFormation stacks name are not known in {HOME} {BERLIN}")
    assert asked(world, "ListTagsForResource") == 0


def test_a_function_whose_own_tags_could_not_be_read_is_nobody_elses(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management"})
    world.aws.organizations.member(HOME).tags = {"team": "platform"}
    world.function("refund")
    world.aws.deny(action="GetResources")

    function = only(take(EVERYBODY))

    assert (function.team, function.team_known) == (None, False)


def test_one_function_read_alone_leaves_its_stack_to_the_audit(world: World) -> None:
    stacked(world, "refund", {"team": "payments"})

    function = read_function(Cloud(SETTINGS), HOME, BERLIN, "refund", ("team",))

    assert owner(function) == (None, TeamFrom.UNKNOWN)


def test_other_names_of_a_team_are_its_own_wherever_they_stand(world: World) -> None:
    settings = replace(SETTINGS, team_aliases=(("pay", "payments"),))
    stacked(world, "refund", {"team": "PAY"})
    seeded(world.aws, "worker", {"team": "pay"})

    assert [owner(one) for one in take(settings).functions] == [
        ("payments", TeamFrom.STACK),
        ("payments", TeamFrom.TAG),
    ]


def test_an_audit_from_config_asks_the_stacks_too(world: World) -> None:
    recorded(world, HOME, OTHER)
    stacked(world, "refund", {"team": "payments"})

    assert owner(only(take(replace(SETTINGS, aggregator=Aggregator("view"))))) == ("payments", TeamFrom.STACK)


def test_what_config_shows_of_an_account_that_cannot_be_entered_is_left_open(world: World) -> None:
    closed = "333333333333"
    world.aws.create_role(closed, "writes", trusting(Service="lambda.amazonaws.com"))
    recorded(world, closed)
    marks = world.aws.seed_stack(closed, BERLIN, "refund-stack", {"team": "payments"})
    seeded(world.aws, "refund", marks, account=closed)
    settings = replace(SETTINGS, accounts=(closed,), aggregator=Aggregator("view"))

    assert owner(only(take(settings))) == (None, TeamFrom.UNKNOWN)
    assert asked(world, "GetResources") == 0


@pytest.mark.parametrize(("name", "channel"), [("pay-alerts", "#pay-alerts"), ("C0123456789", "C0123456789")])
def test_the_channel_that_a_tag_names_is_kept(world: World, name: str, channel: str) -> None:
    seeded(world.aws, "refund", {"team": "payments", "slack-channel": name})

    function = only(take(replace(SETTINGS, channel_tag="slack-channel")))

    assert function.channel == channel

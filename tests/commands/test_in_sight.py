"""Which of the places that events tell of are looked after."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands._audits import keep_audit
from commands._in_sight import is_in_sight
from commands._types import Context
from commands.aws.accounts import Aggregator, AwsSettings, Cloud
from commands.aws.scope import Rules
from storage.models import Inventory, NotScanned, Source
from tests.commands.conftest import BERLIN, HOME, OTHER, VIRGINIA, HandClock, World

NEITHER = "999999999999"


def under(context: Context, settings: AwsSettings) -> Context:
    return replace(context, cloud=Cloud(settings))


@pytest.mark.parametrize(
    ("settings", "account", "region", "seen"),
    [
        (AwsSettings(accounts=(HOME,), role="audit"), HOME, BERLIN, True),
        (AwsSettings(accounts=(HOME,), role="audit"), OTHER, BERLIN, False),
        (AwsSettings(accounts=(HOME,), role="audit", regions=(BERLIN,)), HOME, BERLIN, True),
        (AwsSettings(accounts=(HOME,), role="audit", regions=(BERLIN,)), HOME, VIRGINIA, False),
        (AwsSettings(accounts=(HOME,), role="audit", regions=(BERLIN,)), HOME, "", True),
        (AwsSettings(accounts=(HOME, OTHER), role="audit", exclude=Rules(accounts=(OTHER,))), OTHER, BERLIN, False),
        (AwsSettings(accounts=(HOME, OTHER), role="audit", include=Rules(accounts=(HOME,))), OTHER, BERLIN, False),
    ],
)
def test_accounts_that_are_named(
    context: Context, settings: AwsSettings, account: str, region: str, seen: bool
) -> None:
    assert is_in_sight(under(context, settings), account, region) is seen


def test_without_a_role_there_is_the_account_of_the_credentials(world: World) -> None:
    for settings in (AwsSettings(), AwsSettings(accounts=(HOME, OTHER)), AwsSettings(role="audit")):
        context = under(world.context, settings)
        assert is_in_sight(context, HOME, BERLIN)
        assert not is_in_sight(context, OTHER, BERLIN)


@pytest.mark.parametrize(
    "settings",
    [
        AwsSettings(organization=True, role="audit"),
        AwsSettings(aggregator=Aggregator("organization-view"), role="audit"),
    ],
)
def test_of_an_organization_what_the_latest_audit_looked_at(
    context: Context, clock: HandClock, settings: AwsSettings
) -> None:
    context = under(context, settings)
    assert not is_in_sight(context, HOME, BERLIN)  # nobody knows yet

    unseen = NotScanned(OTHER, "", "denied")
    keep_audit(context, Inventory((), (unseen,), (HOME, OTHER), (BERLIN,), 3), clock(), source=Source.CLOCK)
    assert is_in_sight(context, HOME, BERLIN)
    assert is_in_sight(context, OTHER, VIRGINIA)  # it is dark, and all the same looked after
    assert not is_in_sight(context, NEITHER, BERLIN)

    clock.now += timedelta(days=1)
    keep_audit(context, Inventory((), (), (OTHER,), (BERLIN,), 3), clock(), source=Source.CLOCK)
    assert not is_in_sight(context, HOME, BERLIN)  # it has left
    excluded = replace(settings, exclude=Rules(accounts=(OTHER,)))
    assert not is_in_sight(under(context, excluded), OTHER, BERLIN)


def test_regions_that_do_not_exist_or_are_of_another_partition_are_not_looked_after(
    context: Context, clock: HandClock
) -> None:
    """Where the settings name none, an event may name any."""
    context = under(context, AwsSettings(accounts=(HOME,), role="audit"))
    assert is_in_sight(context, HOME, "ap-southeast-2")
    for made_up in ("xx-nowhere-9", "us-north-9", "cn-north-1", "us-gov-west-1"):
        assert not is_in_sight(context, HOME, made_up)

    keep_audit(context, Inventory((), (), (HOME,), ("us-north-9",), 3), clock(), source=Source.CLOCK)
    assert is_in_sight(context, HOME, "us-north-9")  # AWS has named it

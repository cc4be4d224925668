"""Whether a function is in production, as its tags tell: for all at once and for one alone."""

from dataclasses import replace

import pytest

from commands.aws.accounts import Cloud
from commands.aws.inventory import take_inventory
from commands.aws.one_function import read_function
from tests.commands.conftest import BERLIN, HOME, SETTINGS, World

PRODUCTION = replace(SETTINGS, production_tags=("env=prod",))


@pytest.fixture
def tagged(world: World) -> World:
    world.function("live")
    world.function("staging")
    world.function("bare", team=None)
    client = world.lambdas()
    for name, stage in (("live", "prod"), ("staging", "test")):
        client.tag_resource(Resource=f"arn:aws:lambda:{BERLIN}:{HOME}:function:{name}", Tags={"env": stage})
    return world


def at_once(settings=PRODUCTION):
    return {one.name: one.production for one in take_inventory(Cloud(settings), tag_keys=("team",)).functions}


def one_by_one(settings=PRODUCTION):
    cloud = Cloud(settings)
    names = ("live", "staging", "bare")
    return {name: read_function(cloud, HOME, BERLIN, name, ("team",)).production for name in names}


@pytest.mark.parametrize("read", [at_once, one_by_one])
def test_a_tag_tells_which_functions_are_in_production(tagged: World, read) -> None:
    assert read() == {"live": True, "staging": False, "bare": False}


@pytest.mark.parametrize("read", [at_once, one_by_one])
def test_without_a_rule_nothing_is_said(tagged: World, read) -> None:
    assert read(SETTINGS) == {"live": None, "staging": None, "bare": None}


@pytest.mark.parametrize(
    ("read", "service", "action"),
    [(at_once, "resourcegroupstaggingapi", "GetResources"), (one_by_one, "lambda", "ListTags")],
)
def test_where_tags_cannot_be_read_it_is_not_known(tagged: World, read, service: str, action: str) -> None:
    tagged.aws.deny(service=service, action=action)

    assert set(read().values()) == {None}


def test_the_rule_takes_no_further_call(tagged: World) -> None:
    before = len(tagged.aws.calls)
    at_once(SETTINGS)
    without = len(tagged.aws.calls) - before
    at_once()

    assert len(tagged.aws.calls) - before == 2 * without

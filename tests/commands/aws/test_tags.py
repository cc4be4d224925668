"""What tags tell of who deploys a function; who owns it is in test_inventory."""

import pytest

from bot.demo.fleet import _tags
from bot.demo.fleet_data import planned
from commands.aws.tags import UNTAGGED, OwnerTags, TagFacts, tag_facts
from storage.models import Manager, TeamFrom

STACK_ID = "arn:aws:cloudformation:eu-central-1:111122223333:stack/payments-prod/0a1b"
STACK = {
    "aws:cloudformation:stack-name": "payments-prod",
    "aws:cloudformation:stack-id": STACK_ID,
    "aws:cloudformation:logical-id": "RefundFunction",
}


def with_id(logical_id):
    return STACK | {"aws:cloudformation:logical-id": logical_id}


@pytest.mark.parametrize(
    ("tags", "manager"),
    [
        pytest.param(STACK, Manager.CLOUDFORMATION, id="a stack"),
        pytest.param(STACK | {"lambda:createdBy": "SAM"}, Manager.SAM, id="SAM"),
        pytest.param(STACK | {"serverlessrepo:applicationId": "arn:x"}, Manager.SAM, id="an application of SAM's"),
        pytest.param(STACK | {"STAGE": "prod"}, Manager.SERVERLESS, id="serverless by its stack's name"),
        pytest.param(
            with_id("RefundLambdaFunction") | {"STAGE": "live"}, Manager.SERVERLESS, id="serverless by its resource"
        ),
        pytest.param(STACK | {"STAGE": "live"}, Manager.CLOUDFORMATION, id="a stage of somebody's own"),
        pytest.param(with_id("RefundLambdaFunction"), Manager.CLOUDFORMATION, id="only named alike"),
        pytest.param(with_id("RefundFunction3BAA72D1"), Manager.CDK, id="CDK"),
        pytest.param(with_id("RefundFunction20261123"), Manager.CLOUDFORMATION, id="a date"),
        pytest.param(with_id("RefundFunctionDEADBEEF"), Manager.CLOUDFORMATION, id="a word"),
        pytest.param(with_id("3BAA72D1"), Manager.CLOUDFORMATION, id="a hash and no word"),
    ],
)
def test_the_marks_of_a_stack_tell_what_deploys_it(tags, manager):
    facts = tag_facts(tags, ("team",))

    assert (facts.managed_by, facts.stack, facts.stack_id) == (manager, "payments-prod", STACK_ID)
    assert facts.logical_id == tags["aws:cloudformation:logical-id"]


@pytest.mark.parametrize(
    "tags", [{}, {"lambda:createdBy": "SAM"}, {"STAGE": "prod"}, {"serverlessrepo:applicationId": "x"}, {"a": "b"}]
)
def test_what_anybody_may_tag_says_nothing_without_a_stack(tags):
    assert tag_facts(tags, ("team",)) is UNTAGGED


def test_a_team_is_read_beside_it():
    assert tag_facts({"team": "Payments"}, ("team",)) == TagFacts("payments", team_from=TeamFrom.TAG)
    assert tag_facts(STACK | {"team": "Payments"}, ("team",)).team == "payments"


def test_the_demos_functions_are_deployed_by_what_its_table_says():
    marks = {"cfn": "cloudformation", "sam": "sam", "cdk": "cdk", "sls": "serverless"}
    expected = {plan.arn: next((marks[one] for one in plan.options if one in marks), None) for plan in planned()}

    assert {plan.arn: tag_facts(_tags(plan), ("team",)).managed_by for plan in planned()} == expected
    assert set(expected.values()) == {*marks.values(), None}


@pytest.mark.parametrize(
    ("tags", "production"),
    [
        ({}, False),
        ({"env": "staging"}, False),
        ({"env": "prod"}, True),
        ({"Env": "PROD"}, True),
        ({"env": "production"}, False),
        ({"critical": ""}, True),
        (STACK | {"env": "prod", "team": "payments"}, True),
        (STACK | {"team": "payments"}, False),
        ({"team": "payments"}, False),
    ],
)
def test_tags_tell_production_where_the_settings_say_which(tags, production):
    assert tag_facts(tags, ("team",), ("env=prod", "critical")).production is production
    assert tag_facts(tags, ("team",)).production is None


def test_a_team_is_known_by_its_other_names():
    owners = OwnerTags({"pay": "payments", "payments-team": "payments"})

    teams = [tag_facts({"team": name}, ("team",), (), owners).team for name in ("PAY", "payments_team", "Search")]

    assert teams == ["payments", "payments", "search"]


@pytest.mark.parametrize(
    ("value", "channel"),
    [
        ("pay-alerts", "#pay-alerts"),
        ("#Pay-Alerts", "#pay-alerts"),
        (" C0123456789 ", "C0123456789"),
        ("", None),
        ("two words", None),
        ("ana@example.com", None),
        ("<!channel>", None),
        ("x" * 81, None),
    ],
)
def test_a_tag_may_name_the_teams_channel(value, channel):
    facts = tag_facts({"Slack-Channel": value}, ("team",), (), OwnerTags(channel_tag="slack-channel"))

    assert facts.channel == channel


def test_without_that_setting_no_tag_names_a_channel():
    assert tag_facts({"slack-channel": "pay-alerts"}, ("team",)) is UNTAGGED

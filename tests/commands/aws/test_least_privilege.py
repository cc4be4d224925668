"""The roles of our templates may do what the code calls, under the role with which it calls it, and nothing else."""

import re
from functools import cache

import pytest

from commands.aws.session_policy import Need
from tests.commands.aws import derived
from tests.commands.aws.derived import ROOT, Whose
from tests.commands.aws.given_roles import HUB, MEMBER, granted, listed, statements, text

# Reads that name `*` although AWS knows resources for them, and why.
UNSCOPED = {
    "account:ListRegions": "of the account's own only",
    "ce:GetCostAndUsage": "a billing view is a view of all costs",
    "ce:GetDimensionValues": "the same",
    "cloudwatch:DescribeAlarmHistory": "without an alarm's name, of all alarms",
    "cloudwatch:DescribeAlarms": "the same",
    "cloudwatch:GetMetricData": "a dataset is none of Lambda's metrics",
    "cloudwatch:ListMetrics": "the same",
    "cloudwatch:PutMetricData": "the namespace is a condition",
    "organizations:ListAccountsForParent": "any unit may be named in the settings",
    "organizations:ListOrganizationalUnitsForParent": "the same",
    "organizations:ListTagsForResource": "of any account",
}


@cache
def all_needed() -> dict[Whose, set[str]]:
    return derived.needed()


def needed(whose: Whose) -> set[str]:
    return all_needed()[whose]


@pytest.mark.parametrize("whose", Whose)
def test_a_role_may_do_what_the_code_calls_and_nothing_else(whose):
    assert granted(whose) == needed(whose)


EACH = [(whose, action) for whose in Whose for action in sorted(granted(whose))]


@pytest.mark.parametrize(("whose", "action"), EACH, ids=[f"{whose}-{action}" for whose, action in EACH])
def test_an_action_that_is_taken_out_of_a_template_is_missed(whose, action):
    said = re.sub(rf"^ +- {action}\n", "", text(whose), flags=re.MULTILINE)
    said = re.sub(rf"Action: {action}$", "Action: s3:ListAllMyBuckets", said, flags=re.MULTILINE)

    assert needed(whose) - granted(whose, said) == {action}


@pytest.mark.parametrize("whose", Whose)
@pytest.mark.parametrize("more", ["lambda:GetFunction", "lambda:*", "iam:PassRole", "*"])
def test_an_action_that_is_put_into_a_template_is_found(whose, more):
    said = text(whose).replace(
        "                Action:\n", f'                Action:\n                  - "{more}"\n', 1
    )

    assert granted(whose, said) - needed(whose) == {more}


CALLS = {
    'def f(cloud):\n    with cloud.acting_as("1"):\n        cloud.client("xray", "r").get_group(GroupName="g")\n': (
        Whose.AUDIT,
        "xray:GetGroup",
    ),
    'def f(cloud, client=None):\n    call = getattr(cloud.client("lambda", "r"), "get_policy")\n    call()\n': (
        Whose.AUDIT,
        "lambda:GetPolicy",
    ),
    'def f(iam):\n    iam.client("iam", "r").get_paginator("list_users").paginate()\n': (Whose.AUDIT, "iam:ListUsers"),
    'async def f(wire, who):\n    await query(wire, who, "iam", "r", "GetUser", {})\n': (Whose.AUDIT, "iam:GetUser"),
    "def f(fix):\n    client = fix.writes.lambda_\n    return lambda: client.delete_alias(Name='x')\n": (
        Whose.FIX,
        "lambda:DeleteAlias",
    ),
    "def f(fix):\n    fix.writes.iam.update_role(RoleName='x')\n": (Whose.FIX, "iam:UpdateRole"),
    'def f(cloud):\n    with acting(None):\n        cloud.client("sqs", "r").purge_queue()\n': (
        Whose.HUB,
        "sqs:PurgeQueue",
    ),
    'def f(cloud):\n    with acting(None):\n        cloud.client("sqs", "r").change_message_visibility_batch()\n': (
        Whose.HUB,
        "sqs:ChangeMessageVisibility",
    ),
    """
def g(wire, who):
    call = Call("organizations", "ListRoots", "r")
def f(cloud, wire):
    g(wire, Ambient(cloud))
""": (Whose.HUB, "organizations:ListRoots"),
}


@pytest.mark.parametrize(
    ("called", "found"), CALLS.items(), ids=[f"{whose}-{action}" for whose, action in CALLS.values()]
)
def test_a_new_call_is_found_with_the_role_that_makes_it(called, found):
    whose, action = found

    more = derived.needed({"commands.aws.new": called})
    assert {role: actions for role, actions in more.items() if actions} == {whose: {action}}


def test_a_client_of_no_known_service_has_to_be_named():
    code = {
        "a": 'def f(cloud):\n    return cloud.client("xray", "r")\n',
        "b": "def g(client):\n    client.get_group()\n",
    }

    with pytest.raises(AssertionError, match="of which service is the client"):
        derived.needed(code)


def test_a_call_that_iam_names_otherwise_has_to_be_looked_up():
    with pytest.raises(LookupError, match="ec2:DescribeNothing: say in _OTHERWISE what allows it"):
        derived.actions("ec2", "DescribeNothing")


def test_no_action_is_a_pattern_and_every_one_exists():
    for whose in Whose:
        for action in granted(whose):
            prefix, _, name = action.partition(":")
            assert name.lower() in derived.reference()[prefix], action


@pytest.mark.parametrize("whose", Whose)
def test_what_can_be_held_to_resources_is(whose):
    wide = {
        action
        for one in statements(whose)
        if one["Effect"] == "Allow" and one["Resource"] == "*"
        for action in listed(one["Action"])
    }
    known = {
        action
        for action in wide
        if derived.reference()[action.split(":")[0]][action.split(":")[1].lower()].get("Resources")
    }

    assert known <= UNSCOPED.keys()
    assert whose is not Whose.FIX or not wide


# ---- what is turned on by parameters


def test_each_option_gives_what_it_is_about_and_nothing_else():
    spare = dict.fromkeys(("ConfigAggregator", "CustomMetrics", "Organization", "Bills"), "no")
    spare |= {"OrganizationId": "", "Queue": ""}
    least = {"sts:AssumeRole", "sts:SetSourceIdentity", "pricing:GetProducts"}
    assert granted(Whose.HUB, **spare) == least

    prefixes = {
        option: {action.split(":")[0] for action in granted(Whose.HUB, **(spare | {option: "yes"})) - least}
        for option in ("ConfigAggregator", "CustomMetrics", "Organization", "Bills")
    }
    assert prefixes == {
        "ConfigAggregator": {"config"},
        "CustomMetrics": {"cloudwatch"},
        "Organization": {"organizations"},
        "Bills": {"ce", "budgets"},
    }
    queue = f"arn:aws:sqs:eu-central-1:{HUB}:lamplighter-events"
    assert {action.split(":")[0] for action in granted(Whose.HUB, **(spare | {"Queue": queue})) - least} == {"sqs"}


def test_inline_policies_and_the_budget_are_given_only_where_they_are_wanted():
    inline, budget = {Need.PUT, Need.DELETE}, {"budgets:ModifyBudget"}

    assert granted(Whose.FIX, account=MEMBER, InlinePolicies="no") == set(Need) - inline
    assert granted(Whose.FIX, account=HUB, InlinePolicies="no") == set(Need) - inline | budget
    assert granted(Whose.FIX, account=MEMBER) == set(Need)


# ---- what the README says


def readme() -> dict[Whose, set[str]]:
    section = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("<summary>What each role may do, and why</summary>")[2]
    )
    parts = re.split(r"^(?:The )?\*\*(audit|hub|fix) role\*\*", section.partition("</details>")[0], flags=re.MULTILINE)
    found = {Whose(f"{name}-role"): said for name, said in zip(parts[1::2], parts[2::2], strict=True)}
    return {whose: set(re.findall(r"\b[a-z0-9]+:[A-Z]\w+", said)) - {"iam:PolicyARN"} for whose, said in found.items()}


def test_the_readme_names_what_the_roles_may_do():
    assert readme() == {whose: granted(whose) for whose in Whose}

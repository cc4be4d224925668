"""An organization: accounts in units, with tags, and who may ask for them."""

from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, connect, may, refusal

TEAMS = [f"{number:012d}" for number in range(1, 25)]
WORK, PAYMENTS = "ou-l4mp-workload", "ou-l4mp-payments"


@pytest.fixture
def asked(aws: AwsStandIn, client: Any) -> Any:
    """The organization of 25, asked by its management account."""
    aws.organizations.found(
        ACCOUNT, {ACCOUNT: "management", **{one: f"team-{int(one)}" for one in TEAMS}}, suspended={TEAMS[6]}
    )
    return client("organizations")


def pages(asked: Any, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    return list(asked.get_paginator(operation).paginate(**arguments))


def test_accounts_of_an_organization_come_twenty_a_page(asked: Any) -> None:
    told = pages(asked, "list_accounts")

    assert [len(page["Accounts"]) for page in told] == [20, 5]
    found = {account["Id"]: account for page in told for account in page["Accounts"]}
    assert found.keys() == {ACCOUNT, *TEAMS}
    assert found[TEAMS[6]]["State"] == "SUSPENDED"
    assert "Status" not in found[ACCOUNT]


def test_a_page_may_be_empty_and_not_the_last(aws: AwsStandIn, asked: Any) -> None:
    aws.organizations.empty_pages = True

    assert [len(page["Accounts"]) for page in pages(asked, "list_accounts")] == [0, 20, 0, 5]


def test_accounts_say_where_they_are(aws: AwsStandIn, asked: Any) -> None:
    aws.organizations.unit(ACCOUNT, WORK, [TEAMS[0]])
    aws.organizations.unit(ACCOUNT, PAYMENTS, TEAMS[1:3], parent=WORK)

    found = {one["Id"]: one["Paths"] for page in pages(asked, "list_accounts") for one in page["Accounts"]}

    assert found[ACCOUNT] == [f"o-l4mp1ighter/r-l4mp/{ACCOUNT}/"]
    assert found[TEAMS[1]] == [f"o-l4mp1ighter/r-l4mp/{WORK}/{PAYMENTS}/{TEAMS[1]}/"]


def test_the_tree_can_be_walked_from_its_root(aws: AwsStandIn, asked: Any) -> None:
    aws.organizations.unit(ACCOUNT, WORK, [TEAMS[0]])
    aws.organizations.unit(ACCOUNT, PAYMENTS, TEAMS[1:3], parent=WORK)

    def below(parent: str) -> tuple[list[str], list[str]]:
        units = pages(asked, "list_organizational_units_for_parent", ParentId=parent)
        accounts = pages(asked, "list_accounts_for_parent", ParentId=parent)
        return (
            [unit["Id"] for page in units for unit in page["OrganizationalUnits"]],
            [account["Id"] for page in accounts for account in page["Accounts"]],
        )

    (root,) = asked.list_roots()["Roots"]
    assert below(root["Id"])[0] == [WORK]
    assert len(below(root["Id"])[1]) == 22
    assert below(WORK) == ([PAYMENTS], [TEAMS[0]])
    assert below(PAYMENTS) == ([], TEAMS[1:3])
    assert refusal(asked.list_accounts_for_parent, ParentId="ou-l4mp-nothing0")[0] == "ParentNotFoundException"


def test_an_account_has_tags(aws: AwsStandIn, asked: Any) -> None:
    aws.organizations.member(TEAMS[0]).tags["env"] = "prod"

    assert asked.list_tags_for_resource(ResourceId=TEAMS[0])["Tags"] == [{"Key": "env", "Value": "prod"}]
    assert asked.list_tags_for_resource(ResourceId=TEAMS[1])["Tags"] == []
    assert refusal(asked.list_tags_for_resource, ResourceId="999999999999")[0] == "TargetNotFoundException"


def test_before_september_2026_accounts_had_a_status_and_no_paths(aws: AwsStandIn, asked: Any) -> None:
    aws.organizations.dated = True

    found = {one["Id"]: one for page in pages(asked, "list_accounts") for one in page["Accounts"]}

    assert found[TEAMS[6]]["Status"] == "SUSPENDED"
    assert not {"State", "Paths"} & found[ACCOUNT].keys()


def test_an_account_without_an_organization_says_so(client: Any) -> None:
    assert refusal(client("organizations").list_accounts)[0] == "AWSOrganizationsNotInUseException"


def test_a_member_may_ask_once_it_is_a_delegated_administrator(aws: AwsStandIn, asked: Any) -> None:
    key, secret = aws.create_user(TEAMS[0], "bot", may("organizations:*"))
    member = connect(aws, "organizations", key=key, secret=secret)

    assert refusal(member.list_accounts)[0] == "AccessDeniedException"
    aws.organizations.delegate(TEAMS[0])
    assert len(member.list_accounts()["Accounts"]) == 20


def test_organizations_throttles_with_a_code_of_its_own(aws: AwsStandIn, asked: Any) -> None:
    aws.throttle(1, service="organizations")

    assert refusal(asked.list_accounts)[:2] == ("TooManyRequestsException", 400)
    first = asked.list_accounts()
    aws.organizations.breaks_off = "TooManyRequestsException"
    assert refusal(asked.list_accounts, NextToken=first["NextToken"])[0] == "TooManyRequestsException"

"""Tags, regions and the record of calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, refusal


@pytest.fixture
def tags(client: Any) -> Any:
    return client("resourcegroupstaggingapi")


@pytest.fixture
def fleet(aws: AwsStandIn, make_role: Any) -> None:
    """130 functions with four tags each, and one that never had any."""
    role = make_role()
    for number in range(131):
        spec = {"FunctionName": f"fn-{number:03d}", "Role": role, "Runtime": "python3.12", "Handler": "a.b"}
        marks = {"team": "payments" if number % 2 else "search", "env": "prod", "stack": "s", "owner": "o"}
        given = {"Tags": marks} if number < 130 else {}
        aws.seed_function(ACCOUNT, REGION, {**spec, "Code": {"ZipFile": ""}, **given}, aws.now())


def test_a_page_holds_a_hundred_resources_however_many_tags_they_have(tags: Any, fleet: None) -> None:
    first = tags.get_resources(ResourceTypeFilters=["lambda:function"], ResourcesPerPage=100)
    token = first["PaginationToken"]
    second = tags.get_resources(ResourceTypeFilters=["lambda:function"], ResourcesPerPage=100, PaginationToken=token)

    assert [len(page["ResourceTagMappingList"]) for page in (first, second)] == [100, 30]
    assert second["PaginationToken"] == ""
    assert all(len(found["Tags"]) == 4 for found in first["ResourceTagMappingList"])


def test_a_token_can_be_used_twice(tags: Any, fleet: None) -> None:
    token = tags.get_resources(ResourcesPerPage=100)["PaginationToken"]

    once, again = (tags.get_resources(ResourcesPerPage=100, PaginationToken=token) for _ in range(2))

    assert once["ResourceTagMappingList"] == again["ResourceTagMappingList"]


def test_only_what_was_ever_tagged_is_listed(tags: Any, lambdas: Any, fleet: None) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn-000"
    lambdas.untag_resource(Resource=arn, TagKeys=["team", "env", "stack", "owner"])

    pages = tags.get_paginator("get_resources").paginate(ResourceTypeFilters=["lambda:function"])
    found = {item["ResourceARN"]: item["Tags"] for page in pages for item in page["ResourceTagMappingList"]}

    assert len(found) == 130
    assert found[arn] == []
    assert arn.replace("fn-000", "fn-130") not in found


def test_resources_are_found_by_their_tags_and_by_their_names(tags: Any, fleet: None) -> None:
    payments = tags.get_resources(TagFilters=[{"Key": "team", "Values": ["payments"]}], ResourcesPerPage=100)
    arns = [f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:fn-{number:03d}" for number in range(60)]
    named = tags.get_resources(ResourceARNList=arns)

    assert len(payments["ResourceTagMappingList"]) == 65
    assert [found["ResourceARN"] for found in named["ResourceTagMappingList"]] == arns


def test_a_tag_key_is_named_once(tags: Any, fleet: None) -> None:
    assert tags.get_tag_keys()["TagKeys"] == ["env", "owner", "stack", "team"]


def test_only_enabled_regions_are_described(aws: AwsStandIn, client: Any) -> None:
    ec2 = client("ec2")

    def names(**arguments: Any) -> list[str]:
        return [region["RegionName"] for region in ec2.describe_regions(**arguments)["Regions"]]

    assert names() == ["eu-central-1", "us-east-1"]
    assert "af-south-1" in names(AllRegions=True)
    aws.regions.enable(ACCOUNT, ("us-east-1",))
    assert names() == ["us-east-1"]


def test_the_account_service_lists_the_same_regions(client: Any) -> None:
    listed = client("account", region="us-east-1").list_regions(
        RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"]
    )

    assert [region["RegionName"] for region in listed["Regions"]] == ["eu-central-1", "us-east-1"]


def test_traces_go_to_xray_until_transaction_search_is_switched_on(aws: AwsStandIn, client: Any) -> None:
    xray = client("xray")
    before = xray.get_trace_segment_destination()["Destination"]
    aws.xray.transaction_search(ACCOUNT, REGION)

    assert (before, xray.get_trace_segment_destination()["Destination"]) == ("XRay", "CloudWatchLogs")
    (rule,) = xray.get_sampling_rules()["SamplingRuleRecords"]
    assert (rule["SamplingRule"]["FixedRate"], rule["SamplingRule"]["ReservoirSize"]) == (0.05, 1)
    assert xray.get_indexing_rules()["IndexingRules"][0]["Name"] == "Default"


def test_the_service_graph_shows_what_was_seeded_and_six_hours_at_most(
    aws: AwsStandIn, client: Any, clock: Any
) -> None:
    xray = client("xray")
    node = {"ReferenceId": 1, "Name": "refund", "Type": "AWS::Lambda::Function", "Edges": []}
    aws.xray.graphs.observed(ACCOUNT, REGION, [node])

    shown = xray.get_service_graph(StartTime=clock.now - timedelta(hours=6), EndTime=clock.now)["Services"]

    assert shown == [node]
    refused = refusal(xray.get_service_graph, StartTime=clock.now - timedelta(hours=7), EndTime=clock.now)
    assert refused[0] == "InvalidRequestException"


def test_what_is_missing_says_so_instead_of_failing(client: Any) -> None:
    refused = refusal(client("lambda").get_account_settings)

    assert refused == ("NotImplemented", 501, "The stand-in has no lambda:GetAccountSettings")


def test_every_call_is_recorded_even_a_refused_one(aws: AwsStandIn, client: Any, clock: Any) -> None:
    client("lambda", region="us-east-1").list_functions()
    clock.advance(5)
    refusal(client("sts").assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="me")
    client("resourcegroupstaggingapi").get_resources()
    client("cloudwatch").list_metrics()

    calls = [(call.service, call.action, call.region, call.account) for call in aws.calls]
    assert calls == [
        ("lambda", "ListFunctions", "us-east-1", ACCOUNT),
        ("sts", "AssumeRole", REGION, ACCOUNT),
        ("resourcegroupstaggingapi", "GetResources", REGION, ACCOUNT),
        ("cloudwatch", "ListMetrics", REGION, ACCOUNT),
    ]
    assert (aws.calls[1].time - aws.calls[0].time).total_seconds() == 5

"""Aliases and event source mappings over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, refusal


@pytest.fixture
def versions(aws: AwsStandIn, lambdas: Any, make_function: Any) -> None:
    """refund with versions 1 and 2, and `live` serving the first."""
    make_function()
    lambdas.publish_version(FunctionName="refund")
    lambdas.update_function_configuration(FunctionName="refund", MemorySize=256)
    aws.settle()
    lambdas.publish_version(FunctionName="refund")
    aws.settle()
    lambdas.create_alias(FunctionName="refund", Name="live", FunctionVersion="1")


def test_aliases_are_listed_by_the_version_they_serve(lambdas: Any, versions: None) -> None:
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    lambdas.create_alias(FunctionName="refund", Name="next", FunctionVersion="2")
    lambdas.create_alias(FunctionName="refund", Name="trial", FunctionVersion="1", RoutingConfig=weights)

    def names(version: str) -> list[str]:
        aliases = lambdas.list_aliases(FunctionName="refund", FunctionVersion=version)["Aliases"]
        return [alias["Name"] for alias in aliases]

    assert names("1") == ["live", "trial"]
    assert names("2") == ["next", "trial"]
    assert len(lambdas.list_aliases(FunctionName="refund")["Aliases"]) == 3


def test_a_stale_alias_revision_is_refused(lambdas: Any, versions: None) -> None:
    before = lambdas.get_alias(FunctionName="refund", Name="live")["RevisionId"]
    after = lambdas.update_alias(FunctionName="refund", Name="live", FunctionVersion="2", RevisionId=before)

    refused = refusal(lambdas.update_alias, FunctionName="refund", Name="live", FunctionVersion="1", RevisionId=before)

    assert refused[:2] == ("PreconditionFailedException", 412)
    assert after["RevisionId"] != before
    assert lambdas.get_alias(FunctionName="refund", Name="live")["FunctionVersion"] == "2"


def test_an_alias_cannot_serve_a_version_that_does_not_exist(lambdas: Any, versions: None) -> None:
    refused = refusal(lambdas.update_alias, FunctionName="refund", Name="live", FunctionVersion="9")

    assert refused[:2] == ("ResourceNotFoundException", 404)
    assert lambdas.get_alias(FunctionName="refund", Name="live")["FunctionVersion"] == "1"


def test_empty_weights_end_a_canary(lambdas: Any, versions: None) -> None:
    canary = {"AdditionalVersionWeights": {"2": 0.1}}
    during = lambdas.update_alias(FunctionName="refund", Name="live", RoutingConfig=canary)
    after = lambdas.update_alias(
        FunctionName="refund", Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}
    )

    assert during["RoutingConfig"] == canary
    assert "RoutingConfig" not in after


def test_a_function_read_by_its_alias_is_the_version_that_is_served(lambdas: Any, versions: None) -> None:
    read = lambdas.get_function_configuration(FunctionName="refund", Qualifier="live")

    assert (read["Version"], read["FunctionArn"].rpartition(":")[2]) == ("1", "live")


def test_kafka_sources_are_listed_in_pages(aws: AwsStandIn, lambdas: Any, make_function: Any) -> None:
    arn = make_function()["FunctionArn"]
    cluster = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/events/1-2-3"
    lambdas.create_event_source_mapping(
        FunctionName="refund", EventSourceArn=cluster, Topics=["refunds"], StartingPosition="LATEST"
    )
    for number in range(120):
        aws.seed_event_source(arn, {"EventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue-{number}"})

    pages = list(lambdas.get_paginator("list_event_source_mappings").paginate())

    assert [len(page["EventSourceMappings"]) for page in pages] == [100, 21]
    kafka = lambdas.list_event_source_mappings(EventSourceArn=cluster)["EventSourceMappings"]
    assert [(found["FunctionArn"], found["Topics"], found["State"]) for found in kafka] == [
        (arn, ["refunds"], "Enabled")
    ]


def test_a_deleted_mapping_is_gone(lambdas: Any, make_function: Any) -> None:
    make_function()
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    identity = lambdas.create_event_source_mapping(FunctionName="refund", EventSourceArn=queue)["UUID"]

    lambdas.delete_event_source_mapping(UUID=identity)

    assert lambdas.list_event_source_mappings(FunctionName="refund")["EventSourceMappings"] == []
    assert refusal(lambdas.get_event_source_mapping, UUID=identity)[:2] == ("ResourceNotFoundException", 404)

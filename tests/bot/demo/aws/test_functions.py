"""Lambda over HTTP: tracing, revisions, states and pages, as AWS has them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, REGION, XRAY_POLICY, code, may, refusal

ROLE_REFUSED = "The provided execution role does not have permissions to call PutTraceSegments on XRAY"
ACTIVE = {"Mode": "Active"}


@pytest.fixture
def traceable(make_role: Any, make_function: Any) -> Any:
    """A function whose role may write to X-Ray."""
    return make_function(role=make_role("traceable", may("xray:PutTraceSegments", "xray:PutTelemetryRecords")))


def test_an_update_to_active_is_kept(lambdas: Any, traceable: Any) -> None:
    answered = lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)

    assert answered["TracingConfig"] == ACTIVE
    assert lambdas.get_function_configuration(FunctionName="refund")["TracingConfig"] == ACTIVE
    assert lambdas.list_functions()["Functions"][0]["TracingConfig"] == ACTIVE


def test_an_update_changes_only_what_it_names(aws: AwsStandIn, lambdas: Any, traceable: Any) -> None:
    lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)
    aws.settle()
    lambdas.update_function_configuration(FunctionName="refund", MemorySize=512)

    now = aws.function(traceable["FunctionArn"])
    assert (now["MemorySize"], now["TracingConfig"], now["Timeout"]) == (512, ACTIVE, traceable["Timeout"])
    assert now["CodeSha256"] == traceable["CodeSha256"]


def test_active_is_refused_for_a_role_that_may_not_write(lambdas: Any, make_function: Any) -> None:
    make_function()

    refused = refusal(lambdas.update_function_configuration, FunctionName="refund", TracingConfig=ACTIVE)

    assert refused == ("InvalidParameterValueException", 400, ROLE_REFUSED)
    assert lambdas.get_function_configuration(FunctionName="refund")["TracingConfig"] == {"Mode": "PassThrough"}


def test_active_is_refused_at_creation_too(lambdas: Any, make_role: Any) -> None:
    arguments = {"Role": make_role(), "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": code()}}

    refused = refusal(lambdas.create_function, FunctionName="new", TracingConfig=ACTIVE, **arguments)

    assert refused == ("InvalidParameterValueException", 400, ROLE_REFUSED)
    assert lambdas.list_functions()["Functions"] == []


def test_a_role_that_lost_its_permission_refuses_nothing_but_a_new_active(lambdas: Any, aws: AwsStandIn) -> None:
    role = aws.create_role(ACCOUNT, "lost", {"Statement": []})
    spec = {"FunctionName": "old", "Role": role, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""}}
    aws.seed_function(ACCOUNT, REGION, {**spec, "TracingConfig": ACTIVE}, aws.now())

    assert lambdas.update_function_configuration(FunctionName="old", MemorySize=256)["TracingConfig"] == ACTIVE


def test_an_attached_policy_counts_only_after_a_while(
    lambdas: Any, client: Any, clock: Any, aws: AwsStandIn, make_function: Any
) -> None:
    make_function()
    client("iam").attach_role_policy(RoleName="worker", PolicyArn=XRAY_POLICY)

    clock.advance(3.9)
    early = refusal(lambdas.update_function_configuration, FunctionName="refund", TracingConfig=ACTIVE)
    clock.advance(0.2)
    late = lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)

    assert early[2] == ROLE_REFUSED
    assert late["TracingConfig"] == ACTIVE


def test_a_detached_policy_counts_for_a_while_yet(
    lambdas: Any, client: Any, clock: Any, make_function: Any, make_role: Any
) -> None:
    make_function(role=make_role("leaving", attached=[XRAY_POLICY]))
    client("iam").detach_role_policy(RoleName="leaving", PolicyArn=XRAY_POLICY)

    early = lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)
    clock.advance(10)
    late = refusal(lambdas.update_function_configuration, FunctionName="refund", TracingConfig=ACTIVE)

    assert early["TracingConfig"] == ACTIVE
    assert late[2] == ROLE_REFUSED


def test_a_stale_revision_is_refused(lambdas: Any, traceable: Any) -> None:
    refused = refusal(
        lambdas.update_function_configuration, FunctionName="refund", TracingConfig=ACTIVE, RevisionId="an-older-one"
    )

    assert refused[:2] == ("PreconditionFailedException", 412)


def test_the_revision_changes_with_the_update_and_again_when_it_is_complete(
    lambdas: Any, clock: Any, traceable: Any
) -> None:
    first = traceable["RevisionId"]
    second = lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE, RevisionId=first)
    clock.advance(1)
    third = lambdas.get_function_configuration(FunctionName="refund")

    assert len({first, second["RevisionId"], third["RevisionId"]}) == 3
    listed = lambdas.list_functions()["Functions"][0]
    assert listed["RevisionId"] == third["RevisionId"]


def test_an_update_is_in_progress_and_then_successful(lambdas: Any, clock: Any, traceable: Any) -> None:
    clock.advance(60)
    during = lambdas.update_function_configuration(FunctionName="refund", MemorySize=256)
    clock.advance(1)
    after = lambdas.get_function_configuration(FunctionName="refund")

    assert (during["State"], during["LastUpdateStatus"]) == ("Active", "InProgress")
    assert (after["State"], after["LastUpdateStatus"]) == ("Active", "Successful")
    assert after["LastModified"] == "2026-11-23T09:01:00.000+0000"
    assert traceable["LastModified"] == "2026-11-23T09:00:00.000+0000"


@pytest.mark.parametrize("operation", ["update_function_configuration", "publish_version", "update_function_code"])
def test_nothing_else_is_changed_during_an_update(lambdas: Any, traceable: Any, operation: str) -> None:
    lambdas.update_function_configuration(FunctionName="refund", MemorySize=256)
    more = {"ZipFile": code()} if operation == "update_function_code" else {}

    refused = refusal(getattr(lambdas, operation), FunctionName="refund", **more)

    arn = traceable["FunctionArn"]
    text = "The operation cannot be performed at this time. An update is in progress for resource: "
    assert refused == ("ResourceConflictException", 409, text + arn)


def test_a_new_function_is_pending_first(lambdas: Any, clock: Any, make_role: Any) -> None:
    arguments = {"Role": make_role(), "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": code()}}
    created = lambdas.create_function(FunctionName="new", **arguments)
    refused = refusal(lambdas.update_function_configuration, FunctionName="new", MemorySize=256)
    clock.advance(1)

    assert created["State"] == "Pending"
    assert refused[:2] == ("ResourceConflictException", 409)
    assert lambdas.get_function_configuration(FunctionName="new")["State"] == "Active"


@pytest.mark.parametrize("named", ["refund:1", "refund:live"])
def test_a_published_version_cannot_be_updated(lambdas: Any, traceable: Any, named: str) -> None:
    lambdas.publish_version(FunctionName="refund")
    lambdas.create_alias(FunctionName="refund", Name="live", FunctionVersion="1")

    code_, status, text = refusal(lambdas.update_function_configuration, FunctionName=named, TracingConfig=ACTIVE)

    assert (code_, status) == ("InvalidParameterValueException", 400)
    assert text.startswith("Current operation does not support versions other than $LATEST")


def test_an_update_may_name_the_function_by_its_arn(lambdas: Any, traceable: Any) -> None:
    answered = lambdas.update_function_configuration(FunctionName=traceable["FunctionArn"], TracingConfig=ACTIVE)

    assert answered["FunctionArn"] == traceable["FunctionArn"]


@pytest.mark.parametrize("runtime", ["python3.6", "nodejs12.x"])
def test_updates_on_a_deprecated_runtime_are_refused(
    aws: AwsStandIn, lambdas: Any, make_role: Any, runtime: str
) -> None:
    spec = {"FunctionName": "old", "Role": make_role(), "Runtime": runtime, "Handler": "a.b", "Code": {"ZipFile": ""}}
    aws.seed_function(ACCOUNT, REGION, spec, aws.now())

    code_, status, text = refusal(lambdas.update_function_configuration, FunctionName="old", MemorySize=256)

    assert (code_, status) == ("InvalidParameterValueException", 400)
    assert text.startswith(f"The runtime parameter of {runtime} is no longer supported for creating or updating")


def test_a_mode_that_is_none_is_refused(lambdas: Any, traceable: Any) -> None:
    refused = refusal(lambdas.update_function_configuration, FunctionName="refund", TracingConfig={"Mode": "active"})

    assert refused[:2] == ("ValidationException", 400)


def test_a_function_of_another_region_or_account_is_out_of_reach(client: Any, lambdas: Any, traceable: Any) -> None:
    arn = traceable["FunctionArn"]
    elsewhere = client("lambda", region="us-east-1")

    assert refusal(elsewhere.get_function_configuration, FunctionName=arn)[:2] == ("ResourceNotFoundException", 404)
    foreign = arn.replace(ACCOUNT, "999988887777")
    assert refusal(lambdas.get_function_configuration, FunctionName=foreign)[:2] == ("AccessDeniedException", 403)


def test_a_deleted_function_is_not_found(lambdas: Any, traceable: Any) -> None:
    lambdas.delete_function(FunctionName="refund")

    refused = refusal(lambdas.update_function_configuration, FunctionName="refund", TracingConfig=ACTIVE)

    assert refused[:2] == ("ResourceNotFoundException", 404)


def test_layers_of_other_accounts_are_accepted(lambdas: Any, make_function: Any) -> None:
    public = f"arn:aws:lambda:{REGION}:901920570463:layer:aws-otel-python-amd64-ver-1-32-0:2"

    made = make_function(Layers=[public])

    assert [layer["Arn"] for layer in made["Layers"]] == [public]


def test_functions_come_in_pages_of_fifty(aws: AwsStandIn, lambdas: Any, make_role: Any) -> None:
    _seed(aws, make_role(), 120)

    pages = list(lambdas.get_paginator("list_functions").paginate(MaxItems=10_000))

    assert [len(page["Functions"]) for page in pages] == [50, 50, 20]
    names = [function["FunctionName"] for page in pages for function in page["Functions"]]
    assert len(set(names)) == 120
    assert len(lambdas.list_functions(MaxItems=10_000)["Functions"]) == 50
    assert len(lambdas.list_functions(MaxItems=7)["Functions"]) == 7
    assert "NextMarker" not in pages[-1]


def test_a_marker_that_nobody_gave_is_refused(lambdas: Any) -> None:
    assert refusal(lambdas.list_functions, Marker="garbage")[:2] == ("InvalidParameterValueException", 400)


def test_a_listing_knows_no_states(aws: AwsStandIn, traceable: Any) -> None:
    # Looked at on the wire, since boto3 drops what is null.
    signed_as = (
        f"AWS4-HMAC-SHA256 Credential=nobodys/20261123/{REGION}/lambda/aws4_request, SignedHeaders=host, Signature=0"
    )
    answer = requests.get(f"{aws.url}/2015-03-31/functions/", headers={"Authorization": signed_as}, timeout=5).json()

    listed = answer["Functions"][0]
    assert {listed["State"], listed["LastUpdateStatus"], listed["MasterArn"], answer["NextMarker"]} == {None}
    assert "Tags" not in listed


def test_all_versions_are_listed_each_with_its_own_tracing(aws: AwsStandIn, lambdas: Any, traceable: Any) -> None:
    lambdas.publish_version(FunctionName="refund")
    aws.settle()
    lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)

    listed = lambdas.list_functions(FunctionVersion="ALL")["Functions"]

    modes = {function["FunctionArn"].rpartition(":")[2]: function["TracingConfig"]["Mode"] for function in listed}
    assert modes == {"$LATEST": "Active", "1": "PassThrough"}


def test_publishing_again_without_a_change_gives_the_same_version(
    aws: AwsStandIn, lambdas: Any, traceable: Any
) -> None:
    first = lambdas.publish_version(FunctionName="refund")["Version"]
    aws.settle()
    same = lambdas.publish_version(FunctionName="refund")["Version"]
    lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)
    aws.settle()
    second = lambdas.publish_version(FunctionName="refund")

    assert (first, same, second["Version"]) == ("1", "1", "2")
    assert second["TracingConfig"] == ACTIVE
    assert second["State"] == "Pending"
    assert aws.function(traceable["FunctionArn"] + ":1")["TracingConfig"] == {"Mode": "PassThrough"}


def test_publishing_other_code_than_was_looked_at_is_refused(lambdas: Any, traceable: Any) -> None:
    refused = refusal(lambdas.publish_version, FunctionName="refund", CodeSha256="another")

    assert refused[0] == "InvalidParameterValueException"
    assert re.match(r"CodeSHA256 \(another\) is different from current CodeSHA256 in \$LATEST", refused[2])


def test_on_managed_instances_a_publication_reaches_calls_without_a_qualifier(
    aws: AwsStandIn, lambdas: Any, make_role: Any
) -> None:
    role = make_role("traceable", may("xray:PutTraceSegments"))
    spec = {"FunctionName": "busy", "Role": role, "Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": ""}}
    spec |= {"CapacityProviderConfig": {"LambdaManagedInstancesCapacityProviderConfig": {}}}
    arn = aws.seed_function(ACCOUNT, REGION, spec, aws.now())
    lambdas.publish_version(FunctionName="busy", PublishTo="LATEST_PUBLISHED")
    aws.settle()
    lambdas.update_function_configuration(FunctionName="busy", TracingConfig=ACTIVE)
    aws.settle()
    before = aws.function(f"{arn}:$LATEST.PUBLISHED")["TracingConfig"]

    published = lambdas.publish_version(FunctionName="busy", PublishTo="LATEST_PUBLISHED")

    assert (before, published["State"]) == ({"Mode": "PassThrough"}, "Pending")
    aws.settle()
    assert aws.function(f"{arn}:$LATEST.PUBLISHED")["TracingConfig"] == ACTIVE
    assert len(lambdas.list_versions_by_function(FunctionName="busy")["Versions"]) == 1


def test_an_ordinary_function_is_published_as_a_version_only(lambdas: Any, traceable: Any) -> None:
    refused = refusal(lambdas.publish_version, FunctionName="refund", PublishTo="LATEST_PUBLISHED")

    assert refused[:2] == ("InvalidParameterValueException", 400)


def test_replicas_of_lambda_at_edge_name_their_master(aws: AwsStandIn, lambdas: Any, make_role: Any) -> None:
    master = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:edge-auth:3"
    spec = {"FunctionName": "us-east-1.edge-auth", "Role": make_role(), "Runtime": "nodejs22.x", "Handler": "a.b"}
    aws.seed_function(ACCOUNT, REGION, {**spec, "Code": {"ZipFile": ""}}, aws.now(), master_arn=master)

    replicas = lambdas.list_functions(MasterRegion="us-east-1", FunctionVersion="ALL")["Functions"]

    assert [replica["MasterArn"] for replica in replicas] == [master]
    assert lambdas.list_functions(MasterRegion="eu-west-1", FunctionVersion="ALL")["Functions"] == []
    assert refusal(lambdas.list_functions, MasterRegion="us-east-1")[0] == "InvalidParameterValueException"


def test_code_that_changes_gives_another_hash_and_revision(aws: AwsStandIn, lambdas: Any, traceable: Any) -> None:
    changed = lambdas.update_function_code(FunctionName="refund", ZipFile=b"other bytes")

    assert changed["CodeSha256"] != traceable["CodeSha256"]
    assert changed["RevisionId"] != traceable["RevisionId"]
    assert changed["LastUpdateStatus"] == "InProgress"


def test_accounts_and_regions_are_apart(aws: AwsStandIn, client: Any, traceable: Any) -> None:
    assert client("lambda", region="us-east-1").list_functions()["Functions"] == []


def _seed(aws: AwsStandIn, role: str, count: int) -> None:
    for number in range(count):
        spec = {"FunctionName": f"fn-{number:03d}", "Role": role, "Runtime": "python3.12", "Handler": "a.b"}
        aws.seed_function(ACCOUNT, REGION, {**spec, "Code": {"ZipFile": ""}}, aws.now())

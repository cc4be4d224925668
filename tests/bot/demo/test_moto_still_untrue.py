"""Each completion of `bot.demo.aws` against plain moto: a test that fails here says that moto no longer needs it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from moto import mock_aws

REGION = "eu-central-1"
ACCOUNT = "123456789012"
XRAY_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
ACTIVE = {"Mode": "Active"}
DARK = {"Mode": "PassThrough"}


@pytest.fixture(autouse=True)
def moto() -> Iterator[None]:
    with mock_aws(config={"lambda": {"use_docker": False}}):
        yield


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


@pytest.fixture
def lambdas() -> Any:
    return client("lambda")


@pytest.fixture
def make(lambdas: Any) -> Any:
    """Functions of a role that may do nothing."""
    role = client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        package.writestr("app.py", "")

    def create(name: str = "refund", **more: Any) -> Any:
        arguments = {"Runtime": "python3.12", "Handler": "a.b", "Code": {"ZipFile": held.getvalue()}, **more}
        return lambdas.create_function(FunctionName=name, Role=role["Role"]["Arn"], **arguments)

    return create


def test_an_update_to_active_is_dropped(lambdas: Any, make: Any) -> None:
    make()
    lambdas.update_function_configuration(FunctionName="refund", TracingConfig=ACTIVE)

    assert lambdas.get_function_configuration(FunctionName="refund")["TracingConfig"] == DARK


def test_active_is_created_whatever_the_role_may(make: Any) -> None:
    assert make(TracingConfig=ACTIVE)["TracingConfig"] == ACTIVE


def test_functions_have_no_revision_and_a_stale_one_is_accepted(lambdas: Any, make: Any) -> None:
    assert "RevisionId" not in make()
    lambdas.update_function_configuration(FunctionName="refund", MemorySize=256, RevisionId="stale")
    assert lambdas.get_function_configuration(FunctionName="refund")["MemorySize"] == 256


def test_updates_overlap_and_leave_no_date(lambdas: Any, make: Any) -> None:
    before = make()["LastModified"]
    lambdas.update_function_configuration(FunctionName="refund", MemorySize=256)
    after = lambdas.update_function_configuration(FunctionName="refund", MemorySize=512)

    assert (after["LastUpdateStatus"], after["LastModified"]) == ("Successful", before)
    assert before.endswith("Z")


def test_a_published_version_is_updated(lambdas: Any, make: Any) -> None:
    make()
    lambdas.publish_version(FunctionName="refund")
    lambdas.update_function_configuration(FunctionName="refund:1", MemorySize=256)

    assert lambdas.get_function_configuration(FunctionName="refund:1")["MemorySize"] == 256


def test_deprecated_runtimes_are_accepted(make: Any) -> None:
    assert make(Runtime="python3.6")["Runtime"] == "python3.6"


def test_listings_have_no_pages_and_show_states(lambdas: Any, make: Any) -> None:
    for number in range(51):
        make(f"fn-{number}")

    answer = lambdas.list_functions(MaxItems=5, Marker="garbage")

    assert len(answer["Functions"]) == 51
    assert answer["Functions"][0]["State"] == "Active"


def test_alias_filters_and_revisions_are_ignored(lambdas: Any, make: Any) -> None:
    make()
    lambdas.publish_version(FunctionName="refund")
    lambdas.create_alias(FunctionName="refund", Name="live", FunctionVersion="1")

    assert lambdas.list_aliases(FunctionName="refund", FunctionVersion="$LATEST")["Aliases"]
    assert lambdas.update_alias(FunctionName="refund", Name="live", RevisionId="stale")


def test_layers_of_other_accounts_are_not_found(make: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        make(Layers=[f"arn:aws:lambda:{REGION}:901920570463:layer:aws-otel-python-amd64-ver-1-32-0:2"])


def test_kafka_cannot_be_an_event_source(lambdas: Any, make: Any) -> None:
    make()
    cluster = f"arn:aws:kafka:{REGION}:{ACCOUNT}:cluster/events/1-2-3"
    with pytest.raises(ClientError):
        lambdas.create_event_source_mapping(FunctionName="refund", EventSourceArn=cluster, StartingPosition="LATEST")


def test_a_page_of_tagged_resources_ends_at_a_hundred_tags(make: Any) -> None:
    for number in range(60):
        make(f"fn-{number}", Tags={"team": "payments", "env": "prod"})

    found = client("resourcegroupstaggingapi").get_resources(ResourcesPerPage=100)

    assert len(found["ResourceTagMappingList"]) < 60


def test_a_resource_that_lost_its_tags_is_forgotten(lambdas: Any, make: Any) -> None:
    arn = make(Tags={"team": "payments"})["FunctionArn"]
    lambdas.untag_resource(Resource=arn, TagKeys=["team"])

    assert client("resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"] == []


def test_tag_keys_are_repeated(make: Any) -> None:
    make("one", Tags={"team": "payments"})
    make("two", Tags={"team": "payments"})

    assert client("resourcegroupstaggingapi").get_tag_keys()["TagKeys"] == ["team", "team"]


def test_authorization_details_have_no_pages_and_policies_no_names() -> None:
    iam = client("iam")
    for number in range(3):
        iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument="{}")
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "xray:*", "Resource": "*"}}
    iam.create_policy(PolicyName="telemetry", PolicyDocument=json.dumps(document))

    answer = iam.get_account_authorization_details(MaxItems=1)

    assert (len(answer["RoleDetailList"]), answer["IsTruncated"]) == (3, False)
    assert answer["Policies"][0].keys().isdisjoint({"PolicyName", "PolicyId"})


def test_policies_of_aws_are_missing() -> None:
    iam = client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument="{}")

    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.attach_role_policy(RoleName="worker", PolicyArn=XRAY_POLICY)


def test_roles_take_any_number_of_policies_even_service_linked_ones() -> None:
    iam = client("iam")
    role = iam.create_service_linked_role(AWSServiceName="rds.amazonaws.com")["Role"]["RoleName"]
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "xray:*", "Resource": "*"}}
    for number in range(11):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=role, PolicyArn=arn)

    assert len(iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) == 11


def test_the_policy_simulator_is_missing() -> None:
    role = client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument="{}")["Role"]["Arn"]

    with pytest.raises(NotImplementedError):
        client("iam").simulate_principal_policy(PolicySourceArn=role, ActionNames=["xray:PutTraceSegments"])


def test_anybody_assumes_any_role() -> None:
    answer = client("sts").assume_role(RoleArn="arn:aws:iam::482915067331:role/nobodys", RoleSessionName="me")

    assert answer["Credentials"]["AccessKeyId"]


def test_regions_that_nobody_enabled_are_described() -> None:
    names = {region["RegionName"] for region in client("ec2").describe_regions()["Regions"]}

    assert "af-south-1" in names


def test_the_regions_of_an_account_are_missing() -> None:
    with pytest.raises((NotImplementedError, ClientError, ResponseParserError)):
        client("account").list_regions()


def test_a_mode_that_is_none_is_accepted(make: Any) -> None:
    assert make(TracingConfig={"Mode": "active"})["TracingConfig"] == {"Mode": "active"}


def test_more_queries_than_aws_takes_are_answered() -> None:
    metric = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": []}
    stat = {"Metric": metric, "Period": 3600, "Stat": "Sum"}
    queries = [{"Id": f"m{number}", "MetricStat": stat} for number in range(501)]
    window = {"StartTime": datetime(2026, 11, 22, tzinfo=UTC), "EndTime": datetime(2026, 11, 23, tzinfo=UTC)}

    answer = client("cloudwatch").get_metric_data(MetricDataQueries=queries, **window)

    assert len(answer["MetricDataResults"]) == 501


def test_an_organization_makes_up_its_accounts_and_keeps_a_status_that_is_gone() -> None:
    organizations = client("organizations")
    organizations.create_organization(FeatureSet="ALL")

    assert organizations.list_accounts()["Accounts"][0]["Status"] == "ACTIVE"


def test_the_history_of_alarms_is_missing() -> None:
    with pytest.raises((NotImplementedError, ClientError, ResponseParserError)):
        client("cloudwatch").describe_alarm_history()


def test_alarms_come_without_pages() -> None:
    cloudwatch = client("cloudwatch")
    usual = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 1, "Period": 60}
    for number in range(51):
        metric = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Statistic": "Sum"}
        cloudwatch.put_metric_alarm(AlarmName=f"errors-{number}", **metric, **usual)

    assert len(cloudwatch.describe_alarms(MaxRecords=10)["MetricAlarms"]) == 51


def test_there_is_no_limit_of_calls_a_second(lambdas: Any) -> None:
    assert all(lambdas.list_functions()["Functions"] == [] for _ in range(60))


def test_publishing_for_managed_instances_makes_an_ordinary_version(lambdas: Any, make: Any) -> None:
    make()

    assert lambdas.publish_version(FunctionName="refund", PublishTo="LATEST_PUBLISHED")["Version"] == "1"


def test_inline_policies_may_be_of_any_size() -> None:
    iam = client("iam")
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    long = {"Effect": "Allow", "Action": [f"s3:Action{number:05d}" for number in range(1000)], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [long]})

    iam.put_role_policy(RoleName="worker", PolicyName="long", PolicyDocument=document)

    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["long"]


def test_cost_explorer_takes_any_question() -> None:
    backwards = {"Start": "2026-11-02", "End": "2026-11-01"}
    answer = boto3.client("ce", region_name="us-east-1").get_cost_and_usage(
        TimePeriod=backwards, Granularity="HOURLY", Metrics=["Cost"]
    )

    assert answer["ResultsByTime"] == []


def test_budgets_cannot_be_updated() -> None:
    budget = {"BudgetName": "xray", "BudgetType": "COST", "TimeUnit": "MONTHLY"}

    with pytest.raises((ClientError, NotImplementedError)):
        boto3.client("budgets", region_name="us-east-1").update_budget(AccountId=ACCOUNT, NewBudget=budget)

"""AWS Config's aggregators: what recorders saw, and the queries over that."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, LAMBDA_TRUST, REGION, refusal

OTHER, VIRGINIA = "222222222222", "us-east-1"
FUNCTIONS = "SELECT arn, configuration.tracingConfig.mode WHERE resourceType = 'AWS::Lambda::Function'"


@pytest.fixture
def config(client: Any, aws: AwsStandIn) -> Any:
    aws.aggregators.aggregate(ACCOUNT, REGION, "view")
    return client("config")


def asked(config: Any, query: str = FUNCTIONS, **more: Any) -> list[Any]:
    found = config.select_aggregate_resource_config(Expression=query, ConfigurationAggregatorName="view", **more)
    return [json.loads(row) for row in found["Results"]]


def seed(aws: AwsStandIn, name: str, account: str = ACCOUNT, region: str = REGION) -> str:
    role = f"arn:aws:iam::{account}:role/{name}"
    aws.create_role(account, name, LAMBDA_TRUST)
    spec = {"FunctionName": name, "Role": role, "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b""}}
    return aws.seed_function(account, region, {**spec, "Tags": {"team": "payments"}}, aws.now())


def test_what_is_selected_of_a_recorded_function_is_shown_in_configs_spelling(aws: AwsStandIn, config: Any) -> None:
    aws.aggregators.record(ACCOUNT, REGION)
    arn = seed(aws, "refund")
    fields = "accountId, awsRegion, arn, configuration.functionName, configuration.tracingConfig.mode, tags"

    [row] = asked(config, f"SELECT {fields} WHERE resourceType = 'AWS::Lambda::Function'")

    assert row == {
        "accountId": ACCOUNT,
        "awsRegion": REGION,
        "arn": arn,
        "configuration": {"functionName": "refund", "tracingConfig": {"mode": "PassThrough"}},
        "tags": [{"key": "team", "value": "payments", "tag": "team=payments"}],
    }


def test_only_what_is_recorded_is_shown(aws: AwsStandIn, config: Any) -> None:
    seed(aws, "unseen")
    seed(aws, "left-out", region=VIRGINIA)
    seen = seed(aws, "seen", account=OTHER)
    aws.aggregators.record(ACCOUNT, VIRGINIA, ["AWS::S3::Bucket"])
    aws.aggregators.record(OTHER, REGION)

    assert [row["arn"] for row in asked(config)] == [seen]
    recorders = asked(config, "SELECT accountId WHERE resourceType = 'AWS::Config::ConfigurationRecorder'")
    assert [row["accountId"] for row in recorders] == [ACCOUNT, OTHER]


def test_accounts_and_regions_narrow_a_query_down(aws: AwsStandIn, config: Any) -> None:
    for account in (ACCOUNT, OTHER):
        for region in (REGION, VIRGINIA):
            aws.aggregators.record(account, region)
            seed(aws, f"{account}-{region}", account, region)

    one = asked(config, f"{FUNCTIONS} AND accountId = '{OTHER}' AND awsRegion IN ('{REGION}', 'eu-west-1')")

    assert [row["arn"].rpartition(":")[2] for row in one] == [f"{OTHER}-{REGION}"]


def test_a_stopped_recorder_goes_on_showing_what_it_saw(aws: AwsStandIn, config: Any) -> None:
    aws.aggregators.record(ACCOUNT, REGION)
    arn = seed(aws, "refund")
    aws.aggregators.stop(ACCOUNT, REGION)
    aws.seed_tracing_mode(arn, "Active", aws.now())
    seed(aws, "later")

    assert [row["configuration"]["tracingConfig"]["mode"] for row in asked(config)] == ["PassThrough"]


def test_a_page_holds_25_rows_and_at_most_100(aws: AwsStandIn, config: Any) -> None:
    aws.aggregators.record(ACCOUNT, REGION)
    for number in range(130):
        seed(aws, f"fn-{number:03}")
    query = {"Expression": FUNCTIONS, "ConfigurationAggregatorName": "view"}

    first = config.select_aggregate_resource_config(**query, Limit=100)
    rest = config.select_aggregate_resource_config(**query, Limit=100, NextToken=first["NextToken"])

    assert (len(asked(config)), len(first["Results"]), len(rest["Results"])) == (25, 100, 30)
    assert "NextToken" not in rest
    code = refusal(config.select_aggregate_resource_config, **query, NextToken="x")[0]
    assert code == "InvalidNextTokenException"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT *",
        FUNCTIONS.replace("arn", "configuration.masterArn"),
        FUNCTIONS.replace("arn", "configuration.environment"),
        FUNCTIONS.replace(" = ", " LIKE "),
        f"{FUNCTIONS} AND accountId IN ()",
        f"{FUNCTIONS} AND accountId = '1' OR '1' = '1'",
        "DELETE arn WHERE resourceType = 'x'",
    ],
)
def test_a_query_that_config_would_not_understand_is_refused(config: Any, query: str) -> None:
    said = refusal(config.select_aggregate_resource_config, Expression=query, ConfigurationAggregatorName="view")

    assert said[0] == "InvalidExpressionException"


def test_an_aggregator_is_known_where_it_is_and_by_its_name(aws: AwsStandIn, config: Any, client: Any) -> None:
    for asking, name in ((config, "other"), (client("config", region=VIRGINIA), "view")):
        with pytest.raises(ClientError, match="NoSuchConfigurationAggregatorException"):
            asking.select_aggregate_resource_config(Expression=FUNCTIONS, ConfigurationAggregatorName=name)


def test_every_source_has_the_status_of_its_last_update(aws: AwsStandIn, config: Any) -> None:
    aws.aggregators.aggregate(ACCOUNT, REGION, "view", [ACCOUNT])
    aws.aggregators.fail(ACCOUNT, VIRGINIA, "AccessDenied")

    listed = config.describe_configuration_aggregator_sources_status(ConfigurationAggregatorName="view")
    found = {one["AwsRegion"]: one for one in listed["AggregatedSourceStatusList"]}

    assert {region: one["LastUpdateStatus"] for region, one in found.items()} == {
        REGION: "SUCCEEDED",
        VIRGINIA: "FAILED",
    }
    assert found[VIRGINIA]["LastErrorCode"] == "AccessDenied"

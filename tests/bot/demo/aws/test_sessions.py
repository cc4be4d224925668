"""STS over HTTP: who may assume a role, and what the session may then do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import REGION, connect, may, refusal

HOME, OTHER = "268407513994", "482915067331"
ROLE = f"arn:aws:iam::{OTHER}:role/audit"
EXTERNAL = {"StringEquals": {"sts:ExternalId": "agreed"}}


def trust(principal: str, *actions: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions or ["sts:AssumeRole"])}
    return {"Version": "2012-10-17", "Statement": [{**statement, **more}]}


@pytest.fixture
def sts(aws: AwsStandIn) -> Any:
    """STS as the bot's user in the home account sees it; the user may assume roles and nothing else."""
    key, secret = aws.create_user(HOME, "bot", may("sts:AssumeRole", "sts:SetSourceIdentity"))
    return connect(aws, "sts", key=key, secret=secret)


def assume(sts: Any, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "lamplighter", **more})
    return found


def as_session(aws: AwsStandIn, service: str, answer: dict[str, Any]) -> Any:
    given = answer["Credentials"]
    keys = {"key": given["AccessKeyId"], "secret": given["SecretAccessKey"], "token": given["SessionToken"]}
    return connect(aws, service, **keys)


@pytest.mark.parametrize(
    "principal", [f"arn:aws:iam::{HOME}:root", HOME, f"arn:aws:iam::{HOME}:user/bot", "*"], ids=lambda text: text[-8:]
)
def test_a_trusted_caller_gets_a_session_of_that_account(aws: AwsStandIn, sts: Any, principal: str) -> None:
    aws.create_role(OTHER, "audit", trust(principal))

    answer = assume(sts)

    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{OTHER}:assumed-role/audit/lamplighter"
    who = as_session(aws, "sts", answer).get_caller_identity()
    assert (who["Account"], who["Arn"]) == (OTHER, answer["AssumedRoleUser"]["Arn"])


def test_a_role_that_is_not_there_cannot_be_assumed(sts: Any) -> None:
    code, status, text = refusal(assume, sts=sts)

    assert (code, status) == ("AccessDenied", 403)
    assert f"user/bot is not authorized to perform: sts:AssumeRole on resource: {ROLE}" in text


def test_a_role_that_trusts_somebody_else_cannot_be_assumed(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust("arn:aws:iam::999988887777:root"))

    assert refusal(assume, sts=sts)[:2] == ("AccessDenied", 403)


@pytest.mark.parametrize("given", [{}, {"ExternalId": "another"}], ids=["none", "another"])
def test_the_external_id_has_to_be_the_agreed_one(aws: AwsStandIn, sts: Any, given: dict[str, str]) -> None:
    aws.create_role(OTHER, "audit", trust(HOME, Condition=EXTERNAL))

    assert refusal(assume, sts=sts, **given)[0] == "AccessDenied"
    assert assume(sts, ExternalId="agreed")["Credentials"]["SessionToken"]


def test_the_caller_itself_has_to_be_allowed(aws: AwsStandIn) -> None:
    aws.create_role(OTHER, "audit", trust(HOME))
    key, secret = aws.create_user(HOME, "intern", may("s3:*"))

    assert refusal(assume, sts=connect(aws, "sts", key=key, secret=secret))[:2] == ("AccessDenied", 403)


def test_a_source_identity_needs_trust_of_its_own_and_is_recorded(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME))
    aws.create_role(OTHER, "fix", trust(HOME, "sts:AssumeRole", "sts:SetSourceIdentity"))
    named = {"RoleArn": ROLE.replace("audit", "fix"), "SourceIdentity": "U07ANA"}

    refused = refusal(assume, sts=sts, SourceIdentity="U07ANA")
    answer = assume(sts, **named, Policy=json.dumps(may("lambda:*")))

    assert refused[0] == "AccessDenied"
    assert answer["SourceIdentity"] == "U07ANA"
    (session,) = aws.sessions
    assert (session.role_arn, session.source_identity, session.policy) == (named["RoleArn"], "U07ANA", may("lambda:*"))


def test_a_session_may_do_what_its_role_may_and_no_more(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME), inline={"read": may("lambda:ListFunctions")})
    session = as_session(aws, "lambda", assume(sts))

    code, status, text = refusal(session.update_function_configuration, FunctionName="f", MemorySize=128)

    assert session.list_functions()["Functions"] == []
    assert (code, status) == ("AccessDeniedException", 403)
    assert "lambda:UpdateFunctionConfiguration on resource: " in text
    assert f"arn:aws:lambda:{REGION}:{OTHER}:function:f" in text


def test_a_session_policy_narrows_a_role_and_never_widens_it(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME), inline={"read": may("lambda:*")})
    one = f"arn:aws:lambda:{REGION}:{OTHER}:function:one"
    session = as_session(aws, "lambda", assume(sts, Policy=json.dumps(may("lambda:*", "iam:*", Resource=one))))

    assert refusal(session.list_functions)[0] == "AccessDeniedException"
    assert refusal(session.get_function_configuration, FunctionName="two")[0] == "AccessDeniedException"
    assert refusal(session.get_function_configuration, FunctionName="one")[0] == "ResourceNotFoundException"


def test_a_policy_to_attach_may_be_limited_to_one(aws: AwsStandIn, sts: Any) -> None:
    xray = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
    only = may("iam:AttachRolePolicy", Condition={"ArnEquals": {"iam:PolicyARN": xray}})
    aws.create_role(OTHER, "audit", trust(HOME), inline={"attach": only})
    aws.create_role(OTHER, "worker", trust(HOME))
    iam = as_session(aws, "iam", assume(sts))

    iam.attach_role_policy(RoleName="worker", PolicyArn=xray)

    refused = refusal(
        iam.attach_role_policy, RoleName="worker", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
    )
    assert refused[:2] == ("AccessDenied", 403)


def test_a_session_ends(aws: AwsStandIn, sts: Any, clock: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME), inline={"read": may("lambda:ListFunctions")})
    answer = assume(sts, DurationSeconds=900)
    session = as_session(aws, "lambda", answer)

    assert answer["Credentials"]["Expiration"] == clock.now + timedelta(minutes=15)
    session.list_functions()
    clock.advance(900)

    assert refusal(session.list_functions)[:2] == ("ExpiredTokenException", 403)


def test_sessions_are_no_longer_than_the_role_allows(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME), max_session=7200)

    assert refusal(assume, sts=sts, DurationSeconds=7201)[0] == "ValidationError"
    assert assume(sts, DurationSeconds=7200)["Credentials"]


def test_a_chained_session_lasts_an_hour_at_most(aws: AwsStandIn, sts: Any) -> None:
    aws.create_role(OTHER, "audit", trust(HOME), inline={"on": may("sts:AssumeRole")}, max_session=43_200)
    next_role = aws.create_role(OTHER, "next", trust(ROLE), max_session=43_200)
    chained = as_session(aws, "sts", assume(sts))

    refused = refusal(assume, sts=chained, RoleArn=next_role, DurationSeconds=3601)

    assert "role chaining" in refused[2]
    assert assume(chained, RoleArn=next_role, DurationSeconds=3600)["Credentials"]


@pytest.mark.parametrize(
    ("action", "resource", "service", "operation", "ours", "others"),
    [
        (
            "sqs:DeleteMessage",
            f"arn:aws:sqs:{REGION}:{OTHER}:ours",
            "sqs",
            "delete_message_batch",
            {"QueueUrl": f"https://queue/{OTHER}/ours", "Entries": [{"Id": "0", "ReceiptHandle": "x"}]},
            {"QueueUrl": f"https://queue/{OTHER}/theirs", "Entries": [{"Id": "0", "ReceiptHandle": "x"}]},
        ),
        (
            "iam:GetPolicy",
            "arn:aws:iam::aws:policy/*",
            "iam",
            "get_policy",
            {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            {"PolicyArn": f"arn:aws:iam::{OTHER}:policy/own"},
        ),
        (
            "lambda:ListTags",
            "arn:aws:lambda:*:*:function:refund",
            "lambda",
            "list_tags",
            {"Resource": f"arn:aws:lambda:{REGION}:{OTHER}:function:refund"},
            {"Resource": f"arn:aws:lambda:{REGION}:{OTHER}:function:ledger"},
        ),
        (
            "config:SelectAggregateResourceConfig",
            f"arn:aws:config:{REGION}:{OTHER}:config-aggregator/view",
            "config",
            "select_aggregate_resource_config",
            {"ConfigurationAggregatorName": "view", "Expression": "SELECT accountId"},
            {"ConfigurationAggregatorName": "other", "Expression": "SELECT accountId"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" not in value else "",
)
def test_a_role_may_be_held_to_resources(
    aws: AwsStandIn, sts: Any, action: str, resource: str, service: str, operation: str, ours: Any, others: Any
) -> None:
    allowed = {"Effect": "Allow", "Action": action, "Resource": resource}
    document = {"Version": "2012-10-17", "Statement": [allowed]}
    aws.create_role(OTHER, "audit", trust(HOME), inline={"held": document})
    call = getattr(as_session(aws, service, assume(sts)), operation)

    assert "AccessDenied" in _code(call, others)
    assert "AccessDenied" not in _code(call, ours)  # there may be no such thing; but who may ask is told so


def _code(call: Any, asked: dict[str, Any]) -> str:
    try:
        call(**asked)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_metrics_may_be_held_to_a_namespace(aws: AwsStandIn, sts: Any) -> None:
    only = {"StringEquals": {"cloudwatch:namespace": "Lamplighter"}}
    allowed = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": only}
    aws.create_role(OTHER, "audit", trust(HOME), inline={"held": {"Version": "2012-10-17", "Statement": [allowed]}})
    cloudwatch = as_session(aws, "cloudwatch", assume(sts))

    cloudwatch.put_metric_data(Namespace="Lamplighter", MetricData=[{"MetricName": "Coverage", "Value": 1}])
    denied = refusal(cloudwatch.put_metric_data, Namespace="AWS/Lambda", MetricData=[{"MetricName": "x", "Value": 1}])
    assert "AccessDenied" in denied[0]

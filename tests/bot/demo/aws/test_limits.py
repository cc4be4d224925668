"""Throttles and refusals, in the words of each service."""

from __future__ import annotations

import socket
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import ACCOUNT, connect, refusal


def test_lambda_takes_fifteen_calls_a_second_for_each_account_and_region() -> None:
    with AwsStandIn() as aws:
        lambdas, elsewhere = connect(aws, "lambda"), connect(aws, "lambda", region="us-east-1")
        taken, answer = _until_refused(lambdas, 60)
        elsewhere.list_functions()

    assert answer["Error"]["Code"] == "TooManyRequestsException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Reason"] == "CallerRateLimitExceeded"
    assert 15 <= taken < 60


def test_get_function_has_a_limit_of_its_own() -> None:
    with AwsStandIn(calls_per_second=1) as aws:
        lambdas = connect(aws, "lambda")
        codes = [refusal(lambdas.get_function, FunctionName="none")[0] for _ in range(5)]
        lambdas.list_functions()
        throttled = refusal(lambdas.list_functions)[0]

    assert codes == ["ResourceNotFoundException"] * 5
    assert throttled == "TooManyRequestsException"


DENIALS = {
    "lambda": ("list_functions", {}, "AccessDeniedException", 403),
    "iam": ("get_account_summary", {}, "AccessDenied", 403),
    "resourcegroupstaggingapi": ("get_resources", {}, "AccessDeniedException", 400),
    "ec2": ("describe_regions", {}, "UnauthorizedOperation", 403),
    "sqs": ("list_queues", {}, "AccessDeniedException", 400),
}


@pytest.mark.parametrize("service", DENIALS)
def test_a_denied_service_says_so_in_its_own_words(aws: AwsStandIn, client: Any, service: str) -> None:
    method, arguments, code, status = DENIALS[service]
    aws.deny(account=ACCOUNT, service=service)

    refused = refusal(getattr(client(service), method), **arguments)

    assert refused[:2] == (code, status)
    assert "not authorized to perform" in refused[2]


def test_a_denial_may_be_an_organizations_in_its_words(aws: AwsStandIn, client: Any) -> None:
    aws.deny(action="ListFunctions", by="a service control policy")

    said = refusal(client("lambda").list_functions)[2]

    assert said.endswith("lambda:ListFunctions on resource: * with an explicit deny in a service control policy")


def test_an_address_answers_also_whom_it_does_not_know_and_tells_the_time(aws: AwsStandIn) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{aws.url}/")

    assert refused.value.code == 403
    assert refused.value.headers["Date"].endswith("GMT")
    refused.value.close()


def test_a_denial_reaches_no_further_than_it_says(aws: AwsStandIn, client: Any) -> None:
    aws.deny(account=ACCOUNT, region="us-east-1", service="lambda", action="ListFunctions")

    assert refusal(client("lambda", region="us-east-1").list_functions)[0] == "AccessDeniedException"
    assert client("lambda").list_functions()["Functions"] == []
    assert client("lambda", region="us-east-1").list_event_source_mappings()["EventSourceMappings"] == []
    aws.forgive()
    assert client("lambda", region="us-east-1").list_functions()["Functions"] == []


def test_the_next_calls_are_throttled_and_then_no_more(aws: AwsStandIn, client: Any) -> None:
    aws.throttle(2, service="iam", action="GetAccountAuthorizationDetails")
    iam = client("iam")

    codes = [refusal(iam.get_account_authorization_details)[0] for _ in range(2)]

    assert codes == ["Throttling", "Throttling"]
    assert iam.get_account_authorization_details()["RoleDetailList"] == []


def test_one_stand_in_runs_at_a_time(aws: AwsStandIn) -> None:
    with pytest.raises(RuntimeError, match="another AwsStandIn runs"):
        AwsStandIn().start()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken"):
            AwsStandIn(port=port).start()
    with AwsStandIn(port=port) as aws:
        assert aws.url == f"http://127.0.0.1:{port}"


def test_everything_is_forgotten_at_the_end() -> None:
    with AwsStandIn() as aws:
        aws.create_role(ACCOUNT, "worker", {"Statement": []})
    with AwsStandIn() as again:
        assert connect(again, "iam").get_account_authorization_details()["RoleDetailList"] == []


def _until_refused(lambdas: Any, most: int) -> tuple[int, Any]:
    """How many calls were answered before the first that was not, and that one's answer."""
    for taken in range(most):
        try:
            lambdas.list_functions()
        except ClientError as error:
            return taken, error.response
    raise AssertionError(f"{most} calls were answered")


def test_one_call_in_three_is_throttled_until_that_is_forgiven(aws: AwsStandIn, client: Any) -> None:
    aws.throttle_every(3, service="iam")
    iam = client("iam")

    for _ in range(2):
        iam.get_account_summary()
        iam.get_account_summary()
        assert refusal(iam.get_account_summary)[0] == "Throttling"
    assert client("lambda").list_functions()["Functions"] == []
    aws.forgive()
    assert iam.get_account_summary()["SummaryMap"]

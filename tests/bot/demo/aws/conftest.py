"""A started stand-in under a clock that only the test moves, and what a test needs to talk to it."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.demo.aws import AwsStandIn

ACCOUNT = "123456789012"  # of keys that nobody issued
REGION = "eu-central-1"
LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
XRAY_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
_SESSION = boto3.Session()


@dataclass
class HandClock:
    """A clock that stands still until it is moved."""

    now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


Client = Callable[..., Any]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def aws(clock: HandClock) -> Iterator[AwsStandIn]:
    """Without a limit of calls a second, because tests call faster than people."""
    with AwsStandIn(clock=clock, calls_per_second=None) as running:
        yield running


@pytest.fixture
def client(aws: AwsStandIn) -> Client:
    return lambda service, **settings: connect(aws, service, **settings)


def connect(
    aws: AwsStandIn,
    service: str,
    *,
    region: str = REGION,
    key: str = "nobodys",
    secret: str = "",
    token: str = "",
) -> Any:
    """A boto3 client that never tries twice."""
    return _SESSION.client(
        service,
        region_name=region,
        endpoint_url=aws.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret or "of nobody",
        aws_session_token=token or None,
        config=Config(retries={"total_max_attempts": 1}),
    )


def refusal(call: Callable[..., object], **arguments: Any) -> tuple[str, int, str]:
    """(code, HTTP status, message) of the error that this call answers."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def code() -> bytes:
    """A deployment package."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as package:
        package.writestr("app.py", "def handler(event, context): ...")
    return held.getvalue()


def may(*actions: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A policy document of one statement on every resource."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": list(actions), "Resource": "*", **more}],
    }


@pytest.fixture
def lambdas(client: Client) -> Any:
    return client("lambda")


@pytest.fixture
def make_role(aws: AwsStandIn) -> Callable[..., str]:
    """An execution role by its ARN; `policy` is an inline one."""

    def make(name: str = "worker", policy: dict[str, Any] | None = None, **more: Any) -> str:
        return aws.create_role(ACCOUNT, name, LAMBDA_TRUST, inline={"inline": policy} if policy else {}, **more)

    return make


@pytest.fixture
def make_function(aws: AwsStandIn, lambdas: Any, make_role: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """A function made over HTTP that is ready to be changed."""
    default: list[str] = []

    def make(name: str = "refund", role: str | None = None, **more: Any) -> dict[str, Any]:
        if role is None and not default:
            default.append(make_role())
        arguments = {"Runtime": "python3.12", "Handler": "app.handler", "Code": {"ZipFile": code()}, **more}
        lambdas.create_function(FunctionName=name, Role=role or default[0], **arguments)
        aws.settle()
        described: dict[str, Any] = lambdas.get_function_configuration(FunctionName=name)
        return described

    return make

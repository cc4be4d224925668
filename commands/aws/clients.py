"""The clients that a fix works with. Makes none and asks nobody."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient


class Clients(NamedTuple):
    """boto3 clients of one account and region, under one role."""

    lambda_: "LambdaClient"
    iam: "IAMClient"

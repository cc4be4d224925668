"""What unqualified calls run on Lambda Managed Instances: $LATEST.PUBLISHED, whose tracing mode is one of its own.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands.aws import shapes
from commands.aws.errors import AwsProblem
from commands.aws.shapes import Listed
from storage.models import Form, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from commands.aws.keys import Identity
    from commands.aws.wire import Wire

PUBLISHED = "$LATEST.PUBLISHED"


async def modes(wire: "Wire", who: "Identity", region: str, listed: Sequence[Listed]) -> dict[str, TracingMode | None]:
    """By function name, for those on Managed Instances only; None where it could not be read, or nothing is published.

    IAM: lambda:GetFunctionConfiguration.
    """
    names = [each.name for each in listed if Form.MANAGED_INSTANCES in each.forms]
    if not names:
        return {}
    told = await asyncio.gather(*(_mode(wire, who, region, name) for name in names))
    return dict(zip(names, told, strict=True))


async def _mode(wire: "Wire", who: "Identity", region: str, name: str) -> TracingMode | None:
    from commands.aws import reads

    try:
        return await reads.version_mode(wire, who, region, name, PUBLISHED)
    except AwsProblem:
        return None


def read_mode(client: "LambdaClient", listed: Listed) -> TracingMode | None:
    """The same of one function, through boto3. IAM: lambda:GetFunctionConfiguration."""
    if Form.MANAGED_INSTANCES not in listed.forms:
        return None
    return shapes.frozen_mode(client.get_function_configuration(FunctionName=listed.name, Qualifier=PUBLISHED))

"""What one function is at this moment, and what the aliases that people call serve. Reads only, through boto3."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.aws import shapes
from commands.aws.shapes import LATEST
from storage.models import Alias, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Reading:
    """What GetFunctionConfiguration says, as far as a fix needs it."""

    mode: TracingMode
    role: str
    revision: str
    status: str | None  # LastUpdateStatus
    status_reason: str
    runtime: str
    managed_instances: bool

    @property
    def deployment_note(self) -> str:
        """Why the change is not reached without a deployment; "" where $LATEST is what is invoked.

        https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html
        """
        if not self.managed_instances:
            return ""
        return "it runs on Lambda Managed Instances, which serve the version published last: it needs a deployment"


def read_configuration(client: "LambdaClient", name: str) -> Reading:
    """A function by its name or ARN. IAM: lambda:GetFunctionConfiguration."""
    told = client.get_function_configuration(FunctionName=name)
    listed = shapes.listed_in(told)
    return Reading(
        mode=shapes.frozen_mode(told),
        role=listed.role or "",
        revision=listed.revision_id or "",
        status=told.get("LastUpdateStatus"),
        status_reason=told.get("LastUpdateStatusReason", ""),
        runtime=listed.runtime or "",
        managed_instances="CapacityProviderConfig" in told,
    )


def read_aliases(client: "LambdaClient", name: str, latest: TracingMode | None) -> tuple[Alias, ...]:
    """A function's aliases, with the mode of every version that they serve; `latest` is that of $LATEST.

    IAM: lambda:ListAliases, lambda:GetFunctionConfiguration.
    """
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    found = [shapes.alias(item) for page in pages for item in page["Aliases"]]
    modes: dict[str, TracingMode | None] = {LATEST: latest}
    for version in sorted({version for alias in found for version in alias.weights} - {LATEST}):
        modes[version] = shapes.frozen_mode(client.get_function_configuration(FunctionName=name, Qualifier=version))
    return tuple(shapes.alias_noun(alias, modes) for alias in found)


def alias_note(aliases: Iterable[Alias]) -> str:
    """Which aliases serve versions that are not traced; "" where none does. Published versions cannot be changed."""
    return "; ".join(
        f"alias `{alias.name}` serves version {served.version}, which is not traced: it needs a deployment"
        for alias in sorted(aliases, key=lambda alias: alias.name)
        for served in alias.versions
        if served.version != LATEST and served.mode is not TracingMode.ACTIVE
    )

"""What one function is at this moment, and what the aliases that people call serve. Reads only, through boto3."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.models import TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Reading:
    """What GetFunctionConfiguration says."""

    mode: TracingMode
    role: str
    revision: str
    status: str | None  # LastUpdateStatus
    status_reason: str
    runtime: str
    managed_instances: bool

    @property
    def note(self) -> str:
        """https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-version-publishing.html"""
        if not self.managed_instances:
            return ""
        return "it runs on Lambda Managed Instances, which serve the version published last: it needs a deployment"


def read_function(client: "LambdaClient", arn: str) -> Reading:
    told = client.get_function_configuration(FunctionName=arn)
    mode = told.get("TracingConfig", {}).get("Mode")
    return Reading(
        mode=TracingMode.ACTIVE if mode == "Active" else TracingMode.PASS_THROUGH,
        role=told.get("Role", ""),
        revision=told.get("RevisionId", ""),
        status=told.get("LastUpdateStatus"),
        status_reason=told.get("LastUpdateStatusReason", ""),
        runtime=told.get("Runtime", ""),
        managed_instances="CapacityProviderConfig" in told,
    )


def alias_note(client: "LambdaClient", arn: str) -> str:
    """Which aliases serve versions that are not traced; "" where none does. Published versions cannot be changed.

    IAM: lambda:ListAliases, lambda:GetFunctionConfiguration.
    """
    served = _served_versions(client, arn)
    numbers = sorted({version for versions in served.values() for version in versions})
    modes = {number: read_function(client, f"{arn}:{number}").mode for number in numbers}
    return "; ".join(
        f"alias `{alias}` serves version {version}, which is not traced: it needs a deployment"
        for alias, versions in sorted(served.items())
        for version in versions
        if modes[version] is not TracingMode.ACTIVE
    )


def _served_versions(client: "LambdaClient", arn: str) -> dict[str, list[str]]:
    """Each alias's published versions, the weighted one included."""
    served = {}
    for page in client.get_paginator("list_aliases").paginate(FunctionName=arn):
        for alias in page["Aliases"]:
            weighted = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights", {})
            versions = [alias["FunctionVersion"], *weighted]
            served[alias["Name"]] = [version for version in versions if version != "$LATEST"]
    return served

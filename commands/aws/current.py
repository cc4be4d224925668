"""What one function is at this moment, and what the aliases that people call serve. Reads only, through boto3."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from commands.aws import shapes
from commands.aws.shapes import LATEST
from storage.models import Alias, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class Reading:
    """What GetFunctionConfiguration says, as far as a fix needs it. Never to be kept: it holds variables' values."""

    mode: TracingMode
    role: str
    revision: str
    status: str | None  # LastUpdateStatus
    status_reason: str
    runtime: str
    managed_instances: bool
    state: str  # Pending, Active, Inactive, Failed, …; "" where Lambda gives none
    state_reason: str
    code_sha256: str
    description: str
    settings: Mapping[str, Any] = field(repr=False, compare=False)  # all that AWS said


@dataclass(frozen=True, slots=True)
class AliasNow:
    """An alias as ListAliases shows it."""

    name: str
    version: str
    weights: Mapping[str, float]  # share of its traffic for each version that it serves
    shifting: bool  # a share of its traffic goes to another version
    revision: str


def read_configuration(client: "LambdaClient", name: str, qualifier: str = "") -> Reading:
    """A function by its name or ARN, or a version of it. IAM: lambda:GetFunctionConfiguration."""
    told = (
        client.get_function_configuration(FunctionName=name, Qualifier=qualifier)
        if qualifier
        else client.get_function_configuration(FunctionName=name)
    )
    listed = shapes.listed_in(told)
    return Reading(
        mode=shapes.frozen_mode(told),
        role=listed.role or "",
        revision=listed.revision_id or "",
        status=told.get("LastUpdateStatus"),
        status_reason=told.get("LastUpdateStatusReason", ""),
        runtime=listed.runtime or "",
        managed_instances="CapacityProviderConfig" in told,
        state=told.get("State", ""),
        state_reason=told.get("StateReason", ""),
        code_sha256=listed.code_sha256 or "",
        description=told.get("Description", ""),
        settings=told,
    )


def list_aliases(client: "LambdaClient", name: str) -> tuple[AliasNow, ...]:
    """A function's aliases by name. IAM: lambda:ListAliases."""
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    return tuple(sorted((_alias(item) for page in pages for item in page["Aliases"]), key=lambda alias: alias.name))


def _alias(item: Mapping[str, Any]) -> AliasNow:
    shifting = bool((item.get("RoutingConfig") or {}).get("AdditionalVersionWeights"))
    weights = shapes.alias(item).weights
    return AliasNow(item["Name"], item["FunctionVersion"], weights, shifting, item.get("RevisionId", ""))


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

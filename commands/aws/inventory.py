"""AWS's functions as nouns: all of them, or one. Reads only; what they are worth is said in `checks`.

How everything is read side by side is in `sweep`, which is loaded when it is asked for: it brings an HTTP client along.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from commands.aws import errors, roles, shapes
from commands.aws.asking import RefusedError
from storage.models import Alias, Function, Inventory, MayWrite, ServedVersion, TracingMode

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from commands.aws.accounts import Cloud

T = TypeVar("T")

OnProgress = Callable[[int, int, str], None]
LATEST = "$LATEST"


def take_inventory(
    cloud: "Cloud",
    *,
    accounts: Sequence[str] | None = None,
    regions: Sequence[str] | None = None,
    tag_keys: Sequence[str],
    on_progress: OnProgress | None = None,
) -> Inventory:
    """Every function in every configured account and region; `accounts` and `regions` narrow that down.

    What could not be seen is a row with its reason. Raises AwsProblem only where nothing can be asked at all: without
    credentials, or where AWS will not say whose they are. `on_progress` is told how many regions of how many are done.
    """
    from commands.aws import sweep

    return sweep.run(cloud, accounts=accounts, regions=regions, tag_keys=tag_keys, on_progress=on_progress)


def read_function(cloud: "Cloud", account: str, region: str, name: str, tag_keys: Sequence[str]) -> Function:
    """One function as it stands now. Raises AwsProblem: Gone where it no longer exists, Denied where AWS will not say.

    IAM: lambda:GetFunctionConfiguration; what lambda:ListTags, ListEventSourceMappings, ListAliases,
    cloudwatch:ListMetrics and the role's reads (`roles.read_role`) would have said is left open where they are denied.
    """
    where: errors.Where = {"account": account, "region": region, "service": "lambda"}
    with cloud.acting_as(account):
        client: LambdaClient = cloud.client("lambda", region)
        with errors.our_errors(**where):
            listed = shapes.listed(client.get_function_configuration(FunctionName=name))
        tags = _unless_denied(lambda: client.list_tags(Resource=listed.arn)["Tags"], where)
        in_use = _unless_denied(lambda: _invoked_by_alias(cloud.client("cloudwatch", region), name), where)
        # As in an audit: aliases count where they were used, or where CloudWatch will not say whether they were.
        aliases = () if in_use is False else _unless_denied(lambda: _aliases(client, name, listed.mode), where)
        sources = _unless_denied(lambda: _sources(client, name, aliases or ()), where)
        role = _read_role(cloud, account, region, listed.role) if listed.role else None
    return noun(
        listed,
        account,
        region,
        team=shapes.team_of(tags or {}, tag_keys),
        role_may_write=roles.may_write(role, account=account) if role else None,
        aliases=aliases,
        sources=sources,
        edge=role is not None and roles.trusts_edge(role),
    )


def noun(
    listed: shapes.Listed,
    account: str,
    region: str,
    *,
    team: str | None,
    role_may_write: MayWrite | None,
    aliases: tuple[Alias, ...] | None,
    sources: tuple[str, ...] | None,
    edge: bool,
) -> Function:
    """What Lambda listed, with what had to be asked elsewhere."""
    return Function(
        arn=listed.arn,
        account=account,
        region=region,
        name=listed.name,
        mode=listed.mode,
        role=listed.role,
        role_may_write=role_may_write,
        runtime=listed.runtime,
        last_modified=listed.last_modified,
        revision_id=listed.revision_id,
        code_sha256=listed.code_sha256,
        team=team,
        aliases=aliases,
        sources=sources,
        edge=edge or listed.replica,
        layers=listed.layers,
        environment_keys=listed.environment_keys,
    )


def alias_noun(alias: shapes.AliasWeights, modes: Mapping[str, TracingMode | None]) -> Alias:
    """An alias with the mode of each version that it serves."""
    served = (ServedVersion(version, modes.get(version), weight) for version, weight in alias.weights.items())
    return Alias(alias.name, tuple(served))


def _invoked_by_alias(cloudwatch: Any, name: str) -> bool:
    dimensions = [{"Name": "FunctionName", "Value": name}, {"Name": "Resource"}]
    asked = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions}
    pages = cloudwatch.get_paginator("list_metrics").paginate(**asked)
    return bool(shapes.invoked_qualifiers(metric for page in pages for metric in page["Metrics"]))


def _sources(client: "LambdaClient", name: str, aliases: Sequence[Alias]) -> tuple[str, ...]:
    """What feeds the function, be it by its name or through an alias."""
    paginator = client.get_paginator("list_event_source_mappings")
    asked = [name, *(f"{name}:{alias.name}" for alias in aliases)]
    pages = [page for each in asked for page in paginator.paginate(FunctionName=each)]
    items: list[Any] = [item for page in pages for item in page["EventSourceMappings"]]
    return tuple(sorted({source.kind for source in shapes.event_sources(items)}))


def _aliases(client: "LambdaClient", name: str, latest: TracingMode | None) -> tuple[Alias, ...]:
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    found = [shapes.alias(item) for page in pages for item in page["Aliases"]]
    modes: dict[str, TracingMode | None] = {LATEST: latest}
    for version in {version for alias in found for version in alias.weights} - {LATEST}:
        modes[version] = shapes.frozen_mode(client.get_function_configuration(FunctionName=name, Qualifier=version))
    return tuple(alias_noun(alias, modes) for alias in found)


def _unless_denied(read: Callable[[], T], where: errors.Where) -> T | None:
    try:
        with errors.our_errors(**where):
            return read()
    except errors.Denied:
        return None


def _read_role(cloud: "Cloud", account: str, region: str, arn: str) -> roles.Role | None:
    """None where AWS does not show the role, or where it was deleted."""
    try:
        return roles.read_role(cloud.client("iam", region), arn)
    except RefusedError as refusal:
        said = errors.problem(refusal.code, refusal.message, status=refusal.status, account=account, service="iam")
        if isinstance(said, errors.Denied | errors.Gone):
            return None
        raise said from refusal

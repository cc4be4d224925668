"""One function of AWS's as a noun, as it stands now. Reads only."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from commands.aws import checks, current, errors, one_role, published, roles, shapes, simulation
from commands.aws.asking import ask
from commands.aws.tags import TagFacts, kept
from storage.models import Alias, Function, TeamFrom

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

    from commands.aws.accounts import AwsSettings, Cloud

T = TypeVar("T")


def read_function(cloud: "Cloud", account: str, region: str, name: str, tag_keys: Sequence[str]) -> Function:
    """One function as it stands now. Raises AwsProblem: Gone where it no longer exists, Denied where AWS will not say.

    IAM: lambda:GetFunctionConfiguration; what lambda:ListTags, ListEventSourceMappings, ListAliases,
    cloudwatch:ListMetrics and the role's reads (`one_role.read_role`, `simulation.settle`) would have said is left open
    where they are refused.
    """
    settings, where = cloud.settings, errors.Where(account=account, region=region, service="lambda")
    with cloud.acting_as(account):
        client: LambdaClient = cloud.client("lambda", region)
        told = ask(lambda: client.get_function_configuration(FunctionName=name), **where)
        if told.get("State") == shapes.DELETING:
            raise errors.Gone(shapes.DELETING, f"{name} is being deleted", own_words=True, **where)
        listed = shapes.listed_in(told)
        tags = _unless_refused(lambda: client.list_tags(Resource=listed.arn)["Tags"], where)
        in_use = _unless_refused(lambda: _invoked_by_alias(cloud.client("cloudwatch", region), name), where)
        # As in an audit: aliases count where they were used, or where CloudWatch will not say whether they were.
        aliases = (
            () if in_use is False else _unless_refused(lambda: current.read_aliases(client, name, listed.mode), where)
        )
        published_mode = _unless_refused(lambda: published.read_mode(client, listed), where)
        sources = _unless_refused(lambda: _sources(client, name, aliases or ()), where)
        role = _read_role(cloud, region, listed.role) if listed.role else None
        judged = _judged(cloud, region, role, account) if role else roles.Judgement()
    seen = shapes.noun(
        listed,
        account,
        region,
        tags=_owner_left_open(kept(tags or {}, tag_keys, settings.production_tags, settings.owner_tags), settings),
        tags_known=tags is not None,
        judged=judged,
        aliases=aliases,
        sources=sources,
        edge_role=role is not None and roles.trusts_edge(role),
        published_mode=published_mode,
    )
    return checks.judge(seen)


def _owner_left_open(facts: TagFacts, settings: "AwsSettings") -> TagFacts:
    """Whether its stack or its account names a team, only an audit asks."""
    if facts.team or not (facts.stack_id or settings.organization):
        return facts
    return facts._replace(team_from=TeamFrom.UNKNOWN)


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


def _unless_refused(read: Callable[[], T], where: errors.Where) -> T | None:
    """None where AWS will not say. Raises Throttled and Unreachable: the same question may be answered in a moment."""
    try:
        return ask(read, **where)
    except (errors.Throttled, errors.Unreachable):
        raise
    except errors.AwsProblem:
        return None


def _read_role(cloud: "Cloud", region: str, arn: str) -> roles.Role | None:
    """None where AWS does not show the role, or where it was deleted."""
    try:
        return one_role.read_role(cloud.client("iam", region), arn)
    except (errors.Throttled, errors.Unreachable):
        raise
    except errors.AwsProblem:
        return None


def _judged(cloud: "Cloud", region: str, role: roles.Role, account: str) -> roles.Judgement:
    judgement = roles.judge(role, account=account)
    return simulation.settle(cloud.client("iam", region), role, judgement, account=account, now=datetime.now(UTC))

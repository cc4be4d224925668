"""Lambda's own descriptions made into nouns. Pure, and alike for what comes over the wire and what boto3 returns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from sys import intern
from typing import Any, NamedTuple

from storage.models import Alias, Function, MayWrite, ServedVersion, TracingMode, team_name

LATEST = "$LATEST"  # what is deployed last, and not yet published as a version

_MODES = {mode.value: mode for mode in TracingMode}
_OFF = frozenset({"Disabled", "Disabling", "Deleting"})
_KINDS = {"kafka": "msk", "rds": "documentdb"}


class Listed(NamedTuple):
    """A function as Lambda describes it. Environment variables' values are gone before this is made."""

    arn: str  # unqualified
    name: str
    mode: TracingMode | None
    role: str | None
    runtime: str | None
    last_modified: datetime | None
    revision_id: str | None
    code_sha256: str | None
    layers: tuple[str, ...]
    environment_keys: tuple[str, ...]
    replica: bool  # of a Lambda@Edge function


class EventSource(NamedTuple):
    """A mapping that feeds a function now."""

    function_arn: str  # unqualified
    kind: str  # "msk", "kafka", "mq", "documentdb", or the service's name in its ARN: "sqs", "kinesis", "dynamodb"


class AliasWeights(NamedTuple):
    """An alias, and which share of its traffic each version is given."""

    name: str
    weights: dict[str, float]


def listed(item: Mapping[str, Any]) -> Listed:
    """What ListFunctions and GetFunctionConfiguration say of a function. A mode that is missing or new is None."""
    environment = item.get("Environment") or {}
    changed = item.get("LastModified")
    return Listed(
        arn=unqualified(item["FunctionArn"]),
        name=item["FunctionName"],
        mode=_MODES.get((item.get("TracingConfig") or {}).get("Mode", "")),
        role=_shared(item.get("Role")),
        runtime=_shared(item.get("Runtime")),
        last_modified=utc(changed) if changed else None,
        revision_id=item.get("RevisionId"),
        code_sha256=item.get("CodeSha256"),
        layers=tuple(intern(layer["Arn"]) for layer in item.get("Layers") or ()),
        environment_keys=tuple(map(intern, environment.get("Variables") or ())),
        replica=bool(item.get("MasterArn")),
    )


def noun(
    listed: Listed,
    account: str,
    region: str,
    *,
    team: str | None,
    team_known: bool,
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
        team_known=team_known,
        aliases=aliases,
        sources=sources,
        edge=edge or listed.replica,
        layers=listed.layers,
        environment_keys=listed.environment_keys,
    )


def frozen_mode(item: Mapping[str, Any]) -> TracingMode:
    """A published version's mode. One that is missing means PassThrough, as it does for a function."""
    return listed(item).mode or TracingMode.PASS_THROUGH


def _shared(text: str | None) -> str | None:
    """The same text as one object: thousands of functions name the same few roles and runtimes."""
    return intern(text) if text else None


def utc(text: str) -> datetime:
    """Lambda writes `2026-11-01T10:11:12.000+0000`."""
    return datetime.fromisoformat(text).astimezone(UTC)


def unqualified(arn: str) -> str:
    """`arn:aws:lambda:region:account:function:name`, whatever alias or version stood behind it."""
    return arn if arn.count(":") == 6 else ":".join(arn.split(":")[:7])


def event_sources(items: Iterable[Mapping[str, Any]]) -> list[EventSource]:
    """The mappings that are switched on."""
    live = [item for item in items if item.get("FunctionArn") and item.get("State") not in _OFF]
    return [EventSource(unqualified(item["FunctionArn"]), _kind(item)) for item in live]


def _kind(item: Mapping[str, Any]) -> str:
    if item.get("SelfManagedEventSource") or item.get("SelfManagedKafkaEventSourceConfig"):
        return "kafka"
    if item.get("DocumentDBEventSourceConfig"):
        return "documentdb"
    parts = (item.get("EventSourceArn") or "").split(":")
    service = parts[2] if len(parts) > 2 else "unknown"
    return _KINDS.get(service, service)


def alias(item: Mapping[str, Any]) -> AliasWeights:
    """An alias's main version takes what its additional versions leave."""
    extra = (item.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    weights = {str(version): float(weight) for version, weight in extra.items()}
    main = round(1.0 - sum(weights.values()), 6)
    return AliasWeights(item["Name"], {str(item["FunctionVersion"]): main} | weights)


def alias_noun(alias: AliasWeights, modes: Mapping[str, TracingMode | None]) -> Alias:
    """An alias with the mode of each version that it serves."""
    served = (ServedVersion(version, modes.get(version), weight) for version, weight in alias.weights.items())
    return Alias(alias.name, tuple(served))


def invoked_qualifiers(metrics: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """Function name -> the aliases and versions that series of AWS/Lambda metrics name.

    The dimension `Resource` is `name` for $LATEST, and `name:alias` or `name:version` else.
    """
    found: dict[str, set[str]] = {}
    for dimension in (each for metric in metrics for each in metric.get("Dimensions") or ()):
        name, _, qualifier = dimension["Value"].partition(":")
        if dimension["Name"] == "Resource" and qualifier and qualifier != LATEST:
            found.setdefault(name, set()).add(qualifier)
    return found


def team_of(tags: Mapping[str, str], keys: Sequence[str]) -> str | None:
    """The team that the tags name: the first of `keys` that is there and not empty, whatever its case.

    An e-mail address names a person, not a team, and is never kept.
    """
    folded: dict[str, str] | None = None
    for key in keys:
        value = tags.get(key)
        if value is None:
            folded = folded if folded is not None else {name.lower(): text for name, text in tags.items()}
            value = folded.get(key.lower(), "")
        name = team_name(value)
        if name and "@" not in name:
            return name
    return None

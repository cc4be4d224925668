"""Lambda's own descriptions made into nouns. Pure, and alike for what comes over the wire and what boto3 returns."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from commands.aws.mentions import mentioned
from storage.models import Alias, Form, Function, ServedVersion, TracingMode

if TYPE_CHECKING:
    from commands.aws.roles import Judgement
    from commands.aws.tags import TagFacts

LATEST = "$LATEST"  # what is deployed last, and not yet published as a version
DELETING = "Deleting"  # a function's state

_MODES = {mode.value: mode for mode in TracingMode}
_OFF = frozenset({"Disabled", "Disabling", "Deleting"})
_KINDS = {"kafka": "msk", "rds": "documentdb"}
_EDGE_REGION = "us-east-1"  # a function that is not there, or no replica of one that is, cannot run at Lambda@Edge


class Listed(NamedTuple):
    """A function as Lambda describes it. Environment variables' values are gone before this is made, but for those that
    name a function, or may do so."""

    arn: str  # unqualified
    name: str
    mode: TracingMode | None
    role: str | None
    runtime: str | None
    last_modified: datetime | None
    revision_id: str | None
    code_sha256: str | None
    layers: tuple[str, ...]
    environment_keys: tuple[str, ...] | None  # None: Lambda may not decrypt them for us
    mentions: tuple[str, ...]  # functions that its environment variables name: ARNs, and what may be a name
    package_type: str | None
    handler: str | None
    forms: tuple[Form, ...]
    replica: bool  # of a Lambda@Edge function


class Described(msgspec.Struct, rename="pascal", gc=False):
    """What is read of a function as Lambda describes it; the rest of the description is passed over unread.

    https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
    """

    function_arn: str
    function_name: str
    tracing_config: "_Tracing | None" = None
    role: str | None = None
    runtime: str | None = None
    last_modified: str | None = None
    revision_id: str | None = None
    code_sha256: str | None = None
    layers: "list[_Layer] | None" = None
    environment: "_Environment | None" = None
    package_type: str | None = None
    handler: str | None = None
    capacity_provider_config: Any = None
    durable_config: Any = None
    tenancy_config: Any = None
    master_arn: str | None = None
    state: str | None = None


class _Tracing(msgspec.Struct, rename="pascal", gc=False):
    mode: str | None = None


class _Layer(msgspec.Struct, rename="pascal", gc=False):
    arn: str


class _Environment(msgspec.Struct, rename="pascal", gc=False):
    variables: dict[str, str] | None = None
    error: Any = None


class Page(msgspec.Struct, rename="pascal", gc=False):
    """An answer of ListFunctions."""

    functions: list[Described]


class Following(msgspec.Struct, rename="pascal", gc=False):
    """What of the same answer names the next one."""

    next_marker: str | None = None


# Both look through the whole text and raise ValueError where it is cut or no JSON.
read_page = msgspec.json.Decoder(Page).decode
_read_following = msgspec.json.Decoder(Following).decode

# Where the next page is named behind the functions, the end of the text tells. Nothing of a function can be taken for
# it: what else may have such a name is an environment variable, and none of these stands behind the end of a list.
_NAMED_LAST = re.compile(rb'\]\s*,\s*"NextMarker"\s*:\s*"([^"\\]+)"\s*\}\s*\Z')
_LONGEST_END = 8192  # bytes


def following(body: bytes) -> str:
    """What an answer of ListFunctions names the next page; "" where it is the last. Raises ValueError, at the latest
    where the page itself is read."""
    last = _NAMED_LAST.search(body, max(0, len(body) - _LONGEST_END))
    return last[1].decode() if last else _read_following(body).next_marker or ""


class EventSource(NamedTuple):
    """A mapping that feeds a function now."""

    function_arn: str  # unqualified
    kind: str  # "msk", "kafka", "mq", "documentdb", or the service's name in its ARN: "sqs", "kinesis", "dynamodb"


class AliasWeights(NamedTuple):
    """An alias, and which share of its traffic each version is given."""

    name: str
    weights: dict[str, float]


def listed_in(told: Mapping[str, Any]) -> Listed:
    """What GetFunctionConfiguration says of a function, as boto3 returns it. Raises ValueError."""
    return listed(msgspec.convert(told, Described))


def listed(item: Described) -> Listed:
    """What is kept of a description. A mode that is missing or new is None. Raises ValueError."""
    environment, tracing = item.environment, item.tracing_config
    variables = (environment and environment.variables) or {}
    role, runtime, packed, handler = item.role, item.runtime, item.package_type, item.handler
    layers, described = item.layers, item.capacity_provider_config or item.durable_config or item.tenancy_config
    # By place, as in `noun`. Thousands of functions name the same few roles, runtimes and handlers: each is one object.
    return Listed(
        unqualified(item.function_arn),
        item.function_name,
        _MODES.get(tracing.mode or "") if tracing else None,
        intern(role) if role else None,
        intern(runtime) if runtime else None,
        utc(item.last_modified) if item.last_modified else None,
        item.revision_id,
        item.code_sha256,
        _same(tuple([intern(layer.arn) for layer in layers])) if layers else (),
        None if environment and environment.error else _same(tuple(map(intern, variables))),
        mentioned(variables) if variables else (),
        intern(packed) if packed else None,
        intern(handler) if handler else None,
        _forms(item) if described else (),  # as most have none
        bool(item.master_arn),
    )


def _forms(item: Described) -> tuple[Form, ...]:
    told = (
        (item.capacity_provider_config, Form.MANAGED_INSTANCES),
        (item.durable_config, Form.DURABLE),
        (item.tenancy_config, Form.TENANCY),
    )
    return tuple(form for config, form in told if config)


def listing(items: Iterable[Described]) -> list[Listed]:
    """A page of ListFunctions. What is being deleted is as good as gone, where Lambda says so."""
    return [listed(item) for item in items if item.state != DELETING]


def noun(
    listed: Listed,
    account: str,
    region: str,
    *,
    tags: "TagFacts",
    tags_known: bool,
    judged: "Judgement",
    aliases: tuple[Alias, ...] | None,
    sources: tuple[str, ...] | None,
    edge_role: bool,
    published_mode: TracingMode | None,
) -> Function:
    """What Lambda listed, with what had to be asked elsewhere. `edge_role`: Lambda@Edge may assume its role."""
    edge = listed.replica or (edge_role and region == _EDGE_REGION)
    # By place, in the order of Function's fields: by name takes twice as long, and an audit makes many thousands.
    return Function(
        listed.arn,
        account,
        region,
        listed.name,
        listed.mode,
        listed.role,
        judged.may_write,
        judged.doubt,
        listed.runtime,
        listed.last_modified,
        listed.revision_id,
        listed.code_sha256,
        tags.team,
        tags_known,
        () if edge else aliases,  # CloudFront runs a numbered version
        sources,
        edge,
        listed.layers,
        listed.environment_keys,
        listed.package_type,
        listed.handler,
        listed.forms,
        published_mode,
        (),  # untraced callers, which are known when all functions are
        tags.managed_by,
        tags.stack,
        tags.stack_id,
        tags.logical_id,
        tags.production if tags_known else None,
        tags.team_from,
        tags.channel,
        tags.marks,
    )


def frozen_mode(item: Mapping[str, Any]) -> TracingMode:
    """A published version's mode. One that is missing means PassThrough, as it does for a function."""
    return listed_in(item).mode or TracingMode.PASS_THROUGH


@lru_cache(maxsize=10_000)
def _same(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Equal tuples as one object: the functions of a team have the same layers and names of settings."""
    return texts


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
    """An alias's main version takes what its additional versions leave; who is left nothing serves nobody."""
    extra = (item.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    weights = {str(version): float(weight) for version, weight in extra.items()}
    main = round(1.0 - sum(weights.values()), 6)
    shares = {str(item["FunctionVersion"]): main} | weights
    return AliasWeights(item["Name"], {version: weight for version, weight in shares.items() if weight > 0})


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

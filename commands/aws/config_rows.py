"""What AWS Config is asked, and what its rows say, put as Lambda would put it. Nothing here asks AWS anything.

Config shows $LATEST only, and neither environment variables nor aliases. Which properties can be asked for:
https://github.com/awslabs/aws-config-resource-schema/tree/main/config/properties/resource-types
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from commands.aws import shapes
from commands.aws.reads import Tagged

Place = tuple[str, str]  # account and region

FUNCTIONS, RECORDERS = "AWS::Lambda::Function", "AWS::Config::ConfigurationRecorder"
_LONGEST = 4096  # characters of a query
_STRANGE = (ValueError, KeyError, TypeError, AttributeError)
# Lambda's names of what is asked for of a function, by Config's. A whole `configuration` would bring more than is kept.
_PLAIN = {
    "functionName": "FunctionName",
    "role": "Role",
    "runtime": "Runtime",
    "handler": "Handler",
    "packageType": "PackageType",
    "lastModified": "LastModified",
    "revisionId": "RevisionId",
    "codeSha256": "CodeSha256",
}
_FUNCTION_FIELDS = (*_PLAIN, "tracingConfig.mode", "layers.arn")
_REPLICA = "us-east-1."  # how the names of Lambda@Edge's replicas begin; no other name has a dot


def functions_query(accounts: Sequence[str] | None, regions: Sequence[str] | None) -> str:
    """Every function, narrowed down as far as a query's length allows."""
    fields = [f"configuration.{name}" for name in _FUNCTION_FIELDS]
    return _query(["accountId", "awsRegion", "arn", *fields, "tags"], FUNCTIONS, accounts, regions)


def recorders_query(accounts: Sequence[str] | None, regions: Sequence[str] | None) -> str:
    """Every recorder. Config records these by itself and free of charge, so they tell where it records at all.

    https://docs.aws.amazon.com/config/latest/developerguide/drift-detection.html
    """
    return _query(["accountId", "awsRegion", "configuration"], RECORDERS, accounts, regions)


def _query(fields: Iterable[str], kind: str, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> str:
    asked = f"SELECT {', '.join(fields)} WHERE resourceType = '{kind}'"
    for name, values in (("awsRegion", regions), ("accountId", accounts)):
        narrower = f"{asked} AND {name} IN ({', '.join(map(_quoted, values or ()))})"
        if values and len(narrower) <= _LONGEST:
            asked = narrower
    return asked


def _quoted(value: str) -> str:
    """Accounts and regions come from settings that were checked; anything else could become a part of the query."""
    if not re.fullmatch(r"[a-z0-9-]+", value):
        raise ValueError(f"{value!r} is neither an account nor a region")
    return f"'{value}'"


class Recorder(NamedTuple):
    """What records the changes in one account and region."""

    recording: bool
    functions: bool  # whether it records Lambda functions
    daily: bool  # it records them once a day, and not with every change


class Source(NamedTuple):
    """How the last update of an aggregator from one of its sources went."""

    account: str  # "" for the organization
    region: str
    trouble: str  # "" where it went well


@dataclass(slots=True)
class Shown:
    """Everything that an aggregator shows."""

    functions: dict[Place, dict[str, shapes.Listed]] = field(default_factory=dict)  # by place, and there by ARN
    tags: dict[Place, list[Tagged]] = field(default_factory=dict)
    half: dict[Place, list[str]] = field(default_factory=dict)  # ARNs of functions without a configuration
    recorders: dict[Place, Recorder] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    rows: int = 0
    unreadable: int = 0  # rows that name no function, or no place

    @property
    def places(self) -> set[Place]:
        """Wherever there is any trace of an account and region."""
        known = {(source.account, source.region) for source in self.sources if source.account and source.region}
        return known | self.functions.keys() | self.half.keys() | self.recorders.keys()

    def take_functions(self, rows: Iterable[object]) -> None:
        for row in rows:
            self.rows += 1
            try:
                self._take_function(row)
            except _STRANGE:
                self.unreadable += 1

    def _take_function(self, row: object) -> None:
        said = orjson.loads(row)  # type: ignore[arg-type]  # what is no text is refused there, as text that is no JSON is
        place, arn = _place(said), shapes.unqualified(said["arn"])
        configuration = said.get("configuration")
        if not configuration or not configuration.get("role"):  # every function has one
            self.half.setdefault(place, []).append(arn)
            return
        self.functions.setdefault(place, {})[arn] = shapes.listed_in(_as_lambda_says(arn, configuration))
        tags = {str(tag["key"]): str(tag["value"]) for tag in said.get("tags") or ()}
        self.tags.setdefault(place, []).append((arn, tags))

    def take_recorders(self, rows: Iterable[object]) -> None:
        """A recorder that cannot be understood is as good as none: nothing is taken for recorded then."""
        for row in rows:
            try:
                said = orjson.loads(row)  # type: ignore[arg-type]  # as above
                place, found = _place(said), _recorder(_capital(said["configuration"]))
            except _STRANGE:
                continue
            # Beside the account's own there may be recorders of other services, for what concerns these.
            self.recorders[place] = max(found, self.recorders.get(place, found), key=_records)

    def take_sources(self, items: Iterable[Mapping[str, Any]]) -> None:
        self.sources += [_source(item) for item in items]


def _place(said: Mapping[str, Any]) -> Place:
    account, region = said["accountId"], said["awsRegion"]
    if not (account and region):
        raise ValueError("a row of nowhere")
    return str(account), str(region)


def _as_lambda_says(arn: str, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The function as ListFunctions would describe it."""
    said: dict[str, Any] = {theirs: configuration.get(ours) for ours, theirs in _PLAIN.items()}
    name = said["FunctionName"] or arn.rpartition(":")[2]
    return said | {
        "FunctionArn": arn,
        "FunctionName": name,
        "TracingConfig": {"Mode": (configuration.get("tracingConfig") or {}).get("mode") or ""},
        "Layers": [{"Arn": layer["arn"]} for layer in configuration.get("layers") or ()],
        "MasterArn": arn if name.startswith(_REPLICA) else None,  # Config does not show it
        "Environment": {"Error": {"ErrorCode": "NotShown"}},  # as Lambda says where it may not show it
    }


def _capital(said: Any) -> Any:
    """The same, with keys as CloudFormation spells them (RecordingGroup). Its own API has recordingGroup.

    UNCONFIRMED which of them Config's rows have.
    """
    if isinstance(said, Mapping):
        return {key[:1].upper() + key[1:]: _capital(value) for key, value in said.items()}
    return [_capital(each) for each in said] if isinstance(said, list) else said


def _recorder(said: Mapping[str, Any]) -> Recorder:
    group, mode = said["RecordingGroup"], said.get("RecordingMode") or {}
    strategy = (group.get("RecordingStrategy") or {}).get("UseOnly")
    if group.get("AllSupported") or strategy == "ALL_SUPPORTED_RESOURCE_TYPES":
        functions = True
    elif strategy == "EXCLUSION_BY_RESOURCE_TYPES":
        functions = FUNCTIONS not in ((group.get("ExclusionByResourceTypes") or {}).get("ResourceTypes") or ())
    else:
        functions = FUNCTIONS in (group.get("ResourceTypes") or ())
    frequency = mode.get("RecordingFrequency")
    for override in mode.get("RecordingModeOverrides") or ():
        if FUNCTIONS in override["ResourceTypes"]:
            frequency = override["RecordingFrequency"]
    return Recorder(bool(said["Recording"]), functions, daily=frequency == "DAILY")


def _records(recorder: Recorder) -> tuple[bool, bool]:
    return recorder.recording and recorder.functions, recorder.functions


def _source(item: Mapping[str, Any]) -> Source:
    status, code = item.get("LastUpdateStatus") or "", item.get("LastErrorCode") or ""
    trouble = "" if status in ("", "SUCCEEDED") else f"{status}: {code}".removesuffix(": ")
    account = "" if item.get("SourceType") == "ORGANIZATION" else str(item.get("SourceId") or "")
    return Source(account, str(item.get("AwsRegion") or ""), trouble)

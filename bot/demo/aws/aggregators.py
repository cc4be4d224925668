"""AWS Config's aggregators, which moto cannot query: what recorders saw of functions, and the queries over that.

Of Config's SQL it understands SELECT of properties, and WHERE with AND, `=` and IN; everything else is refused. A
recorder that is stopped goes on showing what it saw last, and where there was never any, nothing is shown at all.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.demo.aws.functions import Functions
from bot.demo.aws.knobs import Knobs, page
from bot.demo.aws.protocol import AwsError, Handler, Request

Place = tuple[str, str]  # account and region
Item = dict[str, Any]

_FUNCTION, _RECORDER = "AWS::Lambda::Function", "AWS::Config::ConfigurationRecorder"
_LONGEST, _MOST, _USUAL = 4096, 100, 25
_CONDITION = re.compile(r"(\w+) (?:= ('[^']*')|IN \(('[^']*'(?:, '[^']*')*)\))")
# Config shows these of a function; it knows neither `masterArn` nor `environment`.
_SHOWN = {
    "FunctionArn": "functionArn",
    "FunctionName": "functionName",
    "Role": "role",
    "Runtime": "runtime",
    "Handler": "handler",
    "CodeSha256": "codeSha256",
    "CodeSize": "codeSize",
    "LastModified": "lastModified",
    "MemorySize": "memorySize",
    "PackageType": "packageType",
    "RevisionId": "revisionId",
    "Timeout": "timeout",
    "Version": "version",
}
_OF_ALL = {"accountId", "awsRegion", "arn", "resourceId", "resourceName", "resourceType", "tags", "configuration"}
_OF_FUNCTIONS = {"configuration.tracingConfig.mode", "configuration.layers.arn"}
_PROPERTIES = _OF_ALL | _OF_FUNCTIONS | {f"configuration.{name}" for name in _SHOWN.values()}


class Aggregators:
    """Aggregators by where they are, and recorders by what they record."""

    def __init__(self, functions: Functions, knobs: Knobs) -> None:
        self._functions, self._knobs = functions, knobs
        self._sources: dict[tuple[str, str, str], tuple[str, ...] | None] = {}
        self._recorders: dict[Place, Item] = {}
        self._seen: dict[Place, list[Item]] = {}  # by recorders that are stopped
        self._failures: dict[Place, str] = {}
        self._half: set[str] = set()

    def handlers(self) -> dict[str, Handler]:
        return {
            "SelectAggregateResourceConfig": self._select,
            "DescribeConfigurationAggregatorSourcesStatus": self._statuses,
        }

    # ---- for whoever seeds the stand-in

    def aggregate(self, account: str, region: str, name: str, sources: Sequence[str] | None = None) -> None:
        """An aggregator of all regions of the accounts in `sources`; None: of every account with a recorder."""
        self._sources[account, region, name] = None if sources is None else tuple(sources)

    def record(self, account: str, region: str, types: Sequence[str] | None = None, *, daily: bool = False) -> None:
        """Record these types of resources, or all of them."""
        group = {"AllSupported": types is None, "ResourceTypes": list(types or ())}
        mode: Item = {"RecordingFrequency": "DAILY" if daily else "CONTINUOUS", "RecordingModeOverrides": []}
        self._recorders[account, region] = {
            "Name": "default",
            "Recording": True,
            "RecordingGroup": group,
            "RecordingMode": mode,
        }
        self._seen.pop((account, region), None)

    def stop(self, account: str, region: str) -> None:
        """Go on showing what was seen so far."""
        place = account, region
        self._seen[place] = list(self._functions_in(place))
        self._recorders[place]["Recording"] = False

    def fail(self, account: str, region: str, code: str) -> None:
        """Let the aggregator's update from there fail."""
        self._failures[account, region] = code

    def lose_configuration(self, arn: str) -> None:
        """Show this function without its configuration from now on."""
        self._half.add(arn)

    # ---- what recorders saw

    def _items(self, sources: tuple[str, ...] | None) -> Iterator[Item]:
        for place, recorder in self._recorders.items():
            if sources is None or place[0] in sources:
                arn = f"arn:aws:config:{place[1]}:{place[0]}:configuration-recorder/default/x"
                yield {**_item(place, _RECORDER, arn, "default"), "configuration": recorder}
                yield from self._seen[place] if place in self._seen else self._functions_in(place)

    def _functions_in(self, place: Place) -> Iterator[Item]:
        group = self._recorders[place]["RecordingGroup"]
        if not group["AllSupported"] and _FUNCTION not in group["ResourceTypes"]:
            return
        for version in self._functions.versions(*place):
            if version.version == "$LATEST":
                yield self._function(place, version)

    def _function(self, place: Place, version: Any) -> Item:
        told = self._functions.describe(version, listing=True)
        made = _item(place, _FUNCTION, told["FunctionArn"], told["FunctionName"])
        made["tags"] = [{"key": key, "value": value, "tag": f"{key}={value}"} for key, value in version.tags.items()]
        if told["FunctionArn"] not in self._half:
            shown = {ours: told.get(theirs) for theirs, ours in _SHOWN.items()}
            layers = [{"arn": layer["Arn"], "codeSize": layer["CodeSize"]} for layer in told["Layers"] or ()]
            made["configuration"] = shown | {"layers": layers, "tracingConfig": {"mode": told["TracingConfig"]["Mode"]}}
        return made

    # ---- operations

    def _select(self, request: Request) -> Mapping[str, Any]:
        asked = request.params
        sources, size = self._named(request), int(asked.get("Limit") or asked.get("MaxResults") or _USUAL)
        if not 0 <= size <= _MOST:
            raise AwsError("InvalidLimitException", "The limit is outside the allowable range")
        fields, conditions = _understood(asked["Expression"])
        found = [item for item in self._items(sources) if all(item.get(name) in of for name, of in conditions)]
        refusal = AwsError("InvalidNextTokenException", "The nextToken provided is invalid")
        shown, following = page(found, size, asked.get("NextToken"), _key, refusal)
        results = [json.dumps(_projected(item, fields)) for item in shown]
        info = {"SelectFields": [{"Name": name} for name in fields]}
        return {"Results": results, "QueryInfo": info, **({"NextToken": following} if following else {})}

    def _statuses(self, request: Request) -> Mapping[str, Any]:
        sources = self._named(request)
        accounts = sorted({account for account, _ in self._recorders}) if sources is None else sources
        refusal = AwsError("InvalidNextTokenException", "The nextToken provided is invalid")
        places = [(account, region) for account in accounts for region in self._knobs.regions]
        size = int(request.params.get("Limit") or _MOST)
        shown, following = page(places, size, request.params.get("NextToken"), " ".join, refusal)
        listed = [self._status(place) for place in shown]
        return {"AggregatedSourceStatusList": listed, **({"NextToken": following} if following else {})}

    def _status(self, place: Place) -> dict[str, Any]:
        said: dict[str, Any] = {"SourceId": place[0], "SourceType": "ACCOUNT", "AwsRegion": place[1]}
        said["LastUpdateTime"] = self._knobs.clock()
        if code := self._failures.get(place):
            return said | {"LastUpdateStatus": "FAILED", "LastErrorCode": code, "LastErrorMessage": "It does not work"}
        return said | {"LastUpdateStatus": "SUCCEEDED"}

    def _named(self, request: Request) -> tuple[str, ...] | None:
        key = request.account, request.region, request.params["ConfigurationAggregatorName"]
        if key not in self._sources:
            text = "The configuration aggregator does not exist. Check the configuration aggregator name and try again."
            raise AwsError("NoSuchConfigurationAggregatorException", text)
        return self._sources[key]


def _item(place: Place, kind: str, arn: str, name: str) -> Item:
    account, region = place
    return {
        "accountId": account,
        "awsRegion": region,
        "arn": arn,
        "resourceId": name,
        "resourceName": name,
        "resourceType": kind,
        "tags": [],
    }


def _key(item: Item) -> str:
    return f"{item['accountId']} {item['awsRegion']} {item['arn']}"


def _understood(expression: str) -> tuple[list[str], list[tuple[str, set[str]]]]:
    """The properties that are selected, and which values others must have."""
    if len(expression) > _LONGEST:
        raise AwsError("ValidationException", f"'expression' must have length less than or equal to {_LONGEST}")
    parts = re.fullmatch(r"SELECT (.+?) WHERE (.+)", expression)
    fields = parts[1].split(", ") if parts else []
    found = [_CONDITION.fullmatch(text) for text in parts[2].split(" AND ")] if parts else [None]
    conditions = [(one[1], set(re.findall(r"'([^']*)'", one[2] or one[3]))) for one in found if one]
    known = _PROPERTIES.issuperset([*fields, *(name for name, _ in conditions)])
    if len(conditions) < len(found) or not known:
        raise AwsError("InvalidExpressionException", "The syntax of the query is incorrect")
    return fields, conditions


def _projected(item: Item, fields: Sequence[str]) -> Item:
    made: Item = {}
    for name in fields:
        _copy(item, made, name.split("."))
    return made


def _copy(source: Item, target: Item, path: Sequence[str]) -> None:
    """What is not there is left out. Of each object in an array, only what was asked for is kept."""
    step, *rest = path
    if source.get(step) is None:
        return
    if not rest:
        target[step] = source[step]
    elif isinstance(source[step], list):
        target[step] = [{rest[0]: one[rest[0]]} for one in source[step]]
    else:
        _copy(source[step], target.setdefault(step, {}), rest)

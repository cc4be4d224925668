"""What the pretend AWS says to each call; it knows nothing of sockets.

One account's pages serve all accounts, with the account's number put in, so that an answer costs next to nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import orjson

from tests.bench import world as truth
from tests.bench.iam import ANY, Iam, xml
from tests.bench.world import World

Asked = Mapping[str, Any]
Say = Callable[[str, Asked], bytes]  # region and what is asked -> body, in which ANY stands for the account

_ROUTES = {
    "ListFunctions": re.compile(r"GET /2015-03-31/functions/?"),
    "ListAliases": re.compile(r"GET /2015-03-31/functions/(?P<FunctionName>[^/]+)/aliases"),
    "UpdateFunctionConfiguration": re.compile(r"PUT /2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration"),
    "GetFunctionConfiguration": re.compile(r"GET /2015-03-31/functions/(?P<FunctionName>[^/]+)/configuration"),
    "ListEventSourceMappings": re.compile(r"GET /2015-03-31/event-source-mappings/?"),
}
# A function may lie in a network only if its role may make network interfaces.
_INSIDE = {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"}
_OUTSIDE = {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False}
_QUERY = frozenset({"sts", "iam", "ec2"})  # a form in, XML out; all others speak JSON


class Request(NamedTuple):
    """A signed call. Account, region and service are those of its signature."""

    account: str
    region: str
    service: str
    method: str
    path: str
    target: str  # the header X-Amz-Target
    body: bytes


class Answer(NamedTuple):
    action: str
    status: int
    kind: str  # of content
    body: bytes


class Answers:
    """Everything that this AWS can be asked; all else is refused, as AWS refuses what a role may not do."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._iam = Iam(world)
        self._functions: dict[str, list[bytes]] = {}
        self._tags: dict[str, list[bytes]] = {}
        self._sources: dict[str, list[dict[str, Any]]] = {}
        self._series: dict[str, list[dict[str, Any]]] = {}
        self._metrics: dict[tuple[str, bytes], list[bytes]] = {}
        self._made_active: set[str] = set()  # ARNs; what lists functions does not show it
        numbers = range(world.functions)
        for region in world.region_names:
            described = [self._described(region, number) for number in numbers]
            self._functions[region] = _pages("Functions", "NextMarker", described, truth.PAGE)
            tagged = [_tagged(truth.arn(ANY, region, number), number) for number in numbers if truth.tags(number)]
            self._tags[region] = _pages("ResourceTagMappingList", "PaginationToken", tagged, 100)
            self._sources[region] = [source for number in numbers for source in _sources(region, number)]
            self._series[region] = [series for number in numbers for series in _series(region, number)]
        self._says: dict[tuple[str, str], Say] = {
            ("lambda", "ListFunctions"): self._list_functions,
            ("lambda", "ListAliases"): self._list_aliases,
            ("lambda", "GetFunctionConfiguration"): self._configuration,
            ("lambda", "UpdateFunctionConfiguration"): self._make_active,
            ("lambda", "ListEventSourceMappings"): self._list_sources,
            ("tagging", "GetResources"): self._resources,
            ("monitoring", "ListMetrics"): self._list_metrics,
            ("iam", "GetAccountAuthorizationDetails"): lambda _, asked: self._iam.details(asked),
            ("iam", "GetRole"): lambda _, asked: self._iam.role(asked),
            ("iam", "ListRolePolicies"): lambda _, asked: self._iam.inline_names(asked),
            ("iam", "GetRolePolicy"): lambda _, asked: self._iam.inline_policy(asked),
            ("iam", "ListAttachedRolePolicies"): lambda _, asked: self._iam.attached(asked),
            ("iam", "GetPolicy"): lambda _, asked: self._iam.policy(asked),
            ("iam", "GetPolicyVersion"): lambda _, asked: self._iam.version(asked),
            ("sts", "AssumeRole"): _assumed,
            ("sts", "GetCallerIdentity"): _identity,
            ("ec2", "DescribeRegions"): self._regions,
        }

    def of(self, request: Request) -> Answer:
        action, asked = _asked(request)
        kind = "text/xml" if request.service in _QUERY else "application/json"
        say = self._says.get((request.service, action))
        if say is None:
            return Answer(f"{request.service}:{action}", 403, kind, _refusal(request.service))
        body = say(request.region, asked).replace(ANY.encode(), request.account.encode())
        return Answer(action, 200, kind, body)

    # ---- lambda

    def _described(self, region: str, number: int) -> dict[str, Any]:
        name = truth.name(number)
        return {
            "FunctionName": name,
            "FunctionArn": truth.arn(ANY, region, number),
            "Runtime": "python3.13",
            "Role": f"arn:aws:iam::{ANY}:role/{self._world.role(region, number)}",
            "Handler": "app.handler",
            "CodeSize": 4_000_000,
            "Description": f"{name} does its work",
            "Timeout": 30,
            "MemorySize": 512,
            "LastModified": "2026-11-01T10:11:12.000+0000",
            "CodeSha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "Version": "$LATEST",
            "VpcConfig": _INSIDE if truth.fed_by_kafka(region, number) else _OUTSIDE,
            "Environment": {"Variables": {f"SETTING_{each}": f"value-{number}-{each}" * 2 for each in range(8)}},
            "TracingConfig": {"Mode": truth.mode(number)},
            "RevisionId": f"{number:08}-1111-4222-8333-444455556666",
            "Layers": [{"Arn": f"arn:aws:lambda:{region}:1:layer:powertools:{number % 3}", "CodeSize": 1}],
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "EphemeralStorage": {"Size": 512},
            "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": f"/aws/lambda/{name}"},
        }

    def _list_functions(self, region: str, asked: Asked) -> bytes:
        return self._functions[region][int(asked.get("Marker", 0))]

    def _list_aliases(self, region: str, asked: Asked) -> bytes:
        number = _number(asked["FunctionName"])
        if not truth.has_alias(region, number):
            return orjson.dumps({"Aliases": []})
        shares = {"AdditionalVersionWeights": {"1": 0.1}}
        arn = f"{truth.arn(ANY, region, number)}:live"
        return orjson.dumps(
            {"Aliases": [{"AliasArn": arn, "Name": "live", "FunctionVersion": "2", "RoutingConfig": shares}]}
        )

    def _configuration(self, region: str, asked: Asked) -> bytes:
        number = _number(asked["FunctionName"])
        described = self._described(region, number)
        if asked["FunctionName"] in self._made_active:
            described |= {"TracingConfig": {"Mode": "Active"}, "RevisionId": f"{number:08}-2222-4222-8333-444455556666"}
        version = asked.get("Qualifier", "$LATEST")
        if version != "$LATEST":
            described["Version"] = version
            described["FunctionArn"] += f":{version}"
            described["TracingConfig"] = {"Mode": truth.versions(number)[version]}
        return orjson.dumps(described)

    def _make_active(self, region: str, asked: Asked) -> bytes:
        """What a fix writes, by the function's ARN."""
        self._made_active.add(asked["FunctionName"])
        return self._configuration(region, asked)

    def _list_sources(self, region: str, asked: Asked) -> bytes:
        name = asked.get("FunctionName", "").rpartition(":function:")[2].partition(":")[0]
        found = [each for each in self._sources[region] if not name or each["FunctionArn"].endswith(f":{name}")]
        return _pages("EventSourceMappings", "NextMarker", found, 100)[int(asked.get("Marker", 0))]

    # ---- tagging and cloudwatch

    def _resources(self, region: str, asked: Asked) -> bytes:
        named = asked.get("ResourceARNList")
        if named:
            found = [_tagged(arn, _number(arn)) for arn in named if truth.tags(_number(arn))]
            return orjson.dumps({"PaginationToken": "", "ResourceTagMappingList": found})
        return self._tags[region][int(asked.get("PaginationToken") or 0)]

    def _list_metrics(self, region: str, asked: Asked) -> bytes:
        wanted = asked.get("Dimensions") or []
        key = region, orjson.dumps([asked.get("MetricName"), wanted])
        if key not in self._metrics:
            named = asked.get("MetricName") in (None, "Invocations")
            found = [series for series in self._series[region] if named and _has(series, wanted)]
            self._metrics[key] = _pages("Metrics", "NextToken", found, 500)
        return self._metrics[key][int(asked.get("NextToken") or 0)]

    # ---- ec2

    def _regions(self, _: str, __: Asked) -> bytes:
        names = self._world.region_names
        status = "<optInStatus>opt-in-not-required</optInStatus>"
        items = "".join(f"<item><regionName>{name}</regionName>{status}</item>" for name in names)
        return xml("DescribeRegions", f"<regionInfo>{items}</regionInfo>", "ec2")


def _asked(request: Request) -> tuple[str, Asked]:
    """The action's name and its arguments, in whichever of AWS's protocols they came."""
    if request.service in _QUERY:
        form = dict(parse_qsl(request.body.decode()))
        return form.get("Action", ""), form
    if request.service == "lambda":
        path, _, query = request.path.partition("?")
        for action, route in _ROUTES.items():
            found = route.fullmatch(f"{request.method} {unquote(path)}")
            if found:
                return action, {**found.groupdict(), **dict(parse_qsl(query))}
        return f"{request.method} {path}", {}
    return request.target.rpartition(".")[2], orjson.loads(request.body or b"{}")


def _refusal(service: str) -> bytes:
    text = "the pretend AWS does not serve this"
    if service in _QUERY:
        return (
            f"<ErrorResponse><Error><Code>AccessDenied</Code><Message>{text}</Message></Error></ErrorResponse>".encode()
        )
    return orjson.dumps({"__type": "AccessDeniedException", "message": text})


def _pages(key: str, marker: str, items: list[dict[str, Any]], size: int) -> list[bytes]:
    """Pages of `size` items; a marker is the next page's number."""
    count = max(1, -(-len(items) // size))
    pages = [{key: items[number * size : (number + 1) * size]} for number in range(count)]
    markers = [{marker: str(number)} for number in range(1, count)]
    return [orjson.dumps({**page, **more}) for page, more in zip(pages, [*markers, {}], strict=True)]


def _number(name: str) -> int:
    """Which function a name or an ARN means."""
    return int(name.rpartition("-")[2].partition(":")[0])


def _tagged(arn: str, number: int) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in truth.tags(number).items()]
    return {"ResourceARN": arn, "Tags": tags}


def _sources(region: str, number: int) -> list[dict[str, Any]]:
    if truth.fed_by_kafka(region, number):
        source = f"arn:aws:kafka:{region}:{ANY}:cluster/events/11111111-2222-3333-4444-555555555555-1"
    elif truth.fed_by_queue(number):
        source = f"arn:aws:sqs:{region}:{ANY}:jobs-{number}"
    else:
        return []
    arn = truth.arn(ANY, region, number)
    return [{"UUID": f"{number:08}", "EventSourceArn": source, "FunctionArn": arn, "State": "Enabled"}]


def _series(region: str, number: int) -> list[dict[str, Any]]:
    """Invocations' series in CloudWatch: of the function, of $LATEST, and of its alias and the versions behind it."""
    name = truth.name(number)
    told: list[dict[str, str]] = [{}, {"Resource": name}]
    if truth.has_alias(region, number):
        live = {"Resource": f"{name}:live"}
        told += [live, *({**live, "ExecutedVersion": version} for version in truth.versions(number))]
    return [
        {
            "Namespace": "AWS/Lambda",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": key, "Value": value} for key, value in {"FunctionName": name, **more}.items()],
        }
        for more in told
    ]


def _has(series: Mapping[str, Any], wanted: list[dict[str, str]]) -> bool:
    """Has the series each dimension that is asked for, with its value where one is given?"""
    has = {each["Name"]: each["Value"] for each in series["Dimensions"]}
    return all(each["Name"] in has and each.get("Value", has[each["Name"]]) == has[each["Name"]] for each in wanted)


def _assumed(_: str, asked: Asked) -> bytes:
    account = asked["RoleArn"].split(":")[4]
    keys = f"<AccessKeyId>ASIA{account}0000</AccessKeyId><SecretAccessKey>{'s' * 40}</SecretAccessKey>"
    ends = f"<SessionToken>{'t' * 400}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>"
    user = f"<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>{asked['RoleArn']}</Arn></AssumedRoleUser>"
    return xml("AssumeRole", f"<Credentials>{keys}{ends}</Credentials>{user}", "sts")


def _identity(_: str, __: Asked) -> bytes:
    return xml("GetCallerIdentity", f"<Arn>arn:aws:iam::{ANY}:user/me</Arn><Account>{ANY}</Account>", "sts")

"""What the audit reads over the wire, call by call and page by page. Nothing here judges, and nothing here writes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote
from xml.etree.ElementTree import Element

import orjson

from commands.aws import shapes
from commands.aws.calls import Call
from commands.aws.errors import BadAnswer
from commands.aws.keys import Identity, Keys
from commands.aws.query import query as _query
from commands.aws.query import text as _text
from commands.aws.wire import STRANGE, Wire
from storage.models import TracingMode

T = TypeVar("T")

_FUNCTIONS = "/2015-03-31/functions"


class RoleText(NamedTuple):
    """A role as IAM lists it; documents are URL-encoded JSON, and most are never looked at."""

    inline: tuple[tuple[str, str], ...]  # name and document
    attached: tuple[str, ...]  # managed policies' ARNs
    boundary: str | None  # a managed policy's ARN
    trust: str
    path: str


class RolesPage(NamedTuple):
    """Some of an account's roles by ARN, and some customer managed policies: ARN -> default version's document."""

    roles: dict[str, RoleText]
    policies: dict[str, str]


# ---- sts, ec2, iam: a form in, XML out


async def caller(wire: Wire, who: Identity, region: str) -> str:
    """The ARN of the credentials. IAM: none needed."""
    return await _query(wire, who, "sts", region, "GetCallerIdentity", {}, lambda root: _text(root, "Arn"))


async def assume_role(wire: Wire, who: Identity, region: str, arguments: Mapping[str, str]) -> Keys:
    """Keys for another role. IAM: sts:AssumeRole on it."""

    def read(root: Element) -> Keys:
        ends = datetime.fromisoformat(_text(root, "Expiration"))
        return Keys(_text(root, "AccessKeyId"), _text(root, "SecretAccessKey"), _text(root, "SessionToken"), ends)

    return await _query(wire, who, "sts", region, "AssumeRole", arguments, read)


async def enabled_regions(wire: Wire, who: Identity, region: str) -> tuple[str, ...]:
    """The regions that the account may use. IAM: ec2:DescribeRegions."""

    def read(root: Element) -> tuple[str, ...]:
        items = root.iterfind(".//{*}regionInfo/{*}item")
        found = [_text(item, "regionName") for item in items if item.findtext("{*}optInStatus") != "not-opted-in"]
        if not found:
            raise KeyError("regionInfo")
        return tuple(sorted(found))

    return await _query(wire, who, "ec2", region, "DescribeRegions", {}, read)


async def roles(wire: Wire, who: Identity, region: str) -> AsyncIterator[RolesPage]:
    """Every role and customer managed policy, 1000 a page. IAM: iam:GetAccountAuthorizationDetails."""
    asked = {"Filter.member.1": "Role", "Filter.member.2": "LocalManagedPolicy", "MaxItems": "1000"}
    marker = ""
    while True:
        more = {"Marker": marker} if marker else {}
        page, following = await _query(
            wire, who, "iam", region, "GetAccountAuthorizationDetails", asked | more, _roles_page
        )
        yield page
        if not following:
            return
        marker = _another(marker, following)


async def managed_policy(wire: Wire, who: Identity, region: str, arn: str) -> str:
    """The default version's document, URL-encoded. IAM: iam:GetPolicy, iam:GetPolicyVersion."""
    asked = {"PolicyArn": arn}
    version = await _query(wire, who, "iam", region, "GetPolicy", asked, lambda root: _text(root, "DefaultVersionId"))
    asked["VersionId"] = version
    return await _query(wire, who, "iam", region, "GetPolicyVersion", asked, lambda root: _text(root, "Document"))


def document(text: str) -> dict[str, Any]:
    """A policy document as IAM sends it. Raises ValueError."""
    return _object(unquote(text))


def _roles_page(root: Element) -> tuple[RolesPage, str]:
    space = root.tag[: root.tag.find("}") + 1]
    result = root.find(f"{space}GetAccountAuthorizationDetailsResult")
    if result is None:
        raise KeyError("GetAccountAuthorizationDetailsResult")

    def all_of(element: Element, *path: str) -> list[Element]:
        return element.findall("/".join(space + step for step in path))

    def one_of(element: Element, *path: str) -> str:
        return element.findtext("/".join(space + step for step in path)) or ""

    def role(member: Element) -> RoleText:
        inline = all_of(member, "RolePolicyList", "member")
        attached = all_of(member, "AttachedManagedPolicies", "member")
        return RoleText(
            inline=tuple((one_of(each, "PolicyName"), one_of(each, "PolicyDocument")) for each in inline),
            attached=tuple(one_of(each, "PolicyArn") for each in attached),
            boundary=one_of(member, "PermissionsBoundary", "PermissionsBoundaryArn") or None,
            trust=one_of(member, "AssumeRolePolicyDocument"),
            path=one_of(member, "Path"),
        )

    def policy(member: Element) -> str:
        versions = all_of(member, "PolicyVersionList", "member")
        return next((one_of(each, "Document") for each in versions if one_of(each, "IsDefaultVersion") == "true"), "")

    found = {one_of(member, "Arn"): role(member) for member in all_of(result, "RoleDetailList", "member")}
    policies = {one_of(member, "Arn"): policy(member) for member in all_of(result, "Policies", "member")}
    more = one_of(result, "IsTruncated") == "true"
    return RolesPage(found, policies), one_of(result, "Marker") if more else ""


# ---- lambda: REST and JSON


class FunctionsPage(NamedTuple):
    """Some of a region's functions as the text that came, and the marker of those that follow; "" at the end."""

    body: bytes
    following: str

    @property
    def first_arn(self) -> str:
        """Of its first function; "" where there is none, or none that can be read."""
        try:
            items = shapes.read_page(self.body).functions
        except ValueError:
            return ""
        return items[0].function_arn if items else ""


async def functions(
    wire: Wire, who: Identity, region: str, first: FunctionsPage | None = None
) -> AsyncIterator[list[shapes.Listed]]:
    """Every function, 50 a page; AWS gives no more. `first` is a page that was read already.

    Each page is asked for before the one that names it is made into nouns: a region's pages come one after another, and
    nothing else takes as long as that chain. IAM: lambda:ListFunctions.
    """
    marker, page = "", first or await functions_page(wire, who, region)
    ahead: asyncio.Task[FunctionsPage] | None = None
    try:
        while True:
            following = page.following
            if following and following != marker:
                ahead = asyncio.create_task(functions_page(wire, who, region, following))
                await asyncio.sleep(0)  # it is sent now
            listed = await _listed(wire, who, region, marker, page)
            del page  # as it came it is several times as large as what is made of it
            yield listed
            if ahead is None:
                break
            marker, page, ahead = following, await ahead, None
    finally:
        if ahead:
            ahead.cancel()
    if following:
        _another(marker, following)


async def functions_page(wire: Wire, who: Identity, region: str, marker: str = "") -> FunctionsPage:
    """One page, as it came. IAM: lambda:ListFunctions."""

    def read(body: bytes) -> FunctionsPage:
        return FunctionsPage(body, shapes.following(body))

    return await wire.ask(who, _functions_call(region, marker), read)


async def _listed(wire: Wire, who: Identity, region: str, marker: str, page: FunctionsPage) -> list[shapes.Listed]:
    def read(body: bytes) -> list[shapes.Listed]:
        return shapes.listing(shapes.read_page(body).functions)

    try:
        return read(page.body)
    except STRANGE:  # asked for again, as anything is that cannot be read
        return await wire.ask(who, _functions_call(region, marker), read)


def _functions_call(region: str, marker: str) -> Call:
    return _listing("ListFunctions", region, f"{_FUNCTIONS}/", "50", marker)


async def event_sources(wire: Wire, who: Identity, region: str) -> list[shapes.EventSource]:
    """Every event source mapping that is on, 100 a page. IAM: lambda:ListEventSourceMappings."""
    path = "/2015-03-31/event-source-mappings/"
    action, key = "ListEventSourceMappings", "EventSourceMappings"
    pages = _pages(wire, who, region, action, path, "100", key, shapes.event_sources)
    return [source async for page in pages for source in page]


async def aliases(wire: Wire, who: Identity, region: str, name: str) -> list[shapes.AliasWeights]:
    """A function's aliases. IAM: lambda:ListAliases."""

    def read(items: list[dict[str, Any]]) -> list[shapes.AliasWeights]:
        return [shapes.alias(item) for item in items]

    pages = _pages(wire, who, region, "ListAliases", f"{_FUNCTIONS}/{quote(name)}/aliases", "50", "Aliases", read)
    return [alias async for page in pages for alias in page]


async def version_mode(wire: Wire, who: Identity, region: str, name: str, version: str) -> TracingMode:
    """The tracing mode that a published version was frozen with. IAM: lambda:GetFunctionConfiguration."""
    path = f"{_FUNCTIONS}/{quote(name)}/configuration?Qualifier={quote(version, safe='')}"
    call = Call("lambda", "GetFunctionConfiguration", region, method="GET", path=path)
    return await wire.ask(who, call, lambda body: shapes.frozen_mode(_object(body)))


async def _pages(
    wire: Wire,
    who: Identity,
    region: str,
    action: str,
    path: str,
    size: str,
    key: str,
    read: Callable[[list[dict[str, Any]]], list[T]],
) -> AsyncIterator[list[T]]:
    marker = ""
    while True:
        call = _listing(action, region, path, size, marker)
        items, following = await wire.ask(who, call, lambda body: _page(body, key, "NextMarker", read))
        yield items
        if not following:
            return
        marker = _another(marker, following)


def _listing(action: str, region: str, path: str, size: str, marker: str) -> Call:
    query = f"{path}?MaxItems={size}" + (f"&Marker={quote(marker, safe='')}" if marker else "")
    return Call("lambda", action, region, method="GET", path=query)


# ---- tagging and cloudwatch: JSON in, JSON out

Tagged = tuple[str, dict[str, str]]  # an ARN, of a function in most cases, and its tags


def tags(wire: Wire, who: Identity, region: str, kind: str = "lambda:function") -> AsyncIterator[list[Tagged]]:
    """Tags of every function that has, or once had, any; 100 functions a page. IAM: tag:GetResources.

    `kind` is what the tagging API calls another type of resource.
    """

    def read(items: list[dict[str, Any]]) -> list[Tagged]:
        return [(item["ResourceARN"], {tag["Key"]: tag["Value"] for tag in item.get("Tags") or ()}) for item in items]

    asked = {"ResourceTypeFilters": [kind], "ResourcesPerPage": 100}
    call = targeted("tag", region, "ResourceGroupsTaggingAPI_20170126.GetResources", "1.1")
    return tokens(wire, who, call, asked, "ResourceTagMappingList", "PaginationToken", read)


async def invoked_qualifiers(wire: Wire, who: Identity, region: str) -> dict[str, set[str]]:
    """Function name -> the aliases and versions that were invoked in the last two weeks; 500 series a page.

    IAM: cloudwatch:ListMetrics.
    """

    def read(items: list[dict[str, Any]]) -> list[tuple[str, set[str]]]:
        return list(shapes.invoked_qualifiers(items).items())

    asked = {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [{"Name": "Resource"}]}
    call = targeted("cloudwatch", region, "GraniteServiceVersion20100801.ListMetrics", "1.0")
    found: dict[str, set[str]] = {}
    async for page in tokens(wire, who, call, asked, "Metrics", "NextToken", read):
        for name, qualifiers in page:
            found.setdefault(name, set()).update(qualifiers)
    return found


def targeted(service: str, region: str, target: str, version: str) -> Call:
    """A call whose answer `tokens` reads; its body is added page by page."""
    headers = {"Content-Type": f"application/x-amz-json-{version}", "X-Amz-Target": target}
    return Call(service, target.partition(".")[2], region, headers=headers)


async def tokens(
    wire: Wire,
    who: Identity,
    call: Call,
    asked: Mapping[str, Any],
    key: str,
    token: str,
    read: Callable[[list[Any]], list[T]],
) -> AsyncIterator[list[T]]:
    """The pages of a call that takes and gives its `token` in the body; `key` names what is in them."""
    sent = ""
    while True:
        body = orjson.dumps({**asked, token: sent} if sent else asked)
        items, following = await wire.ask(who, call.with_body(body), lambda said: _page(said, key, token, read))
        yield items
        if not following:
            return
        sent = _another(sent, following)


def _object(body: bytes | str) -> dict[str, Any]:
    made = orjson.loads(body)
    if not isinstance(made, dict):
        raise ValueError("JSON that is not an object")  # noqa: TRY004 - what came is wrong, not what was passed
    return made


def _page(body: bytes, key: str, token: str, read: Callable[[list[Any]], list[T]]) -> tuple[list[T], str]:
    made = _object(body)
    return read(made[key]), made.get(token) or ""


def _another(marker: str, following: str) -> str:
    """The next page's marker; the same one again would never end."""
    if marker == following:
        raise BadAnswer("BadAnswer", "AWS gave the same page twice")
    return following

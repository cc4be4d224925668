"""Which regions an account has enabled: EC2 knows, and where it will not say, the account service does."""

from typing import Any

import orjson

from commands.aws import reads
from commands.aws.calls import Call
from commands.aws.errors import AwsProblem, BadAnswer
from commands.aws.keys import Identity
from commands.aws.wire import Wire

_ENABLED = ("ENABLED", "ENABLED_BY_DEFAULT")


async def enabled(wire: Wire, who: Identity, region: str) -> tuple[str, ...]:
    """Sorted. `region` is where EC2 is asked. Raises AwsProblem with what both have said.

    IAM: ec2:DescribeRegions, or else account:ListRegions.
    """
    try:
        return await reads.enabled_regions(wire, who, region)
    except AwsProblem as first:
        try:
            return await listed(wire, who, region)
        except AwsProblem as second:
            raise type(first)(first.code, f"{first}; {second}", own_words=True) from second


async def listed(wire: Wire, who: Identity, region: str) -> tuple[str, ...]:
    """account:ListRegions of one's own account; AWS allows five such calls a second, and 50 regions are a page."""
    asked: dict[str, Any] = {"RegionOptStatusContains": _ENABLED, "MaxResults": 50}
    found: set[str] = set()
    headers = {"Content-Type": "application/json"}
    while True:
        call = Call("account", "ListRegions", region, path="/listRegions", body=orjson.dumps(asked), headers=headers)
        names, following = await wire.ask(who, call, _page)
        found.update(names)
        if not following:
            break
        if following == asked.get("NextToken"):
            raise BadAnswer("BadAnswer", "AWS gave the same page twice", **call.where(who.account))
        asked["NextToken"] = following
    if not found:  # there is no account without any
        raise BadAnswer("BadAnswer", "AWS named no region at all", **call.where(who.account))
    return tuple(sorted(found))


def _page(body: bytes) -> tuple[list[str], str]:
    said = orjson.loads(body)
    return [region["RegionName"] for region in said["Regions"]], said.get("NextToken") or ""

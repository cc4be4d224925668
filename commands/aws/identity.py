"""Whose credentials sign the audit's calls: one account's audit role, assumed over the wire when it is first needed."""

import asyncio
from typing import TYPE_CHECKING

from commands.aws import reads
from commands.aws.errors import AwsProblem
from commands.aws.keys import Caller, Keys

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.wire import Wire


class Ambient:
    """The credentials that this process was started with."""

    def __init__(self, cloud: "Cloud") -> None:
        self._cloud = cloud
        self.account = cloud.caller.account if cloud.caller else ""

    async def keys(self, *, refused: Keys | None = None) -> Keys:  # noqa: ARG002 - botocore renews them by itself
        return self._cloud.ambient_keys()


class AuditIdentity:
    """The audit role in one account, or the ambient credentials where no role is configured."""

    def __init__(self, cloud: "Cloud", account: str, wire: "Wire") -> None:
        self.account = account
        self._cloud, self._wire = cloud, wire
        self._lock = asyncio.Lock()

    async def keys(self, *, refused: Keys | None = None) -> Keys:
        if not self._cloud.settings.role:
            return self._cloud.ambient_keys()
        held = self._cloud.held(self.account)
        if held and held is not refused:
            return held
        async with self._lock:
            held = self._cloud.held(self.account)  # another call may have renewed them meanwhile
            return held if held and held is not refused else await self._assume()

    async def _assume(self) -> Keys:
        arguments = self._cloud.audit_role(self.account)
        keys = await reads.assume_role(self._wire, Ambient(self._cloud), self._cloud.home_region, arguments)
        self._cloud.hold(self.account, keys)
        return keys


async def home(cloud: "Cloud", wire: "Wire") -> str:
    """The account of the ambient credentials, asked over the wire and once."""
    if cloud.caller is None:
        cloud.caller_is(Caller.of(await reads.caller(wire, Ambient(cloud), cloud.home_region)))
    return cloud.home_account()


async def home_with_first_page(cloud: "Cloud", wire: "Wire", region: str) -> "tuple[str, reads.FunctionsPage | None]":
    """As `home`, told by the first functions of a region where there are any: a page that an audit reads anyway."""
    if cloud.caller is not None:
        return cloud.home_account(), None
    try:
        page = await reads.functions_page(wire, Ambient(cloud), region)
    except AwsProblem:
        return await home(cloud, wire), None  # whoever reads the region will say what is wrong with it
    if page.first_arn.count(":") >= 6:
        cloud.caller_is(Caller.of(page.first_arn))
    return await home(cloud, wire), page

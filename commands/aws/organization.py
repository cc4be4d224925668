"""What AWS Organizations says over the wire: accounts, what is below a unit, an account's tags. Nothing here chooses.

It answers the management account and delegated administrators only. E-mail addresses come along and are never read.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from commands.aws.calls import Call
from commands.aws.errors import AwsProblem, BadAnswer, Denied, clean
from commands.aws.keys import Identity
from commands.aws.wire import Wire
from storage.models import Account

T = TypeVar("T")

_ACTIVE = "ACTIVE"
_AT_ONCE = 5  # Organizations' rates are not published, and everybody who asks it shares them
_LIST_THEM = 'accounts = ["111122223333"]'


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as Organizations lists it."""

    account: Account
    state: str  # "ACTIVE", or why there is nothing to ask
    management: str  # the id of the organization's management account
    above: frozenset[str] | None  # the root and every unit that it is in; None: AWS did not say

    @property
    def active(self) -> bool:
        return self.state == _ACTIVE


class Organization:
    """The organization of `who`. Its endpoint is one for the whole partition, of which `region` is a part."""

    def __init__(self, wire: Wire, who: Identity, region: str) -> None:
        self._wire, self._who, self._region = wire, who, region
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def accounts(self) -> tuple[list[Listed], AwsProblem | None]:
        """Every account in whatever state, and what broke the list off. IAM: organizations:ListAccounts.

        Raises AwsProblem where not one account was listed.
        """
        found: list[Listed] = []
        try:
            async for page in self._pages("ListAccounts", "Accounts", {}, _listed):
                found += page
        except AwsProblem as problem:
            if not found:
                raise _explained(problem, self._who.account) from problem
            return found, problem
        return found, None

    async def below(self, parent: str) -> tuple[set[str], AwsProblem | None]:
        """The accounts in a unit (or root) and in all units below it, and why there may be more of them.

        A unit that does not exist has none. IAM: organizations:ListAccountsForParent,
        organizations:ListOrganizationalUnitsForParent.
        """
        inside: set[str] = set()
        asked = {"ParentId": parent}
        try:
            async for accounts in self._pages("ListAccountsForParent", "Accounts", asked, _id):
                inside.update(accounts)
            pages = self._pages("ListOrganizationalUnitsForParent", "OrganizationalUnits", asked, _id)
            units = [unit async for page in pages for unit in page]
        except AwsProblem as problem:
            return inside, None if problem.code == "ParentNotFoundException" else problem
        deeper = await asyncio.gather(*(self.below(unit) for unit in units))
        return inside.union(*(found for found, _ in deeper)), next((said for _, said in deeper if said), None)

    async def tags(self, account: str) -> dict[str, str]:
        """An account's tags. IAM: organizations:ListTagsForResource. Raises AwsProblem."""
        pages = self._pages("ListTagsForResource", "Tags", {"ResourceId": account}, _tag)
        return {key: value async for page in pages for key, value in page}

    async def _pages(
        self, action: str, key: str, asked: Mapping[str, str], read: Callable[[Mapping[str, Any]], T]
    ) -> AsyncIterator[list[T]]:
        """Pages may be empty and yet not the last."""

        def page(body: bytes) -> tuple[list[T], str]:
            made = orjson.loads(body)
            return [read(item) for item in made[key]], made.get("NextToken") or ""

        target = f"AWSOrganizationsV20161128.{action}"
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        sent = ""
        while True:
            body = orjson.dumps({**asked, "NextToken": sent} if sent else asked)
            call = Call("organizations", action, self._region, body=body, headers=headers)
            async with self._gate:
                items, following = await self._wire.ask(self._who, call, page)
            yield items
            if not following:
                return
            if following == sent:
                raise BadAnswer("BadAnswer", "AWS gave the same page twice", **call.where(self._who.account))
            sent = following


def _listed(item: Mapping[str, Any]) -> Listed:
    paths = item.get("Paths")
    return Listed(
        Account(item["Id"], clean(item.get("Name") or "")),
        # Status was retired on 2026-09-09; who has neither is asked, and says by itself whether there is anything.
        item.get("State") or item.get("Status") or _ACTIVE,
        item["Arn"].split(":")[4],
        frozenset(part for path in paths for part in path.split("/")) if paths else None,
    )


def _id(item: Mapping[str, Any]) -> str:
    return str(item["Id"])


def _tag(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["Key"], item["Value"]


def _explained(problem: AwsProblem, account: str) -> AwsProblem:
    """What to do about it, in one line."""
    if problem.code == "AWSOrganizationsNotInUseException":
        words = f"Account {account} is in no AWS organization: list the accounts, as in {_LIST_THEM}"
        return AwsProblem(problem.code, words, own_words=True)
    if isinstance(problem, Denied):
        words = (
            f"organizations:ListAccounts was refused to account {account}. Only the organization's management account "
            f"and its delegated administrators may ask it, with that permission: use such credentials, or list the "
            f"accounts, as in {_LIST_THEM}. AWS says {problem.code}: {problem.message}"
        )
        return type(problem)(problem.code, words, own_words=True)
    return problem

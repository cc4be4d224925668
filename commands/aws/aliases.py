"""Which aliases are in use in one region, and which versions they serve: a fix of $LATEST does not reach those.

Lambda lists aliases function by function, and all of these calls share 15 a second with everybody's deployments. So
CloudWatch is asked once what was invoked in the last two weeks, and Lambda only about that.
"""

import asyncio
from collections.abc import Sequence

from commands.aws import reads
from commands.aws.errors import AwsProblem, Denied
from commands.aws.keys import Identity
from commands.aws.permission import AccountPermission, Presumption
from commands.aws.shapes import LATEST, Listed, alias_noun
from commands.aws.wire import Wire
from storage.models import Alias, TracingMode

# Functions of a region that are asked about one by one: where it is known to matter, but $LATEST is untraced already;
# and where CloudWatch will not say who matters. A sweep that would need more is not begun: at 10 calls a second it
# would hold up everybody's deployments, to leave most verdicts unknown all the same.
BUDGET = 100
_PROBES = 2

Invoked = dict[str, set[str]]  # function name -> aliases and versions
Found = dict[str, tuple[Alias, ...] | None]  # by function name; None: could not be read


class Refusals:
    """What the audit's accounts found out for each other."""

    def __init__(self) -> None:
        self.metrics = Presumption(8)
        self.aliases = Presumption(3)


class AccountAliases:
    """The aliases of one account's functions, region by region."""

    def __init__(self, wire: Wire, who: Identity, refusals: Refusals) -> None:
        self._wire, self._who = wire, who
        self._metrics = AccountPermission(refusals.metrics)
        self._probes = AccountPermission(refusals.aliases)

    async def invoked(self, region: str) -> Invoked | None:
        """What was invoked by qualifier; None where CloudWatch would not say."""
        try:
            return await self._metrics.ask(lambda: self._invoked(region))
        except AwsProblem:
            return None

    async def _invoked(self, region: str) -> Invoked | None:
        try:
            return await reads.invoked_qualifiers(self._wire, self._who, region)
        except Denied:
            return None

    async def of(
        self, region: str, traced: Sequence[Listed], others: Sequence[Listed], invoked: Invoked | None
    ) -> Found:
        """What is known of those functions that may have aliases in use; a function that is not named has none.

        `traced` would be so but for their aliases. `others` are untraced already: aliases only add to that.
        """
        if invoked is None:
            nothing: Found = dict.fromkeys(each.name for each in (*traced, *others))
            if not 0 < len(traced) <= BUDGET:
                return nothing
            return nothing | (await self._probes.ask(lambda: self._unguided(region, traced)) or {})
        traced = [each for each in traced if each.name in invoked]
        others = [each for each in others if each.name in invoked]
        left: Found = dict.fromkeys(each.name for each in others[BUDGET:])
        return left | await self._read(region, [*traced, *others[:BUDGET]])

    async def _unguided(self, region: str, chosen: Sequence[Listed]) -> Found | None:
        """Ask about a few first: who may not read metrics often may not read aliases either. None: so it is."""
        found = await self._read(region, chosen[:_PROBES])
        if found and all(aliases is None for aliases in found.values()):
            return None
        return found | await self._read(region, chosen[_PROBES:])

    async def _read(self, region: str, chosen: Sequence[Listed]) -> Found:
        answers = await asyncio.gather(*(self._one(region, each) for each in chosen))
        return {each.name: aliases for each, aliases in zip(chosen, answers, strict=True)}

    async def _one(self, region: str, listed: Listed) -> tuple[Alias, ...] | None:
        try:
            found = await reads.aliases(self._wire, self._who, region, listed.name)
        except AwsProblem:
            return None
        versions = sorted({version for alias in found for version in alias.weights} - {LATEST})
        told = await asyncio.gather(*(self._mode(region, listed.name, version) for version in versions))
        modes = {LATEST: listed.mode, **dict(zip(versions, told, strict=True))}
        return tuple(alias_noun(alias, modes) for alias in found)

    async def _mode(self, region: str, name: str, version: str) -> TracingMode | None:
        try:
            return await reads.version_mode(self._wire, self._who, region, name, version)
        except AwsProblem:
            return None

"""Which aliases are in use in one region, and which versions they serve: a fix of $LATEST does not reach those.

Lambda lists aliases function by function, and all of these calls share 15 a second with everybody's deployments. So
CloudWatch is asked once what was invoked in the last two weeks, and Lambda only about that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from commands.aws import reads
from commands.aws.errors import AwsProblem, Denied
from commands.aws.keys import Identity
from commands.aws.shapes import LATEST, Listed, alias_noun
from commands.aws.wire import Wire
from storage.models import Alias, TracingMode

T = TypeVar("T")

BUDGET = 200  # functions of a region that are asked about without knowing that it matters
_PROBES = 2

Invoked = dict[str, set[str]]  # function name -> aliases and versions
Found = dict[str, tuple[Alias, ...] | None]  # by function name; None: could not be read


class AccountAliases:
    """The aliases of one account's functions, region by region."""

    def __init__(self, wire: Wire, who: Identity) -> None:
        self._wire, self._who = wire, who
        self._metrics, self._probes = _Allowed(), _Allowed()

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

    async def of(self, region: str, listed: Sequence[Listed], invoked: Invoked | None) -> Found:
        """What is known of those functions that may have aliases in use; a function that is not named has none."""
        active = [each for each in listed if each.mode is TracingMode.ACTIVE]
        others = [each for each in listed if each.mode is not TracingMode.ACTIVE]
        if invoked is None:
            nothing: Found = dict.fromkeys(each.name for each in listed)
            return nothing | (await self._probes.ask(lambda: self._unguided(region, active[:BUDGET])) or {})
        active = [each for each in active if each.name in invoked]
        others = [each for each in others if each.name in invoked]  # untraced already: aliases only add to that
        left: Found = dict.fromkeys(each.name for each in others[BUDGET:])
        return left | await self._read(region, active + others[:BUDGET])

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


class _Allowed:
    """Lets an account's first region find out whether AWS refuses; the others then need not ask."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._allowed: bool | None = None

    async def ask(self, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What `read` returns, where None means refused."""
        if self._allowed is None:
            async with self._lock:
                if self._allowed is None:
                    answer = await read()
                    self._allowed = answer is not None
                    return answer
        return await read() if self._allowed else None

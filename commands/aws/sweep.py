"""Everything that an audit reads, side by side: accounts, their regions, and in each what belongs together.

Where there are no functions, nothing else is asked. One failure costs what it concerns and becomes a row; it stops
nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from commands.aws import checks, identity, published, reads, roles, selection, shapes
from commands.aws import regions as enabled_regions
from commands.aws.account_roles import AccountRoles, ManagedPolicies
from commands.aws.aliases import AccountAliases, Invoked, Refusals
from commands.aws.callers import Callers
from commands.aws.errors import AwsProblem
from commands.aws.keys import Identity
from commands.aws.owners import Teams
from commands.aws.roles import Judgement
from commands.aws.sources import EventSources, Sources
from commands.aws.tags import TagFacts, kept, untagged
from commands.aws.wire import Wire
from storage.models import ORGANIZATION, Alias, Function, Inventory, MayWrite, NotScanned, TracingMode

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

T = TypeVar("T")
OnProgress = Callable[[int, int, str], None]  # regions done, regions in all, the one that was read just now

_UNJUDGED = Judgement()  # of a role that could not be read

log = logging.getLogger(__name__)


def run(
    cloud: "Cloud",
    *,
    accounts: Sequence[str] | None,
    regions: Sequence[str] | None,
    tag_keys: Sequence[str],
    on_progress: OnProgress | None,
    meanwhile: Callable[[], None] | None = None,
    reader: "type[Sweep] | None" = None,
) -> Inventory:
    """`inventory.take_inventory`, in an event loop of its own. `reader` reads in another way than from Lambda."""
    cloud.ambient_keys()  # without credentials there is nothing to ask

    found: list[Inventory] = []

    async def sweep() -> None:
        async with Wire(cloud.endpoints, paces=cloud.paces) as wire:
            swept = (reader or Sweep)(cloud, wire, tuple(tag_keys), on_progress)
            found.append(await beside(swept.run(accounts, regions), meanwhile))

    # Nothing is returned: asyncio.run has signal.signal look at the finished task's repr, result and all.
    asyncio.run(sweep())
    return found[0]


async def beside(reading: Coroutine[None, None, Inventory], meanwhile: Callable[[], None] | None) -> Inventory:
    """What is read, while `meanwhile` runs in a thread."""
    begun = asyncio.create_task(reading)
    if meanwhile:
        await asyncio.sleep(0)  # the first question goes out before another thread takes its turns
        await asyncio.gather(begun, asyncio.to_thread(meanwhile))
    return await begun


class Sweep:
    """One audit's reading: what was found so far, and what could not be seen."""

    def __init__(self, cloud: "Cloud", wire: Wire, tag_keys: tuple[str, ...], on_progress: OnProgress | None) -> None:
        self.cloud, self.wire, self.tag_keys = cloud, wire, tag_keys
        self.production_tags = cloud.settings.production_tags
        self.untagged = untagged(self.production_tags)
        self.owner_tags = cloud.settings.owner_tags
        self.teams = Teams(cloud, wire, tag_keys)
        self.functions: list[Function] = []
        self.not_scanned: list[NotScanned] = []
        self.managed = ManagedPolicies(wire)
        self.refusals = Refusals()
        self.sources = EventSources(wire)
        self.callers = Callers()
        self._first_pages: dict[
            tuple[str, str], reads.FunctionsPage
        ] = {}  # by account and region; read before their turn
        self.chosen = selection.Chosen(())
        self._on_progress = on_progress
        self._done = self._total = 0

    async def run(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> Inventory:
        await self.choose(accounts, regions)
        looked_at = await self.read(regions)
        await self.owned()
        return self.inventory(looked_at)

    async def choose(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> None:
        """Find out which accounts are to be read, here or elsewhere."""
        self.chosen = await self._choose(accounts, regions)
        for row in self.chosen.not_scanned:
            self._row(row.account, row.region, row.reason)

    async def read(self, regions: Sequence[str] | None) -> set[str]:
        """Read the chosen accounts; which regions were looked at."""
        swept = await asyncio.gather(*(self._account(account.id, regions) for account in self.chosen.accounts))
        await self._unprompted_sources()
        for why in self.teams.stacks_unread():
            self._row(ORGANIZATION, "", why)
        return {region for looked_at in swept for region in looked_at}

    async def owned(self) -> None:
        """Give the functions to their accounts' teams for which nothing nearer names one."""
        if why := await self.teams.of_accounts(self.functions):
            self._row(ORGANIZATION, "", why)

    def inventory(self, regions: Iterable[str]) -> Inventory:
        """What was found so far, judged, and in the order in which it is remembered."""
        self.callers.mark(self.functions)
        checks.judge_new(self.functions)
        self.functions.sort(key=lambda function: function.arn)
        self.not_scanned.sort(key=lambda row: (row.account != ORGANIZATION, row.account, row.region))
        accounts = len(self.chosen.accounts)
        log.info("read %d functions in %d accounts with %d calls", len(self.functions), accounts, self.wire.calls)
        return Inventory(
            tuple(self.functions),
            tuple(self.not_scanned),
            self.chosen.ids,
            tuple(sorted(regions)),
            self.wire.calls,
            accounts_whole=self.chosen.whole,
        )

    async def _choose(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> selection.Chosen:
        return await selection.choose(self.cloud, self.wire, accounts, lambda: self._home(regions))

    async def _home(self, wanted_regions: Sequence[str] | None) -> str:
        """The account of the credentials; asking a region that will be read anyway spares a call."""
        sure = wanted_regions or self.cloud.settings.regions
        if self.cloud.settings.role or not sure:
            return await identity.home(self.cloud, self.wire)
        account, page = await identity.home_with_first_page(self.cloud, self.wire, sure[0])
        if page:
            self._first_pages[account, sure[0]] = page
        return account

    async def _account(self, account: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
        """Read one account; which regions of it were looked at."""
        try:
            if not self.cloud.settings.role:
                self.cloud.must_be_home(account)
            who = identity.AuditIdentity(self.cloud, account, self.wire)
            await who.keys()
            regions = await self._regions(who, wanted)
        except AwsProblem as problem:
            self._row(account, "", self.chosen.why(account, problem))
            return ()
        self._total += len(regions)
        seen = AccountRoles(self.wire, who, self.cloud.home_region, self.managed)
        aliases = AccountAliases(self.wire, who, self.refusals)
        found = await asyncio.gather(*(self._region(who, region, seen, aliases) for region in regions))
        await self._with_roles(who.account, seen, [each for each in found if each.listed])
        return regions

    async def _regions(self, who: Identity, wanted: Sequence[str] | None) -> tuple[str, ...]:
        configured = self.cloud.settings.regions or (tuple(wanted) if wanted else None)
        if configured is None:
            try:
                configured = await enabled_regions.enabled(self.wire, who, self.cloud.home_region)
            except AwsProblem as problem:
                configured = (self.cloud.home_region,)
                why = f"regions could not be listed, so only {self.cloud.home_region} was looked at: {problem}"
                self._row(who.account, "", why)
        for region in sorted(set(wanted or ()) - set(configured)):
            self._row(who.account, region, "is not among the configured regions")
        return tuple(region for region in configured if wanted is None or region in wanted)

    async def _region(self, who: Identity, region: str, seen: AccountRoles, aliases: AccountAliases) -> "Region":
        """List a region's functions; with the first that is found, ask for all else that is worth knowing of them."""
        found = Region(region, self.untagged)
        asked: list[asyncio.Task[None]] = []
        invoked: asyncio.Task[Invoked | None] | None = None
        try:
            async for page in self._listed(who, region):
                if page and not asked:
                    seen.ask()
                    asked = [asyncio.create_task(self._teams(who, found))]
                    invoked = asyncio.create_task(aliases.invoked(region))
                found.listed += page
        except AwsProblem as problem:
            partly = f"only the first {len(found.listed)} functions were listed: " if found.listed else ""
            self._row(who.account, region, f"{partly}{problem}")
        if invoked:
            asked += [
                asyncio.create_task(self._sources(who, found, seen)),
                asyncio.create_task(self._aliases(found, seen, aliases, invoked)),
            ]
        await asyncio.gather(*asked)
        found.published = await published.modes(self.wire, who, region, found.listed)
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total, f"{who.account} {region}")
        return found

    def _listed(self, who: Identity, region: str) -> AsyncIterator[list[shapes.Listed]]:
        return reads.functions(self.wire, who, region, self._first_pages.pop((who.account, region), None))

    def _tagged(self, who: Identity, region: str) -> AsyncIterator[list[reads.Tagged]]:
        return reads.tags(self.wire, who, region)

    async def _aliases(
        self, found: "Region", seen: AccountRoles, aliases: AccountAliases, invoked: asyncio.Task[Invoked | None]
    ) -> None:
        may_write = await seen.may_write(found.roles)
        traced: list[shapes.Listed] = []
        others: list[shapes.Listed] = []
        for each in found.listed:
            if each.replica:
                continue
            so_far = each.mode is TracingMode.ACTIVE and may_write.get(each.role or "") is not MayWrite.NO
            (traced if so_far else others).append(each)
        found.aliases = await aliases.of(found.name, traced, others, await invoked)

    async def _teams(self, who: Identity, found: "Region") -> None:
        await self._tags(who, found)
        await self.teams.of_stacks(who, found.name, found.tags)

    async def _tags(self, who: Identity, found: "Region") -> None:
        keys, production, owners = self.tag_keys, self.production_tags, self.owner_tags
        try:
            async for page in self._tagged(who, found.name):
                found.tags.update((arn, kept(tags, keys, production, owners)) for arn, tags in page)
        except AwsProblem as problem:
            found.tags_read = False
            self._row(who.account, found.name, f"tags could not be read: {problem}")

    async def _sources(self, who: Identity, found: "Region", seen: AccountRoles) -> None:
        try:
            found.sources = await self.sources.of(who, found.name, found.listed, await seen.known(found.roles))
        except AwsProblem as problem:
            self._row(who.account, found.name, f"event sources could not be read: {problem}")

    async def _unprompted_sources(self) -> None:
        """Put right what the roles did not tell, in the regions that are asked all the same."""
        told: dict[str, tuple[str, ...]] = {}
        silent: set[tuple[str, str]] = set()
        for account, region, said in await self.sources.unprompted():
            if isinstance(said, AwsProblem):
                silent.add((account, region))
                self._row(account, region, f"event sources could not be read: {said}")
            else:
                told |= {arn: tuple(sorted(kinds)) for arn, kinds in said.items()}
        if not told and not silent:
            return
        for place, function in enumerate(self.functions):
            if function.arn in told:
                self.functions[place] = structs.replace(function, sources=told[function.arn])
            elif (function.account, function.region) in silent:
                self.functions[place] = structs.replace(function, sources=None)

    async def _with_roles(self, account: str, seen: AccountRoles, found: "list[Region]") -> None:
        """Make the nouns, once it is known what each role may do."""
        if not found:
            return
        used = {role for region in found for role in region.roles}
        try:
            await seen.of(used)
        except AwsProblem as problem:
            self._row(account, "", f"execution roles could not be read: {problem}")
        known = await seen.known(used) or {}
        judged = await seen.judged(known)
        edge = {arn for arn, role in known.items() if roles.trusts_edge(role)}
        self.callers.learn_roles(known)
        before = len(self.functions)
        for region in found:
            self.callers.learn_functions(region.listed)
            self.functions += region.nouns(account, judged, edge)
        self.teams.ask_accounts(self.functions[before:])

    def _row(self, account: str, region: str, reason: str) -> None:
        reason = self.chosen.named(account, reason)
        log.warning("could not see %s %s: %s", account, region, reason)
        self.not_scanned.append(NotScanned(account, region, reason))


class Region:
    """What one region of one account said."""

    def __init__(self, name: str, untagged: TagFacts) -> None:
        self.name = name
        self.untagged = untagged  # what is known of a function without tags
        self.listed: list[shapes.Listed] = []
        self.tags: dict[str, TagFacts] = {}
        self.tags_read = True  # else who is missing in `tags` may well have some
        self.sources: Sources | None = None  # None: could not be read
        self.aliases: dict[str, tuple[Alias, ...] | None] = {}
        self.published: dict[str, TracingMode | None] = {}

    @property
    def roles(self) -> set[str]:
        """The ARNs of the execution roles that are used here."""
        return {listed.role for listed in self.listed if listed.role}

    def nouns(self, account: str, judged: dict[str, Judgement], edge: set[str]) -> Iterator[Function]:
        """One by one; what each is made of is let go, so that a large region is not in memory twice.

        A function that came on two pages, because others were made or deleted meanwhile, is what the later one says.
        """
        made: set[str] = set()
        while self.listed:
            listed = self.listed.pop()
            if listed.name in made:
                continue
            made.add(listed.name)
            tags = self.tags.pop(listed.arn, None)
            yield shapes.noun(
                listed,
                account,
                self.name,
                tags=tags or self.untagged,
                tags_known=self.tags_read or tags is not None,
                judged=judged.get(listed.role or "", _UNJUDGED),
                aliases=self.aliases.get(listed.name, ()),
                sources=self._sources_of(listed.arn),
                edge_role=listed.role in edge,
                published_mode=self.published.get(listed.name),
            )

    def _sources_of(self, arn: str) -> tuple[str, ...] | None:
        if self.sources is None:
            return None
        return tuple(sorted(self.sources[arn])) if arn in self.sources else ()

"""An audit that is told by AWS Config which functions there are, and reads everything else as ever.

One query takes the place of the listings of functions, tags and regions in every account. Roles, aliases in use and
event sources are read in the accounts themselves, and only where there are functions, so verdicts are those of a
direct audit. What Config cannot say is in `config_gaps`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from commands.aws import config_gaps, config_reads, config_rows, identity, reads, selection, shapes
from commands.aws.errors import AwsProblem
from commands.aws.keys import Identity
from commands.aws.sweep import OnProgress, Region, Sweep
from storage.models import ORGANIZATION, Inventory

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.wire import Wire

log = logging.getLogger(__name__)


class ConfigSweep(Sweep):
    """Reads from the aggregator that the settings name, with the ambient credentials."""

    def __init__(self, cloud: "Cloud", wire: "Wire", tag_keys: tuple[str, ...], on_progress: OnProgress | None) -> None:
        super().__init__(cloud, wire, tag_keys, on_progress)
        self._shown = config_rows.Shown()
        self._regions_asked: tuple[str, ...] = ()
        self._open_places: frozenset[config_rows.Place] = frozenset()

    async def run(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> Inventory:
        seen = await super().run(accounts, regions)
        settings = self.cloud.settings
        return replace(
            seen,
            regions=self._regions_asked,
            # Who drops out of the aggregator may be there all the same.
            accounts_whole=seen.accounts_whole and (settings.organization or settings.accounts is not None),
            regions_whole=settings.regions is not None,
            open_places=self._open_places,
        )

    async def _choose(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> selection.Chosen:
        settings = self.cloud.settings
        await identity.home(self.cloud, self.wire)  # a refusal shall say in which account
        broken = await self._ask(_both(settings.accounts, accounts), _both(settings.regions, regions))
        shown = sorted({account for account, _ in self._shown.places})
        if not (shown or accounts or broken or settings.accounts or settings.organization):
            raise AwsProblem("NothingShown", f"AWS Config's aggregator {self._name} shows nothing", own_words=True)
        chosen = await selection.choose(self.cloud, self.wire, accounts, lambda: self._home(regions), shown)
        self._regions_asked = self._regions_of([account.id for account in chosen.accounts], regions)
        self.chosen = chosen
        self._say_gaps([account.id for account in chosen.accounts], broken)
        return chosen

    @property
    def _name(self) -> str:
        assert self.cloud.settings.aggregator is not None  # noqa: S101 - only then this class is used
        return self.cloud.settings.aggregator.name

    # ---- asking the aggregator

    async def _ask(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> list[str]:
        """Fill `_shown`; why not every function may be in it. Raises AwsProblem where none could be asked for."""
        shown = self._shown
        aggregator = self.cloud.settings.aggregator
        where = (aggregator and aggregator.region) or self.cloud.home_region
        to_ask = (self.wire, identity.Ambient(self.cloud), where, self._name)
        functions, recorders, sources = await asyncio.gather(
            _take(config_reads.rows(*to_ask, config_rows.functions_query(accounts, regions)), shown.take_functions),
            _take(config_reads.rows(*to_ask, config_rows.recorders_query(accounts, regions)), shown.take_recorders),
            _take(config_reads.sources(*to_ask), shown.take_sources),
        )
        if functions and not shown.rows:
            raise config_reads.explained(functions, self._name) from functions
        if recorders:
            self._row(ORGANIZATION, "", f"where AWS Config records at all could not be read: {recorders}")
        if sources:
            self._row(ORGANIZATION, "", f"whether AWS Config's aggregator is up to date could not be read: {sources}")
        return [f"only the first {shown.rows:,} functions were listed: {functions}"] if functions else []

    def _regions_of(self, accounts: Sequence[str], wanted: Sequence[str] | None) -> tuple[str, ...]:
        """Configured or else wanted ones; without either, those in which Config shows anything of these accounts."""
        configured = self.cloud.settings.regions or wanted
        if configured is None:
            configured = sorted({region for account, region in self._shown.places if account in set(accounts)})
        for region in sorted(set(wanted or ()) - set(configured)):
            self._row(ORGANIZATION, region, "is not among the configured regions")
        return tuple(region for region in configured if wanted is None or region in wanted)

    def _say_gaps(self, accounts: Sequence[str], broken: Sequence[str]) -> None:
        gaps = config_gaps.find(self._shown, accounts, self._regions_asked, broken)
        for row in gaps.rows:
            self._row(row.account, row.region, row.reason)
        for arn in (arn for arns in self._shown.half.values() for arn in arns):
            log.warning("AWS Config shows no configuration of %s", arn)
        self._open_places = gaps.open_places

    # ---- what the sweep asks for

    async def _account(self, account: str, wanted: Sequence[str] | None) -> tuple[str, ...]:
        """As in a direct audit; where that cannot be, what Config shows is all that is known."""
        here = self._where(account)
        if not here:
            return ()
        who = identity.AuditIdentity(self.cloud, account, self.wire)
        try:
            if not self.cloud.settings.role:
                self.cloud.must_be_home(account)
            await who.keys()
        except AwsProblem as problem:
            why = self.chosen.why(account, problem)
            self._row(account, "", f"only what AWS Config shows is known of its functions: {why}")
            for region in here:
                await self._as_shown(who, region)
            return here
        return await super()._account(account, wanted)

    async def _as_shown(self, who: Identity, region: str) -> None:
        """Functions of which neither roles nor aliases nor event sources are known."""
        found = Region(region, self.untagged)
        async for page in self._listed(who, region):
            found.listed += page
        found.aliases = dict.fromkeys(each.name for each in found.listed)
        await self._tags(who, found)
        self.teams.leave_open(found.tags)
        self.functions += found.nouns(who.account, {}, set())

    def _where(self, account: str) -> tuple[str, ...]:
        return tuple(region for region in self._regions_asked if (account, region) in self._shown.functions)

    async def _regions(self, who: Identity, wanted: Sequence[str] | None) -> tuple[str, ...]:  # noqa: ARG002 - `_choose` has narrowed them down
        return self._where(who.account)

    async def _listed(self, who: Identity, region: str) -> AsyncIterator[list[shapes.Listed]]:
        yield list(self._shown.functions[who.account, region].values())

    async def _tagged(self, who: Identity, region: str) -> AsyncIterator[list[reads.Tagged]]:
        yield self._shown.tags[who.account, region]


async def _take(pages: AsyncIterator[list[Any]], take: Callable[[Iterable[Any]], None]) -> AwsProblem | None:
    """What ended the pages before their time."""
    try:
        async for page in pages:
            take(page)
    except AwsProblem as problem:
        return problem
    return None


def _both(configured: Sequence[str] | None, wanted: Sequence[str] | None) -> list[str] | None:
    """What a query can be narrowed down to; None: nothing is known that would."""
    if wanted is None or configured is None:
        return list(wanted or configured or ()) or None
    return [one for one in configured if one in wanted] or None

"""Who owns functions whose own tags name no team: the team that their stack's tags name, else their account's.

Asked only where that is open. What AWS refuses is unknown, which is said once and changes no verdict.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import structs

from commands.aws import reads
from commands.aws.errors import AwsProblem, Denied
from commands.aws.keys import Identity
from commands.aws.tags import TagFacts, team_of
from storage.models import Function, TeamFrom

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.aws.organization import Organization
    from commands.aws.wire import Wire

_AT_ONCE = 5  # accounts; Organizations' rates are not published
_EXAMPLES = 3
Said = str | None | AwsProblem


class Teams:
    """What one audit has learnt of stacks' and accounts' teams."""

    def __init__(self, cloud: "Cloud", wire: "Wire", tag_keys: Sequence[str]) -> None:
        self._cloud, self._wire, self._tag_keys = cloud, wire, tag_keys
        self._aliases = cloud.settings.owner_tags.aliases
        self._unread: dict[str, tuple[AwsProblem, list[str]]] = {}  # by code; with the places of which it was said
        self._accounts: dict[str, asyncio.Task[Said]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)
        self._refused: AwsProblem | None = None
        self._organization: Organization | None = None

    def _team_in(self, tags: Mapping[str, str]) -> str | None:
        return team_of(tags, self._tag_keys, self._aliases)

    # ---- stacks

    async def of_stacks(self, who: Identity, region: str, tags: dict[str, TagFacts]) -> None:
        """Fill in the team of functions in a stack, where their own tags name none. IAM: tag:GetResources."""
        open_ = [arn for arn, facts in tags.items() if facts.team is None and facts.stack_id]
        if not open_:
            return
        teams: dict[str, str] = {}
        refused = False
        try:
            async for page in reads.tags(self._wire, who, region, "cloudformation:stack"):
                teams.update((stack, team) for stack, its in page if (team := self._team_in(its)))
        except AwsProblem as problem:
            refused = True
            self._unread.setdefault(problem.code, (problem, []))[1].append(f"{who.account} {region}")
        for arn in open_:
            facts = tags[arn]
            if team := teams.get(facts.stack_id or ""):
                tags[arn] = facts._replace(team=team, team_from=TeamFrom.STACK)
            elif refused:
                tags[arn] = facts._replace(team_from=TeamFrom.UNKNOWN)

    def leave_open(self, tags: dict[str, TagFacts]) -> None:
        """Where nothing can be asked."""
        for arn, facts in tags.items():
            if facts.team is None and facts.stack_id:
                tags[arn] = facts._replace(team_from=TeamFrom.UNKNOWN)

    def stacks_unread(self) -> Iterator[str]:
        """Why teams are not known; one for each reason, whatever the number of regions."""
        for why, places in self._unread.values():
            more = f" and {len(places) - _EXAMPLES:,} more" if len(places) > _EXAMPLES else ""
            where = ", ".join(sorted(places)[:_EXAMPLES])
            yield f"teams that only tags of CloudFormation stacks name are not known in {where}{more}: {why}"

    # ---- accounts

    def ask_accounts(self, functions: Sequence[Function]) -> None:
        """Begin to ask for the tags of these functions' accounts, where a function has no team yet."""
        if not self._cloud.settings.organization:
            return
        for account in {one.account for one in functions if _is_open(one)} - self._accounts.keys():
            self._accounts[account] = asyncio.create_task(self._of_account(account))

    async def of_accounts(self, functions: list[Function]) -> str:
        """Fill in, in place, the team of functions for which neither they nor a stack name one; why some is not known.

        IAM, for the bot's own credentials: organizations:ListTagsForResource.
        """
        self.ask_accounts(functions)
        if not self._accounts:
            return ""
        said = dict(zip(self._accounts, await asyncio.gather(*self._accounts.values()), strict=True))
        for place, function in enumerate(functions):
            if not _is_open(function):
                continue
            team = said[function.account]
            if isinstance(team, AwsProblem):
                functions[place] = structs.replace(function, team_from=TeamFrom.UNKNOWN)
            elif team:
                functions[place] = structs.replace(function, team=team, team_from=TeamFrom.ACCOUNT)
        return _why(said)

    async def _of_account(self, account: str) -> Said:
        async with self._gate:
            if self._refused:
                return self._refused
            try:
                return self._team_in(await self._asked().tags(account))
            except AwsProblem as problem:
                if isinstance(problem, Denied):
                    self._refused = problem  # whom AWS refuses one account, it refuses them all
                return problem

    def _asked(self) -> "Organization":
        if self._organization is None:
            from commands.aws.identity import Ambient
            from commands.aws.organization import Organization

            self._organization = Organization(self._wire, Ambient(self._cloud), self._cloud.home_region)
        return self._organization


def _is_open(function: Function) -> bool:
    """Whether its account is to be asked: not where a nearer tag could not be read, which would win."""
    return function.team is None and function.team_from is None and function.team_known


def _why(said: Mapping[str, Said]) -> str:
    refused = {account: problem for account, problem in said.items() if isinstance(problem, AwsProblem)}
    if not refused:
        return ""
    number = f"{len(refused):,} account" if len(refused) == 1 else f"{len(refused):,} accounts"
    return f"teams that only tags of accounts name are not known in {number}: {next(iter(refused.values()))}"

"""Which accounts an audit looks at: those of the credentials, of a list or of the organization, less what rules bar.

AWS is asked for units and tags only where they still decide something. What cannot be decided is a row.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from commands.aws import identity
from commands.aws.errors import AwsProblem
from commands.aws.scope import Member, Rules, selected
from storage.models import ORGANIZATION, Account, NotScanned

if TYPE_CHECKING:
    from commands.aws.accounts import AwsSettings, Cloud
    from commands.aws.organization import Listed, Organization
    from commands.aws.wire import Wire

log = logging.getLogger(__name__)

_NOT_CONFIGURED = "is not among the configured accounts"
_BARRED = "is left out by [aws.include] or [aws.exclude]"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The accounts to read, and those of which it is not known whether they are or what is in them."""

    accounts: tuple[Account, ...]
    unread: tuple[str, ...] = ()  # each with its row; what was known of them stands
    not_scanned: tuple[NotScanned, ...] = ()
    whole: bool = True  # False: the list of accounts broke off
    management: str = ""  # the organization's management account
    names: Mapping[str, str] = field(default_factory=dict)  # by id

    @property
    def ids(self) -> tuple[str, ...]:
        return (*(account.id for account in self.accounts), *self.unread)

    def named(self, account: str, reason: str) -> str:
        """The reason with the account's name, where it has one."""
        name = self.names.get(account)
        return f"{name}: {reason}" if name else reason

    def why(self, account: str, problem: AwsProblem) -> str:
        """Why this account cannot be read, and what to do where that is not what AWS says.

        Its audit role is assumed in the management account too, and not replaced by the credentials that are at hand
        there: these are meant to assume roles, and would fail region by region for want of everything else.
        """
        if account != self.management or problem.action != "AssumeRole":
            return str(problem)
        return (
            "StackSets leave the management account out, so make the audit role there by itself, "
            f"or name the account under [aws.exclude]: {problem}"
        )


async def choose(
    cloud: "Cloud",
    wire: "Wire",
    wanted: Sequence[str] | None,
    home: Callable[[], Awaitable[str]],
    shown: Sequence[str] | None = None,
) -> Chosen:
    """The configured accounts, narrowed to `wanted`. Raises AwsProblem where not one can be named.

    `home` finds out the account of the credentials, and is asked only where that matters. Where no accounts are
    configured, those that AWS Config has `shown` take the place of that one.
    """
    selection = _Selection(cloud.settings, wanted)
    if cloud.settings.organization:
        from commands.aws.organization import Organization

        await identity.home(cloud, wire)
        await selection.learn(Organization(wire, identity.Ambient(cloud), cloud.home_region))
    elif shown is not None and cloud.settings.accounts is None:
        selection.take(shown, elsewhere="is not among the accounts that AWS Config shows")
    else:
        selection.take(await _configured(cloud.settings, home))
    return selection.chosen()


async def _configured(settings: "AwsSettings", home: Callable[[], Awaitable[str]]) -> tuple[str, ...]:
    """Without a role to assume, only the credentials' own account can be seen."""
    configured = settings.accounts
    if configured is None or not settings.role:
        own = await home()
        configured = configured or (own,)
    return configured


class _Selection:
    """What is known of each account; it grows as long as that decides anything."""

    def __init__(self, settings: "AwsSettings", wanted: Collection[str] | None) -> None:
        self._include, self._exclude, self._wanted = settings.include, settings.exclude, wanted
        self._units = tuple(dict.fromkeys(settings.include.units + settings.exclude.units))
        self._tags = bool(settings.include.tags or settings.exclude.tags)
        self._members: dict[str, Member] = {}
        self._names: dict[str, str] = {}
        self._why: dict[str, str] = {}  # why no more is known of an account
        self._absent: dict[str, str] = {}  # why there is nothing to ask of it
        self._rows: list[NotScanned] = []
        self._elsewhere = _NOT_CONFIGURED
        self._whole, self._management = True, ""

    def take(self, accounts: Sequence[str], elsewhere: str = _NOT_CONFIGURED) -> None:
        """Accounts of which nothing but the id is known; `elsewhere` says what is wrong with any other."""
        self._elsewhere = elsewhere
        self._members = {account: Member(account) for account in accounts}
        unknown = 'only with accounts = "organization" are names, units and tags of accounts known'
        self._why = dict.fromkeys(accounts, unknown)

    async def learn(self, organization: "Organization") -> None:
        """The organization's accounts, and of each what it takes to decide."""
        listed, problem = await organization.accounts()
        self._elsewhere = "is no account of the organization"
        if problem:
            self._elsewhere = "is not among the accounts that could be listed"
            self._whole = False
            reason = f"only the first {len(listed)} accounts were listed: {problem}"
            self._rows.append(NotScanned(ORGANIZATION, "", reason))
        for one in listed:
            self._enter(one)
        await self._learn_units(organization)
        await self._learn_tags(organization)
        log.info("the organization has %d accounts, of which %d are active", len(listed), len(self._members))
        if self._whole:
            self._say_idle_lines()

    def _enter(self, listed: "Listed") -> None:
        account = listed.account
        self._management = listed.management
        self._names[account.id] = account.name
        if not listed.active:
            # Nobody can use, or be charged for, what is in it, and it cannot be asked either. So it is no gap in an
            # audit of the organization: a row would stand there for 90 days without anybody being able to mend it.
            self._absent[account.id] = f"is {listed.state} in the organization"
            return
        above = listed.above
        units = {} if above is None else {unit: unit in above for unit in self._units}
        self._members[account.id] = Member(account.id, account.name, units)

    async def _learn_units(self, organization: "Organization") -> None:
        """Walk the units that the rules name, where the list of accounts did not say who is where."""
        open_ = [member for member in self._open() if len(member.units) < len(self._units)]
        if not open_:
            return
        for unit, (inside, problem) in zip(
            self._units, await asyncio.gather(*(organization.below(unit) for unit in self._units)), strict=True
        ):
            for member in open_:
                if member.id in inside or problem is None:
                    known = self._members[member.id]
                    self._members[member.id] = replace(known, units={**known.units, unit: member.id in inside})
                else:
                    self._why[member.id] = str(problem)

    async def _learn_tags(self, organization: "Organization") -> None:
        """Ask for the tags of whom everything else leaves open."""
        if self._tags:
            await asyncio.gather(*(self._learn_tags_of(organization, member) for member in self._open()))

    async def _learn_tags_of(self, organization: "Organization", member: Member) -> None:
        try:
            self._members[member.id] = replace(member, tags=await organization.tags(member.id))
        except AwsProblem as problem:
            self._why[member.id] = str(problem)

    def _open(self) -> list[Member]:
        return [one for one in self._members.values() if self._is_wanted(one.id) and self._selected(one) is None]

    def _selected(self, member: Member) -> bool | None:
        return selected(member, self._include, self._exclude)

    def _is_wanted(self, account: str) -> bool:
        return self._wanted is None or account in self._wanted

    def chosen(self) -> Chosen:
        """Raises AwsProblem where the rules leave nobody."""
        accounts = tuple(Account(one.id, one.name or "") for one in self._members.values() if self._is_in(one))
        undecided = self._open()
        for member in undecided:
            reason = f"whether it is to be audited could not be decided: {self._why[member.id]}"
            self._rows.append(NotScanned(member.id, "", reason))
        missing = self._missing()
        if self._wanted is None and self._whole and not (accounts or undecided or missing):
            raise AwsProblem(
                "NobodyLeft", "[aws.include] and [aws.exclude] leave no account: loosen them", own_words=True
            )
        unread = (*(member.id for member in undecided), *(missing if self._wanted is None else ()))
        return Chosen(accounts, unread, tuple(self._rows), self._whole, self._management, self._names)

    def _is_in(self, member: Member) -> bool:
        return self._is_wanted(member.id) and self._selected(member) is True

    def _missing(self) -> list[str]:
        """Accounts that were asked for by their ids and cannot be looked at; each gets its row."""
        named = self._include.accounts if self._wanted is None else self._wanted
        found = []
        for account in dict.fromkeys(named):
            member = self._members.get(account)
            if member is None:
                barred = self._wanted is None and self._exclude.match(Member(account))
                reason = "" if barred else self._absent.get(account, self._elsewhere)
            else:
                reason = _BARRED if self._wanted is not None and self._selected(member) is False else ""
            if reason:
                self._rows.append(NotScanned(account, "", reason))
                found.append(account)
        return found

    def _say_idle_lines(self) -> None:
        """A line that names nobody is often a slip of the pen."""
        for table, rules in (("include", self._include), ("exclude", self._exclude)):
            lines = [Rules(units=(unit,)) for unit in rules.units] + [Rules(names=(name,)) for name in rules.names]
            for line in lines:
                if all(line.match(member) is False for member in self._members.values()):
                    what = (line.units + line.names)[0]
                    log.warning("[aws.%s] %s names no active account of the organization", table, what)

"""The execution roles of one account, read in bulk with every policy that counts for them, and judged."""

import asyncio
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from commands.aws import reads, roles
from commands.aws.errors import AwsProblem
from commands.aws.keys import Identity
from commands.aws.roles import Judgement, Role
from commands.aws.simulator import Simulator
from commands.aws.wire import Wire
from storage.models import MayWrite

_REFUSALS = 3  # accounts that may refuse to show one of AWS's policies before it counts as unreadable

Document = Mapping[str, Any]


class ManagedPolicies:
    """AWS's own policies. They are alike everywhere, so what one account shows serves all."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._known: dict[str, Document] = {}
        self._refusals: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, who: Identity, region: str, arn: str) -> Document | None:
        async with self._locks.setdefault(arn, asyncio.Lock()):
            if arn not in self._known and self._refusals.get(arn, 0) < _REFUSALS:
                try:
                    self._known[arn] = reads.document(await reads.managed_policy(self._wire, who, region, arn))
                except (AwsProblem, ValueError):
                    self._refusals[arn] = self._refusals.get(arn, 0) + 1
            return self._known.get(arn)


class AccountRoles:
    """One account's roles; asked for once, when the first function is found there."""

    def __init__(self, wire: Wire, who: Identity, region: str, managed: ManagedPolicies) -> None:
        self._wire, self._who, self._region, self._managed = wire, who, region, managed
        self._asked: asyncio.Task[reads.RolesPage] | None = None
        self._made: dict[str, Role] = {}
        self._judged: dict[str, Judgement] = {}  # from policies alone
        self._simulator = Simulator(wire, who, region)

    def ask(self) -> None:
        self._asked = self._asked or asyncio.create_task(self._read())

    async def of(self, used: Collection[str]) -> dict[str, Role]:
        """Those of the roles that exist, by ARN; a policy that nobody shows leaves a role's policies unknown."""
        self.ask()
        assert self._asked is not None  # noqa: S101 - `ask` has just seen to it
        page = await self._asked
        new = [(arn, page.roles[arn]) for arn in used if arn in page.roles and arn not in self._made]
        documents = await self._documents(page, [text for _, text in new])
        self._made |= {arn: _role(arn, text, documents) for arn, text in new}
        return {arn: self._made[arn] for arn in used if arn in self._made}

    async def known(self, used: Collection[str]) -> dict[str, Role] | None:
        """As `of`; None where the account's roles could not be read."""
        try:
            return await self.of(used)
        except AwsProblem:
            return None

    async def may_write(self, used: Collection[str]) -> dict[str, MayWrite | None]:
        """What the policies of each role that exists say."""
        known = await self.known(used) or {}
        return {arn: self._judge(role).may_write for arn, role in known.items()}

    async def judged(self, known: Mapping[str, Role]) -> dict[str, Judgement]:
        """Each role's judgement. Those that their policies leave open are put to AWS's simulator, once each."""
        return await self._simulator.settle({arn: (role, self._judge(role)) for arn, role in known.items()})

    def _judge(self, role: Role) -> Judgement:
        if role.arn not in self._judged:
            self._judged[role.arn] = roles.judge(role, account=self._who.account)
        return self._judged[role.arn]

    async def _read(self) -> reads.RolesPage:
        whole = reads.RolesPage({}, {})
        async for page in reads.roles(self._wire, self._who, self._region):
            whole.roles.update(page.roles)
            whole.policies.update(page.policies)
        return whole

    async def _documents(self, page: reads.RolesPage, used: list[reads.RoleText]) -> dict[str, Document | None]:
        """The managed policies' documents by ARN, the boundaries' included; None where one could not be read."""
        arns = {arn for role in used for arn in (*role.attached, role.boundary) if arn}
        asked = [arn for arn in arns if arn not in page.policies and ":iam::aws:policy/" in arn]
        told = await asyncio.gather(*(self._managed.of(self._who, self._region, arn) for arn in asked))
        return {arn: _document(page.policies.get(arn, "")) for arn in arns} | dict(zip(asked, told, strict=True))


def _role(arn: str, text: reads.RoleText, documents: Mapping[str, Document | None]) -> Role:
    policies = {name: _document(inline) for name, inline in text.inline}
    policies |= {policy: documents[policy] for policy in text.attached}
    readable = {name: document for name, document in policies.items() if document is not None}
    boundary = documents[text.boundary] if text.boundary else None
    return Role(
        arn=arn,
        policies=tuple(readable.values()),
        policy_names=tuple(readable),
        policies_unknown=len(readable) < len(policies),
        boundary=boundary,
        boundary_unknown=text.boundary is not None and boundary is None,
        trust=_document(text.trust),
        path=text.path,
    )


@lru_cache(maxsize=2_000)  # many roles, in all accounts, bear the same policies; nobody changes a document
def _document(text: str) -> Document | None:
    try:
        return reads.document(text) if text else None
    except ValueError:
        return None

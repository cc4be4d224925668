"""All of AWS, looked at side by side: the way there, who we are, every account, the bot's own permissions.

Each call is given a few seconds, so that what hangs is said to, and the whole ends.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from commands.aws import identity, reads, selection
from commands.aws.doctor import hub, listings, own
from commands.aws.doctor.account import Account
from commands.aws.doctor.words import AWS, FIX, Uses, not_asked, outcome, reason, skew
from commands.aws.errors import AwsProblem, NotAccepted, Unreachable, clean
from commands.aws.keys import Caller
from commands.aws.queue import Queue
from commands.aws.wire import Retries, Wire
from storage.diagnosis import Diagnosis, Outcome, together
from storage.models import ORGANIZATION

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

_QUICK = Retries(deadline=8.0, attempt=6.0, connect=3.0, throttled=5, refused=2, unreachable=2, bad_answer=2)
_WHOLE_SECONDS = 90.0  # for all accounts: where much hangs, what is known by then is said
OnProgress = Callable[[int, int, str], None]
T = TypeVar("T")


def examine(
    cloud: "Cloud",
    uses: Uses,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_progress: OnProgress | None = None,
    retries: Retries = _QUICK,
    seconds: float = _WHOLE_SECONDS,
) -> list[Diagnosis]:
    """Never raises AwsProblem. `cloud` is to be a fresh one: who was let in an hour ago may be shut out by now."""

    async def look() -> list[Diagnosis]:
        async with Wire(cloud.endpoints, paces=cloud.paces, retries=retries) as wire:
            return await _Examination(cloud, uses, wire, clock, on_progress, retries.deadline).run(seconds)

    try:
        found = asyncio.run(look())
    except AwsProblem as problem:  # of settings that botocore cannot work with: a profile that does not exist
        found = [Diagnosis(AWS, Outcome.FAIL, "settings of AWS", str(problem), "correct the AWS_… variables")]
    return together(found)


class _Examination:
    def __init__(
        self,
        cloud: "Cloud",
        uses: Uses,
        wire: Wire,
        clock: Callable[[], datetime],
        on_progress: OnProgress | None,
        seconds: float,  # for each call
    ) -> None:
        self._cloud, self._uses, self._wire, self._clock = cloud, uses, wire, clock
        self._on_progress, self._seconds = on_progress, seconds
        self._done = 0

    async def run(self, seconds: float) -> list[Diagnosis]:
        """`seconds`: as long as all accounts may take together."""
        try:
            reached = await self._reach()
        except Unreachable as problem:
            how = "see that this machine reaches AWS: HTTPS_PROXY, firewall, AWS_ENDPOINT_URL and AWS_REGION"
            return [Diagnosis(AWS, Outcome.UNKNOWN, "the way to AWS", problem.message, how)]
        known, caller = await self._who_we_are()
        if not caller:
            return [reached, *known]
        accounts, of_accounts = await self._accounts()
        beside = [asyncio.create_task(one) for one in (self._hub(), self._listings(), self._cluster())]
        looked = [Account(self._cloud, self._wire, self._uses, one, self._clock()) for one in accounts.ids_to_read]
        self._total = len(looked)
        late = await self._within(seconds, looked, accounts.management)
        told = [one for some in await asyncio.gather(*beside) for one in some]
        told += await self._untried(caller, looked)
        return [reached, *known, *of_accounts, *self._of_roles(looked), *late, *told]

    # ---- the way there, and who we are

    async def _reach(self) -> Diagnosis:
        """How far our clock is off that of STS. Raises Unreachable."""
        asked_at = self._clock()
        answer = await self._wire.touch("sts", self._cloud.home_region, self._seconds)
        return skew(AWS, "the clock, beside AWS's", answer.header("Date"), asked_at, self._clock())

    async def _who_we_are(self) -> tuple[list[Diagnosis], str]:
        """And the ARN; empty where AWS does not know us."""
        try:
            arn = await reads.caller(self._wire, identity.Ambient(self._cloud), self._cloud.home_region)
        except AwsProblem as problem:
            how = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run it where a role is attached"
            if not isinstance(problem, NotAccepted):
                how = "look again in a minute"
            found = Diagnosis(AWS, outcome(problem), "credentials", reason(problem), how, detail=str(problem))
            return [found], ""
        self._cloud.caller_is(Caller.of(arn))
        return [Diagnosis(AWS, Outcome.OK, "credentials", clean(arn))], arn

    # ---- accounts

    async def _accounts(self) -> "tuple[_Chosen, list[Diagnosis]]":
        what = "the organization" if self._cloud.settings.organization else "accounts"
        how = "correct accounts, [aws.include] and [aws.exclude] in [aws]"
        try:
            chosen = await selection.choose(
                self._cloud, self._wire, None, partial(identity.home, self._cloud, self._wire)
            )
        except AwsProblem as problem:
            return _Chosen((), ""), [Diagnosis(AWS, outcome(problem), what, str(problem), how)]
        found = [
            Diagnosis(
                AWS, Outcome.FAIL, what, row.reason, how, places=() if row.account == ORGANIZATION else (row.account,)
            )
            for row in chosen.not_scanned
        ]
        number = len(chosen.accounts)
        found.append(Diagnosis(AWS, Outcome.OK, what, f"{number:,} account{'' if number == 1 else 's'} to look at"))
        return _Chosen(tuple(one.id for one in chosen.accounts), chosen.management), found

    async def _within(self, seconds: float, looked: list[Account], management: str) -> list[Diagnosis]:
        """Look at all; those that take too long."""
        if not looked:
            return []
        tasks = {asyncio.create_task(self._look(one, management)): one for one in looked}
        done, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        for task in done:
            task.result()  # a fault of ours is not to be silent
        how = "look at what did not answer, and leave out of [aws] what is not to be reached"
        said = f"not all of it was looked at within {seconds:g} s"
        return [
            Diagnosis(AWS, Outcome.UNKNOWN, "accounts", said, how, places=(tasks[task].who.account,)) for task in late
        ]

    async def _look(self, account: Account, management: str) -> None:
        await account.look(management)
        self._done += 1
        if self._on_progress:
            self._on_progress(self._done, self._total, "accounts")

    def _of_roles(self, looked: list[Account]) -> Iterator[Diagnosis]:
        found = [one for account in looked for one in account.found]
        somewhere = any(one.area == FIX and one.outcome is Outcome.OK and one.what.startswith("role ") for one in found)
        for one in found:
            missing = one.area == FIX and one.outcome is Outcome.FAIL and one.what.startswith("role ")
            # Where it is in other accounts, it may be left out here on purpose.
            yield replace(one, outcome=Outcome.WARN) if missing and somewhere else one
        if not self._cloud.settings.fix_role:
            said = "none is set: fixes are made with the bot's own credentials, which nothing narrows down"
            yield Diagnosis(
                FIX,
                Outcome.WARN,
                "[aws] fix_role",
                said,
                'deploy the template fix-role, and set fix_role = "lamplighter-fix"',
            )

    # ---- the bot's own

    async def _hub(self) -> list[Diagnosis]:
        checks = list(hub.checks(self._uses))
        told = await asyncio.gather(*(self._one_of_hub(*check) for check in checks))
        found = [one for some in told for one in some]
        return [*found, hub.rules_out_of_sight()] if self._uses.queue_url else found

    async def _one_of_hub(self, area: str, what: str, check: hub.Check) -> list[Diagnosis]:
        try:
            return await _aside(lambda: list(check(self._cloud, self._uses, self._clock())), self._seconds)
        except TimeoutError:
            how = "see that this machine may reach that service of AWS"
            return [Diagnosis(area, Outcome.UNKNOWN, what, f"no answer within {self._seconds:g} s", how)]
        except AwsProblem as problem:
            return [not_asked(area, what, reason(problem))]

    async def _untried(self, caller: str, looked: list[Account]) -> list[Diagnosis]:
        account = self._cloud.home_account()
        home = next((one for one in looked if one.who.account == account), None) or await self._home(account)
        arn = Queue(self._cloud, self._uses.queue_url, self._uses.queue_region).arn if self._uses.queue_url else ""
        return await own.look(self._cloud, self._wire, caller, home, list(own.untried(self._uses)), arn)

    async def _home(self, account: str) -> Account:
        """The bot's own account where it is not audited: its audit role may be there all the same."""
        home = Account(self._cloud, self._wire, self._uses, account, self._clock())
        try:
            await home.who.keys()
        except AwsProblem:
            return home
        home.may_read = True
        return home

    async def _listings(self) -> list[Diagnosis]:
        told = await asyncio.gather(
            listings.organization_tags(self._cloud, self._wire), listings.aggregator(self._cloud, self._wire)
        )
        return [one for some in told for one in some]

    async def _cluster(self) -> list[Diagnosis]:
        from commands.aws.accounts import LOCAL

        if self._cloud.settings.pool == LOCAL:
            return []
        from commands.aws.doctor.cluster import look

        return await look(self._cloud.settings.pool)


class _Chosen:
    def __init__(self, ids: tuple[str, ...], management: str) -> None:
        self.ids_to_read, self.management = ids, management


async def _aside(call: Callable[[], T], seconds: float) -> T:
    """In a thread that is left behind where it takes longer. Raises TimeoutError, and what `call` does."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(give: Callable[[], None]) -> None:
        if not answer.done():
            give()

    def run() -> None:
        give: Callable[[], None]
        try:
            give = partial(answer.set_result, call())
        except BaseException as problem:  # noqa: BLE001 - it is raised again where the answer is waited for
            give = partial(answer.set_exception, problem)
        try:
            loop.call_soon_threadsafe(settle, give)
        except RuntimeError:  # nobody waits any more
            return

    threading.Thread(target=run, name="doctor", daemon=True).start()
    return await asyncio.wait_for(answer, seconds)

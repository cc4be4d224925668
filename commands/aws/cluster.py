"""An audit that the workers of a Dask cluster read: chunks of accounts go out, and what they say is put together here.

A worker that dies has its chunks read by others. What cannot be read all the same is a row with its reason; only where
nothing comes back at all is there no audit.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from commands.aws.chunks import Chunk, Part, cut, read_chunk
from commands.aws.dask_client import Patience, connected, has_workers, threads
from commands.aws.errors import AwsProblem, Unreachable
from commands.aws.sweep import Sweep, beside
from commands.aws.wire import Wire
from storage.models import Inventory, NotScanned

if TYPE_CHECKING:
    from distributed import Client

    from commands.aws.accounts import Cloud
    from commands.aws.sweep import OnProgress

Read = Callable[[Chunk], Part]

_RETRIES = 2  # of a chunk that raises: one worker may have what another lacks
_PATIENT = Patience()

log = logging.getLogger(__name__)


def run(
    cloud: "Cloud",
    *,
    accounts: Sequence[str] | None,
    regions: Sequence[str] | None,
    tag_keys: Sequence[str],
    on_progress: "OnProgress | None",
    meanwhile: Callable[[], None] | None = None,
    patience: Patience = _PATIENT,
    read: Read = read_chunk,
) -> Inventory:
    """`inventory.take_inventory` on the cluster of `settings.pool`; `read` is what its workers do.

    Raises AwsProblem where the cluster cannot be used, and where none of it can read anything.
    """
    found: list[Inventory] = []

    async def audit() -> None:
        async with Wire(cloud.endpoints, paces=cloud.paces) as wire:
            reading = Reading(Sweep(cloud, wire, tuple(tag_keys), None), on_progress, patience, read)
            found.append(await beside(reading.run(accounts, regions), meanwhile))

    asyncio.run(audit())  # nothing is returned: `sweep.run` says why
    return found[0]


class Reading:
    """One audit's chunks, from when they are sent until each has come back or is given up."""

    def __init__(self, sweep: Sweep, on_progress: "OnProgress | None", patience: Patience, read: Read) -> None:
        self._sweep, self._on_progress, self._patience, self._read = sweep, on_progress, patience, read
        self._regions: set[str] = set()
        self._done = self._total = self._parts = 0
        self._first: AwsProblem | None = None

    async def run(self, accounts: Sequence[str] | None, regions: Sequence[str] | None) -> Inventory:
        await self._sweep.choose(accounts, regions)
        if self._sweep.chosen.accounts:
            settings = self._sweep.cloud.settings
            async with connected(settings.pool, self._patience) as client:
                busy = await threads(client, settings.pool, self._patience)
                await self._of(client, cut(settings, self._sweep.chosen, regions, self._sweep.tag_keys, threads=busy))
        await self._sweep.owned()
        return self._sweep.inventory(self._regions)

    async def _of(self, client: "Client", chunks: Iterable[Chunk]) -> None:
        """Raises AwsProblem, the first there was, where not one chunk could be read."""
        waiting = {asyncio.create_task(self._on(client, chunk)): chunk for chunk in chunks}
        self._total = sum(len(chunk.accounts) for chunk in waiting.values())
        try:
            await self._until_done(client, waiting)
        finally:
            for task in waiting:
                task.cancel()
        if self._first and not self._parts:
            raise self._first

    async def _on(self, client: "Client", chunk: Chunk) -> Part:
        # Not pure: the same question has another answer tomorrow.
        part: Part = await client.submit(self._read, chunk, pure=False, retries=_RETRIES)
        return part

    async def _until_done(self, client: "Client", waiting: "dict[asyncio.Task[Part], Chunk]") -> None:
        loop = asyncio.get_running_loop()
        alone_since: float | None = None
        while waiting:
            done, _ = await asyncio.wait(waiting, timeout=self._patience.look, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                self._take(task, waiting.pop(task))
            if done or await has_workers(client, self._patience):
                alone_since = None
                continue
            alone_since = alone_since or loop.time()
            if loop.time() - alone_since >= self._patience.workers:
                self._give_up(waiting.values())
                return

    def _take(self, task: "asyncio.Task[Part]", chunk: Chunk) -> None:
        try:
            part = task.result()
        except Exception as error:  # noqa: BLE001 - what a worker or Dask raises is why these accounts were not seen
            self._miss(chunk, _problem(error, chunk))
            return
        self._parts += 1
        self._sweep.functions += part.functions
        self._sweep.not_scanned += part.not_scanned
        self._sweep.callers.learn(part.callers)
        self._sweep.wire.calls += part.aws_calls
        self._regions.update(part.regions)
        self._tell(chunk)

    def _give_up(self, chunks: Iterable[Chunk]) -> None:
        told = f"the cluster has had no worker, or no answer, for {self._patience.workers:g} s"
        problem = Unreachable("NoWorkers", told, own_words=True)
        for chunk in chunks:
            self._miss(chunk, problem)

    def _miss(self, chunk: Chunk, problem: AwsProblem) -> None:
        self._first = self._first or problem
        log.warning("could not see %s: %s", ", ".join(chunk.accounts), problem)
        for account in chunk.accounts:
            self._sweep.not_scanned.append(NotScanned(account, "", chunk.chosen.named(account, str(problem))))
        self._tell(chunk)

    def _tell(self, chunk: Chunk) -> None:
        self._done += len(chunk.accounts)
        if self._on_progress:
            self._on_progress(self._done, self._total, chunk.accounts[-1])


def _problem(error: Exception, chunk: Chunk) -> AwsProblem:
    """Why a chunk was not read, for a person who looks at one of its accounts."""
    from concurrent.futures import CancelledError

    from distributed.comm import CommClosedError
    from distributed.scheduler import KilledWorker

    kind = type(error).__name__
    if isinstance(error, KilledWorker):
        died, others = error.allowed_failures + 1, len(chunk.accounts) - 1
        along = f" and {_count(others, 'other')}" if others else ""
        told = f"{_count(died, 'worker')} died while reading this account{along}; "
        told += "its log may say why" if died == 1 else "their logs may say why"
    elif isinstance(error, CancelledError | CommClosedError):  # the latter where it broke while an answer came
        told = "the connection to the Dask scheduler was lost"
    else:
        told = f"a worker of the cluster says: {error if isinstance(error, AwsProblem) else f'{kind}: {error}'}"
    return AwsProblem(kind, told, own_words=True)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

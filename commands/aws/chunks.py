"""What a worker of a cluster is given and does: a few accounts in, nouns out, under credentials of its own.

Credentials never travel. Workers run the same code as the bot, or say that they do not.
"""

import asyncio
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

from commands.aws.accounts import LOCAL, AwsSettings, Cloud
from commands.aws.callers import Callers
from commands.aws.errors import AwsProblem
from commands.aws.scope import NO_RULES
from commands.aws.selection import Chosen
from commands.aws.sweep import Sweep
from commands.aws.wire import Wire
from storage.models import Function, NotScanned

_ROUNDS = 4  # chunks for each thread of the cluster: who is done early takes over from who is not
_MOST = 20  # accounts of a chunk; they are read again where a worker is lost


@dataclass(frozen=True)  # without slots: those would be taken apart by position, whatever code made them
class Chunk:
    """Accounts that one worker reads; an account is in one chunk only, so that its budget of calls is kept there."""

    settings: AwsSettings
    chosen: Chosen
    regions: tuple[str, ...] | None
    tag_keys: tuple[str, ...]
    code: str  # of the one who asks

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(account.id for account in self.chosen.accounts)


def cut(
    settings: AwsSettings,
    chosen: Chosen,
    regions: Sequence[str] | None,
    tag_keys: Sequence[str],
    *,
    threads: int,
) -> Iterator[Chunk]:
    """The chosen accounts in chunks that keep so many threads busy to the end."""
    # What decided who is read, and what only the bot does, need not travel.
    needed = replace(
        settings, accounts=None, include=NO_RULES, exclude=NO_RULES, organization=False, fix_role=None, pool=LOCAL
    )
    narrowed = None if regions is None else tuple(regions)
    size = min(_MOST, max(1, math.ceil(len(chosen.accounts) / (_ROUNDS * max(1, threads)))))
    for start in range(0, len(chosen.accounts), size):
        some = chosen.accounts[start : start + size]
        names = {account.id: account.name for account in some if account.name}
        part = replace(chosen, accounts=some, unread=(), not_scanned=(), names=names)
        yield Chunk(needed, part, narrowed, tuple(tag_keys), code())


@dataclass(frozen=True)
class Part:
    """What a chunk's accounts said; not judged yet, since callers may be in another chunk."""

    functions: tuple[Function, ...]
    not_scanned: tuple[NotScanned, ...]
    regions: frozenset[str]
    callers: Callers
    aws_calls: int


def read_chunk(chunk: Chunk) -> Part:
    """Runs on a worker. Raises AwsProblem where it can ask nothing at all, or runs other code."""
    if chunk.code != code():
        raise AwsProblem(
            "OtherCode",
            "it runs another version of Lamplighter than the bot; start workers from the bot's image",
            own_words=True,
        )
    cloud = _cloud(chunk.settings)
    cloud.ambient_keys()  # without credentials there is nothing to ask

    found: list[Part] = []

    async def reading() -> None:
        async with Wire(cloud.endpoints, paces=cloud.paces) as wire:
            sweep = Sweep(cloud, wire, chunk.tag_keys, None)
            sweep.chosen = chunk.chosen
            regions = frozenset(await sweep.read(chunk.regions))
            found.append(Part(tuple(sweep.functions), tuple(sweep.not_scanned), regions, sweep.callers, wire.calls))

    asyncio.run(reading())
    return found[0]


@lru_cache(maxsize=4)
def _cloud(settings: AwsSettings) -> Cloud:
    """One for all chunks, which share the worker's credentials, clients and pace."""
    return Cloud(settings)


@cache
def code() -> str:
    """A digest of the code that reads and of the nouns that come of it."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted([*(root / "commands" / "aws").glob("*.py"), root / "storage" / "models.py"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()

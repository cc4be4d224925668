"""The way to a Dask scheduler and its workers, or one line that says why there is none and how to mend it.

Dask is loaded here and nowhere else, when the settings ask for it.
"""

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commands.aws.errors import AwsProblem, Unreachable

if TYPE_CHECKING:
    from distributed import Client

_TLS = "Set DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT and …__CLIENT__KEY"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a cluster is waited for, in seconds."""

    scheduler: float = 10.0
    workers: float = 60.0  # for the first one, and for another where none is left
    look: float = 5.0  # without any news, until it is asked whether there are workers


@asynccontextmanager
async def connected(address: str, patience: Patience) -> "AsyncIterator[Client]":
    """A client of a scheduler that fits. Raises AwsProblem; leaves no thread and no connection behind."""
    client = _client(address, patience)
    try:
        await _greet(client, address, patience)
        yield client
    finally:
        await client.close()


def _client(address: str, patience: Patience) -> "Client":
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise _unusable(address, "Dask is not installed", "Install requirements-cluster.txt") from error
    _quiet(distributed)
    try:
        # A client with a thread of its own would leave it behind whenever it does not reach its scheduler.
        return distributed.Client(
            address, asynchronous=True, timeout=patience.scheduler, set_as_default=False, name="lamplighter"
        )
    except (OSError, TypeError, ValueError) as error:
        raise _unusable(address, f"Dask's TLS settings cannot be used ({_said(error)})", _TLS) from error


def _quiet(distributed: Any) -> None:
    """What Dask would log and warn of is said here, in words that name the setting."""
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=distributed.versions.VersionMismatchWarning)


async def _greet(client: "Client", address: str, patience: Patience) -> None:
    try:
        async with asyncio.timeout(2 * patience.scheduler):
            await client
            theirs = (await client.scheduler.versions(packages=[]))["packages"]["distributed"]
    except TypeError as error:
        raise _unusable(address, f"Dask has no certificates ({_said(error)})", _TLS) from error
    except Exception as error:  # whoever listens there may answer anything
        raise _silent(address, error) from error
    if theirs != _version():
        what = f"the scheduler runs distributed {theirs}, and the bot {_version()}"
        raise _unusable(address, what, "Start scheduler and workers from the bot's image")


async def threads(client: "Client", address: str, patience: Patience) -> int:
    """How many threads the workers have together, once there is a worker. Raises AwsProblem."""
    try:
        async with asyncio.timeout(patience.workers + patience.scheduler):
            await client.wait_for_workers(1, timeout=patience.workers)
            return int((await client.scheduler.identity(n_workers=0))["total_threads"])
    except TimeoutError as error:
        what = f"the scheduler has had no worker for {patience.workers:g} s"
        raise _unusable(address, what, "Start workers") from error
    except OSError as error:
        raise _silent(address, error) from error


async def has_workers(client: "Client", patience: Patience) -> bool:
    try:
        async with asyncio.timeout(patience.scheduler):
            return int((await client.scheduler.identity(n_workers=0))["n_workers"]) > 0
    except (OSError, AttributeError):  # no answer; or the client has given its scheduler up and has nobody to ask
        return False


def _silent(address: str, error: Exception) -> AwsProblem:
    return _unusable(address, f"no Dask scheduler answers there ({_said(error)})", "Start it, correct the address")


def _version() -> str:
    import distributed

    return str(distributed.__version__)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _unusable(address: str, what: str, how: str) -> AwsProblem:
    line = f'[scan] pool = "{address}": {what}. {how}, or set pool = "local".'
    return Unreachable("NoCluster", line, own_words=True)

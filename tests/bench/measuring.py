"""How one run is measured: a whole process and all below it, from its start to its end."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from urllib.request import urlopen

from tests.bench.contestants import ROOT, Contestant
from tests.bench.estate import COUNTS
from tests.bench.world import World

_PROC = Path("/proc")
_EVERY = 0.05  # seconds between two looks at the memory
_TAIL = 2000  # bytes of a failed run's log that are worth showing


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took."""

    seconds: float
    cpu_seconds: float  # user and system, of all its processes
    peak_mb: float  # MiB that all its processes held at one time
    calls: int  # that reached AWS
    connections: int
    refused: Mapping[str, int]  # calls that AWS refused, by action
    problem: str = ""  # what is wrong with the answer
    log: str = ""  # the end of what it wrote to stderr, where the answer is wrong


@contextmanager
def estate(world: World) -> Iterator[str]:
    """A pretend AWS in a process of its own: its URL."""
    command = [sys.executable, "-m", "tests.bench.estate", str(world)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def measure(contestant: Contestant, world: World, url: str) -> Run:
    """Run `contestant` once against the pretend AWS at `url`, in a new folder, and look at its answer."""
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as log:
        folder = Path(name)
        start = contestant.start(world, url, folder)
        counts(url)
        began = perf_counter()
        process = subprocess.Popen(
            start.command, cwd=start.folder, env=dict(start.environment), stdout=printed, stderr=log
        )
        with Memory(process.pid) as memory:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)  # wait4 took it; Popen need not ask
        reached = counts(url)
        printed.seek(0)
        problem = contestant.problem(world, printed.read(), folder)
        log.seek(0)
        return Run(
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_mb=(memory.peak or _largest(usage.ru_maxrss)) / 2**20,
            calls=sum(reached["calls"].values()),
            connections=reached["connections"],
            refused=reached["refused"],
            problem=problem,
            log=log.read()[-_TAIL:].decode(errors="replace") if problem else "",
        )


def counts(url: str) -> dict[str, Any]:
    """What reached AWS since this was last asked."""
    with urlopen(url + COUNTS) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def _largest(maxrss: int) -> int:
    """Bytes of the largest process, where /proc is missing; macOS counts in bytes and the others in KiB."""
    return maxrss if sys.platform == "darwin" else maxrss * 1024


class Memory:
    """Looks again and again at what a process and all below it hold; `peak` is in bytes, and 0 without /proc."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if _PROC.joinpath("self", "task").exists():
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread.ident:
            self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            held = [_held(pid) for pid in _tree(self._pid)]
            # A single process's own record of its peak is finer than our looks.
            self.peak = max(self.peak, sum(now for now, _ in held), *(most for _, most in held), 0)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(_PROC.joinpath(str(pid), "task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return
    for child in children:
        yield from _tree(int(child))


def _held(pid: int) -> tuple[int, int]:
    """Resident bytes of a process: now, and at most so far."""
    try:
        lines = _PROC.joinpath(str(pid), "status").read_text().splitlines()
    except OSError:  # it has ended
        return 0, 0
    told = {key: text for key, _, text in (line.partition(":") for line in lines)}
    now, most = (int(told.get(key, "0 kB").split()[0]) * 1024 for key in ("VmRSS", "VmHWM"))
    return now, most

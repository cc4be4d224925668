"""A Dask cluster on loopback, in processes of its own: the commands of README, without the image around them."""

import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from socket import create_server
from time import monotonic
from typing import Self

ROOT = Path(__file__).parents[1]


class Cluster:
    """A scheduler, and workers of one process each that stay dead when they are killed."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], protocol: str = "tcp", code: Path = ROOT, **more: str
    ) -> None:
        """`more` are variables of the scheduler's environment, and `code` is where it looks for code first."""
        self._folder = folder
        self._environment = {**environment, "DASK_CONFIG": str(folder), "DASK_TEMPORARY_DIRECTORY": str(folder)}
        with create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"{protocol}://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--port", str(port), "--protocol", protocol, code=code, **more)
        self.workers: list[subprocess.Popen[bytes]] = []

    def add_worker(self, code: Path = ROOT, **environment: str) -> "subprocess.Popen[bytes]":
        """`code` is where the worker finds Lamplighter."""
        name = f"worker-{len(self.workers)}"
        options = ("--no-nanny", "--nthreads", "1", "--name", name)
        self.workers.append(self._start("worker", self.address, *options, name=name, code=code, **environment))
        return self.workers[-1]

    def until_ready(self, seconds: float = 30.0) -> None:
        """Until every worker is known to the scheduler."""
        until = monotonic() + seconds
        for number, worker in enumerate(self.workers):
            while "Registered to" not in self.logged(f"worker-{number}"):
                assert worker.poll() is None, self.logged(f"worker-{number}")
                assert monotonic() < until, self.logged("scheduler")
                threading.Event().wait(0.05)

    def logged(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text(errors="replace")

    def _start(
        self, what: str, *options: str, name: str = "", code: Path = ROOT, **environment: str
    ) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "dask", what, *options, "--host", "127.0.0.1", "--no-dashboard"]
        own = {**self._environment, "PYTHONPATH": str(code), **environment}
        with (self._folder / f"{name or what}.log").open("wb") as log:
            return subprocess.Popen(command, cwd=self._folder, env=own, stdout=log, stderr=log)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
        for process in (*self.workers, self.scheduler):
            process.wait()

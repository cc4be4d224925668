"""An audit of 200 accounts on a Dask cluster that loses a worker, beside the same audit in one process."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.bench.contestants import Lamplighter
from tests.bench.measuring import counts, estate
from tests.bench.world import World
from tests.clusters import Cluster
from tests.e2e.scene import wait_for

WORLD = World(accounts=200, regions=2, functions=5, roles=2, latency=100)
LISTINGS = WORLD.accounts * WORLD.regions


class Audit:
    """`python -m bot audit --json` with a memory of its own."""

    def __init__(self, url: str, folder: Path, pool: str) -> None:
        folder.mkdir()
        self._folder = folder
        start = Lamplighter().start(WORLD, url, folder)
        with (folder / "lamplighter.toml").open("a") as settings:
            settings.write(f'[scan]\npool = "{pool}"\n')
        with (folder / "printed").open("wb") as printed, (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                start.command, cwd=start.folder, env=dict(start.environment), stdout=printed, stderr=log
            )

    def answer(self) -> dict[str, Any]:
        assert self.process.wait(60) == 1, self.log
        printed = (self._folder / "printed").read_bytes()
        assert Lamplighter().problem(WORLD, printed, self._folder) == ""
        answer: dict[str, Any] = json.loads(printed)
        return answer

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")


def test_an_audit_on_a_cluster_that_loses_a_worker_finds_what_one_process_finds(tmp_path: Path) -> None:
    with estate(WORLD) as url:
        alone = Audit(url, tmp_path / "alone", "local").answer()
        with Cluster(tmp_path, Lamplighter().start(WORLD, url, tmp_path).environment) as cluster:
            lost, kept = cluster.add_worker(), cluster.add_worker()
            cluster.until_ready()
            counts(url)
            audit = Audit(url, tmp_path / "together", cluster.address)
            listed = 0

            def a_quarter_is_listed() -> bool:
                nonlocal listed
                assert audit.process.poll() is None, audit.log
                listed += counts(url)["calls"].get("ListFunctions", 0)
                return listed >= LISTINGS / 4

            wait_for(a_quarter_is_listed, 40)
            lost.send_signal(signal.SIGKILL)
            assert listed < LISTINGS
            together = audit.answer()
            assert (lost.wait(), kept.poll()) == (-signal.SIGKILL, None)

    assert together["functions"] == alone["functions"]
    assert together["coverage"] == alone["coverage"]
    assert together["not_scanned"] == alone["not_scanned"] == []
    sizes = [{key: one["audit"][key] for key in ("accounts", "regions", "functions")} for one in (together, alone)]
    assert sizes == [{"accounts": 200, "regions": 2, "functions": WORLD.total}] * 2
    assert audit.log.count("\n") == 1, "Dask keeps out of the log"

"""How long an audit takes, cold: `make bench`, or `python -m tests.bench.audit --world 100x5x20x10 --latency 50 -n 3`.

Two things are timed in processes of their own: the reading alone, and the whole of `python -m bot audit --json`, which
also judges, remembers and prints. An answer whose counts are wrong is printed as WRONG, whatever its time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from urllib.request import urlopen

from tests.bench.estate import HOME, Size

ROOT = Path(__file__).parents[2]
WORLDS = ["1x1x1000x50", "100x5x20x10"]
READING = """
import sys
from commands.aws import checks
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.inventory import take_inventory
accounts, regions = (tuple(text.split(",")) if text else None for text in sys.argv[1:])
settings = AwsSettings(accounts, regions, role="audit" if accounts else None, calls_per_second=0)
seen = take_inventory(Cloud(settings), tag_keys=("team",))
assert not seen.not_scanned, seen.not_scanned[:3]
print(len(seen.functions), sum(checks.judge(each).verdict == "traced" for each in seen.functions))
"""


@dataclass(frozen=True)
class Run:
    """One audit from start to end. Seconds, megabytes, and what reached the pretend AWS."""

    wall: float
    cpu: float
    memory: float
    calls: int
    connections: int
    right: bool


@contextmanager
def estate(world: str, latency: float) -> Iterator[str]:
    """A pretend AWS in a process of its own: its URL."""
    command = [sys.executable, "-m", "tests.bench.estate", world, str(latency)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        finally:
            server.terminate()


def told(url: str) -> tuple[int, int]:
    """Calls and connections so far."""
    with urlopen(url) as answer:
        said = json.load(answer)
    return sum(said["calls"].values()), said["connections"]


def run(command: list[str], environment: dict[str, str], url: str, size: Size) -> Run:
    calls, connections = told(url)
    began = perf_counter()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as log:
        started = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=log)
        _, _, usage = os.wait4(started.pid, 0)
        wall = perf_counter() - began
        started.returncode = 0  # wait4 took it; Popen need not ask
        output.seek(0)
        right = is_right(output.read().decode(), size)
        if not right:
            log.seek(0)
            sys.stderr.write(log.read().decode()[-2000:])
    calls, connections = (now - before for now, before in zip(told(url), (calls, connections), strict=True))
    memory = usage.ru_maxrss / 1024
    return Run(wall, usage.ru_utime + usage.ru_stime, memory, calls, connections - 1, right)


def is_right(output: str, size: Size) -> bool:
    if not output.startswith("{"):
        return output.split() == [str(size.total), str(size.traced)]
    said = json.loads(output)
    found = (len(said["functions"]), said["coverage"]["traced"], said["not_scanned"])
    return found == (size.total, size.traced, [])


def contestants(size: Size, folder: Path) -> dict[str, list[str]]:
    accounts = ",".join(size.account_ids) if size.accounts > 1 else ""
    lines = ["[aws]", "calls_per_second = 0", f"regions = {json.dumps(size.region_names)}"]
    lines += [f"accounts = {json.dumps(size.account_ids)}", 'role = "audit"'] if accounts else []
    (folder / "lamplighter.toml").write_text("\n".join(lines) + "\n")
    return {
        "reading": [sys.executable, "-c", READING, accounts, ",".join(size.region_names)],
        "bot audit --json": [sys.executable, "-m", "bot", "audit", "--json"],
    }


def environment_of(url: str, folder: Path, number: int) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SLACK_", "LAMPLIGHTER_"))}
    return kept | {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": f"AKIA{HOME}",
        "AWS_SECRET_ACCESS_KEY": "pretend",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMPLIGHTER_CONFIG": str(folder / "lamplighter.toml"),
        "LAMPLIGHTER_DATABASE": str(folder / f"{number}.db"),
    }


def line(name: str, runs: list[Run], size: Size) -> str:
    def median(of: str) -> float:
        return statistics.median(getattr(each, of) for each in runs)

    wrong = "" if all(each.right for each in runs) else "  WRONG"
    return (
        f"  {name:17} {size.total / median('wall'):9,.0f} functions/s  wall {median('wall'):6.2f} s  "
        f"CPU {median('cpu'):6.2f} s  memory {median('memory'):5.0f} MB  calls {median('calls'):5.0f}  "
        f"connections {median('connections'):4.0f}{wrong}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about = "accounts x regions x functions in each region x roles in each account"
    parser.add_argument("--world", action="append", help=f"{about}; may be given several times", metavar="AxRxFxR")
    parser.add_argument("--latency", type=float, default=50, help="milliseconds for each call (default 50)")
    parser.add_argument("-n", type=int, default=3, help="runs of each; medians are printed (default 3)")
    chosen = parser.parse_args()
    right = True
    for world in chosen.world or WORLDS:
        size = Size.read(world)
        floor = -(-size.functions // 50) * chosen.latency / 1000
        sys.stdout.write(f"{world}: {size.total:,} functions, {chosen.latency:g} ms a call, medians of {chosen.n}; ")
        sys.stdout.write(f"the longest chain of pages alone takes {floor:.2f} s\n")
        with tempfile.TemporaryDirectory() as folder, estate(world, chosen.latency) as url:
            for name, command in contestants(size, Path(folder)).items():
                runs = [
                    run(command, environment_of(url, Path(folder), number), url, size) for number in range(chosen.n)
                ]
                right = right and all(each.right for each in runs)
                sys.stdout.write(line(name, runs, size) + "\n")
                sys.stdout.flush()
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())

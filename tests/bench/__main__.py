"""`make bench`: Lamplighter and Cloud Custodian in turn, on one pretend AWS."""

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from tests.bench import report
from tests.bench.contestants import PEER, ROOT, Contestant, Custodian, Lamplighter
from tests.bench.load import Loaded, measure_load
from tests.bench.measuring import Run, estate, measure
from tests.bench.report import Measured, Setting
from tests.bench.world import World

SIDE_BY_SIDE = ("1x1x1000x50@20", "1x1x10000x50@50", "100x5x20x10@50")
ALONE = ("200x5x100x20@50",)  # Lamplighter only: how memory and time grow
LOAD, RATE, SECONDS = "60x5x334x20@50", 50, 60  # the world, commands a second, and for how long
BENCHMARKS = ROOT / "BENCHMARKS.md"


def _worlds(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> tuple[World, ...]:
    try:
        return tuple(World.read(text) for text in texts)
    except ValueError as problem:
        raise click.BadParameter(str(problem)) from problem


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--world", "worlds", multiple=True, callback=_worlds, metavar="AxRxFxR@MS",
    help="Accounts x regions x functions in each region x roles in each account @ milliseconds a call; "
    f"may be given several times. Default: {', '.join(SIDE_BY_SIDE)}, and for Lamplighter alone {', '.join(ALONE)}.",
)  # fmt: skip
@click.option("-n", "runs", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each.")
@click.option("--peer/--no-peer", default=True, help="Measure Cloud Custodian too (default), or Lamplighter alone.")
@click.option(
    "--load/--no-load", default=None,
    help=f"Send the bot {RATE} commands a second for {SECONDS} s while it audits {World.read(LOAD).total:,} functions "
    "and fixes 300, over Socket Mode and over HTTP. Default: if no world is given.",
)  # fmt: skip
@click.option(
    "--write/--no-write", default=None,
    help="Write BENCHMARKS.md. Default: if both were measured in all of the default worlds.",
)  # fmt: skip
def main(worlds: tuple[World, ...], runs: int, peer: bool, load: bool | None, write: bool | None) -> None:
    """Time Lamplighter's audit beside Cloud Custodian's on one pretend AWS, in turn, cold.

    Exit code 1: an answer was wrong, and nothing is written; 2: bad usage.
    """
    if peer and not (PEER / "custodian").exists():
        raise click.UsageError("Cloud Custodian is not in .venv-peer: run `make bench`, or leave it out with --no-peer")
    console = Console()
    setting = Setting.here(datetime.now(UTC).date(), _versions(peer), runs)
    console.print(setting.warning or "", highlight=False)
    both: list[Contestant] = [Lamplighter(), Custodian()] if peer else [Lamplighter()]
    lineup = [(world, both) for world in worlds]
    if not worlds:
        lineup = [(World.read(text), both) for text in SIDE_BY_SIDE]
        lineup += [(World.read(text), both[:1]) for text in ALONE]
    everything = [_measured(world, contestants, runs, console) for world, contestants in lineup]
    loads = []
    for http in (False, True) if load or (load is None and not worlds) else ():
        loads.append(measure_load(World.read(LOAD), rate=RATE, seconds=SECONDS, http=http))
        for line in report.while_it_works(loads[-1]):
            console.print(line, highlight=False)
    whole = bool(peer and loads and not worlds)
    sys.exit(conclude(everything, setting, BENCHMARKS if write or (write is None and whole) else None, loads))


def conclude(everything: Sequence[Measured], setting: Setting, path: Path | None, loads: Sequence[Loaded] = ()) -> int:
    """The exit code; `path` is written where every answer was right."""
    if any(measured.wrong for measured in everything) or any(loaded.failures for loaded in loads):
        return 1
    if path:
        path.write_text(report.markdown(everything, setting, loads), encoding="utf-8")
    return 0


def _measured(world: World, contestants: Sequence[Contestant], count: int, console: Console) -> Measured:
    runs: dict[str, list[Run]] = {each.name: [] for each in contestants}
    with estate(world) as url, Console(stderr=True).status("") as status:
        for number in range(count):
            for each in contestants:
                status.update(f"{world}: {each.name}, run {number + 1} of {count}")
                runs[each.name].append(measure(each, world, url))
    measured = Measured(world, runs)
    console.print(f"{report.title(world)}; {report.about(world)}", highlight=False)
    console.print(report.table(measured), "")
    for name, run in measured.wrong.items():
        console.print(f"WRONG: {name}: {run.problem}\n{run.log}", markup=False, highlight=False)
    for name, refused in measured.refused.items():
        console.print(f"Refused to {name}: {refused}", markup=False, highlight=False)
    return measured


def _versions(peer: bool) -> dict[str, str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = {"Lamplighter": project["version"]}
    if peer:
        said = subprocess.run([PEER / "custodian", "version"], capture_output=True, text=True, check=True)
        found["Cloud Custodian"] = said.stdout.strip()
    return found


if __name__ == "__main__":
    main()

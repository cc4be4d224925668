"""What was measured, for the terminal and for BENCHMARKS.md: medians, and ratios between the contestants."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, Self

from tests.bench.load import Loaded
from tests.bench.measuring import Run
from tests.bench.world import World

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("", "functions/s", "wall s", "CPU s", "peak MB", "calls", "connections")
RATIO = "Custodian ÷ Lamplighter"
GROWTH = ("world", "functions", "pages", "wall s", "pages/s", "peak MB")
_FIGURES: tuple[tuple[Callable[[Run], float], str], ...] = (
    (lambda run: run.seconds, ",.2f"),
    (lambda run: run.cpu_seconds, ",.2f"),
    (lambda run: run.peak_mb, ",.0f"),
    (lambda run: run.calls, ",.0f"),
    (lambda run: run.connections, ",.0f"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One world: each contestant's runs, Lamplighter's first."""

    world: World
    runs: dict[str, list[Run]]

    @property
    def wrong(self) -> dict[str, Run]:
        """Who gave a wrong answer, with the first of them."""
        found = {name: [run for run in runs if run.problem] for name, runs in self.runs.items()}
        return {name: runs[0] for name, runs in found.items() if runs}

    @property
    def refused(self) -> dict[str, dict[str, int]]:
        """What AWS refused to each, in its last run."""
        return {name: dict(runs[-1].refused) for name, runs in self.runs.items() if runs[-1].refused}


@dataclass(frozen=True, slots=True)
class Setting:
    """When, on what machine, and how busy that was."""

    day: date  # UTC
    machine: str
    cores: int
    load: float  # processes that wanted a core, in the minute before
    python: str
    versions: dict[str, str]  # of the contestants, by name
    runs: int

    @classmethod
    def here(cls, day: date, versions: dict[str, str], runs: int) -> Self:
        allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        machine = f"{platform.system()} {platform.machine()}"
        load = os.getloadavg()[0]
        return cls(day, machine, allowed or 1, load, platform.python_version(), versions, runs)

    @property
    def warning(self) -> str:
        if self.load < self.cores / 2:
            return ""
        return f"The machine is busy (load {self.load:.1f} on {self.cores} cores): measure again when it is at rest."

    def __str__(self) -> str:
        cores = f"{self.cores} core{'s' if self.cores != 1 else ''}"
        who = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.machine}, {cores}, load {self.load:.1f} before it began, Python {self.python}; {who}"


def rows(measured: Measured) -> list[list[str]]:
    """A row for each contestant, and one of their ratios where there are two."""
    total = measured.world.total
    medians = {name: [median(map(figure, runs)) for figure, _ in _FIGURES] for name, runs in measured.runs.items()}
    made = []
    for name, values in medians.items():
        said = [format(value, form) for value, (_, form) in zip(values, _FIGURES, strict=True)]
        shown = f"{name} (WRONG)" if name in measured.wrong else name
        made.append([shown, f"{total / values[0]:,.0f}", *said])
    if len(medians) == 2:
        ours, theirs = medians.values()
        # How many times as many functions a second: the ratio of seconds, said once.
        made.append([RATIO, "", *(_ratio(their / max(our, 1e-9)) for our, their in zip(ours, theirs, strict=True))])
    return made


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def title(world: World) -> str:
    parts = (f"{world.accounts:,} account", f"{world.regions} region", f"{world.functions:,} function")
    numbers = (world.accounts, world.regions, world.functions)
    return " × ".join(part + ("s" if number != 1 else "") for part, number in zip(parts, numbers, strict=True))


def about(world: World) -> str:
    return (
        f"{world.roles:,} roles in each account, {world.latency:g} ms a call: "
        f"the longest chain of pages alone takes {world.floor:.2f} s."
    )


def growth(everything: Sequence[Measured]) -> list[list[str]]:
    """Lamplighter's time and memory against the number of pages that list the functions."""
    made = []
    for measured in everything:
        world, runs = measured.world, next(iter(measured.runs.values()))
        seconds, memory = median(run.seconds for run in runs), median(run.peak_mb for run in runs)
        figures = (f"{world.total:,}", f"{world.pages:,}", f"{seconds:,.2f}", f"{world.pages / seconds:,.0f}")
        made.append([f"`{world}`", *figures, f"{memory:,.0f}"])
    return made


def while_it_works(loaded: Loaded) -> list[str]:
    """What the bot was doing, and how long Slack waited for its acknowledgements; a line each."""
    failed = f"{len(loaded.failures):,} of them failed" if loaded.failures else "none failed"
    work = f"{loaded.world.total:,} functions were audited and {loaded.fixes:,} fixed in a batch"
    waited = ", ".join(f"{name} {1000 * value:,.0f} ms" for name, value in loaded.waits.items())
    ended = (
        f"The audit was answered after {loaded.audit:,.0f} s, and the last fix read back after {loaded.batch:,.0f} s"
    )
    way = "HTTP" if loaded.http else "Socket Mode"
    return [
        f"Over {way}: {loaded.sent:,} commands, {loaded.rate:g} a second, while {work}: {failed}.",
        f"Slack waited for the acknowledgement: {waited}. It gives an app 3,000 ms.",
        f"{ended}; the bot's memory was {loaded.peak_mb:,.0f} MB at most.",
    ]


def table(measured: Measured) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, show_edge=False, padding=0)  # fits 80 columns
    for number, column in enumerate(COLUMNS):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows(measured):
        made.add_row(*row)
    return made


def markdown(everything: Sequence[Measured], setting: Setting, loads: Sequence[Loaded] = ()) -> str:
    """BENCHMARKS.md, whole."""
    parts = [
        _HEAD.format(
            day=setting.day.isoformat(), setting=setting, runs=setting.runs, s="s" if setting.runs != 1 else ""
        )
    ]
    for measured in everything:
        parts.append(f"## {title(measured.world)}\n\n{about(measured.world)}\n\n{_grid(COLUMNS, rows(measured))}")
        parts += [
            f"Refused to {name}: {', '.join(f'{count} {action}' for action, count in refused.items())}.\n"
            for name, refused in measured.refused.items()
        ]
    parts.append(f"{_GROWTH_HEAD}\n{_grid(GROWTH, growth(everything))}")
    if loads:
        parts.append(_LOAD_HEAD)
        parts += ["".join(f"- {line}\n" for line in while_it_works(loaded)) for loaded in loads]
    return "\n".join(parts)


def _grid(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, rule, *lines))


_HEAD = """# Benchmarks

Measured on {day} by `make bench`, which writes this file whole; medians of {runs} run{s}.
{setting}.

Both ask the same pretend AWS (`tests/bench`) over HTTP on loopback. Its answers are made beforehand and given after a
set time for each call. They take turns; each run is a whole process from start to end, cold: Lamplighter with a new
database, Custodian without its cache. Every answer is compared, function by function, with what that AWS has, and a
wrong one is no measurement.

- **Lamplighter**, `python -m bot audit --json`, names each function's team, gives it a verdict from its mode, execution
  role, aliases and event sources, and remembers all of it. `calls_per_second` is 0 (no cap): Custodian has none.
- **Cloud Custodian**, `custodian run` for one account and `c7n-org run` for more, lists the functions that are not
  Active and have a tag `team`; its settings are the defaults.

Each account has roles that may write to X-Ray in three ways and roles that may not. In its first region one
function in 250 has an alias that serves older versions, and another is fed by Kafka.

CPU is the user and system time of all processes. Peak memory is the most that all of them held at one time, in MiB;
pages that processes share count in each. A real AWS speaks TLS, which makes every connection dearer, and limits how
often it may be asked.
"""

_LOAD_HEAD = """## While it works

The bot as a process of its own, between the pretend AWS and the strict Slack of the demo. The commands are a mix of
ten: one function's card, a team, lists, reports, forms, help.
"""
_GROWTH_HEAD = """## How Lamplighter grows

Functions come 50 a page. A world is accounts x regions x functions in each region x roles in each account @
milliseconds a call.
"""

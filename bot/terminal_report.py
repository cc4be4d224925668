"""`python -m bot report`: the figures of a window in a terminal, from memory alone."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.views import charts
from commands.views.amounts import dollars, points, share
from commands.views.chart_data import NO_TEAM, charts_of, worst_first
from commands.views.report import WITHOUT_PICTURES, kpi_lines, report_heading
from commands.views.report_csv import report_csv
from commands.views.text import HIDDEN

if TYPE_CHECKING:
    from rich.table import Table

    from storage.kpis import Figures, TeamFigures

_GAIN = "CHANGE"


def print_report(made: "Figures") -> None:
    """As in Slack, with all teams."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(report_heading(made), style="bold")
    for label, value in kpi_lines(made):
        console.print(f"{label}: {value}")
    if made.team is None and made.by_team:
        console.print(_table(made))


def print_json(made: "Figures") -> None:
    """One object on one line: `figures` as they are kept, and `by_team` as pairs of a team and its figures."""
    from storage.reports import to_json

    sys.stdout.buffer.write(to_json(made) + b"\n")
    sys.stdout.buffer.flush()


def write_pictures(made: "Figures", folder: Path) -> Iterator[Path]:
    """Each as it is written. Raises UsageError where there is nothing to draw with or nowhere to write to."""
    if not charts.can_draw():
        raise click.UsageError(f"--png: {WITHOUT_PICTURES}")
    for one in charts_of(made):
        yield _write(folder / f"{one.name}.png", charts.picture(one), "--png")


def write_csv(made: "Figures", file: Path) -> Path:
    return _write(file, report_csv(made).encode(), "--csv")


def _write(file: Path, content: bytes, option: str) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as problem:
        raise click.UsageError(
            f"{option}: {file} cannot be written: {problem.strerror}. Name another place."
        ) from problem
    return file


def _table(made: "Figures") -> "Table":
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("TEAM", "COVERAGE", _GAIN, "UNTRACED", "EXEMPT", "UNKNOWN", "X-RAY"):
        right = title not in ("TEAM", _GAIN)
        table.add_column(title, justify="right" if right else "left", overflow="fold")
    for name, one in worst_first(made.by_team):
        table.add_row(HIDDEN.sub("", name) if name else NO_TEAM, *_cells(one))
    return table


def _cells(one: "TeamFigures") -> tuple[str, ...]:
    now, before = one.coverage.percent, one.before.percent if one.before else None
    change = "" if now is None or before is None else points(round(now - before, 1))
    counts = (one.coverage.untraced, one.coverage.exempt, one.coverage.unknown)
    return (
        share(now),
        change,
        *(f"{number:,}" for number in counts),
        "unknown" if one.xray_usd is None else dollars(one.xray_usd),
    )

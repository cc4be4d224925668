"""`python -m bot doctor`: every line in a terminal, or one JSON object."""

import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from bot.config import Config, load
from bot.progress import progress
from commands.aws.accounts import Cloud
from commands.aws.doctor.words import Uses
from commands.doctor import everything
from commands.views.doctor import Line, counts, lines, summary
from storage.diagnosis import Diagnosis, Outcome, wanting

STYLES = {Outcome.OK: "green", Outcome.WARN: "yellow", Outcome.FAIL: "bold red", Outcome.UNKNOWN: "magenta"}
EXIT_WELL, EXIT_WANTING = 0, 1


class Part(StrEnum):
    """What can be looked at alone."""

    HERE = "here"  # settings, memory and Slack
    AWS = "aws"


def doctor(*, as_json: bool, verbose: bool, paid: bool, only: str | None) -> int:
    """The exit code. Raises ConfigProblem for settings that cannot be used, each named."""
    config = load()
    found = _look(config, paid=paid, only=Part(only) if only else None, quiet=as_json)
    if as_json:
        _print_json(found)
    elif sys.stdout.isatty():
        _print_pretty(found, verbose)
    else:
        _print_plain(found, verbose)
    return EXIT_WANTING if wanting(found) else EXIT_WELL


def _look(config: Config, *, paid: bool, only: Part | None, quiet: bool) -> Sequence[Diagnosis]:
    from bot.doctor.around import in_terminal

    def around() -> Sequence[Diagnosis]:
        return list(in_terminal(config))

    if only is Part.HERE:
        return around()
    with progress(quiet=quiet) as on_progress:
        return everything(
            Cloud(config.aws), uses_of(config, paid), None if only is Part.AWS else around, on_progress=on_progress
        )


def uses_of(config: Config, paid: bool) -> Uses:
    """What the settings turn on, of what AWS has to allow."""
    return Uses(
        forecasts=config.forecasting.enabled,
        spend=config.spend.enabled,
        budget=config.budget.monthly_usd is not None,
        queue_url=config.events.queue_url,
        queue_region=config.events.region,
        custom_metrics=config.file.metrics.cloudwatch,
        paid=paid,
    )


def _by_area(made: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """In the order in which areas first come."""
    areas: dict[str, list[Line]] = {}
    for one in made:
        areas.setdefault(one.area, []).append(one)
    yield from areas.items()


def _print_pretty(found: Sequence[Diagnosis], verbose: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    made = lines(found, everything=verbose)
    widest = max((len(one.what) for one in made), default=0)
    for area, ones in _by_area(made):
        console.print(area, style="bold")
        table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
        table.add_column(width=9, no_wrap=True)
        table.add_column(width=min(widest, console.width // 3), overflow="fold")
        table.add_column(ratio=1, overflow="fold")
        for one in ones:
            said = Text(one.text)
            if one.mend:
                said.append(f"\n→ {one.mend}", style="cyan")
            table.add_row(
                Text(f"  {one.outcome}", style=STYLES[one.outcome] if one.asked else "dim"), Text(one.what), said
            )
        console.print(table)
    console.print(_last(found))


def _print_plain(found: Sequence[Diagnosis], verbose: bool) -> None:
    """A line for each thing, whole, and one that begins with an arrow for what mends it."""
    write: Callable[[str], object] = sys.stdout.write
    for one in lines(found, everything=verbose):
        write(f"{one.outcome:<9}{one.area}: {one.what}: {one.text}\n")
        if one.mend:
            write(f"      → {one.mend}\n")
    write(f"{_last(found)}\n")


def _last(found: Sequence[Diagnosis]) -> str:
    if any(one.outcome is Outcome.FAIL for one in found):
        word = "Something does not work"
    else:
        word = "Not everything answered" if wanting(found) else "Nothing is wrong"
    return f"{word}: {summary(found)}"


def _print_json(found: Sequence[Diagnosis]) -> None:
    import orjson

    told = {
        "at": datetime.now(UTC),
        "wanting": wanting(found),
        "counts": counts(found),
        "diagnoses": [
            {
                "area": one.area,
                "outcome": one.outcome,
                "what": one.what,
                "said": one.said,
                "mend": one.mend,
                "places": one.places,
                "asked": one.asked,
                "detail": one.detail,
            }
            for one in found
        ],
    }
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()

"""`python -m bot map`: what calls a function and what it calls, in a terminal."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands.views import charts
from commands.views.map import WITHOUT_PICTURE, map_heading, map_lines
from commands.views.text import HIDDEN

if TYPE_CHECKING:
    from bot.config import Config
    from commands._types import Context
    from commands.aws.accounts import Cloud
    from storage.maps import TraceMap
    from storage.models import Function
    from storage.store import Store

EXIT_DONE, EXIT_WANTING = 0, 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which function, and of how many hours up to now."""

    name: str
    account: str | None
    region: str | None
    hours: int


def tell(
    context_of: "Callable[[Config, Store, Cloud], Context]", wanted: Wanted, *, as_json: bool, png: Path | None
) -> int:
    """The exit code. Raises UsageError for a function that is not known, or a picture that cannot be made, and
    AwsProblem where AWS does not say how the function stands."""
    from bot.config import load
    from bot.progress import progress
    from commands._audits import look_again, take_audit
    from commands._maps import Unseen, make_map
    from commands.aws.accounts import Cloud
    from storage.models import Source
    from storage.store import open_store

    if png is not None and not charts.can_draw():
        raise click.UsageError(f"--png: {WITHOUT_PICTURE}")
    config = load()
    with open_store(config.database) as store:
        context = context_of(config, store, Cloud(config.aws))
        if store.audits.latest() is None:
            with progress(quiet=as_json) as on_progress:
                take_audit(context, source=Source.TERMINAL, on_progress=on_progress)
        made = make_map(context, look_again(context, _function(store, wanted)), timedelta(hours=wanted.hours))
    if isinstance(made, Unseen):
        click.echo(f"lamplighter: {made.why.replace('`', '')}", err=True)
        return EXIT_WANTING
    _print_json(made) if as_json else _print(made)
    if png is not None:
        _write(made, png)
    return EXIT_DONE


def _function(store: "Store", wanted: Wanted) -> "Function":
    from commands import _find

    name = wanted.name
    found = _find.functions(store, _find.Wanted(name, wanted.account, wanted.region))
    if len(found) == 1:
        return found[0]
    if found:
        places = ", ".join(f"{one.account} {one.region}" for one in found[:10])
        raise click.UsageError(
            f"{len(found)} functions are called {name}: say which with --account and --region. They are in {places}"
        )
    meant = _find.near(name, store.functions.names())
    where = " ".join(filter(None, [wanted.account, wanted.region]))
    hint = f"Did you mean {' or '.join(meant)}?" if meant else "An audit finds new ones: python -m bot audit"
    raise click.UsageError(f"there is no function {name}{f' in {where}' if where else ''}. {hint}")


def _print(made: "TraceMap") -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.print(HIDDEN.sub("", map_heading(made)), style="bold", soft_wrap=True)
    for line in map_lines(made):
        console.print(HIDDEN.sub("", line), soft_wrap=True)


def _print_json(made: "TraceMap") -> None:
    """One object on one line, as the map is kept."""
    from storage.maps import to_json

    sys.stdout.buffer.write(to_json(made) + b"\n")
    sys.stdout.buffer.flush()


def _write(made: "TraceMap", file: Path) -> None:
    from commands.views.map_picture import picture

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(made))
    except OSError as problem:
        raise click.UsageError(f"--png: {file} cannot be written: {problem.strerror}. Name another place.") from problem
    click.echo(f"written: {file}", err=True)

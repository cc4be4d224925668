"""`python -m bot history`: who decided what, in a terminal or as a file; the bot's file is only read."""

import html
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.nobody import Nobody
from commands._context import Context
from commands._history_words import Unclear, read
from commands.aws.accounts import Cloud
from commands.views.history import NOT_RECORDED, did, searched, when, who
from commands.views.text import HIDDEN, count
from storage.history import Search
from storage.models import Decision, DecisionKind
from storage.store import Store, open_store

if TYPE_CHECKING:
    from bot.config import Config

TABLE = "table"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The words and the options, as they were typed."""

    words: tuple[str, ...]
    since: str | None
    until: str | None
    team: str | None
    function: str | None
    person: str | None

    @property
    def text(self) -> str:
        """As it would be typed in Slack."""
        given = (("since", self.since), ("until", self.until))
        return " ".join([*self.words, *(f"{word} {said}" for word, said in given if said)])


def tell(config: "Config", wanted: Wanted, *, how: str, output: Path | None, most: int) -> int:
    """The exit code. Raises UsageError for what cannot be meant, StorageProblem for a file that cannot be used."""
    if how == TABLE and output:
        raise click.UsageError("--output takes --format csv or jsonl")
    if not config.database.exists():
        raise click.UsageError(f"there is no {config.database} yet. Take an audit first: python -m bot audit")
    with open_store(config.database, read_only=True) as store:
        context = _context(config, store)
        search = store.history.now(_search(wanted, context))
        total = store.history.count(search)
        if how == TABLE:
            _print(context, search, total, most)
            return 0
        from commands.views.history_export import lines

        made = lines(store.history.each(search), how)
        if output is None:
            _write(made)
            return 0
        _write_file(made, output)
    click.echo(f"written: {output}, {count(total, 'decision')}", err=True)
    return 0


def _context(config: "Config", store: Store) -> Context:
    return Context(
        store=store,
        cloud=Cloud(config.aws),
        teams=config.teams,
        people=Nobody(),
        clock=lambda: datetime.now(UTC),
        zone=config.zone,
    )


def _search(wanted: Wanted, context: Context) -> Search:
    """The options narrow what the words say."""
    try:
        search, _ = read(wanted.text, context)
        if wanted.team:
            search = replace(search, teams=_only(read(wanted.team, context)[0].teams, "team", wanted.team))
        if wanted.function:
            arns = read(wanted.function, context)[0].functions
            search = replace(search, functions=_only(arns, "function", wanted.function))
        if wanted.person:
            search = replace(search, person=wanted.person.strip("<@>").partition("|")[0])
    except Unclear as unclear:
        raise click.UsageError(html.unescape(str(unclear)).replace("/trace-history", "python -m bot history")) from None
    return search


def _only(found: tuple[str, ...], what: str, said: str) -> tuple[str, ...]:
    if not found:
        raise click.UsageError(f"--{what} {said} is no {what}")
    return found


def _print(context: Context, search: Search, total: int, most: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not total:
        console.print(f"no decision was found. Searched for: {searched(search, context.zone, plain=True)}")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("NO.", "WHEN", "WHO, WHAT", "WHY, AND WHAT ALLOWED IT"):
        table.add_column(title, overflow="fold", justify="right" if title == "NO." else "left")
    shown = context.store.history.page(search, 0, most)
    for one in shown:
        table.add_row(*(HIDDEN.sub("", cell) for cell in _cells(one, context)))
    console.print(table)
    left = "" if len(shown) == total else f", the newest {len(shown):,} of them shown; --format csv has all"
    zone = context.zone.key
    console.print(
        f"{count(total, 'decision')} of {searched(search, context.zone, plain=True)}{left}. Times are {zone}."
    )


def _cells(one: Decision, context: Context) -> tuple[str, ...]:
    actor = who(one.actor).strip("<@>").replace("`", "")
    team = f", {one.team}" if one.team and one.function_arn else ""
    change = f": {one.before or NOT_RECORDED} → {one.after}" if one.after else ""
    refused = one.kind is DecisionKind.REFUSED
    rule = "refused" if refused else f"allowed by {one.allowed_by or NOT_RECORDED}"
    why = "; ".join(filter(None, (" ".join(one.reason.split()), rule)))
    return f"{one.id:,}", when(one.at, context.zone), f"{actor} {did(one, str)}{team}{change}", why


def _write(made: Iterable[str]) -> None:
    """To stdout as it is: CSV has line ends of its own."""
    try:
        for line in made:
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # whoever read it has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_file(made: Iterable[str], output: Path) -> None:
    """Beside it first, so that what is there is whole; nobody else's to read, for it says who decided what."""
    beside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file:
            for line in made:
                file.write(line.encode())
        beside.replace(output)
    except OSError as problem:
        raise click.UsageError(
            f"--output: {output} cannot be written: {problem.strerror}. Name another place."
        ) from problem
    finally:
        beside.unlink(missing_ok=True)

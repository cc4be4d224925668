"""`python -m bot evidence`: one page for an auditor, from memory alone."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.config import Config, load
from commands._evidence import NoEvidence, make_evidence, read_days
from commands._reports import UnknownTeam, known_teams, team_of
from commands.views import evidence
from storage.store import Store, open_store

if TYPE_CHECKING:
    from commands._context import Context
    from commands.aws.accounts import Cloud
    from storage.proof import Evidence

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PRINT_SECONDS = 60
FORMS = ("text", "html", "json", "pdf")


@dataclass(frozen=True, slots=True)
class Wanted:
    since: str
    until: str | None  # None: today, as far as it goes
    team: str | None
    form: str | None  # None: as the file's name says
    file: Path | None  # None: to the terminal

    @property
    def in_form(self) -> str:
        ending = self.file.suffix.lower().lstrip(".") if self.file else ""
        return self.form or {"htm": "html"}.get(ending, ending if ending in FORMS else "text")


def tell(context_of: "Callable[[Config, Store, Cloud], Context]", wanted: Wanted) -> int:
    """1 where a chain is broken. Raises UsageError for what somebody can mend."""
    from commands.aws.accounts import Cloud

    form = wanted.in_form
    if form == "pdf" and wanted.file is None:
        raise click.UsageError("--format pdf needs a file: --output evidence.pdf")
    config = load()
    if not config.database.exists():
        raise click.UsageError(f"there is no {config.database} yet. Take an audit first: python -m bot audit")
    with open_store(config.database) as store:
        context = replace(context_of(config, store, Cloud(config.aws)), policy=config.policy)
        made = make(context, wanted)
    content = _as(form, made)
    if wanted.file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        _write(wanted.file, content)
        click.echo(f"written: {wanted.file}", err=True)
    for problem in filter(None, (made.broken, made.approvers.broken)):
        click.echo(f"lamplighter: the record is broken: {problem}", err=True)
    return 1 if made.broken or made.approvers.broken else 0


def make(context: "Context", wanted: Wanted) -> "Evidence":
    team = team_of(context, wanted.team) if wanted.team else None
    if isinstance(team, UnknownTeam):
        near = team.near or tuple(sorted(known_teams(context))[:10])
        raise click.UsageError(f"no function belongs to team {team.said}. Teams: {', '.join(near) or 'none'}")
    today = context.clock().astimezone(context.zone).date()
    try:
        return make_evidence(context, read_days(wanted.since, wanted.until or f"{today}", context), team)
    except NoEvidence as problem:
        raise click.UsageError(str(problem)) from problem


def _as(form: str, made: "Evidence") -> bytes:
    if form == "json":
        import msgspec

        return msgspec.json.encode(made) + b"\n"
    if form == "text":
        return evidence.as_text(made).encode()
    printed = evidence.as_html(made).encode()
    return printed if form == "html" else _pdf(printed)


def _pdf(printed: bytes) -> bytes:
    """As a browser prints the page: nothing that draws PDF files is among what Lamplighter needs otherwise."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise click.UsageError(
            "--format pdf: no Chromium or Chrome is installed here. Write --format html, open it and print it as PDF"
        )
    with tempfile.TemporaryDirectory(prefix="lamplighter-evidence-") as folder:
        source, target = Path(folder) / "evidence.html", Path(folder) / "evidence.pdf"
        source.write_bytes(printed)
        asked = [
            *(browser, "--headless", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile"),
            *(
                ["--no-sandbox"] if _is_root() else []
            ),  # Chromium has no sandbox for root; the page is ours, and no script
            *(f"--print-to-pdf={target}", source.as_uri()),
        ]
        try:
            subprocess.run(asked, check=True, capture_output=True, timeout=PRINT_SECONDS)  # noqa: S603 - our own words
            return target.read_bytes()
        except (OSError, subprocess.SubprocessError) as problem:
            raise click.UsageError(
                f"--format pdf: {Path(browser).name} could not print it ({type(problem).__name__}). "
                "Write --format html, open it and print it as PDF"
            ) from problem


def _is_root() -> bool:
    import os

    return hasattr(os, "geteuid") and os.geteuid() == 0


def _write(file: Path, content: bytes) -> None:
    """Nobody else's to read, as the memory that it comes from."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(content)
    except OSError as problem:
        raise click.UsageError(
            f"--output: {file} cannot be written: {problem.strerror}. Name another place."
        ) from problem

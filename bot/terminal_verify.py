"""`python -m bot verify`: whether the history is as it was written, for whoever has a copy of the file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from storage.chain import Chain, Checked
from storage.read_only import ReadOnly

EXIT_BROKEN = 1
_EXPECTED = re.compile(r"(?:(\d{1,18}):)?([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Expected:
    """A head that somebody has from elsewhere, as from a message in Slack."""

    hash: str
    number: int | None = None  # None: of any decision

    @classmethod
    def read(cls, text: str) -> "Expected":
        found = _EXPECTED.fullmatch(text.strip().strip("`").replace(",", "").lower())
        if found is None:
            raise click.UsageError(
                f"--expect {text[:80]!r} is no head of the chain; write it as posted, like 1234: and 64 hex digits"
            )
        return cls(found[2], int(found[1]) if found[1] else None)


def tell(path: Path, expected: Sequence[str]) -> int:
    """The exit code. Raises UsageError for what cannot be meant, StorageProblem for what cannot be read."""
    wanted = [Expected.read(text) for text in expected]
    found, lines = _look(path, wanted)
    if found.problem:
        click.echo(f"BROKEN: {found.problem}.")
        click.echo(f"Sound before this: {found.rows:,}.")
    elif found.head is None:
        click.echo("Whole: no decision is kept yet.")
    else:
        at = f" of {found.head.at:%Y-%m-%d %H:%M} UTC" if found.head.at else ""
        held = f" {found.posted:,} posted heads match." if found.posted else " No head was posted yet."
        click.echo(f"Whole: {found.rows:,} decisions, each as it was written.{held}")
        click.echo(f"The newest is no. {found.head.number:,}{at}, head {found.head}")
    for line in lines:
        click.echo(line)
    return EXIT_BROKEN if found.problem or any(line.startswith("NOT ") for line in lines) else 0


def _look(path: Path, wanted: Sequence[Expected]) -> tuple[Checked, list[str]]:
    """Once more where it seems broken, for the bot may have begun to write while a file at rest was read."""
    found, lines = _looked(path, wanted)
    return _looked(path, wanted) if found.problem else (found, lines)


def _looked(path: Path, wanted: Sequence[Expected]) -> tuple[Checked, list[str]]:
    file = ReadOnly(path)
    try:
        chain = Chain(file)
        return chain.verify(), [_held(chain, one) for one in wanted]
    finally:
        file.close()


def _held(chain: Chain, wanted: Expected) -> str:
    if wanted.number is None:
        number = chain.number_of(wanted.hash)
        return f"As expected: the hash is that of decision {number:,}." if number else "NOT there: no decision has it."
    now = chain.hash_of(wanted.number)
    if now == wanted.hash:
        return f"As expected: decision {wanted.number:,} has this hash still."
    if now is None:
        return f"NOT as expected: there is no decision {wanted.number:,}."
    return f"NOT as expected: decision {wanted.number:,} has the hash {now} now, so that the chain was rewritten."

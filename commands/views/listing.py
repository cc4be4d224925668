"""All of a team's untraced functions at once: as a table in the thread, and as a CSV file."""

import csv
import io
import re
from collections.abc import Collection, Sequence

from commands.views.blocks import Block
from commands.views.text import HIDDEN, clip, count, escape
from storage.models import Function, MayWrite

# Slack's for one table, the header included.
ROWS = 100
CHARACTERS = 10_000
CELL = 200
# The rest stands in the table's last row or in the message.
ROOM = CHARACTERS - 200

HEADER = ("Function", "Account", "Region", "TracingConfig", "Why")
COLUMNS = ("name", "account", "region", "team", "mode", "role", "role_may_write", "snoozed", "findings", "arn")
NAMED = 10
# What a spreadsheet would take for a formula.
FORMULA = re.compile(r"^[=+\-@\t\r]")


def fits_a_table(functions: Sequence[Function]) -> bool:
    return len(functions) < ROWS and sum(map(_length, functions)) <= ROOM


def list_text(team: str | None, functions: Sequence[Function]) -> str:
    """For notifications and screen readers, and beside a file; stands alone. Names the first, of too many."""
    named = functions if len(functions) < ROWS else functions[:NAMED]
    names = ", ".join(HIDDEN.sub("", one.name) for one in named)
    if len(named) < len(functions):
        names += f" and {len(functions) - len(named):,} more"
    whose = escape(clip(team, 200)) if team else "no known team"
    return escape(clip(f"All {count(len(functions), 'function')} of {whose} without active tracing: {names}", 2900))


def list_blocks(functions: Sequence[Function], snoozed: Collection[str]) -> list[Block]:
    """As many rows as one table takes; where that is not all, its last row says so."""
    if not functions:
        return []
    rows: list[tuple[str, ...]] = [HEADER]
    room = ROOM
    for number, one in enumerate(functions, 1):
        cells = _cells(one, snoozed)
        room -= sum(map(len, cells))
        if room < 0 or (len(rows) == ROWS - 1 and number < len(functions)):
            left = len(functions) - number + 1
            rows.append((f"and {left:,} more: Download CSV", " ", " ", " ", " "))
            break
        rows.append(cells)
    wrapped = [{"is_wrapped": True}] + [{} for _ in HEADER[1:-1]] + [{"is_wrapped": True}]
    return [{"type": "table", "column_settings": wrapped, "rows": [[_cell(text) for text in row] for row in rows]}]


def list_csv(functions: Sequence[Function], snoozed: Collection[str]) -> str:
    """One line for each function; what a spreadsheet might run as a formula stands behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in functions:
        findings = " ".join(finding.text for finding in one.findings)
        values = (one.name, one.account, one.region, one.team, one.mode, one.role, one.role_may_write)
        row = [*values, "yes" if one.arn in snoozed else "no", findings, one.arn]
        writer.writerow([_harmless("" if value is None else str(value)) for value in row])
    return out.getvalue()


def _harmless(text: str) -> str:
    plain = HIDDEN.sub("", text)
    return f"'{plain}" if FORMULA.match(plain) else plain


def _cells(one: Function, snoozed: Collection[str]) -> tuple[str, ...]:
    why = "its role may not write to X-Ray. " if one.role_may_write is MayWrite.NO else ""
    why += " ".join(finding.text for finding in one.findings)
    if one.arn in snoozed:
        why = f"snoozed. {why}"
    mode = str(one.mode) if one.mode else "none given"
    return tuple(_plain(text) for text in (one.name, one.account, one.region, mode, why))


def _plain(text: str) -> str:
    return clip(HIDDEN.sub("", " ".join(text.split())), CELL) or " "


def _length(one: Function) -> int:
    return sum(map(len, _cells(one, ())))


def _cell(text: str) -> Block:
    """Raw text takes no markup, so that there is nothing to escape."""
    return {"type": "raw_text", "text": text}

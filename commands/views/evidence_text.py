"""An evidence report in a terminal: one screen of 60 lines and 100 columns."""

import textwrap
from collections.abc import Iterator

from commands.views.evidence_page import Line, Page, Part

WIDTH, LINES = 100, 60


def text_page(page: Page) -> str:
    """Plain text; what is to be looked at has an exclamation mark before it."""
    made = [page.title, page.subtitle]
    for line in page.facts:
        made += _fact(line, indent="")
    for part in page.parts:
        made += _part(part)
    made += textwrap.wrap(" ".join(page.notes), WIDTH)
    return "\n".join(made) + "\n"


def height(page: Page) -> int:
    return text_page(page).count("\n")


def _part(part: Part) -> Iterator[str]:
    yield part.title.upper()
    for line in part.lines:
        yield from _fact(line)
    yield from _table(part)
    for line in part.after:
        yield from _fact(line)


def _fact(line: Line, indent: str = "  ") -> list[str]:
    mark = "! " if line.attend else ""
    label = f"{mark}{line.label}: " if line.label else mark
    first = f"{indent}{label}"
    return textwrap.wrap(line.text, WIDTH, initial_indent=first, subsequent_indent=f"{indent}  ") or [first.rstrip()]


def _table(part: Part) -> Iterator[str]:
    """The last column takes what is left, and is cut there."""
    if not part.rows:
        return
    table = [part.columns, *part.rows]
    widths = [max(len(row[number]) for row in table) for number in range(len(part.columns))]
    for row in table:
        said = "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        yield said if len(said) <= WIDTH else said[: WIDTH - 1] + "…"

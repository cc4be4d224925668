"""The table of an audit: a row for each function, in as many columns as there is room for, and nothing cut off."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bot import terminal_news
from storage.models import Function, Verdict

if TYPE_CHECKING:
    from rich.table import Table

_WIDE = ("VERDICT", "TEAM", "FUNCTION", "ACCOUNT", "REGION", "MODE", "ROLE MAY WRITE", "FINDINGS")
_NARROW = ("VERDICT", "TEAM", "FUNCTION")
_GAP = 2  # between two columns
_STYLES = {Verdict.UNTRACED: "yellow", Verdict.UNKNOWN: "red"}

Cells = tuple[str, ...]


def table(functions: Sequence[Function], seen_at: Mapping[str, datetime], width: int) -> "Table":
    """For a terminal of `width` columns; `seen_at`, by ARN, has those functions that this audit did not see.

    Where there is no room for all columns, place and findings stand under the function's name, and its mode and what
    its role may do are left out: the findings tell what is wrong with these.
    """
    rows = [_cells(one, seen_at.get(one.arn)) for one in functions]
    if _needed(rows) <= width:
        made = _wide()
    else:
        rows = [_narrowed(*cells) for cells in rows]
        made = _narrow(rows, width)
    for one, cells in zip(functions, rows, strict=True):
        made.add_row(*cells, style=_STYLES.get(one.verdict, ""))
    return made


def _cells(one: Function, seen_at: datetime | None) -> Cells:
    return (
        str(one.verdict).replace("_", " "),
        one.team or "-",
        one.name,
        one.account,
        one.region,
        str(one.mode or "-"),
        str(one.role_may_write or "unknown"),
        terminal_news.findings(one, seen_at),
    )


def _narrowed(verdict: str, team: str, name: str, account: str, region: str, *rest: str) -> Cells:
    return verdict, team, f"{name}\n{account} {region}  {rest[-1]}".rstrip()


def _needed(rows: Sequence[Cells]) -> int:
    """How wide a terminal has to be for all columns. Findings may break between words; nothing else may."""
    whole = sum(_widest(title, (cells[place] for cells in rows)) for place, title in enumerate(_WIDE[:-1]))
    words = {word for cells in rows for word in cells[-1].split()}
    return whole + _widest(_WIDE[-1], words) + _GAP * (len(_WIDE) - 1)


def _wide() -> "Table":
    made = _empty()
    for title in _WIDE:
        made.add_column(title, no_wrap=title != "FINDINGS", overflow="fold")
    return made


def _narrow(rows: Sequence[Cells], width: int) -> "Table":
    """Each column has its width, so that none is squeezed for another's sake; what is longer goes on a line below."""
    verdict = _widest(_NARROW[0], (cells[0] for cells in rows))
    room = max(2, width - verdict - _GAP * (len(_NARROW) - 1))
    team = min(_widest(_NARROW[1], (cells[1] for cells in rows)), room // 2)
    made = _empty()
    for title, columns in zip(_NARROW, (verdict, team, room - team), strict=True):
        made.add_column(title, width=columns, overflow="fold")
    return made


def _empty() -> "Table":
    from rich.table import Table

    return Table(box=None, header_style="bold", pad_edge=False)


def _widest(title: str, texts: Iterable[str]) -> int:
    from rich.cells import cell_len

    return max(map(cell_len, (title, *texts)))

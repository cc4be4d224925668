"""The first rows of an uploaded CSV file, as Slack shows them above the download."""

from __future__ import annotations

import csv
import io
from functools import lru_cache

from bot.demo.slack.nouns import Json, SlackFile

ROWS, COLUMNS = 5, 12


@lru_cache(maxsize=256)
def _rows(content: bytes) -> tuple[tuple[str, ...], ...]:
    text = content.decode("utf-8-sig", errors="replace")
    return tuple(tuple(row) for row in csv.reader(io.StringIO(text, newline="")) if row)


def preview(file: SlackFile) -> Json | None:
    """The head and the first rows, and how many rows there are below the head; None for what is no CSV file."""
    if file.mimetype != "text/csv" or not file.content:
        return None
    try:
        rows = _rows(file.content)
    except csv.Error:
        return None
    return {"rows": [list(row[:COLUMNS]) for row in rows[: ROWS + 1]], "count": max(0, len(rows) - 1)}

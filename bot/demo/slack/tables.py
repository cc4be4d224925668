"""What rich text, tables and charts may look like."""

from __future__ import annotations

from typing import Any

from bot.demo.slack.shapes import (
    Check,
    Problems,
    anything,
    boolean,
    by_type,
    integer,
    items,
    number,
    one_of,
    problem,
    shape,
    string,
)

TABLE_ROWS, TABLE_COLUMNS, TABLE_TEXT = 100, 20, 10_000
# The documents disagree about data_table (101 and 201 rows); the smaller holds in both.
DATA_TABLE_ROWS, DATA_TABLE_TEXT = 101, 20_000
SERIES, POINTS, CHART_LABEL = 12, 20, 20

_STYLE = shape(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)
_STYLED: dict[str, Check] = {"style": _STYLE}
_PIECES = {
    "text": shape({"text": string(40_000, 1)}, _STYLED),
    "link": shape({"url": string(3000, 1)}, {**_STYLED, "text": string(3000, 1), "unsafe": boolean}),
    "emoji": shape({"name": string(255, 1)}, {**_STYLED, "unicode": string(255, 1), "skin_tone": integer(1, 6)}),
    "user": shape({"user_id": string(255, 1)}, _STYLED),
    "usergroup": shape({"usergroup_id": string(255, 1)}, _STYLED),
    "channel": shape({"channel_id": string(255, 1)}, _STYLED),
    "broadcast": shape({"range": one_of("here", "channel", "everyone")}, _STYLED),
    "color": shape({"value": string(255, 1)}, _STYLED),
    "date": shape(
        {"timestamp": integer(0), "format": string(255, 1)},
        {**_STYLED, "url": string(3000, 1), "fallback": string(255, 1)},
    ),
}
_LINE = items(by_type(_PIECES), most=1000)
_BORDER: dict[str, Check] = {"border": integer(0, 1)}
_SECTION = shape({"elements": _LINE})
_PARTS = {
    "rich_text_section": _SECTION,
    "rich_text_preformatted": shape({"elements": _LINE}, {**_BORDER, "language": string(255, 1)}),
    "rich_text_quote": shape({"elements": _LINE}, _BORDER),
    "rich_text_list": shape(
        {"elements": items(by_type({"rich_text_section": _SECTION}), most=1000), "style": one_of("bullet", "ordered")},
        {**_BORDER, "indent": integer(0, 8), "offset": integer(0)},
    ),
}
RICH_TEXT_PARTS: Check = items(by_type(_PARTS), least=1, most=1000)

_CELLS = {
    "raw_text": shape({"text": string(TABLE_TEXT, 1)}),  # an empty cell is a space
    "rich_text": shape({"elements": RICH_TEXT_PARTS}, {"block_id": string(255, 1)}),
}
_DATA_CELLS = {
    "raw_text": shape({"text": string(DATA_TABLE_TEXT, 1)}),
    "raw_number": shape({"value": number}, {"text": string(255, 1)}),
    "rich_text": _CELLS["rich_text"],
}
_HEADER_CELLS = frozenset({"raw_text", "raw_number"})


def _row(cells: dict[str, Check], *, least: int) -> Check:
    return items(by_type(cells), least=least, most=TABLE_COLUMNS)


def _data_table_agrees(block: Any, pointer: str, problems: Problems) -> None:
    header, *rows = block["rows"]
    for index, cell in enumerate(header):
        if cell.get("type") not in _HEADER_CELLS:
            problem(problems, "header cells cannot contain rich text", f"{pointer}/rows/0/{index}")
    for index, row in enumerate(rows, start=1):
        if len(row) != len(header):
            problem(problems, "all rows must have the same number of columns", f"{pointer}/rows/{index}")
    if block.get("row_header_column_index", 0) >= len(header):
        problem(problems, "must be the index of a column", f"{pointer}/row_header_column_index")
    if text_length(block["rows"]) > DATA_TABLE_TEXT:
        problem(problems, f"cell text must be less than {DATA_TABLE_TEXT + 1} characters in total", f"{pointer}/rows")


def _table_is_short(block: Any, pointer: str, problems: Problems) -> None:
    if text_length(block["rows"]) > TABLE_TEXT:
        problem(problems, f"cell text must be less than {TABLE_TEXT + 1} characters in total", f"{pointer}/rows")


def text_length(value: Any) -> int:
    """The number of characters in all `text` strings below this value."""
    if isinstance(value, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else text_length(v) for k, v in value.items())
    if isinstance(value, list | tuple):
        return sum(text_length(each) for each in value)
    return 0


def _series_fit_the_axis(chart: Any, pointer: str, problems: Problems) -> None:
    categories = chart["axis_config"]["categories"]
    names = [series["name"] for series in chart["series"]]
    if len(set(names)) != len(names):
        problem(problems, "series names must be unique", f"{pointer}/series")
    if len(set(categories)) != len(categories):
        problem(problems, "categories must be unique", f"{pointer}/axis_config/categories")
    for index, series in enumerate(chart["series"]):
        if sorted(point["label"] for point in series["data"]) != sorted(categories):
            problem(problems, "must have exactly one point for every category", f"{pointer}/series/{index}/data")


_POINT = shape({"label": string(CHART_LABEL, 1), "value": number})
_AXES = shape(
    {"categories": items(string(CHART_LABEL, 1), least=1, most=POINTS)},
    {"x_label": string(50, 1), "y_label": string(50, 1)},
)
_SERIES = shape({"name": string(CHART_LABEL, 1), "data": items(_POINT, least=1, most=POINTS)})
_AXIS_CHART = shape({"series": items(_SERIES, least=1, most=SERIES), "axis_config": _AXES}, {}, _series_fit_the_axis)
_CHARTS = {
    "pie": shape({"segments": items(_POINT, least=1, most=SERIES)}),
    "bar": _AXIS_CHART,
    "area": _AXIS_CHART,
    "line": _AXIS_CHART,
}

RICH_TEXT = shape({"elements": RICH_TEXT_PARTS}, {"block_id": string(255, 1)})
TABLE = shape(
    {"rows": items(_row(_CELLS, least=1), least=1, most=TABLE_ROWS)},
    {
        "block_id": string(255, 1),
        "column_settings": items(
            shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean}), most=TABLE_COLUMNS
        ),
    },
    _table_is_short,
)
DATA_TABLE = shape(
    {"rows": items(_row(_DATA_CELLS, least=1), least=2, most=DATA_TABLE_ROWS), "caption": string(1000, 1)},
    {"block_id": string(255, 1), "page_size": integer(1, 100), "row_header_column_index": integer(0)},
    _data_table_agrees,
)
DATA_VISUALIZATION = shape(
    {"title": string(50, 1), "chart": by_type(_CHARTS)}, {"block_id": string(255, 1), "description": anything}
)

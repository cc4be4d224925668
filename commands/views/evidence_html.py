"""An evidence report as one printable page: no script, nothing from elsewhere, A4 and Letter alike."""

from collections.abc import Iterable
from html import escape

from commands.views.evidence_page import Line, Page, Part

# Sizes are points, so that what is one page on a screen is one on paper. The paper is the printer's own.
_STYLE = """
@page { margin: 9mm 10mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 190mm; font: 6.9pt/1.24 "Helvetica Neue", Helvetica, Arial, "Liberation Sans",
  "DejaVu Sans", sans-serif; color: #16202a; background: #fff; font-variant-numeric: tabular-nums; }
header { border-bottom: 1.6pt solid #1d5c7a; padding-bottom: 2.5pt; margin-bottom: 3pt; }
h1 { font-size: 13.5pt; line-height: 1.15; margin: 0; letter-spacing: -.01em; }
header p { margin: .5pt 0 0; color: #4a5a68; font-size: 8pt; }
h2 { font-size: 7.8pt; line-height: 1.2; margin: 5pt 0 1.5pt; color: #1d5c7a; border-bottom: .5pt solid #c9d5dd;
  padding-bottom: 1pt; break-after: avoid; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .4pt 6pt; margin: 0; }
dt { color: #4a5a68; } dd { margin: 0; overflow-wrap: anywhere; }
.alone { grid-column: 1 / -1; }
.attend, .attend + dd { color: #9b1c1c; font-weight: 600; }
.two { display: grid; grid-template-columns: 1.18fr 1fr; gap: 0 12pt; }
.two > div { min-width: 0; }
table { border-collapse: collapse; width: 100%; margin: 1pt 0; }
th { text-align: left; font-weight: 600; color: #4a5a68; border-bottom: .5pt solid #c9d5dd; white-space: nowrap; }
th, td { padding: .3pt 5pt .3pt 0; vertical-align: top; }
td { border-bottom: .25pt solid #e8edf1; white-space: nowrap; }
td:last-child { max-width: 0; width: 99%; overflow: hidden; text-overflow: ellipsis; }
th.number, td.number { text-align: right; width: auto; max-width: none; }
footer { margin-top: 4pt; padding-top: 2pt; border-top: .5pt solid #c9d5dd; color: #4a5a68; font-size: 6.4pt; }
@media screen { html { background: #e9eef2; } body { margin: 18pt auto; padding: 11mm; max-width: 245mm;
  box-shadow: 0 1pt 6pt #0003; font-size: 8.6pt; } header p { font-size: 9.6pt; } h1 { font-size: 17pt; }
  h2 { font-size: 9.8pt; margin-top: 8pt; } footer { font-size: 8pt; } }
@media screen and (max-width: 800px) { body { margin: 0; padding: 12pt; } .two { display: block; }
  table { display: block; overflow-x: auto; } td:last-child { max-width: none; }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: 3pt; } }
"""
_NUMBERS = frozenset(
    (
        "no.",
        "fixes",
        "exempt",
        "undo",
        "deny/end",
        "other",
        "own ask",
        "not listed",
        "start",
        "end",
        "untraced",
        "unknown",
    )
)


LINES = 82.0  # of the text's height, on Letter, the shorter of the two
_LEFT, _RIGHT, _WHOLE = 84, 71, 152  # characters, label and text together
_ROW, _HEADING, _ABOVE, _AROUND = 1.1, 2.05, 4.0, 1.0


def height(page: Page) -> float:
    """How many lines it takes on paper, a little more rather than less: a browser alone knows."""
    above = _ABOVE + _long(page.facts, _WHOLE)
    beside = max(_tall(page.left, _LEFT), _tall(page.right, _RIGHT))
    notes = _AROUND + len(" ".join(page.notes)) / _WHOLE + 1
    return above + beside + _tall(page.below, _WHOLE) + notes


def _tall(parts: Iterable[Part], width: int) -> float:
    return sum(
        _HEADING + _long(part.lines, width) + _long(part.after, width) + _ROW * (len(part.rows) + bool(part.rows))
        for part in parts
    )


def _long(lines: Iterable[Line], width: int) -> int:
    """The widest label is the others' margin."""
    told = tuple(lines)
    label = max((len(line.label) for line in told), default=0) + 2
    return sum(1 + int(len(line.text) * (1.1 if line.attend else 1) / (width - label)) for line in told)


def html_page(page: Page) -> str:
    """All that people or AWS wrote is escaped."""
    left, right, below = ("".join(map(_part, parts)) for parts in (page.left, page.right, page.below))
    notes = " ".join(map(escape, page.notes))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(page.title)}, {escape(page.subtitle)}</title><style>{_STYLE}</style></head><body>\n"
        f"<header><h1>{escape(page.title)}</h1><p>{escape(page.subtitle)}</p></header>\n<main>"
        f'{_facts(page.facts)}<div class="two"><div>{left}</div><div>{right}</div></div>{below}</main>\n'
        f"<footer>{notes}</footer>\n</body></html>\n"
    )


def _part(part: Part) -> str:
    rows = "".join(f"<tr>{''.join(map(_cell, part.columns, row))}</tr>" for row in part.rows)
    heads = "".join(f'<th scope="col"{_class(name)}>{escape(name)}</th>' for name in part.columns)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<section><h2>{escape(part.title)}</h2>{_facts(part.lines)}{table}{_facts(part.after)}</section>\n"


def _facts(lines: Iterable[Line]) -> str:
    said = "".join(map(_fact, lines))
    return f"<dl>{said}</dl>" if said else ""


def _fact(line: Line) -> str:
    attend = "attend" if line.attend else ""
    if not line.label:
        return f'<dd class="{f"alone {attend}".strip()}">{escape(line.text)}</dd>'
    label = f' class="{attend}"' if attend else ""
    return f"<dt{label}>{escape(line.label)}</dt><dd>{escape(line.text)}</dd>"


def _cell(column: str, text: str) -> str:
    return f"<td{_class(column)}>{escape(text)}</td>"


def _class(column: str) -> str:
    return ' class="number"' if column in _NUMBERS else ""

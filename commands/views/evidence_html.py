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
header { display: flex; justify-content: space-between; align-items: flex-end; gap: 8pt;
  border-bottom: 1.6pt solid #1d5c7a; padding-bottom: 3pt; margin-bottom: 3pt; }
h1 { font-size: 13pt; line-height: 1.15; margin: 0; letter-spacing: -.01em; }
header p { margin: 0; color: #4a5a68; font-size: 7.6pt; text-align: right; }
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
td { border-bottom: .25pt solid #e8edf1; overflow-wrap: anywhere; }
th.number, td.number { text-align: right; }
td.keep { white-space: nowrap; }
footer { margin-top: 4pt; padding-top: 2pt; border-top: .5pt solid #c9d5dd; color: #4a5a68; font-size: 6.4pt; }
@media screen { html { background: #e9eef2; } body { margin: 18pt auto; padding: 10mm; max-width: 210mm;
  box-shadow: 0 1pt 6pt #0003; font-size: 8.6pt; } header p { font-size: 9pt; } h1 { font-size: 16pt; }
  h2 { font-size: 9.6pt; } footer { font-size: 8pt; } table { display: block; overflow-x: auto; } }
@media screen and (max-width: 640px) { body { margin: 0; padding: 12pt; } .two { display: block; }
  header { display: block; } header p { text-align: left; } dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 3pt; } }
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
_KEPT = frozenset(("when", "who", "found", "granted", "until", "person", "by", "confirmed by"))


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
    if column in _KEPT:
        return ' class="keep"'
    return ' class="number"' if column in _NUMBERS else ""

"""A trace map as a PNG, to be read from top to bottom on a phone: callers, the function, what it calls.

Each service has a row of the page's whole width, so that its name, its figures and the kind of its edge stand beside
each other and never on each other; a rail at the left joins the rows to the function. Nothing is told by colour alone:
what sends no traces is dashed and says so, and what stands out is named.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commands.views.charts import one_at_a_time
from commands.views.map import window
from commands.views.map_data import (
    Shown,
    count_in_short,
    kind_of,
    latency,
    most_failing,
    name_of,
    percent,
    share_in_short,
    shown,
    slowest,
)
from commands.views.page import SOFT, WIDTH, Page, drawable
from storage.maps import Edge, SilentCaller, Statistics, TraceMap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Pixels. A phone of 400 shows a picture at half of its width, as a message has room for 320; 20 are then 10.
MARGIN = 20
RAIL, LEFT = 38, 66  # where the rail is, and where rows begin
RIGHT = WIDTH - MARGIN
PAD, BAR = 12, 5  # within a row
NAME, FIGURES = 22, 20  # heights of text
LINE, GAP = 30, 9
BESIDE = 16  # between what stands in one line
THIN, THICK = 2.0, 7.0  # of an edge: few calls, most calls
HEADING = 36
TITLE = 50

GROUND, EDGE, LIGHT = "#f1f4f7", "#7a8794", "#d6dde4"
FAILED, DARK = "#9d1c1c", "#1b2530"
_DASHED = (0, (4, 3))


@dataclass(frozen=True, slots=True)
class _Row:
    """A service and its edge, ready to be drawn."""

    name: tuple[str, ...]  # one line, or two
    kind: str
    calls: str
    latency: str
    failed: str
    tags: tuple[str, ...]  # "slowest"
    silent: bool
    thick: float
    tags_apart: bool = False  # there is no room for them beside what failed

    @property
    def high(self) -> int:
        return 2 * PAD - 6 + LINE * (len(self.name) + 1 + bool(self.failed or self.tags) + self.tags_apart)


def picture(made: TraceMap) -> bytes:
    """A PNG. Raises ModuleNotFoundError where matplotlib is missing: ask `charts.can_draw` first."""
    with one_at_a_time:
        return drawn(made).png()


def drawn(made: TraceMap) -> Page:
    """The page before it is a picture; for one thread at a time."""
    room = shown(made)
    measure = Page(10)
    above = [*_rows(made, room.callers, measure), *(_silent(one, measure) for one in room.silent)]
    below = _rows(made, room.callees, measure)
    own = _lines(measure, made.name, NAME, RIGHT - LEFT - 2 * PAD + LEFT - MARGIN)
    heights = [_side(above, room.more_callers), _own_high(own, made), _side(below, room.more_callees)]
    feet = _feet(room)
    page = Page(MARGIN + TITLE + sum(heights) + GAP + len(feet) * (LINE - 2) + MARGIN)
    page.text(MARGIN, MARGIN, f"Trace map, {window(made)}", NAME, bold=True, room=WIDTH - 2 * MARGIN)
    top, canvas = MARGIN + TITLE, page.canvas()
    middle, end = top + heights[0], top + heights[0] + heights[1]
    _callers(page, canvas, above, room.more_callers, top, middle)
    _callees(page, canvas, below, room.more_callees, end)
    _own(page, canvas, made, own, middle)
    for number, line in enumerate(feet):
        page.text(
            MARGIN, end + heights[2] + GAP + number * (LINE - 2), line, FIGURES, color=SOFT, room=WIDTH - 2 * MARGIN
        )
    return page


# -- What is in it


def _rows(made: TraceMap, edges: Sequence[Edge], measure: Page) -> list[_Row]:
    around = made.around
    everything = [*around.callers, *around.callees]
    most = max((one.statistics.calls for one in everything), default=0)
    tags = [(slowest(everything), "slowest"), (most_failing(everything), "most failing")]
    inner = slowest(around.callees)
    if inner is not tags[0][0]:
        tags.append((inner, "slowest of what it calls"))
    return [
        _row(measure, one, tuple(word for edge, word in tags if edge is one), _thick(one.statistics.calls, most))
        for one in edges
    ]


def _row(measure: Page, one: Edge, tags: tuple[str, ...], thick: float) -> _Row:
    taken, failed = latency(one.statistics.average), _failed(measure, one.statistics)
    beside = measure.wide(taken, NAME, bold=True) + BESIDE if taken else 0
    wide = sum(measure.wide(tag, FIGURES) + BESIDE for tag in tags) + measure.wide(failed, FIGURES, bold=True)
    return _Row(
        name=_lines(measure, name_of(one), NAME, RIGHT - LEFT - 2 * PAD, beside),
        kind=kind_of(one),
        calls=count_in_short(one.statistics.calls),
        latency=taken,
        failed=failed,
        tags=tags,
        silent=False,
        thick=thick,
        tags_apart=bool(failed and tags) and wide > RIGHT - LEFT - 2 * PAD,
    )


def _silent(one: SilentCaller, measure: Page) -> _Row:
    name = _lines(measure, name_of(one), NAME, RIGHT - LEFT - 2 * PAD)
    return _Row(name, one.why, "", "", "", (), silent=True, thick=THIN)


def _failed(measure: Page, one: Statistics) -> str:
    if not one.failed or not one.calls:
        return ""
    whole = f"{percent(one.failed_share)} failed"
    kinds = [("5xx", one.faults), ("4xx", one.errors), ("429", one.throttles)]
    kinds = [(name, number) for name, number in kinds if number]
    parts = ", ".join(f"{name} {share_in_short(number / one.calls)}" for name, number in kinds)
    said = f"{whole}: {parts if len(kinds) > 1 else kinds[0][0]}"
    return said if measure.wide(said, FIGURES, bold=True) <= RIGHT - LEFT - 2 * PAD else whole


def _lines(measure: Page, name: str, size: int, room: float, beside: float = 0) -> tuple[str, ...]:
    """A name in one line, or in two that are broken where a word of it ends; `beside` is taken of the first."""
    said = drawable(name)
    if measure.wide(said, size, bold=True) <= room - beside:
        return (said,)
    fits = _most(measure, lambda letters: said[:letters], len(said), size, room - beside)
    ends = [at + 1 for at, letter in enumerate(said[:fits]) if letter in "-_./: " and at > fits // 2]
    cut = ends[-1] if ends else fits
    rest = said[cut:].strip()
    if measure.wide(rest, size, bold=True) > room:  # what a name ends with tells it from others that begin alike
        kept = _most(measure, lambda letters: f"…{rest[-letters:]}", len(rest), size, room)
        rest = f"…{rest[-kept:]}"
    return (said[:cut].strip(), rest)


def _most(measure: Page, part: Callable[[int], str], longest: int, size: int, room: float) -> int:
    """How many letters of `part` fit into the room; one at least."""

    def wide(letters: int) -> float:
        return measure.wide(part(letters), size, bold=True)

    fits = bisect_right(range(1, longest + 1), room, key=wide)
    while fits > 1 and wide(fits) > room:  # more letters are not wider in every script
        fits -= 1
    return max(1, fits)


def _thick(calls: int, most: int) -> float:
    """By the logarithm, for one service may be called a thousand times as often as another."""
    return THIN + (THICK - THIN) * math.log1p(calls) / math.log1p(most) if most else THIN


def _feet(room: Shown) -> list[str]:
    said = ["Calls are counted by X-Ray's graph: not every call."]
    return [*said, *(["Dashed: it may call, and sends no traces."] if room.silent else [])]


# -- Where it is drawn


def _side(rows: Sequence[_Row], more: str) -> int:
    return HEADING + sum(one.high + GAP for one in rows) + (LINE if more or not rows else 0) + GAP


def _own_high(name: Sequence[str], made: TraceMap) -> int:
    return 2 * PAD - 4 + LINE * (len(name) + 1 + bool(made.around.own))


def _callers(page: Page, canvas: "Axes", rows: Sequence[_Row], more: str, top: int, end: int) -> None:
    _heading(page, "Called by", top)
    top += HEADING
    joins = []
    for row in rows:
        joins.append(top + row.high // 2)
        _stub(canvas, row, joins[-1])
        _box(page, canvas, row, top)
        top += row.high + GAP
    _rest(page, rows, more, top)
    if rows:
        _rail(canvas, rows, joins[0], end)
        canvas.plot([RAIL], [end - 9], "v", color=EDGE, markersize=13, zorder=3)


def _callees(page: Page, canvas: "Axes", rows: Sequence[_Row], more: str, top: int) -> None:
    begin, top = top, top + GAP
    _heading(page, "Calls", top, LEFT)
    top += HEADING
    joins = []
    for row in rows:
        joins.append(top + row.high // 2)
        _stub(canvas, row, joins[-1])
        canvas.plot([LEFT - 8], [joins[-1]], ">", color=EDGE, markersize=12, zorder=3)
        _box(page, canvas, row, top)
        top += row.high + GAP
    _rest(page, rows, more, top)
    if rows:
        _rail(canvas, rows, begin, joins[-1])


def _heading(page: Page, said: str, top: int, left: int = MARGIN) -> None:
    page.text(left, top, said, FIGURES, color=SOFT, bold=True)


def _rest(page: Page, rows: Sequence[_Row], more: str, top: int) -> None:
    said = more or ("" if rows else "nothing that X-Ray's graph shows")
    if said:
        page.text(LEFT, top, said, FIGURES, color=SOFT, room=RIGHT - LEFT)


def _rail(canvas: "Axes", rows: Sequence[_Row], top: float, end: float) -> None:
    dashed = all(row.silent for row in rows)
    canvas.plot([RAIL, RAIL], [top, end], color=EDGE, linewidth=2, linestyle=_DASHED if dashed else "-", zorder=1)


def _stub(canvas: "Axes", row: _Row, level: float) -> None:
    style = _DASHED if row.silent else "-"
    canvas.plot([RAIL, LEFT], [level, level], color=EDGE, linewidth=row.thick, linestyle=style, zorder=1)


def _box(page: Page, canvas: "Axes", row: _Row, top: int) -> None:
    _rounded(canvas, LEFT, top, RIGHT, row.high, "white" if row.silent else GROUND, dashed=row.silent)
    if row.failed:
        canvas.plot([LEFT + BAR, LEFT + BAR], [top + 8, top + row.high - 8], color=FAILED, linewidth=4, zorder=3)
    left, right = LEFT + PAD, RIGHT - PAD
    top += PAD - 4
    if row.latency:
        page.text(right, top, row.latency, NAME, bold=True, align="right")
    for line in row.name:
        page.text(left, top, line, NAME, bold=True, room=right - left)
        top += LINE
    taken = page.text(right, top, row.calls, FIGURES, align="right") + BESIDE if row.calls else 0
    page.text(left, top, row.kind, FIGURES, color=SOFT, room=right - left - taken)
    top += LINE
    page.text(left, top, row.failed, FIGURES, color=FAILED, bold=True, room=right - left)
    top, at = top + LINE * row.tags_apart, float(right)
    for tag in row.tags:
        at -= page.text(at, top, tag, FIGURES, color="white", align="right", backed=True, on=DARK) + BESIDE


def _own(page: Page, canvas: "Axes", made: TraceMap, name: Sequence[str], top: int) -> None:
    _rounded(canvas, MARGIN, top, RIGHT, _own_high(name, made), DARK)
    left, room = MARGIN + PAD, RIGHT - MARGIN - 2 * PAD
    top += PAD - 2
    for line in name:
        page.text(left, top, line, NAME, color="white", bold=True, room=room)
        top += LINE
    page.text(left, top, f"{made.account} · {made.region}", FIGURES, color=LIGHT, room=room)
    if made.around.own:
        own = made.around.own
        failed = f"{percent(own.failed_share)} failed" if own.failed else "none failed"
        said = " · ".join(filter(None, [f"{own.calls:,} traced", failed, latency(own.average)]))
        page.text(left, top + LINE, said, FIGURES, color="white", room=room)


def _rounded(
    canvas: "Axes", left: float, top: float, right: float, high: float, ground: str, *, dashed: bool = False
) -> None:
    from matplotlib.patches import FancyBboxPatch

    edge = {"edgecolor": EDGE, "linestyle": _DASHED, "linewidth": 2.0} if dashed else {"linewidth": 0.0}
    canvas.add_patch(
        FancyBboxPatch(
            (left + 8, top + 8),
            right - left - 16,
            high - 16,
            boxstyle="round,pad=8,rounding_size=8",
            facecolor=ground,
            zorder=2,
            **edge,
        )
    )

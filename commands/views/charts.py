"""A report's pictures as PNG, drawn with matplotlib; made to be read on a phone, at half of their size.

Where matplotlib is not installed there are no pictures, and nothing else changes. What they show stands in
chart_data.py. Nothing is told by colour alone: each line has its name beside it, an estimate is hatched.
"""

import importlib.util
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from commands.views.amounts import share, short_dollars, whole_share
from commands.views.chart_data import Bar, Chart, CostChart, CoverageChart, Line
from commands.views.page import INK, SOFT, WIDTH, Page, is_legible
from commands.views.text import plain_day

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Pixels. A phone of 400 shows a picture at half of its width, as a message has room for 320; 22 are then 11.
MARGIN = 20
GUTTER = 28  # between two columns
SMALL, PLAIN, LARGE = 22, 22, 28  # heights of text
TITLE, HEAD = 52, 38  # what a title takes, and the line above a chart
BELOW = 38  # the line below one
BIG, LITTLE, BARS = 150, 84, 300  # heights of charts
GAP = 20
DOT = 8
BESIDE = 116  # the budget's name

RULE, LIGHT, ACCENT = "#d3d9df", "#cfdcea", "#2a6aa8"

one_at_a_time = threading.Lock()  # matplotlib's fonts are not made for threads


def can_draw() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def picture(chart: Chart) -> bytes:
    """A PNG. Raises ModuleNotFoundError where matplotlib is missing: ask `can_draw` first."""
    with one_at_a_time:
        return _coverage(chart) if isinstance(chart, CoverageChart) else _cost(chart)


# -- Coverage: a chart for all, below it a small one for each team; all of them have the same two axes.


def _coverage(chart: CoverageChart) -> bytes:
    rows = -(-len(chart.teams) // 2)
    row, top = HEAD + LITTLE + GAP, MARGIN + TITLE
    page = Page(top + HEAD + BIG + BELOW + GAP + rows * row + MARGIN // 2)
    page.text(MARGIN, MARGIN, chart.title, LARGE, bold=True)
    wide = WIDTH - 2 * MARGIN
    _panel(page, chart, chart.whole, (MARGIN, top), wide, BIG)
    _dates(page, chart, top + HEAD + BIG + 6)
    top += HEAD + BIG + BELOW + GAP
    wide = (wide - GUTTER) // 2
    for number, line in enumerate(chart.teams):
        corner = MARGIN + number % 2 * (wide + GUTTER), top + number // 2 * row
        name = line.name if is_legible(line.name) else f"no. {number + 1} of the list"
        _panel(page, chart, replace(line, name=name), corner, wide, LITTLE, whole_share)
    return page.png()


def _panel(
    page: Page,
    chart: CoverageChart,
    line: Line,
    corner: tuple[int, int],
    wide: int,
    high: int,
    shown: Callable[[float], str] = share,
) -> None:
    """Its name, where the line ends and how far it came stand above it."""
    left, top = corner
    said = f"{shown(line.last)}{_moved(line.change or 0)}"
    taken = page.text(left + wide, top, said, PLAIN, bold=True, align="right")
    page.text(left, top, line.name, PLAIN, room=wide - taken - 16)
    axes = page.axes(left, top + HEAD, wide, high)
    first, last = chart.since.toordinal(), chart.until.toordinal()
    beside = max(0.5, (last - first) * DOT / (wide - 2 * DOT))  # in days, so that the dot at the end has room
    axes.set_xlim(first - beside, last + beside)
    axes.set_ylim(0, 100)
    for level, thick in ((0, 2.0), (50, 1.0), (100, 1.0)):
        axes.axhline(level, color=RULE, linewidth=thick, clip_on=False, zorder=0)
    days, shares = [on.toordinal() for on, _ in line.points], [value for _, value in line.points]
    if first == last:  # a day alone is a bar
        axes.fill_between([first - beside, last + beside], shares * 2, color=LIGHT, linewidth=0, zorder=1)
        axes.plot([first - beside, last + beside], shares * 2, color=ACCENT, linewidth=2.6, zorder=2)
        return
    axes.fill_between(days, shares, color=LIGHT, linewidth=0, zorder=1)
    axes.plot(days, shares, color=ACCENT, linewidth=2.6, solid_capstyle="round", clip_on=False, zorder=2)
    axes.plot(days[-1:], shares[-1:], "o", color=ACCENT, markersize=9, clip_on=False, zorder=3)


def _dates(page: Page, chart: CoverageChart, top: int) -> None:
    """Of both ends, and what the height of each chart stands for."""
    page.text(MARGIN, top, f"{plain_day(chart.since)}", SMALL, color=SOFT)
    if chart.until != chart.since:
        page.text(WIDTH - MARGIN, top, f"{plain_day(chart.until)}", SMALL, color=SOFT, align="right")
    page.text(WIDTH / 2, top, "height: 0 to 100 %", SMALL, color=SOFT, align="center")


def _moved(change: float) -> str:
    """In whole points; what is less than that is no news on a picture."""
    arrow = "\N{BLACK UP-POINTING TRIANGLE}" if change > 0 else "\N{BLACK DOWN-POINTING TRIANGLE}"
    return f" {arrow}{abs(round(change))}" if round(change) else ""


# -- Cost: a bar for each month, and the budget as a line.


def _cost(chart: CostChart) -> bytes:
    top = MARGIN + TITLE
    estimated = any(one.estimated for one in chart.bars)
    below = top + BARS + 2 * BELOW
    page = Page(below + (BELOW + GAP if estimated else 0) + MARGIN // 2)
    page.text(MARGIN, MARGIN, chart.title, LARGE, bold=True, room=WIDTH - 2 * MARGIN)
    wide = WIDTH - 2 * MARGIN - (BESIDE if chart.budget is not None else 0)
    axes = page.axes(MARGIN, top, wide, BARS)
    _scale(axes, chart)
    for at, bar in enumerate(chart.bars):
        _bar(axes, at, bar)
    axes.axhline(0, color=INK, linewidth=2, clip_on=False)
    _budget(page, axes, chart, top, MARGIN + wide)
    _months(page, axes, chart, top + BARS, wide)
    if estimated:
        page.text(MARGIN, below + GAP, "Hatched: an estimate, not the final bill.", SMALL, color=SOFT)
    return page.png()


def _scale(axes: "Axes", chart: CostChart) -> None:
    """With room for the amounts above the bars, and below those that are credits."""
    amounts = [0.0, *(float(one.usd) for one in chart.bars), float(chart.budget or 0)]
    room = 0.14 * ((max(amounts) - min(amounts)) or 1.0)
    axes.set_ylim(min(amounts) - (room if min(amounts) < 0 else 0), max(amounts) + room)
    middle, half = (len(chart.bars) - 1) / 2, max(len(chart.bars), 4) / 2
    axes.set_xlim(middle - half, middle + half)


def _bar(axes: "Axes", at: int, bar: Bar) -> None:
    usd = float(bar.usd)
    if bar.estimated:
        axes.bar(at, usd, width=0.6, linewidth=2, facecolor="white", edgecolor=ACCENT, hatch="//")
    else:
        axes.bar(at, usd, width=0.6, linewidth=2, facecolor=ACCENT, edgecolor=ACCENT)


def _budget(page: Page, axes: "Axes", chart: CostChart, top: int, right: int) -> None:
    if chart.budget is not None:
        axes.axhline(float(chart.budget), color=INK, linewidth=2.4, linestyle=(0, (5, 3)), zorder=3)
        level = _level(axes, float(chart.budget), top)
        page.text(right + 12, level - PLAIN - 4, "budget", PLAIN, room=BESIDE - 12)
        page.text(right + 12, level + 8, short_dollars(chart.budget), PLAIN, bold=True, room=BESIDE - 12)


def _months(page: Page, axes: "Axes", chart: CostChart, top: int, wide: int) -> None:
    """The names below the bars, and the amounts above them (below, where it is a credit)."""
    first, last = axes.get_xlim()
    room = wide / (last - first)
    for at, bar in enumerate(chart.bars):
        middle = MARGIN + room * (at - first)
        level = _level(axes, float(bar.usd), top - BARS)
        amount = level - PLAIN - 10 if bar.usd >= 0 else level + 8
        page.text(
            middle, amount, short_dollars(bar.usd), PLAIN, bold=True, align="center", room=1.15 * room, backed=True
        )
        page.text(middle, top + 10, f"{bar.month:%b}", SMALL, align="center")
        year = f"{bar.month:%Y}" if at == 0 or bar.month.month == 1 else ""
        page.text(middle, top + 10 + SMALL + 8, chart.mark(bar) or year, SMALL, color=SOFT, align="center", room=room)


def _level(axes: "Axes", usd: float, top: int) -> float:
    """How far down the page an amount is."""
    low, high = axes.get_ylim()
    return top + BARS * (high - usd) / (high - low)

"""A trace map in words: every edge that the picture has, what stands out, and where to look further."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from commands.views import blocks
from commands.views.blocks import Block
from commands.views.console import trace_map_url, traces_url
from commands.views.map_data import (
    Shown,
    failures,
    hours,
    kind_of,
    latency,
    most_failing,
    name_of,
    shown,
    slowest,
)
from commands.views.text import ZERO_WIDTH_SPACE, clip, code, count, escape, plain_day_of_year, prose, sentence
from storage.maps import Edge, SilentCaller, Statistics, TraceMap

SHARE = "share-map"
ALT_LIMIT, BLOCK_ALT_LIMIT = 1000, 2000  # Slack's, of a file and of an image block
TEXT_LIMIT = 2900
NAME_SHOWN = 64  # characters; X-Ray allows 200
NOTE_SHOWN = 400
WITHOUT_PICTURE = (
    "No picture: matplotlib is not installed. Install requirements-charts.txt, or use an image that was built with it."
)
COUNTS = "Counts are those of X-Ray's graph, which holds what was traced and not every call."


class Style(NamedTuple):
    """How names and other words of AWS's are written."""

    name: Callable[[str], str]
    text: Callable[[str], str]


def _plain(text: str) -> str:
    """Without marks, for where nothing is style."""
    return " ".join(text.replace("`", "'").split())


SLACK, PLAIN = Style(code, escape), Style(_plain, _plain)


@dataclass(frozen=True, slots=True)
class Extras:
    """What a map has beside its words, where it is shown."""

    share: str = ""  # what the button carries that posts the picture; "": there is none
    shared_by: str = ""  # a mention
    picture: str = ""  # Slack's id of a file
    no_picture: str = ""  # why there is none, as a sentence


def map_text(made: TraceMap) -> str:
    """For notifications and screen readers; stands alone."""
    own = _own(made.around.own)
    said = [f"Trace map of {code(made.name)}, {window(made)}: {own}.", *_sentences(made, SLACK)]
    return clip(" ".join(said), TEXT_LIMIT)


def file_text(made: TraceMap) -> str:
    """Above the picture in the thread."""
    return f"Trace map of {code(made.name)}, {window(made)}"


def map_blocks(made: TraceMap, extras: Extras = Extras()) -> list[Block]:
    """At most nine blocks. Where the picture is among them, the lines of its edges are its alternative text."""
    by = f" · shared by {extras.shared_by}" if extras.shared_by else ""
    links, said = _links(made), _sentences(made, SLACK)
    laid = [
        blocks.header(f"Trace map: {made.name}"),
        blocks.context(f"{_place(made)} · {window(made)}{by}"),
        *(_picture(made, extras.picture) if extras.picture else _sides(made)),
        *([blocks.section("\n".join(said))] if said else []),
        blocks.context(" ".join([COUNTS, *_notes(made), *filter(None, [extras.no_picture])])),
        *([blocks.context(links)] if links else []),
    ]
    if extras.share:
        button = blocks.button(
            "Post it here", SHARE, extras.share, described="Post this map as a picture in the channel", primary=True
        )
        laid.append({"type": "actions", "elements": [button]})
    return laid


def _picture(made: TraceMap, file: str) -> list[Block]:
    return [{"type": "image", "slack_file": {"id": file}, "alt_text": alt_text(made, BLOCK_ALT_LIMIT)}]


def _sides(made: TraceMap) -> list[Block]:
    room = shown(made)
    return [
        blocks.section(f"{code(made.name)}: {_own(made.around.own)}"),
        blocks.section("\n".join(["*Called by*", *_callers(room, SLACK)])),
        blocks.section("\n".join(["*Calls*", *_callees(room, SLACK)])),
    ]


def alt_text(made: TraceMap, limit: int = ALT_LIMIT) -> str:
    """Of the picture: all that it shows, as far as Slack takes it."""
    room = shown(made)
    said = [
        f"Trace map of {made.name}, {_own(made.around.own)}.",
        *_sentences(made, PLAIN),
        f"Called by: {_together(_callers(room, PLAIN))}",
        f"Calls: {_together(_callees(room, PLAIN))}",
    ]
    return clip(" ".join(said), limit)


def map_lines(made: TraceMap) -> list[str]:
    """For a terminal."""
    room = shown(made)
    return [
        f"{made.name}: {_own(made.around.own)}",
        "Called by",
        *(f"  {line}" for line in _callers(room, PLAIN)),
        "Calls",
        *(f"  {line}" for line in _callees(room, PLAIN)),
        *_sentences(made, PLAIN),
        *(_without_marks(note) for note in (COUNTS, *made.notes)),
        *filter(None, (trace_map_url(made.function_arn), traces_url(made.function_arn))),
    ]


def map_heading(made: TraceMap) -> str:
    """For a terminal."""
    return f"Trace map: {made.name}, {_place(made)}, {window(made)}"


def window(made: TraceMap) -> str:
    """ "last 6 hours to 28 Nov 22:00 UTC"; what could not be read is not counted as if it had been."""
    around = made.around
    length = around.until - around.since
    return f"{hours(length)} to {plain_day_of_year(around.until)} {around.until:%H:%M} UTC"


def _place(made: TraceMap) -> str:
    return f"{made.account} · {made.region}"


def _own(own: Statistics | None) -> str:
    return _figures(own, "traced invocation") if own else "not in X-Ray's graph by itself"


def _figures(one: Statistics, noun: str = "call") -> str:
    """Calls, which of them failed, and how long they took."""
    took = f"{latency(one.average)} on average" if one.average is not None else ""
    return ", ".join(filter(None, [count(one.calls, noun), failures(one), took]))


def _callers(room: Shown, style: Style) -> list[str]:
    lines = [_line(one, style) for one in room.callers]
    lines += [_silent(one, style) for one in room.silent]
    return [*lines, *filter(None, [room.more_callers])] or ["nothing that X-Ray's graph shows"]


def _callees(room: Shown, style: Style) -> list[str]:
    lines = [_line(one, style) for one in room.callees]
    return [*lines, *filter(None, [room.more_callees])] or [
        "nothing that X-Ray's graph shows: either it calls nothing, or its calls are not instrumented"
    ]


def _line(one: Edge, style: Style) -> str:
    return f"• {_called(one, style)}: {_figures(one.statistics)}"


def _silent(one: SilentCaller, style: Style) -> str:
    return f"• {_called(one, style)}: no traces. {sentence(style.text(one.why))}"


def _called(one: Edge | SilentCaller, style: Style) -> str:
    return f"{style.name(clip(name_of(one), NAME_SHOWN))} ({style.text(clip(kind_of(one), NAME_SHOWN))})"


def _sentences(made: TraceMap, style: Style) -> list[str]:
    """The slowest edge and the most failing one. A caller's edge lasts as long as the function and all that it calls,
    so that the slowest of what it calls is named beside it."""
    around = made.around
    slow, inner = slowest([*around.callers, *around.callees]), slowest(around.callees)
    said = []
    if slow:
        more = f"; of what it calls, {_slow(made, inner, style)}" if inner and inner is not slow else ""
        said.append(f"Slowest: {_slow(made, slow, style)}{more}.")
    failing = most_failing([*around.callers, *around.callees])
    if failing:
        calls = count(failing.statistics.calls, "call")
        said.append(f"Most failing: {_edge(made, failing, style)}, {failures(failing.statistics)} of {calls}.")
    elif around.callers or around.callees:
        said.append("No call on these edges failed.")
    return said


def _slow(made: TraceMap, one: Edge, style: Style) -> str:
    within = f", 95\N{NO-BREAK SPACE}% within {latency(one.statistics.p95)}" if one.statistics.p95 else ""
    return f"{_edge(made, one, style)}, {latency(one.statistics.average)} on average{within}"


def _edge(made: TraceMap, one: Edge, style: Style) -> str:
    other, own = style.name(clip(name_of(one), NAME_SHOWN)), style.name(made.name)
    first, second = (own, other) if one in made.around.callees else (other, own)
    return f"{first} → {second}"


def _notes(made: TraceMap) -> list[str]:
    return [prose(clip(note, NOTE_SHOWN)) for note in made.notes]


def _links(made: TraceMap) -> str:
    links = [(trace_map_url(made.function_arn), "Trace map"), (traces_url(made.function_arn), "its traces")]
    said = " · ".join(f"<{url}|{label}>" for url, label in links if url)
    return f"In the AWS console: {said}" if said else ""


def _together(lines: Sequence[str]) -> str:
    return "; ".join(line.removeprefix("• ").rstrip(".") for line in lines) + "."


def _without_marks(text: str) -> str:
    return text.replace("`", "").replace(ZERO_WIDTH_SPACE, "")


def not_read(made: TraceMap) -> str:
    """Of a window that was longer than what could be read; "" where all of it was."""
    around = made.around
    if around.not_read <= timedelta(0):
        return ""
    asked, left = hours(around.until - around.since + around.not_read), hours(around.not_read)
    return f"Of the {asked} that were asked for, the oldest {left} are not in it: {around.not_read_why}."

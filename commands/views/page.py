"""A white page to draw on, in pixels from its upper left corner: text that always fits, and places for charts.

Names are drawn as they are spelled: `$…$` is no formula, and what the font has no shape for is an empty square.
"""

import io
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from commands.views.text import HIDDEN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text

WIDTH = 640
DPI = 100
POINTS = 72 / DPI  # in a pixel
INK, SOFT = "#1b2530", "#55606c"  # dark enough on white for any text
FONT = "DejaVu Sans"  # matplotlib brings it along: the same picture on every machine
NO_SHAPE = "\N{WHITE SQUARE}"
ABOVE, UNDER = 0.45, 0.4  # of a text's size: what of it may stand out, such as an accent


class Page:
    def __init__(self, height: int) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        self.height = height
        self._figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self._figure)

    def png(self) -> bytes:
        out = io.BytesIO()
        self._figure.savefig(out, format="png", dpi=DPI, metadata={"Software": None})
        return out.getvalue()

    def canvas(self) -> "Axes":
        """All of the page, with pixels for coordinates, for what is drawn under the text."""
        made = self.axes(0, 0, WIDTH, self.height)
        made.set_xlim(0, WIDTH)
        made.set_ylim(self.height, 0)
        return made

    def texts(self) -> "list[Text]":
        """All that was written."""
        return list(self._figure.texts)

    def axes(self, left: float, top: float, wide: float, high: float) -> "Axes":
        """Without any frame, tick or label."""
        made = self._figure.add_axes((left / WIDTH, 1 - (top + high) / self.height, wide / WIDTH, high / self.height))
        made.set_axis_off()
        return made

    def text(
        self,
        left: float,
        top: float,
        said: str,
        size: int,
        *,
        color: str = INK,
        bold: bool = False,
        align: str = "left",
        room: float = WIDTH,
        backed: bool = False,
        on: str = "white",
    ) -> float:
        """One line, cut to `room`; how wide it has become.

        `align` says which part of it is at `left`; `backed`: on its own ground, whatever is drawn below it.
        """
        from matplotlib.transforms import Bbox

        shown = self._fitting(said, size, bold, room)
        made = self._figure.text(
            left / WIDTH,
            1 - (top + size) / self.height,
            shown,
            fontproperties=_font(size, bold),
            color=color,
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
            bbox={"facecolor": on, "linewidth": 0, "pad": 2} if backed else None,
        )
        above, under = self.height - top + ABOVE * size, self.height - top - size - UNDER * size
        made.set_clip_box(Bbox([[0, under], [WIDTH, above]]))
        made.set_clip_on(True)
        return self.wide(shown, size, bold)

    def _fitting(self, said: str, size: int, bold: bool, room: float) -> str:
        shown = drawable(said)
        while self.wide(shown, size, bold) > room and len(shown) > 1:
            shown = shown[: min(len(shown) - 2, int(len(shown) * 0.95))].rstrip() + "…"
        return shown

    def wide(self, shown: str, size: int, bold: bool = False) -> float:
        """Of one line of what can be drawn."""
        return _wide(shown, size, bold)


def drawable(text: str) -> str:
    """As far as the font has shapes; one accent on a letter, so that no text grows out of its line."""
    return "".join(_shapes(unicodedata.normalize("NFC", HIDDEN.sub("", " ".join(text.split())))))


def is_legible(text: str) -> bool:
    """Whether more of it can be drawn than not."""
    shown = drawable(text).replace(" ", "")
    return 2 * shown.count(NO_SHAPE) < len(shown)


def _shapes(text: str) -> Iterator[str]:
    known, accented = _letters(), False
    for letter in text:
        accent = unicodedata.category(letter) in ("Mn", "Me")
        if accent and accented:
            continue
        accented = accent
        if unicodedata.category(letter) not in ("Cf", "Cc", "Cs"):
            yield letter if ord(letter) in known else NO_SHAPE


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    """Those that the font has, in both its weights."""
    from matplotlib.font_manager import findfont, get_font

    return frozenset.intersection(
        *(frozenset(get_font(findfont(_font(10, bold))).get_charmap()) for bold in (False, True))
    )


@lru_cache(maxsize=2048)  # the same texts are measured to find their room and to be written, on one page after another
def _wide(shown: str, size: int, bold: bool) -> float:
    wide, _, _ = _renderer().get_text_width_height_descent(shown, _font(size, bold), ismath=False)
    return float(wide)


@lru_cache(maxsize=1)
def _renderer() -> Any:
    """It draws nothing, so that its size does not matter."""
    from matplotlib.backends.backend_agg import RendererAgg

    return RendererAgg(1, 1, DPI)  # type: ignore[no-untyped-call] # matplotlib has no type for it


@lru_cache(maxsize=32)
def _font(size: int, bold: bool) -> "FontProperties":
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=FONT, size=size * POINTS, weight="bold" if bold else "normal")

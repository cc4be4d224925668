"""The picture of a trace map: on a phone every text can be read, none stands on another, whatever things are called."""

import io
import struct
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.image import imread
from matplotlib.transforms import Bbox

from commands.views.map_data import MOST
from commands.views.map_picture import drawn, picture
from commands.views.page import DPI, WIDTH, Page
from storage.maps import LAMBDA, Around, Edge, SilentCaller, Statistics, TraceMap

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
PHONE = 400  # pixels
LEGIBLE = 9  # pixels of a phone
MARGIN = 14
NOT_SHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
HOSTILE = (
    "W" * 64,
    "payments-prod-eu-central-1-refund-settlement-reconciliation-handler"[:64],
    "$x^2$_\\frac{1}{2}-" * 4,
    "i" * 140,
    "日本語の関数" * 20,
    "\u202eevil\u2066 name with spaces " * 6,
    "é\u0301\u0302" * 50,
    "a",
    "",
    "https://api.example.com/v1/customers/refunds/" * 3,
    "<@U0ANA> *bold* `code` _it_" * 4,
    "שלום-עולם-" * 10,
)
KINDS = (LAMBDA, "AWS::DynamoDB::Table", "client", "remote", "AWS::SQS::Queue", "x" * 120, "")


def statistics(calls: int = 1200, **more: float) -> Statistics:
    return Statistics(calls, **{"seconds": calls * 0.12, "p95": 0.4, **more})  # type: ignore[arg-type]  # by their names


def edges(number: int, offset: int = 0) -> tuple[Edge, ...]:
    """Every second one fails in all three ways."""
    return tuple(
        Edge(
            HOSTILE[(place + offset) % len(HOSTILE)],
            KINDS[(place + offset) % len(KINDS)],
            statistics(10 ** (place % 9 + 1), **({"errors": 3, "throttles": 1, "faults": 2} if place % 2 else {})),
            "730264918852" if place % 3 == 0 else "",
            asynchronous=place % 4 == 3,
        )
        for place in range(number)
    )


def traced(callers: int, callees: int, silent: int = 0, name: str = HOSTILE[1]) -> TraceMap:
    arn = f"arn:aws:lambda:eu-central-1:482915067331:function:{name}"
    around = Around(NOW - timedelta(hours=6), NOW, statistics(faults=4), edges(callers), edges(callees, 5))
    dark = tuple(SilentCaller(HOSTILE[one], LAMBDA, "may call it, and sends no traces") for one in range(silent))
    return TraceMap(arn, "482915067331", "eu-central-1", name, around, dark)


def boxes(page: Page) -> list[tuple[str, Bbox]]:
    """Where matplotlib puts each text, with the ground that it brings along."""
    renderer = RendererAgg(WIDTH, page.height, DPI)
    found = []
    for text in page.texts():
        text.update_bbox_position_size(renderer)
        ground = text.get_bbox_patch()
        found.append((text.get_text(), (ground or text).get_window_extent(renderer)))
    return [(said, box) for said, box in found if said.strip()]


def overlapping(boxes: list[tuple[str, Bbox]]) -> list[tuple[str, str]]:
    plain = [(said, *map(float, box.extents)) for said, box in boxes]  # for matplotlib's own arithmetic is slow
    return [
        (first, second)
        for (first, left, low, right, high), (second, x0, y0, x1, y1) in combinations(plain, 2)
        if min(right, x1) - max(left, x0) > 0.5 and min(high, y1) - max(low, y0) > 0.5
    ]


def check(page: Page) -> None:
    written = boxes(page)
    assert overlapping(written) == []
    for said, box in written:
        assert box.x0 >= MARGIN, said
        assert box.x1 <= WIDTH - MARGIN, said
        assert box.y0 >= 0, said
        assert box.y1 <= page.height, said
    smallest = min(text.get_fontsize() * DPI / 72 for text in page.texts() if text.get_text())
    assert smallest * PHONE / WIDTH >= LEGIBLE


@pytest.mark.parametrize("services", range(2, MOST + 1))
def test_no_text_stands_on_another_and_all_can_be_read_on_a_phone(services: int) -> None:
    for callers in {0, services // 2, services}:
        check(drawn(traced(callers, services - callers)))


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_the_function_is_called(name: str) -> None:
    check(drawn(traced(6, 6, silent=3, name=name)))


any_statistics = st.builds(
    Statistics,
    calls=st.integers(0, 10**12),
    errors=st.integers(0, 10**12),
    throttles=st.integers(0, 10**12),
    faults=st.integers(0, 10**12),
    seconds=st.floats(0, 1e15),
    p95=st.none() | st.floats(0, 1e6),
)
any_edge = st.builds(
    Edge,
    name=st.text(max_size=140),
    kind=st.sampled_from(KINDS) | st.text(max_size=60),
    statistics=any_statistics,
    account=st.sampled_from(["", "730264918852"]),
    asynchronous=st.booleans(),
)


@given(st.lists(any_edge, max_size=30), st.lists(any_edge, max_size=30), st.text(min_size=1, max_size=140))
@settings(max_examples=15, deadline=None, phases=NOT_SHRUNK, suppress_health_check=[HealthCheck.too_slow])
def test_any_map_fits_the_page(callers: list[Edge], callees: list[Edge], name: str) -> None:
    around = Around(NOW - timedelta(days=7), NOW, None, tuple(callers), tuple(callees))
    page = drawn(TraceMap("arn:aws:lambda:eu-central-1:1:function:x", "1", "eu-central-1", name, around))

    check(page)
    png = page.png()
    wide, high = struct.unpack(">II", png[16:24])
    assert wide == WIDTH
    assert 200 <= high <= 2400
    pixels = imread(io.BytesIO(png))[..., :3]
    assert (pixels[:, :MARGIN] == 1).all()
    assert (pixels[:, -MARGIN:] == 1).all()


def test_what_sends_no_traces_is_dashed_and_says_so() -> None:
    said = [text.get_text() for text in drawn(traced(1, 1, silent=1)).texts()]

    assert "may call it, and sends no traces" in said
    assert "Dashed: it may call, and sends no traces." in said
    assert picture(traced(1, 1, silent=1)) != picture(traced(1, 1))


def test_what_stands_out_is_named_in_the_picture() -> None:
    said = [text.get_text() for text in drawn(traced(6, 6)).texts()]

    assert "slowest" in said
    assert "most failing" in said


def test_the_same_map_gives_the_same_picture() -> None:
    assert picture(traced(4, 4, 1)) == picture(traced(4, 4, 1))

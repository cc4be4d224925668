"""The pictures: any figures give one of sane size, and no warning; nothing of a name breaks out of its place."""

import io
import struct
import subprocess
import sys
import threading
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from matplotlib.image import imread

from commands.views.chart_data import charts_of
from commands.views.charts import can_draw, picture
from commands.views.page import WIDTH, drawable, is_legible
from storage.kpis import Figures
from tests.commands.views.test_report import any_figures
from tests.reporting import figures, spent, team, unknown_figures

MOST_BYTES = 200_000
NOT_SHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)  # to draw takes so long that the shortest would take minutes
MARGIN = 14  # inside of the real one: accents and the ends of lines stand out a little


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    wide, high = struct.unpack(">II", png[16:24])
    return wide, high


def pictures(made: Figures) -> dict[str, bytes]:
    return {chart.name: picture(chart) for chart in charts_of(made)}


@given(any_figures())
@settings(max_examples=40, deadline=None, phases=NOT_SHRUNK, suppress_health_check=[HealthCheck.too_slow])
def test_any_figures_give_pictures_of_sane_size_whose_margins_are_white(made: Figures) -> None:
    for png in pictures(made).values():
        wide, high = size(png)
        assert wide == WIDTH
        assert 280 <= high <= 1000
        assert len(png) < MOST_BYTES
        pixels = imread(io.BytesIO(png))[..., :3]
        assert (pixels[:, :MARGIN] == 1).all()
        assert (pixels[:, -MARGIN:] == 1).all()
        assert (pixels < 0.9).any()


def test_the_same_figures_give_the_same_picture() -> None:
    assert pictures(figures()) == pictures(figures())


def test_a_first_day_and_a_single_bill_are_drawn() -> None:
    assert set(pictures(unknown_figures())) == {"coverage"}
    assert set(pictures(figures(spent=spent()[-1:], earlier=(), budget_usd=None))) == {"coverage", "cost"}


def test_a_credit_hangs_below_the_line() -> None:
    bills = spent()
    credited = figures(
        spent=(*bills[:-1], type(bills[0])(bills[-1].month, Decimal(-20), Decimal(1), bills[0].asked_at, True))
    )

    assert pictures(credited)["cost"] != pictures(figures())["cost"]


def test_an_estimate_looks_otherwise_than_a_bill() -> None:
    final = tuple(type(one)(one.month, one.xray_usd, one.lambda_usd, one.asked_at, False) for one in spent())

    assert size(pictures(figures(spent=final, earlier=()))["cost"])[1] < size(pictures(figures())["cost"])[1]


def test_dollar_signs_are_no_formula() -> None:
    named = {"$x^2$": team(0), "$\\frac{1}{2}$": team(1)}

    assert pictures(figures(by_team=named))["coverage"]  # a formula would be refused, or drawn otherwise
    assert drawable("$x^2$") == "$x^2$"


@pytest.mark.parametrize(
    ("name", "shown", "legible"),
    [
        ("payments", "payments", True),
        ("💡ops", "□ops", True),
        ("日本語", "□□□", False),
        ("שלום", "שלום", True),
        ("e" + "\u0301" * 40, "é\u0301", True),
        ("\u202eevil\u2066", "evil", True),
        ("\n", "", True),
    ],
)
def test_what_the_font_has_no_shape_for_is_a_square(name: str, shown: str, legible: bool) -> None:
    assert drawable(name) == shown
    assert is_legible(name) is legible or not shown


def test_reports_may_be_drawn_at_the_same_time() -> None:
    made, found = figures(), []
    alone = pictures(made)
    threads = [threading.Thread(target=lambda: found.append(pictures(made))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert found == [alone] * 4


def test_nothing_is_loaded_to_draw_before_something_is_drawn() -> None:
    asks = "import sys, bot.service, commands; commands.COMMANDS; print('matplotlib' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True, timeout=60)

    assert told.stdout.strip() == "False"
    assert can_draw()

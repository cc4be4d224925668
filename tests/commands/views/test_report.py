"""What a report says, for any figures: within Slack's limits, inert, and never a zero for what is not known."""

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views.amounts import dollars, lasting, points, share, short_dollars, span, whole_share
from commands.views.chart_data import charts_of, coverage_chart
from commands.views.report import TEAMS_SHOWN, Extras, files_text, report_blocks, report_text
from commands.views.report_csv import COLUMNS, report_csv
from commands.views.text import sentence
from storage.kpis import Attribution, Day, Figures, Median, Spent, TeamFigures
from storage.models import Coverage
from tests.commands.views.test_hostile import NASTY, inert
from tests.commands.views.test_views import words
from tests.reporting import NOON, TODAY, coverage, figures, team, unknown_figures

COUNT = st.integers(0, 10**6)
COVERAGE = st.builds(Coverage, COUNT, COUNT, COUNT, COUNT, COUNT)
USD = st.decimals(Decimal("-1e6"), Decimal("1e9"), places=6)
MEDIAN = st.builds(Median, st.none() | st.floats(0, 1e9), COUNT, COUNT)

FIELDS = ("coverage", "before", "mttr_traced", "incidents", "spent", "xray_usd", "xray_by_team", "attribution")


@st.composite
def team_figures(draw: st.DrawFn) -> TeamFigures:
    days = draw(st.lists(st.integers(0, 365), unique=True, max_size=8))
    trend = tuple(Day(TODAY - timedelta(days=day), draw(COVERAGE)) for day in sorted(days, reverse=True))
    usd = draw(st.none() | USD)
    return TeamFigures(draw(COVERAGE), draw(st.none() | COVERAGE), trend, draw(st.floats(0, 1e12)), usd, usd)


@st.composite
def any_figures(draw: st.DrawFn) -> Figures:
    """As an unlucky organization has them."""
    name, text = NASTY.map(lambda text: text[:256]), NASTY
    by_team: Mapping[str | None, TeamFigures] = draw(st.dictionaries(st.none() | name, team_figures(), max_size=14))
    months = draw(st.integers(0, 14))
    spent = tuple(
        Spent(
            (date(2025, 10, 1) + timedelta(days=31 * at)).replace(day=1),
            draw(USD),
            draw(USD),
            NOON,
            draw(st.booleans()),
        )
        for at in range(months)
    )
    return figures(
        team=draw(st.none() | name),
        whole=draw(team_figures()),
        by_team=by_team,
        production_only=draw(st.booleans()),
        remediation=draw(MEDIAN),
        mttr_traced=draw(st.none() | MEDIAN),
        mttr_untraced=draw(st.none() | MEDIAN),
        attribution=draw(st.none() | st.builds(Attribution, st.floats(0, 1), text)),
        spent=spent[months // 2 :],
        earlier=spent[: months // 2],
        budget_usd=draw(st.none() | USD),
        unknown=draw(st.dictionaries(st.sampled_from(FIELDS), text)),
        not_seen=draw(COUNT),
    )


@given(any_figures())
@settings(max_examples=150, deadline=None)
def test_any_report_fits_a_message_and_calls_nobody(made: Figures) -> None:
    shown = charts_of(made)
    pictures = [(f"F0{number}", chart) for number, chart in enumerate(shown)]
    for extras in (Extras(), Extras(pictures, "<@U0ANA>", "opaque", can_draw=False)):
        drawn = report_blocks(made, extras)
        assert not message_problems(drawn)
        assert not blocks_are_too_long(drawn)
        assert inert(words([block for block in drawn if block["type"] not in ("actions", "header", "image")]))
    for text in (report_text(made), files_text(made, shown)):
        assert inert(text)
        assert len(text) <= 3000
    assert all(len(chart.alt) <= 1000 for chart in shown)


@given(any_figures())
@settings(max_examples=100, deadline=None)
def test_every_row_of_the_file_has_its_columns_and_runs_as_no_formula(made: Figures) -> None:
    head, *rows = csv.reader(io.StringIO(report_csv(made), newline=""))

    assert tuple(head) == COLUMNS
    assert rows
    for row in rows:
        assert len(row) == len(COLUMNS)
        figure, name, since, until, value, _, n, note = row
        assert not (figure + name).startswith(("=", "+", "@", "\t"))
        assert not note.startswith(("=", "+", "-", "@", "\t"))
        assert date.fromisoformat(since) <= date.fromisoformat(until)
        assert value == "" or Decimal(value) is not None
        assert n == "" or int(n) >= 0


def said(made: Figures, **extras: object) -> str:
    return words(report_blocks(made, Extras(**extras)))


def test_each_figure_has_its_number_and_how_sure_it_is() -> None:
    shown = said(figures())

    for part in (
        "Oct 25 – Nov 23, 2026 (30 days, UTC) · production functions",
        "59.3\N{NO-BREAK SPACE}% (+22.7 points)",
        "median 3.2 days, n = 41; 112 still untraced, not counted",
        "median 34 minutes to repair, n = 12; 1 going on, not counted",
        "median 71 minutes to repair, n = 9",
        "show no cause",
        "Fewer than ten on a side say little",
        "$38.21 in Nov 2026 so far",
        "5.1\N{NO-BREAK SPACE}% of Lambda's $744.02",
        "$50.00 a month, 76.4\N{NO-BREAK SPACE}% of it used in Nov so far",
        "92.3\N{NO-BREAK SPACE}% of Lambda's",
        "The last audit could not fully see 1 place",
    ):
        assert part in shown


def test_what_is_not_known_says_why_and_is_no_zero() -> None:
    made = unknown_figures()
    shown = said(made)

    assert "unknown: Cost Explorer is turned off in lamplighter.toml: [spend] accounts." in shown
    assert shown.count("unknown: CloudWatch was not asked for alarms yet.") == 2
    assert "none: No budget is set: [budget] monthly_usd." in shown
    assert "25\N{NO-BREAK SPACE}% (no audit had been taken when the window began)" in shown
    assert "all functions, as no setting says which are production" in shown
    assert "$0" not in shown
    rows = list(csv.reader(io.StringIO(report_csv(made), newline="")))
    cost = next(row for row in rows if row[0] == "X-Ray cost")
    assert (cost[4], cost[7]) == ("", "Cost Explorer is turned off in lamplighter.toml: [spend] accounts.")


def test_the_worst_teams_are_listed_and_the_others_counted() -> None:
    made = figures(teams=500, days=3)
    shown = said(made)

    untraced = sum(one.coverage.untraced for one in made.by_team.values())
    listed = [line for line in shown.splitlines() if line.startswith("• ")]
    assert len(listed) == TEAMS_SHOWN
    worst = max(made.by_team.values(), key=lambda one: one.coverage.untraced)
    assert f"{worst.coverage.untraced} of" in listed[0]
    rest = int(shown.partition("more teams with ")[2].partition(" untraced")[0].replace(",", ""))
    top = sum(int(line.partition(" untraced")[0].split()[-3].replace(",", "")) for line in listed)
    assert (top + rest, "and 491 more teams" in shown) == (untraced, True)
    rows = [row for row in csv.reader(io.StringIO(report_csv(made), newline="")) if row[0] == "functions untraced"]
    assert sum(int(row[4]) for row in rows if row[1] != "all teams") == untraced


def test_one_teams_report_has_its_own_cost_and_no_list_of_teams() -> None:
    one = team(4)
    shown = said(figures(team="data-platform", whole=one, by_team={"data-platform": one}))

    assert "about $4.21 of Oct 2026 to Nov 2026, by its share of traces" in shown
    assert "By team" not in shown


def test_pictures_stand_in_the_message_with_what_they_show_in_words() -> None:
    made = figures()
    images = [
        block
        for block in report_blocks(made, Extras([(f"F{at}", chart) for at, chart in enumerate(charts_of(made))]))
        if block["type"] == "image"
    ]

    assert [block["slack_file"] for block in images] == [{"id": "F0"}, {"id": "F1"}]
    assert "All teams: from 36.6\N{NO-BREAK SPACE}% to 59.3\N{NO-BREAK SPACE}% (+22.7 points)" in images[0]["alt_text"]
    assert "November 2026 $38.21 (so far). The budget is $50.00 a month." in images[1]["alt_text"]


def test_the_teams_of_the_picture_are_those_of_the_list_and_the_others_add_up() -> None:
    made = figures(teams=20)
    chart = coverage_chart(made)
    assert chart

    assert len(chart.teams) == 8
    assert chart.teams[-1].name == "14 other teams"
    listed = [line.split("*")[1] for line in said(made).splitlines() if line.startswith("• ")]
    assert [line.name for line in chart.teams[:7]] == listed[:7]
    shown = {line.name for line in chart.teams[:-1]}
    rest = Coverage.sum(one.coverage for name, one in made.by_team.items() if (name or "no team") not in shown)
    assert chart.teams[-1].last == rest.percent


def test_without_anything_that_could_be_traced_there_is_no_picture_of_coverage() -> None:
    nothing = TeamFigures(Coverage(not_applicable=3), None, (Day(TODAY, Coverage(not_applicable=3)),))
    made = replace(unknown_figures(), whole=nothing, by_team={None: nothing})

    assert charts_of(made) == ()
    assert "nothing that can be traced" in said(made)


def test_without_matplotlib_the_report_says_how_to_get_pictures() -> None:
    assert "Install requirements-charts.txt" in said(figures(), can_draw=False)
    assert "matplotlib" not in said(figures())


@pytest.mark.parametrize(
    ("made", "shown"),
    [
        (dollars(Decimal("1234.5")), "$1,234.50"),
        (dollars(Decimal(0)), "$0.00"),
        (dollars(Decimal("0.001")), "under $0.01"),
        (dollars(Decimal(-3)), "−$3.00"),
        (short_dollars(Decimal(99999)), "$100k"),
        (short_dollars(Decimal(1234)), "$1.2k"),
        (short_dollars(Decimal("31.02")), "$31"),
        (short_dollars(Decimal("4.2")), "$4.20"),
        (short_dollars(Decimal("0.0001")), "<1¢"),
        (points(1.0), "+1 point"),
        (points(-2.5), "−2.5 points"),
        (points(0), "no change"),
        (whole_share(99.9), "99.9\N{NO-BREAK SPACE}%"),
        (whole_share(0.4), "0.4\N{NO-BREAK SPACE}%"),
        (whole_share(61.2), "61\N{NO-BREAK SPACE}%"),
        (share(None), "n/a"),
        (lasting(86400), "24 hours"),
        (lasting(3.24 * 86400), "3.2 days"),
        (lasting(71 * 60), "71 minutes"),
        (lasting(2 * 3600), "2 hours"),
        (lasting(1), "1 second"),
        (span(date(2026, 11, 1), date(2026, 11, 1)), "Nov 1, 2026"),
        (span(date(2025, 12, 30), date(2026, 1, 2)), "Dec 30, 2025 – Jan 2, 2026"),
    ],
)
def test_numbers_read_as_people_write_them(made: str, shown: str) -> None:
    assert made == shown


def test_coverage_of_the_helper_adds_up() -> None:
    assert coverage(10, 4, 1).percent == 40.0


def test_how_a_figure_is_made_stands_below_the_figures_and_whole() -> None:
    known = figures(attribution=Attribution(0.923, "by GB-seconds, Oct 24 to Nov 23"))

    assert "92.3\N{NO-BREAK SPACE}% of Lambda's" in said(known)
    assert "Cost with a known team: by GB-seconds, Oct 24 to Nov 23." in said(known)
    assert "by GB-seconds" not in words([one for one in report_blocks(known, Extras()) if "fields" in one])


def test_a_reason_that_was_cut_ends_with_its_ellipsis() -> None:
    assert sentence("why it is not kno…") == "Why it is not kno…"
    assert sentence("why it is not known.") == "Why it is not known."

"""App Home within Slack's limits, whatever it has to show."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from slack_sdk.models.views import View

from bot.demo.slack import view_problems
from commands.views.home import MOST_WAITING, PAGE, Ending, Home, Quiet, Step, home_view, trend_line
from commands.views.item import Item
from commands.views.text import day
from storage.models import Coverage, ExemptScope, ExemptState, NotScanned, Snooze
from storage.overview import Point
from tests.commands.views.test_views import AUDIT, EXEMPTION, FUNCTION, HOSTILE, NOON, REQUEST, words

BIG = 10**9
RULE = replace(
    EXEMPTION,
    token="t",
    scope=ExemptScope.NAME,
    ticket="https://tickets.example/" + "x" * 900,
    state=ExemptState.ASKED,
    asked_by="U0EVE",
    ask_until=NOON,
)
SNOOZE = Snooze("s", FUNCTION.arn, "payments", "U0EVE", NOON, NOON + timedelta(days=7))


def items(number, text, *, asked=""):
    name = (text or "f")[:140]
    return [
        Item(
            structs.replace(FUNCTION, name=name, team=text or None),
            replace(REQUEST, id=f"{asked}{each}", asked_by="U0EVE" if asked else "", reason=text),
        )
        for each in range(number)
    ]


@settings(max_examples=40, deadline=None)
@given(text=HOSTILE, teams=st.integers(0, 300), rows=st.integers(0, PAGE), waiting=st.integers(0, MOST_WAITING))
def test_it_holds_slacks_limits(text, teams, rows, waiting):
    home = Home(
        replace(AUDIT, not_scanned=tuple(NotScanned(text, text, text) for _ in range(9))),
        teams=[(f"{text}{number}" if number else None, Coverage(BIG, BIG, BIG, BIG, BIG)) for number in range(teams)],
        mine=True,
        has_own=True,
        trend=[Point(NOON + timedelta(days=day), Coverage(traced=day, untraced=1)) for day in range(30)],
        waiting=items(waiting, text, asked="asked"),
        waiting_in_all=BIG,
        to_confirm=[(replace(RULE, id=number, reason=text, target=text), [text] * 30) for number in range(5)],
        ending=[Ending(replace(RULE, id=9 + number, reason=text, target=text), BIG) for number in range(9)],
        quiet=[Quiet(replace(SNOOZE, id=str(number)), text[:140]) for number in range(9)],
        rows=items(rows, text),
        untraced=BIG,
        page=500,
        pages=1000,
        steps=[Step("Do this.", done=False)] * 4,
    )

    for view in (home_view(home, "[500, true]"), home_view(replace(home, audit=None))):
        assert view_problems(view) == []
        assert len(view["blocks"]) < 100  # nothing was cut off
        View(**view).validate_json()
        assert "<!channel>" not in words(view["blocks"])


def test_a_trend_of_less_than_two_days_is_none():
    assert trend_line([]) == ""
    assert trend_line([Point(NOON, Coverage(traced=1))]) == ""
    assert trend_line([Point(NOON, Coverage()), Point(NOON, Coverage(traced=1))]) == ""


def test_a_few_days_are_told_without_a_sparkline():
    points = [Point(NOON + timedelta(days=day), Coverage(traced=day, untraced=4 - day)) for day in range(4)]

    assert trend_line(points).startswith("0")
    assert trend_line([*points, replace(points[-1], at=NOON + timedelta(days=4))]).startswith("▁")


def test_the_trend_rises_from_the_lowest_bar_to_the_highest():
    points = [Point(NOON + timedelta(days=day), Coverage(traced=day, untraced=10 - day)) for day in range(11)]

    assert trend_line(points).startswith("▁▁▂▃▄▅▅▆▇██ 0")


def test_the_trend_names_the_audits_as_a_fix_since_the_last_one_moves_the_headline_alone():
    points = [Point(NOON + timedelta(days=later), Coverage(traced=1 + later, untraced=1)) for later in range(2)]

    nbsp, (first, last) = "\N{NO-BREAK SPACE}", (day(point.at) for point in points)
    assert trend_line(points) == f"50{nbsp}% at the audit of {first}, 66.7{nbsp}% at that of {last}"


def test_functions_of_several_teams_stand_under_their_teams_names():
    rows = [*items(2, "checkout"), *items(1, "payments")]
    teams = [("checkout", Coverage(untraced=2)), ("payments", Coverage(untraced=1))]

    listed = words(home_view(Home(AUDIT, teams=teams, rows=rows, untraced=3))["blocks"]).split("without active")[1]
    alone = words(home_view(Home(AUDIT, teams=teams[:1], rows=rows[:2], untraced=2))["blocks"]).split("without active")

    assert [line for line in listed.splitlines() if line in ("*checkout*", "*payments*")] == [
        "*checkout*",
        "*payments*",
    ]
    assert "*checkout*" not in alone[1]

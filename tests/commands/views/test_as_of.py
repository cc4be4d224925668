"""Answers about past days, with names as others would write them: inert, and within Slack's limits."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.demo.slack import message_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views import as_of
from storage.models import Audit, Coverage, NotScanned, Verdict
from storage.past import PastVerdict
from tests.commands.views.test_hostile import NAME, NASTY, inert
from tests.commands.views.test_views import NOON, words

DAY = date(2026, 11, 23)


@given(name=NAME, text=NASTY, many=st.sampled_from([0, 1, 30, 600]), verdict=st.sampled_from([None, *Verdict]))
@settings(max_examples=60, deadline=None)
def test_no_name_makes_an_answer_say_what_we_did_not(name: str, text: str, many: int, verdict: Verdict | None) -> None:
    audit = Audit(7, NOON, NOON, 3, 2, 1, 44, (NotScanned("111122223333", "", text),))
    about = as_of.About(DAY, "Europe/Berlin", audit, many, Coverage(1, 2, 3, 4, 5))
    place = ("arn:aws:lambda:eu-central-1:111122223333:function:f", "111122223333", "eu-central-1")
    rows = [PastVerdict(*place, name, verdict, text, None, NOON, NOON if many % 2 else None)] * many
    counts = Coverage(traced=many, untraced=many + 7)
    teams = {None: counts} | {f"{text}{number}": counts for number in range(many)}

    drawn = [
        (as_of.everything_text(about, teams), as_of.everything_blocks(about, teams, teams)),
        (as_of.team_text(about, text, counts), as_of.team_blocks(about, text, counts, counts, rows)),
    ]
    if rows:
        drawn.append((as_of.functions_text(about, rows), as_of.functions_blocks(about, rows)))
    for alone, made in drawn:
        assert not message_problems(made)
        assert not blocks_are_too_long(made)
        assert inert(alone)
        assert inert(words(made))
        assert len(alone) < 3000


def test_what_was_left_out_is_counted() -> None:
    about = as_of.About(DAY, "UTC", None, 0, None)
    place = ("arn:aws:lambda:eu-central-1:111122223333:function:f", "111122223333", "eu-central-1")
    rows = [PastVerdict(*place, "refund", Verdict.UNTRACED, None, None, NOON, None)] * as_of.MOST_ROWS

    made = words(as_of.team_blocks(about, None, Coverage(untraced=1000), None, rows))

    shown = made.count("`refund`")
    assert f"and {1000 - shown:,} more functions" in made
    assert "No audit of everything was taken by then." in made

"""App Home's tips: worth telling, one at a time, and within Slack's limits whatever things are called."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.demo.slack import message_problems
from commands.views.tips import Known, tip_blocks, tips
from tests.commands.views.test_views import words

ALL = Known(traced=True, untraced="refund", team="payments", day=date(2026, 11, 20))


def test_nothing_is_told_that_this_person_could_not_try() -> None:
    assert tips(Known()) == {}
    assert list(tips(ALL)) == ["reading", "one-function", "snooze", "report", "past"]
    assert "`/trace-audit payments on 2026-11-20`" in tips(ALL)["past"]
    assert "`/trace-audit on 2026-11-20`" in tips(Known(day=date(2026, 11, 20)))["past"]


def test_one_is_told_at_a_time_until_all_are_dismissed() -> None:
    seen: set[str] = set()
    for tip, text in tips(ALL).items():
        made = tip_blocks(ALL, seen)
        assert text in words(made)
        seen.add(tip)
    assert tip_blocks(ALL, seen) == []


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_name_fits(untraced: str, team: str) -> None:
    known = Known(untraced=untraced, team=team, day=date(2026, 11, 20))
    seen: set[str] = set()
    for tip in tips(known):
        assert not message_problems(tip_blocks(known, seen))
        seen.add(tip)

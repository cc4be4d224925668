from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from bot.demo.slack import message_problems
from bot.demo.slack.limits import blocks_are_too_long
from commands.views import digest, functions, news
from commands.views.item import Item
from storage.fixes import RequestState
from storage.models import Coverage, TracingMode, Verdict
from storage.news import Change, ChangeKind, LastKnown, Since
from tests.commands.views.test_views import APPLIED, AUDIT, FUNCTION, NOON, REQUEST, words

EARLIER = NOON - timedelta(days=20)
FIX = {"fixed_by": "U0ANA", "fixed_at": EARLIER.isoformat()}
LOST = Change(FUNCTION.arn, ChangeKind.REGRESSED, Verdict.TRACED, Verdict.UNTRACED, FIX, 13, NOON)
ANEW = replace(LOST, kind=ChangeKind.NEW, detail={"made_anew": "Its stack <!channel> was *deleted* and made anew."})
FIXED = replace(LOST, kind=ChangeKind.FIXED, detail={})


def test_counts_leave_out_what_is_not_there_and_say_nothing_where_nothing_changed() -> None:
    assert news.since_line(Since(12, NOON, (LOST, FIXED, FIXED))).endswith(": 2 fixed, 1 regressed")
    assert news.since_line(Since(12, NOON)) == ""
    assert news.since_line(Since()) == ""
    assert news.digest_line([], set()) == ""
    assert news.kept_line([]) == ""


def test_a_digest_names_what_is_untraced_again_as_long_as_it_is_and_who_had_fixed_it() -> None:
    named = news.digest_line([LOST, FIXED], {FUNCTION.arn})

    assert named.startswith("Since the digest before: 1 fixed, 1 regressed. Untraced again: `refund-worker` (fixed by")
    assert "<@U0ANA>" in named
    assert news.digest_line([LOST, FIXED], set()) == "Since the digest before: 1 fixed, 1 regressed"


@pytest.mark.parametrize("request_", [REQUEST, APPLIED], ids=["open", "fixed before"])
def test_the_row_and_the_card_of_a_regressed_function_say_whose_fix_was_undone(request_) -> None:
    item = Item(FUNCTION, request_, change=LOST)

    for made in (functions.item_blocks(item), functions.card_blocks(item)):
        assert "*Untraced again* since" in words(made)
        assert "fixed by <@U0ANA> on" in words(made)
        assert "Active since" not in words(made)
        assert not message_problems(made)


def test_a_function_that_is_traced_again_bears_no_old_news() -> None:
    lit = structs.replace(FUNCTION, mode=TracingMode.ACTIVE, verdict=Verdict.TRACED)

    assert "again" not in words(functions.card_blocks(Item(lit, None, change=LOST)))


def test_a_function_that_was_made_anew_says_so_and_mentions_nobody() -> None:
    made = functions.card_blocks(Item(FUNCTION, REQUEST, change=ANEW))

    assert "Another function of this name since" in words(made)
    assert "<!channel>" not in words(made)
    assert "*deleted*" not in words(made)


def test_what_was_not_seen_is_shown_with_its_age() -> None:
    item = Item(FUNCTION, REQUEST, as_of=EARLIER)

    for shown in (
        words(functions.item_blocks(item)),
        words(functions.card_blocks(item)).lower(),
        functions.line(FUNCTION, EARLIER),
    ):
        assert "12:00" in shown
        assert "not seen since" in shown
    assert "not seen since" not in functions.line(FUNCTION)


def test_what_is_known_from_earlier_is_counted_apart_with_its_ages() -> None:
    one, other = LastKnown(FUNCTION, EARLIER), LastKnown(FUNCTION, NOON)

    assert news.kept_line([one]).startswith("Not counted: 1 function last seen at <!date^")
    assert "2 functions last seen from <!date^" in news.kept_line([one, other])
    made = digest.team_blocks(
        "payments", [], audit=AUDIT, coverage=Coverage(), channel="#p", kept=[one], news=[news.kept_line([one])]
    )
    assert "No function without active tracing" in words(made)
    assert "`refund-worker`" in words(made)
    assert "Not counted: 1 function" in words(made)


def test_a_full_digest_has_room_for_its_news() -> None:
    name = "n" * 140
    wide = structs.replace(FUNCTION, name=name, role=f"arn:aws:iam::1:role/{name}")
    lost = [replace(LOST, function_arn=f"{FUNCTION.arn[:-13]}{number}{name}") for number in range(400)]
    items = [
        Item(wide, replace(REQUEST, id=str(number), state=RequestState.OPEN), change=LOST, as_of=EARLIER)
        for number in range(12)
    ]
    lines = (
        news.digest_line(lost, {one.function_arn for one in lost}),
        news.kept_line([LastKnown(wide, EARLIER), LastKnown(wide, NOON)]),
    )

    made = digest.digest_blocks(
        "payments",
        items,
        untraced=400,
        audit=AUDIT,
        coverage=Coverage(1, 2, 3, 4, 5),
        approvers=("<@U0ANA>",),
        tag_keys=("team",),
        news=lines,
    )

    assert "and 397 more" in words(made)
    assert not message_problems(made)
    assert not blocks_are_too_long(made)

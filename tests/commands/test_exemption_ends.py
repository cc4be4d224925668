"""How exemptions end: reminders, a later day, by the clock, by somebody's word; and what messages say then."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands import extend
from commands._types import OpenForm, Say
from commands.views.exempt import NAMES, SCOPE
from commands.views.exemptions import EXTEND, LET_END
from storage.models import THE_CLOCK, DecisionKind, ExemptScope, ExemptState, Function, PostKind, Verdict
from storage.store import Store
from tests.commands.conftest import ANA, BO, EVE, NamedPeople
from tests.commands.exempting import Desk

NAME = ExemptScope.NAME
# 9 o'clock in Berlin, 7 days and 1 day before December 24.
SEVEN, ONE = datetime(2026, 12, 17, 8, 0, tzinfo=UTC), datetime(2026, 12, 23, 8, 0, tzinfo=UTC)
OVER = datetime(2026, 12, 24, 23, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def exempt(exempting: Desk) -> Function:
    """Exempt until December 24."""
    function = exempting.remembered("refund")
    exempting.exempts(function)
    return function


def at(exempting: Desk, moment: datetime) -> list[str]:
    """The reminders there are then."""
    exempting.clock.now = moment
    exempting.ticks()
    return [post.key for post in exempting.posts()]


def actions(blocks: list[dict[str, object]]) -> list[str]:
    return [each["action_id"] for block in blocks if block["type"] == "actions" for each in block["elements"]]


def test_a_team_is_reminded_seven_days_and_one_day_before_once_each(exempting: Desk, exempt: Function) -> None:
    assert at(exempting, SEVEN - MINUTE) == []
    assert at(exempting, SEVEN) == ["exemption-ends:1:2026-12-24:7"]
    assert at(exempting, SEVEN + MINUTE) == ["exemption-ends:1:2026-12-24:7"]
    assert len(at(exempting, ONE)) == 2
    assert len(at(exempting, OVER - MINUTE)) == 2

    reminder = exempting.posts()[0]
    text, blocks = exempting.drawn(reminder)
    assert (reminder.kind, reminder.channel, reminder.team) == (PostKind.EXEMPTION, "#team-payments", "payments")
    assert text.startswith("The exemption of `refund` · 123456789012 · eu-central-1 ends: its last day is")
    assert actions(blocks) == [EXTEND, LET_END]


def test_a_reminder_that_was_missed_comes_late_and_not_twice(exempting: Desk, exempt: Function) -> None:
    assert at(exempting, SEVEN + timedelta(days=3)) == ["exemption-ends:1:2026-12-24:7"]
    assert at(exempting, ONE + timedelta(hours=5)) == [
        "exemption-ends:1:2026-12-24:7",
        "exemption-ends:1:2026-12-24:1",
    ]


def test_after_a_long_silence_only_the_nearest_reminder_comes(exempting: Desk, exempt: Function) -> None:
    assert at(exempting, ONE + MINUTE) == ["exemption-ends:1:2026-12-24:1"]


def test_a_reminder_survives_a_restart(exempting: Desk, exempt: Function, tmp_path: Path) -> None:
    at(exempting, SEVEN)
    again = Store(tmp_path / "memory.db")

    assert [post.key for post in again.posts.due(SEVEN)] == ["exemption-ends:1:2026-12-24:7"]
    assert again.exemptions.of_post(again.posts.due(SEVEN)[0].id).function_arn == exempt.arn
    again.close()


def test_nobody_is_reminded_of_a_day_that_had_gone_by_when_the_end_was_chosen(exempting: Desk) -> None:
    exempting.exempts(exempting.remembered("refund"), until="2026-11-26")

    assert at(exempting, exempting.clock() + MINUTE) == []
    assert at(exempting, datetime(2026, 11, 25, 9, 0, tzinfo=UTC)) == ["exemption-ends:1:2026-11-26:1"]


def test_let_it_end_is_recorded_and_nobody_is_reminded_again(exempting: Desk, exempt: Function) -> None:
    at(exempting, SEVEN)
    token = exempting.only().token

    assert "nobody is reminded of it again" in exempting.clicks(extend.let_end, token, BO)
    assert f"<@{BO}> has said so already" in exempting.clicks(extend.let_end, token, ANA)

    assert len(at(exempting, ONE)) == 1
    assert (exempting.last().kind, exempting.last().actor) == (DecisionKind.EXEMPTION_LEFT, BO)
    _, blocks = exempting.drawn(exempting.posts()[0])
    assert actions(blocks) == [EXTEND]
    assert f"<@{BO}> lets it end" in str(blocks)


def test_a_later_day_is_counted_from_today_and_reminders_begin_anew(exempting: Desk, exempt: Function) -> None:
    at(exempting, SEVEN)
    exempting.clicks(extend.let_end, exempting.only().token)

    assert "One year at most" in exempting.extends(exempting.only(), "2027-12-18").text
    assert "Choose a later day" in str(exempting.extends(exempting.only(), "2026-12-24"))
    said = exempting.extends(exempting.only(), "2027-12-17", BO)

    assert isinstance(said, Say)
    assert "exempt until" in said.text
    extended = exempting.last()
    assert (extended.kind, extended.actor) == (DecisionKind.EXEMPTION_EXTENDED, BO)
    assert exempting.only().expires_at == extended.until
    _, blocks = exempting.drawn(exempting.posts()[0])
    assert f"was extended until <!date^1829084399^{{date_short}}|Dec 17, 2027> by <@{BO}>" in str(blocks)
    assert actions(blocks) == []
    assert len(at(exempting, OVER)) == 1
    assert at(exempting, datetime(2027, 12, 10, 9, 0, tzinfo=UTC))[-1] == "exemption-ends:1:2027-12-17:7"


def test_the_form_for_a_later_day_opens_for_approvers_only(exempting: Desk, exempt: Function) -> None:
    token = exempting.only().token
    (opened,) = extend.open_form(exempting.asks(ANA, "button", value=token), exempting.context)

    assert isinstance(opened, OpenForm)
    assert opened.view["private_metadata"] == token
    assert exempting.clicks(extend.open_form, token, EVE) == "Nothing was changed: You are not an approver."
    assert exempting.clicks(extend.let_end, token, EVE) == "Nothing was changed: You are not an approver."
    assert [row.kind for row in exempting.context.store.decisions.of_request(token)] == [DecisionKind.REFUSED]
    assert "another installation" in exempting.clicks(extend.let_end, "forged")


def test_where_it_takes_two_people_to_grant_it_takes_two_to_extend(exempting: Desk) -> None:
    desk = exempting.under(exemption_two_people="always")
    desk.exempts(desk.remembered("refund"))
    desk.confirms(desk.only(), BO)
    granted = desk.only()

    assert "takes two people" in desk.extends(granted, "2027-01-31", ANA).text
    assert desk.context.store.exemptions.get(granted.id).expires_at == granted.expires_at
    assert "you asked for this" in desk.confirms(desk.only(), ANA)
    assert "extended until" in desk.confirms(desk.only(), BO)

    assert desk.context.store.exemptions.get(granted.id).expires_at == desk.only().expires_at
    assert desk.only().state is ExemptState.MERGED


def test_at_its_end_the_function_is_untraced_and_the_clock_has_recorded_it(exempting: Desk, exempt: Function) -> None:
    at(exempting, OVER - MINUTE)
    assert exempting.verdict(exempt) is Verdict.EXEMPT

    at(exempting, OVER)
    at(exempting, OVER + MINUTE)

    assert exempting.verdict(exempt) is Verdict.UNTRACED
    ended = [row for row in exempting.context.store.decisions.all() if row.kind is DecisionKind.EXEMPTION_ENDED]
    assert [(row.actor, row.function_arn, row.reason) for row in ended] == [
        (THE_CLOCK, exempt.arn, "Its last day is over.")
    ]
    _, blocks = exempting.drawn(exempting.posts()[0])
    assert actions(blocks) == []
    assert "*Ended*" in str(blocks)
    assert "its last day is over" in exempting.clicks(extend.let_end, exempting.only().token).lower()


def test_the_message_that_showed_a_function_as_exempt_says_that_it_is_so_no_more(exempting: Desk) -> None:
    function = exempting.remembered("refund")
    request = exempting.value(function)
    post = exempting.context.store.posts.create(
        "d", PostKind.DIGEST, "#x", exempting.clock(), team="payments", requests=[request]
    )
    exempting.exempts(function)
    assert "*Exempt until" in str(exempting.drawn(post)[1])
    version = exempting.context.store.posts.get(post.id).wanted_version

    exempting.said("revoke refund the move was called off", BO)

    assert exempting.context.store.posts.get(post.id).wanted_version > version
    shown = str(exempting.drawn(post)[1])
    assert "*Exempt until" not in shown
    assert f"*Not exempt any more* since <!date^1795435200^{{date_short}}|Nov 23, 2026>, revoked by <@{BO}>" in shown
    assert "the move was called off" in shown


def test_revoking_ones_own_exemption_is_recorded_and_the_function_counts_at_once(
    exempting: Desk, exempt: Function
) -> None:
    assert "not exempt any more" in exempting.said("revoke refund the move was called off", BO)

    assert exempting.verdict(exempt) is Verdict.UNTRACED
    assert exempting.only().state is ExemptState.REVOKED
    row = exempting.last()
    assert (row.kind, row.actor, row.reason, row.function_arn) == (
        DecisionKind.EXEMPTION_REVOKED,
        BO,
        "the move was called off",
        exempt.arn,
    )
    assert exempting.said("revoke refund") == "`refund` is not exempt, so there is nothing to revoke."


def test_revoking_one_function_of_a_rule_leaves_the_rule_to_the_others(exempting: Desk) -> None:
    a, b = exempting.remembered("ctl-a"), exempting.remembered("ctl-b")
    exempting.exempts_by(NAME, "ctl-*", a)

    said = exempting.said("revoke ctl-a")

    assert "Rule number 1, Functions named `ctl-*`, stays for the others." in said
    assert exempting.covered() == {"ctl-b"}
    assert exempting.said("revoke #1 no longer needed").startswith(
        "Revoked number 1, Functions named `ctl-*`: 1 function"
    )
    assert exempting.verdict(b) is Verdict.UNTRACED
    assert exempting.kinds()[-2:] == [DecisionKind.EXEMPTION_REVOKED] * 2  # the rule's, and its function's


def test_only_who_may_approve_may_revoke(exempting: Desk, exempt: Function, people: NamedPeople) -> None:
    assert exempting.said("revoke refund", EVE) == "Nothing was changed: You are not an approver."
    assert exempting.said("revoke 1", EVE) == "Nothing was changed: You are not an approver."
    assert exempting.verdict(exempt) is Verdict.EXEMPT
    refused = [row for row in exempting.kinds() if row is DecisionKind.REFUSED]
    assert len(refused) == 1


def test_a_try_to_revoke_what_is_not_exempt_is_kept_too(exempting: Desk, people: NamedPeople) -> None:
    refund = exempting.remembered("refund")
    for _ in range(2):
        assert exempting.said("revoke refund", EVE) == "Nothing was changed: You are not an approver."

    (tried,) = exempting.context.store.decisions.all()
    assert (tried.kind, tried.actor, tried.function_arn) == (DecisionKind.REFUSED, EVE, refund.arn)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("revoke", "Say which"),
        ("revoke 99", "There is no exemption number 99"),
        ("revoke nothing-like-it", "There is no function"),
        ("revoke refund " + "x" * 501, "Say it in 500 at most"),
        ("list nobody", "There is no team `nobody`"),
    ],
)
def test_what_cannot_be_understood_is_answered_with_the_way_to_say_it(
    exempting: Desk, exempt: Function, text: str, words: str
) -> None:
    assert words in exempting.said(text)
    assert exempting.verdict(exempt) is Verdict.EXEMPT


def test_the_list_has_pages_with_the_soonest_end_first(exempting: Desk) -> None:
    for number in range(14):
        exempting.exempts(exempting.remembered(f"f{number:02}"), until=f"2027-01-{31 - number:02}")
    exempting.exempts(exempting.remembered("rank", team="search"), until="2026-12-01")

    first = exempting.typed("list")
    assert first.text == "15 exemptions in force"
    rows = [block["text"]["text"] for block in first.blocks if block["type"] == "section"]
    assert len(rows) == 12
    assert "`rank`" in rows[0]
    assert "`f13`" in rows[1]
    assert actions(list(first.blocks)) == ["exemptions-next"]

    of_team = exempting.typed("list Payments 2")
    assert of_team.text == "14 exemptions of payments in force"
    rows = [block["text"]["text"] for block in of_team.blocks if block["type"] == "section"]
    assert ["`f01`" in rows[0], "`f00`" in rows[1], len(rows)] == [True, True, 2]
    assert actions(list(of_team.blocks)) == ["exemptions-previous"]
    assert exempting.said("list search") == "1 exemption of search in force"
    assert exempting.said("list unowned") == "No exemption of no known team is in force"


def test_a_page_is_turned_in_place(exempting: Desk) -> None:
    from commands.exemption_list import turn

    for number in range(14):
        exempting.exempts(exempting.remembered(f"f{number:02}"))
    (button,) = (
        one for block in exempting.typed("list payments").blocks for one in block.get("elements", ()) if "value" in one
    )

    (turned,) = turn(exempting.asks(EVE, "button", value=button["value"]), exempting.context)

    assert "Page 2 of 2" in str(turned.blocks)
    assert turned.text == "14 exemptions of payments in force"


def test_a_rule_that_ends_lets_all_its_functions_go(exempting: Desk) -> None:
    functions = [exempting.remembered(f"ctl-{one}") for one in "abc"]
    exempting.exempts_by(NAME, "ctl-*", functions[0])

    at(exempting, OVER)

    assert {exempting.verdict(one) for one in functions} == {Verdict.UNTRACED}
    ended = [row.function_arn for row in exempting.context.store.decisions.all() if row.kind == "exemption_ended"]
    assert sorted(ended) == ["", *(one.arn for one in functions)]


def test_a_function_that_another_exemption_covers_stays_exempt_when_one_ends(exempting: Desk) -> None:
    desk = exempting.under(exemption_two_people="always")
    function = desk.remembered("ctl-a")
    other = desk.remembered("ctl-b")
    desk.exempts(function, until="2027-01-31")
    alone = desk.only()
    rule = {SCOPE: "name", NAMES: "ctl-*"}
    desk.sends(desk.draws(desk.value(other), **rule)["private_metadata"], **rule)
    desk.confirms(desk.only(), BO)  # both, until December 24
    desk.confirms(alone, BO)

    at(desk, OVER)

    assert desk.verdict(function) is Verdict.UNTRACED  # it was exempt by the rule, and so needed no other
    assert desk.context.store.exemptions.get(alone.id).state is ExemptState.EXPIRED

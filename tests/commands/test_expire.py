"""What nobody decides on in time: reminded of once, ended once, whatever is restarted meanwhile."""

from dataclasses import replace

import pytest

from commands._drawing import draw
from commands._production import TwoPeople
from commands.expire import expire
from commands.fix import approve
from storage.fixes import RequestState
from storage.models import THE_CLOCK, DecisionKind, PostKind, PostState
from storage.store import Store
from tests.commands.asking import Office
from tests.commands.conftest import ANA, BERLIN, BO, EVE, HOME


def tick(office: Office) -> None:
    list(expire(office.by(THE_CLOCK), office.context))


def restarted(office: Office) -> Office:
    """Another process on the same file."""
    return replace(office, context=replace(office.context, store=Store(office.context.store.path)))


def test_a_request_that_nobody_decides_on_expires_once_and_its_message_says_so(office: Office) -> None:
    asked = office.asked(EVE)
    post = office.shown(asked)
    office.clock.forward(hours=23, minutes=59)
    tick(office)
    assert office.again(asked).state is RequestState.OPEN

    office.clock.forward(minutes=1)
    tick(office)
    tick(office)
    tick(restarted(office))

    assert office.again(asked).state is RequestState.EXPIRED
    assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.EXPIRED]
    assert office.history()[-1].actor == THE_CLOCK
    text, blocks = draw(office.context, post)
    for shown in (text, str(blocks)):
        assert "*Expired* at" in shown
        assert f"<@{EVE}> had asked" in shown
        assert f"`/trace-fix refund {HOME} {BERLIN}`" in shown
    assert [block["type"] for block in blocks] == ["section"]


def test_a_click_on_an_expired_request_says_so_even_before_the_clock_has_come_round(office: Office) -> None:
    asked = office.asked(EVE)
    office.clock.forward(hours=24)

    for _ in range(2):
        told = office.click(approve, asked, ANA)
        assert "the request expired at" in told
        assert f"Ask anew: `/trace-fix refund {HOME} {BERLIN}`" in told
    tick(office)

    assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.EXPIRED]
    assert office.asked(EVE).id != asked.id


def test_what_only_a_digest_asks_for_never_expires(office: Office) -> None:
    asked = office.request()
    office.clock.forward(days=100)
    tick(office)

    assert office.again(asked).state is RequestState.OPEN
    assert office.notices() == []


@pytest.mark.parametrize(("hours", "before"), [(24.0, 2.0), (4.0, 2.0), (1.0, 0.5)])
def test_approvers_are_reminded_once_in_the_messages_thread(office: Office, hours: float, before: float) -> None:
    office = office.under(request_hours=hours)
    asked = office.asked(EVE)
    post = office.shown(asked)
    office.clock.forward(hours=hours - before, seconds=-1)
    tick(office)
    assert office.notices() == []

    office.clock.forward(seconds=1)
    tick(office)
    tick(office)
    tick(restarted(office))

    (reminder,) = office.notices()
    assert (reminder.thread, reminder.channel) == (post.id, "#team-payments")
    assert f"<@{EVE}> asked for a fix of `refund`" in reminder.text
    assert f"<@{ANA}>, <@{BO}>" in reminder.text
    assert office.again(asked).reminded_at == office.clock()


def test_who_asked_is_not_called_on_to_approve_where_two_people_are_needed(office: Office) -> None:
    office = office.under(two_people=TwoPeople.ALWAYS)
    post = office.shown(office.asked(ANA))
    office.clock.forward(hours=23)
    tick(office)

    assert office.notices()[0].text.endswith(f"An approver has to click: <@{BO}>")
    assert f"An approver has to click: <@{BO}>" in str(draw(office.context, post)[1])


def test_a_reminder_without_a_message_above_it_goes_to_the_teams_channel(office: Office) -> None:
    post = office.shown(office.asked(EVE))
    office.context.store.posts.abandon(post.id, "message_not_found")
    office.clock.forward(hours=23)
    tick(office)

    (reminder,) = office.notices()
    assert (reminder.thread, reminder.channel) == (None, "#team-payments")
    assert reminder.state is PostState.WAITING


def test_nobody_is_reminded_of_what_was_decided_or_is_over(office: Office) -> None:
    asked = office.asked(EVE)
    office.context.store.requests.end(asked.id, RequestState.DENIED, ANA, office.clock(), "no")
    office.clock.forward(hours=23)
    tick(office)
    late = office.asked(EVE)
    office.clock.forward(hours=25)
    tick(office)

    assert office.again(late).state is RequestState.EXPIRED
    assert office.notices() == []


def test_a_fix_loses_its_undo_button_when_the_time_for_it_is_over(office: Office) -> None:
    asked = office.request()
    store = office.context.store
    store.requests.claim(asked.id, ANA, office.clock())
    post = office.shown(asked, PostKind.DIGEST)
    now = office.clock()
    office.clock.forward(hours=1)
    store.requests.finish(asked.id, RequestState.APPLIED, now, undo_until=office.clock())
    assert "undo-fix" in str(draw(office.context, post))

    tick(office)

    assert "undo-fix" not in str(draw(office.context, post))
    redrawn = store.posts.get(post.id)
    assert redrawn.shown_version < redrawn.wanted_version

"""Who clicks on what a digest shows, where a fix takes two people."""

import threading
from collections.abc import Callable

import pytest
from msgspec import structs

from commands._approvals import claim
from commands._drawing import draw
from commands._production import Production, TwoPeople
from commands._requests import ask
from commands._together import approve_together
from commands.expire import expire
from commands.fix import approve
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind, Function, PostKind
from tests.commands.asking import Office
from tests.commands.conftest import ANA, BO, EVE, HOME

REQUESTED, APPROVED, REFUSED = DecisionKind.REQUESTED, DecisionKind.APPROVED, DecisionKind.REFUSED


@pytest.fixture
def two(office: Office) -> Office:
    return office.under(two_people=TwoPeople.ALWAYS)


def claimed(office: Office, asked: FixRequest, who: str) -> str:
    """What an approver is told, before AWS is asked anything; "" if their approval counts."""
    return claim(office.by(who, asked), office.context, asked, f"approver {who}")


def test_the_first_approver_has_asked_and_a_second_one_approves(two: Office) -> None:
    asked = two.request()
    post = two.shown(asked, PostKind.DIGEST)

    told = two.click(approve, asked, ANA)

    assert "takes two people. You have asked for it now" in told
    assert f"<@{BO}>" in told
    assert f"<@{ANA}>" not in told
    kept = two.again(asked)
    assert (kept.state, kept.asked_by) == (RequestState.OPEN, ANA)
    assert kept.expires_at
    assert f"Asked for by <@{ANA}>" in str(draw(two.context, post))
    assert "another approver has to click" in str(draw(two.context, post))

    assert "you asked for this fix" in two.click(approve, asked, ANA)
    assert claimed(two, asked, BO) == ""
    assert two.again(asked).approved_by == BO
    assert [(row.kind, row.actor) for row in two.history()] == [(REQUESTED, ANA), (REFUSED, ANA), (APPROVED, BO)]
    assert two.history()[0].detail == {"allowed_by": f"approver {ANA}"}


def test_who_may_not_approve_does_not_become_the_one_who_asks(two: Office) -> None:
    asked = two.request()

    assert "You are not an approver" in two.click(approve, asked, EVE)
    assert two.again(asked).asked_by == ""


def test_of_two_approvers_at_once_one_asks_and_the_other_approves(two: Office) -> None:
    asked = two.request()
    gate, told = threading.Barrier(2), {}

    def click(who: str) -> None:
        gate.wait()
        told[who] = claimed(two, asked, who)

    threads = [threading.Thread(target=click, args=[who]) for who in (ANA, BO)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = two.again(asked)
    assert {kept.asked_by, kept.approved_by} == {ANA, BO}
    assert [row.kind for row in two.history()] == [REQUESTED, APPROVED]
    assert told[kept.approved_by] == ""


def test_where_nobody_else_may_approve_the_answer_says_how_to_mend_it(two: Office) -> None:
    people = two.context.people
    people.of_team = {"payments": (ANA,)}

    told = two.click(approve, two.request(), ANA)

    assert "name another approver in lamplighter.toml" in told


def test_a_fix_that_failed_still_takes_two_people(two: Office) -> None:
    asked = two.asked(ANA)
    assert claimed(two, asked, BO) == ""
    two.context.store.requests.finish(asked.id, RequestState.FAILED, two.clock(), outcome="no")

    assert "you asked for this fix" in two.click(approve, asked, ANA)
    assert claimed(two, asked, BO) == ""


def test_what_a_click_asked_for_runs_out_like_any_other(two: Office) -> None:
    asked = two.request()
    two.click(approve, asked, ANA)
    two.clock.forward(hours=24)
    list(expire(two.by(THE_CLOCK), two.context))

    assert two.again(asked).state is RequestState.EXPIRED


@pytest.mark.parametrize(
    ("rules", "production", "counts"),
    [
        (Production(tags=("env=prod",)), True, False),
        (Production(tags=("env=prod",)), None, False),
        (Production(tags=("env=prod",)), False, True),
        (Production(accounts=(HOME,)), None, False),
        (Production(accounts=("999999999999",)), None, True),
    ],
    ids=["tagged", "tags unread", "not tagged", "account", "another account"],
)
def test_production_alone_takes_two_people_and_what_is_not_known_is_production(
    office: Office, rules: Production, production: bool | None, counts: bool
) -> None:
    office = office.under(two_people=TwoPeople.PRODUCTION, production=rules)
    office.context.store.functions.save([structs.replace(office.function, production=production)], office.clock())

    assert (claimed(office, office.request(), ANA) == "") is counts


def test_one_person_is_enough_where_the_settings_do_not_say_otherwise(office: Office) -> None:
    asked = office.asked(ANA)

    assert claimed(office, asked, ANA) == ""
    assert [row.kind for row in office.history()] == [REQUESTED, APPROVED]


def test_what_one_asks_for_together_calls_for_another_once_and_is_approved_together(
    two: Office, remembered: Callable[..., Function]
) -> None:
    """In the form: the first approver asks for all of them, is told so, and one message tells the others."""
    functions = [two.function, *(remembered(f"worker-{number}") for number in range(20))]
    asked = [two.context.store.requests.open_for(function, two.clock()) for function in functions]
    first = approve_together(two.by(ANA), two.context, "payments", [one.id for one in asked])

    assert (first.batch, first.taken, first.asked, first.refusals) == (None, 0, 21, ())
    (call,) = two.notices()
    assert call.channel == "#team-payments"
    assert call.text.startswith(f"<@{ANA}> asks for fixes of 21 functions: `refund`, `worker-0`")
    assert call.text.count(f"<@{BO}>") == 1

    two.clock.forward(hours=23)
    for _ in range(2):
        list(expire(two.by(THE_CLOCK), two.context))
    _, reminder = two.notices()
    assert reminder.text.startswith(f"<@{ANA}> asked for fixes of 21 functions")

    again = approve_together(two.by(ANA), two.context, "payments", [one.id for one in asked])
    assert (again.batch, again.asked, len(again.refusals)) == (None, 0, 21)
    second = approve_together(two.by(BO), two.context, "payments", [one.id for one in asked])
    assert (second.taken, second.asked, second.refusals) == (21, 0, ())
    assert len(two.notices()) == 2


@pytest.mark.parametrize(("number", "notices"), [(3, 3), (4, 1)])
def test_a_few_reminders_stand_with_their_messages_and_many_become_one(
    two: Office, remembered: Callable[..., Function], number: int, notices: int
) -> None:
    for each in range(number):
        function = remembered(f"worker-{each}")
        ask(two.by(EVE), two.context, two.context.store.requests.open_for(function, two.clock()), "blind")
    two.clock.forward(hours=23)
    list(expire(two.by(THE_CLOCK), two.context))

    assert len(two.notices()) == notices

"""Requests that end without a fix: denied with a reason, cancelled by whoever asked, and what is said after that."""

import threading

import pytest

from commands._drawing import draw
from commands._types import OpenForm, Replace
from commands.deny import cancel, check, deny, open_form
from commands.fix import approve
from commands.views.form import REASON
from commands.views.history import SHOW
from storage.fixes import RequestState
from storage.models import DecisionKind
from tests.commands.asking import Office
from tests.commands.conftest import ANA, BERLIN, BO, EVE, HOME

WHY = {REASON: "not before the sale ends"}


def test_an_approver_is_asked_why_and_what_they_say_is_kept_and_shown(office: Office) -> None:
    asked = office.asked()
    post = office.shown(asked)

    (form,) = open_form(office.by(ANA, asked), office.context)
    assert isinstance(form, OpenForm)
    assert f"Asked for by <@{EVE}>" in str(form.view)
    told = office.click(deny, asked, ANA, fields=WHY)

    assert f"*Denied* by <@{ANA}>" in told
    assert f"Ask anew: `/trace-fix refund {HOME} {BERLIN}`" in told
    ended = office.again(asked)
    assert (ended.state, ended.ended_by, ended.outcome) == (RequestState.DENIED, ANA, WHY[REASON])
    row = office.history()[-1]
    assert (row.kind, row.actor, row.reason) == (DecisionKind.DENIED, ANA, WHY[REASON])
    assert row.detail == {"allowed_by": f"approver {ANA}"}
    text, blocks = draw(office.context, office.context.store.posts.get(post.id))
    for shown in (text, str(blocks)):
        assert f"*Denied* by <@{ANA}>" in shown
        assert "not before the sale ends" in shown
    assert [block["type"] for block in blocks] == ["section"]
    now = office.context.store.posts.get(post.id)
    assert now.shown_version < now.wanted_version


@pytest.mark.parametrize("step", [open_form, deny], ids=["the form", "its answer"])
def test_who_may_not_approve_may_not_deny_not_even_what_they_asked_for(office: Office, step) -> None:
    asked = office.asked(EVE)

    assert office.click(step, asked, EVE, fields=WHY) == "Nothing was changed: You are not an approver."
    assert office.again(asked).state is RequestState.OPEN
    assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.REFUSED]


@pytest.mark.parametrize(("reason", "wrong"), [("", True), ("  no ", True), ("x" * 501, True), ("sale", False)])
def test_a_denial_needs_a_reason(office: Office, reason: str, wrong: bool) -> None:
    fields = {REASON: reason}
    assert bool(check(fields, office.clock(), office.context.zone)) is wrong

    asked = office.asked()
    office.click(deny, asked, ANA, fields=fields)

    assert (office.again(asked).state is RequestState.OPEN) is wrong


@pytest.mark.parametrize("who", [EVE, ANA], ids=["who asked", "an approver"])
def test_a_request_is_cancelled_by_whoever_asked_or_by_an_approver(office: Office, who: str) -> None:
    asked = office.asked(EVE)

    assert f"*Cancelled* by <@{who}>" in office.click(cancel, asked, who)
    assert office.again(asked).state is RequestState.CANCELLED
    assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.CANCELLED]


def test_nobody_else_cancels_it(office: Office) -> None:
    asked = office.asked(EVE)

    assert "You are not an approver" in office.click(cancel, asked, "U0MALLORY")
    assert office.again(asked).state is RequestState.OPEN


def test_what_nobody_asked_for_cannot_be_cancelled(office: Office) -> None:
    asked = office.request()

    assert "there is nothing to cancel" in office.click(cancel, asked, ANA)
    assert office.again(asked).state is RequestState.OPEN


def test_a_private_card_is_drawn_again_without_buttons_that_decide(office: Office) -> None:
    asked = office.asked(EVE)

    replies = list(cancel(office.by(EVE, asked, private=True), office.context))

    (card,) = [reply for reply in replies if isinstance(reply, Replace)]
    assert "*Cancelled* by" in str(card.blocks)
    buttons = [element for block in card.blocks if block["type"] == "actions" for element in block["elements"]]
    assert [button["action_id"] for button in buttons] == [SHOW]


@pytest.mark.parametrize("end", ["denied", "cancelled"])
def test_what_has_ended_cannot_be_approved_and_can_be_asked_for_anew(office: Office, end: str) -> None:
    asked = office.asked(EVE)
    if end == "denied":
        office.click(deny, asked, BO, fields=WHY)
    else:
        office.click(cancel, asked, EVE)

    for late in (approve, deny, cancel):
        told = office.click(late, asked, ANA, fields=WHY)
        assert end in told.lower()
        assert f"Ask anew: `/trace-fix refund {HOME} {BERLIN}`" in told
    assert len(office.history()) == 2
    assert office.asked(EVE).id != asked.id


def test_of_a_denial_and_a_cancellation_at_once_one_counts(office: Office) -> None:
    asked = office.asked(EVE)
    gate, told = threading.Barrier(2), []

    def click(run, who: str) -> None:
        gate.wait()
        told.append(office.click(run, asked, who, fields=WHY))

    threads = [threading.Thread(target=click, args=pair) for pair in ((deny, ANA), (cancel, EVE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(office.history()) == 2
    assert len(told) == 2
    assert office.context.store.decisions.verify() is None


def test_a_form_of_a_function_that_is_gone_is_answered(office: Office) -> None:
    asked = office.asked(EVE)
    office.context.store.functions.mark_gone(office.function.arn, office.clock())

    assert "no longer exists" in office.click(open_form, asked, ANA)
    assert office.again(asked).state is RequestState.OPEN

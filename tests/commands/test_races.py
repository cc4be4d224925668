"""Clicks, the clock and restarts that meet at the same moment: one of them counts, and what is said of it is so."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from commands._approvals import claim
from commands._batch import run_batch
from commands._carry_out import carry_out
from commands._together import approve_together
from commands.stop import stop
from commands.undo import OVERTAKEN, undo
from storage.fixes import FixRequest, Receipt, RequestState
from storage.models import DecisionKind, Function, TracingMode
from tests.commands.asking import Office
from tests.commands.conftest import ANA, BERLIN, BO, EVE, HOME, HandClock


@pytest.fixture
def ticking(clock: HandClock) -> Callable[[timedelta], None]:
    """The clock goes on by that much between each two looks at it."""

    def tick(by: timedelta) -> None:
        def forward() -> None:
            clock.now += by

        clock.asked = forward

    return tick


def applied(office: Office) -> FixRequest:
    """Fixed, and for 24 hours to be undone."""
    asked, requests = office.request(), office.context.store.requests
    assert requests.claim(asked.id, ANA, office.clock())
    requests.keep_receipt(asked.id, Receipt(mode_before=TracingMode.PASS_THROUGH))
    until = office.clock() + timedelta(hours=24)
    assert requests.finish(asked.id, RequestState.APPLIED, office.clock(), undo_until=until)
    return office.again(asked)


@pytest.mark.parametrize("microseconds", range(1, 9))
def test_an_approval_at_the_moment_of_expiry_counts_or_hears_that_it_is_over(
    office: Office, ticking: Callable[[timedelta], None], microseconds: int
) -> None:
    asked = office.asked(EVE)
    office.clock.forward(hours=24, microseconds=-microseconds)
    ticking(timedelta(microseconds=1))

    told = claim(office.by(ANA, asked), office.context, asked, "approver")

    ended = office.again(asked)
    if told:
        assert "the request expired at" in told
        assert ended.state is RequestState.EXPIRED
        assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.EXPIRED]
    else:
        assert ended.state is RequestState.RUNNING
        assert office.kinds() == [DecisionKind.REQUESTED, DecisionKind.APPROVED]


@pytest.mark.parametrize("microseconds", range(1, 7))
def test_an_undo_in_the_last_moment_leaves_a_newer_request_alone_or_counts(
    office: Office, ticking: Callable[[timedelta], None], microseconds: int
) -> None:
    asked = applied(office)
    newer = office.request()
    office.clock.forward(hours=24, microseconds=-microseconds)
    ticking(timedelta(microseconds=1))

    answer = iter(undo(office.by(ANA, asked, private=True), office.context))
    first = next(answer)

    overtaken = office.again(newer).outcome == OVERTAKEN
    assert overtaken is (office.again(asked).state is RequestState.UNDOING)
    assert overtaken or "could be undone until" in first.text


def test_what_waits_for_its_turn_in_a_batch_is_carried_out_by_the_batch_alone(office: Office) -> None:
    asked = office.request()
    came = approve_together(office.by(ANA), office.context, "payments", [asked.id])
    assert came.batch

    assert list(carry_out(office.context, asked.id, again=True)) == []  # a take-up that saw no batch yet

    assert (office.again(asked).state, office.again(asked).queued) == (RequestState.RUNNING, True)
    assert office.kinds() == [DecisionKind.APPROVED]


def test_a_batch_that_was_stopped_does_not_wait_for_the_turns_of_what_is_open_again(
    office: Office, remembered: Callable[..., Function]
) -> None:
    office = office.under(fixes_per_second=0.001)  # one turn in a quarter of an hour
    store = office.context.store
    asked = [store.requests.open_for(remembered(f"f{number}"), office.clock()) for number in range(5)]
    office.context.pace.take((HOME, BERLIN), 0.001)
    came = approve_together(office.by(ANA), office.context, "payments", [one.id for one in asked])
    assert came.batch
    runner = threading.Thread(target=run_batch, args=[office.context, came.batch.id])
    runner.start()

    list(stop(replace(office.by(BO), value=came.batch.token), office.context))

    runner.join(20)
    office.context.ending.set()  # the thread ends, whatever comes of this
    assert store.batches.unfinished() == []
    assert {office.again(one).state for one in asked} == {RequestState.OPEN}

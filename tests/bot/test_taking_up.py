"""What a bot finds at its start, and once a minute: what nobody carries out is taken up, and nothing else is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.people import ANA
from bot.demo.slack import TEAM_ID
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.service import _take_up
from commands._batch import lock_of
from commands._carry_out import carry_out
from commands._drawing import draw
from commands._types import Context, FixPolicy
from storage.fixes import RequestState
from storage.models import DecisionKind, Function, PostKind
from tests.e2e.scene import wait_for

MakeFunction = Callable[[str], Function]


@pytest.fixture
def desk(context: Context, client: WebClient) -> Iterator[Desk]:
    made = Desk(context, SlackPeople(client, TEAM_ID, [ANA], {}), Outbox(context, client, ChannelNames(client), draw))
    yield made
    made.stop()


def approved(context: Context, *functions: Function) -> list[str]:
    """Requests that run; of functions that no audit has seen, so that a fix of theirs ends before it asks AWS."""
    requests = [context.store.requests.open_for(one, context.clock()).id for one in functions]
    assert all(context.store.requests.claim(one, ANA, context.clock()) for one in requests)
    return requests


def batch_of(context: Context, requests: Sequence[str]) -> int:
    post = context.store.posts.create("b", PostKind.BATCH, "#team-payments", context.clock(), requests=requests)
    assert post
    batch = context.store.batches.create("payments", "#team-payments", ANA, post.id, context.clock())
    for one in requests:
        context.store.batches.put(batch.id, one)
    return batch.id


def undone(context: Context, function: Function) -> str:
    (request,) = approved(context, function)
    later = context.clock() + timedelta(hours=1)
    assert context.store.requests.finish(request, RequestState.APPLIED, context.clock(), undo_until=later)
    assert context.store.undos.claim(request, ANA, context.clock())
    return request


def begun(desk: Desk) -> int:
    """How many threads of the desk were ever given work."""
    return len(desk._work._threads)


def test_what_was_cut_short_is_taken_up_and_ended(context: Context, desk: Desk, make_function: MakeFunction) -> None:
    alone, first, second = approved(context, *(make_function(name) for name in ("alone", "first", "second")))
    batch = batch_of(context, [first, second])
    assert context.store.batches.begin(batch, first)  # as far as it had come

    _take_up(context, desk)

    wait_for(lambda: not context.store.requests.running() and not context.store.batches.unfinished())
    for one in (alone, first, second):
        assert context.store.requests.get(one).state is RequestState.RESOLVED
        assert [row.kind for row in context.store.decisions.of_request(one)] == [DecisionKind.RESOLVED]


def test_what_is_in_hand_is_left_to_who_has_it(context: Context, desk: Desk, make_function: MakeFunction) -> None:
    (alone,) = approved(context, make_function("alone"))
    back = undone(context, make_function("back"))
    batch = batch_of(context, approved(context, make_function("first"), make_function("second")))

    with context.in_hand.hold(alone), context.in_hand.hold(back), context.in_hand.hold(lock_of(batch)):
        _take_up(context, desk)  # else a thread more would wait for each of them, once a minute

        assert begun(desk) == 0


def test_of_a_batch_that_is_cut_short_nothing_is_begun_beside_it(
    context: Context, desk: Desk, make_function: MakeFunction
) -> None:
    (first,) = requests = approved(context, make_function("first"))
    batch = batch_of(context, requests)
    assert context.store.batches.begin(batch, first)

    with context.in_hand.hold(first):  # so that it is seen who waits for it
        _take_up(context, desk)
        wait_for(lambda: desk.at_work() == [f"taking up batch {batch}"] and context.in_hand.held(lock_of(batch)))
        _take_up(context, desk)  # nor a minute later the batch once more

        assert begun(desk) == 1


def test_what_of_a_batch_was_begun_already_is_ended_first(
    context: Context, desk: Desk, make_function: MakeFunction
) -> None:
    paced = replace(context, policy=FixPolicy(fixes_per_second=0.001))  # one in all
    first, last = requests = approved(context, make_function("first"), make_function("last"))
    batch = batch_of(context, requests)
    assert context.store.batches.begin(batch, last)

    _take_up(paced, desk)
    try:
        wait_for(lambda: context.store.requests.get(last).state is RequestState.RESOLVED)
    finally:
        context.ending.set()
    desk.stop()

    assert [one.id for one in context.store.batches.running(batch)] == [first]
    assert context.store.requests.get(first).queued


def test_what_its_batch_has_yet_to_begin_is_begun_by_nobody_else(context: Context, make_function: MakeFunction) -> None:
    (waits,) = requests = approved(context, make_function("waits"))
    batch_of(context, requests)

    assert list(carry_out(context, waits, again=True)) == []

    kept = context.store.requests.get(waits)
    assert (kept.state, kept.queued) == (RequestState.RUNNING, True)


def test_an_undo_that_was_cut_short_is_taken_up(
    context: Context, desk: Desk, make_function: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):  # so that AWS lets nobody in
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    back = undone(context, make_function("back"))

    _take_up(context, desk)

    wait_for(lambda: context.store.undos.under_way() == [])
    assert [row.kind for row in context.store.decisions.of_request(back)] == [DecisionKind.UNDO_FAILED]

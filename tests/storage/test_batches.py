import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from storage.fixes import Batch, FixRequest, RequestState
from storage.models import Function, Manager, MayWrite, PostKind, TracingMode, Verdict
from storage.store import Store
from tests.storage.conftest import NOON

ANA, BO = "U0ANA", "U0BO"


@pytest.fixture
def make_batch(store: Store, make_function) -> Callable[..., tuple[Batch, list[FixRequest]]]:
    """A batch of so many requests, each waiting for its turn."""

    def make(size: int) -> tuple[Batch, list[FixRequest]]:
        functions = [make_function(f"f{number:03}") for number in range(size)]
        store.functions.save(functions, NOON)
        requests = [store.requests.open_for(one, NOON) for one in functions]
        post = store.posts.create("batch", PostKind.BATCH, "#x", NOON, requests=[one.id for one in requests])
        assert post
        batch = store.batches.create("payments", "#x", ANA, post.id, NOON)
        for one in requests:
            store.requests.claim(one.id, ANA, NOON)
            store.batches.put(batch.id, one.id)
        return batch, [store.requests.get(one.id) for one in requests]

    return make


def test_what_a_fix_can_do_something_about_can_be_chosen_and_nothing_else(store: Store, make_function) -> None:
    arns = []

    def known(name: str, **facts: object) -> Function:
        made = make_function(name, **facts)
        store.functions.save([made], NOON)
        arns.append(made.arn)
        return made

    known("off", role="arn:aws:iam::111122223333:role/a", role_may_write=MayWrite.YES)
    known("no-mode", mode=None)
    known("lost", mode=TracingMode.ACTIVE, role_may_write=MayWrite.NO, untraced_callers=("arn:caller",))
    known("needs-a-deployment", mode=TracingMode.ACTIVE, role_may_write=MayWrite.YES)
    known("of-a-stack", managed_by=Manager.SAM)
    known("exempt", verdict=Verdict.EXEMPT)
    known("of-others", team="search")
    known("unowned", team=None)
    running, failed = known("running"), known("failed")
    store.functions.mark_gone(known("gone").arn, NOON)
    for function in (running, failed):
        store.requests.claim(store.requests.open_for(function, NOON).id, ANA, NOON)
    store.requests.finish(store.requests.open_for(failed, NOON).id, RequestState.FAILED, NOON)

    found = {one.name: one for one in store.batches.candidates("payments")}

    assert list(found) == ["failed", "lost", "no-mode", "of-a-stack", "off"]
    assert store.batches.count("payments") == 5
    by_hand = store.batches.candidates("payments", patch_only=True)
    assert [one.name for one in by_hand] == ["failed", "lost", "no-mode", "off"]
    assert store.batches.count("payments", patch_only=True) == 4
    assert found["lost"].gives_policy
    assert found["lost"].callers == ("arn:caller",)
    assert (found["off"].gives_policy, found["off"].request, found["off"].forecast) == (False, "", None)
    assert found["failed"].request == store.requests.open_for(failed, NOON).id
    assert [one.name for one in store.batches.candidates(None)] == ["unowned"]


def test_a_turn_is_taken_up_once(store: Store, make_batch) -> None:
    batch, (request,) = make_batch(1)
    start, won = threading.Barrier(8), []

    def begin() -> None:
        start.wait()
        if store.batches.begin(batch.id, request.id):
            won.append(1)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert won == [1]
    assert not store.requests.get(request.id).queued


def test_stopping_opens_what_has_not_begun_and_leaves_what_has(store: Store, make_batch) -> None:
    batch, requests = make_batch(3)
    assert store.batches.begin(batch.id, requests[0].id)

    released = store.batches.stop(batch.id, BO, NOON + timedelta(minutes=1))

    assert released is not None
    assert [one.id for one in released] == [one.id for one in requests[1:]]
    begun, *others = [store.requests.get(one.id) for one in requests]
    assert (begun.state, begun.approved_by, begun.batch) == (RequestState.RUNNING, ANA, batch.id)
    for one in others:
        assert (one.state, one.approved_by, one.approved_at, one.batch) == (RequestState.OPEN, "", None, None)
        assert not store.batches.begin(batch.id, one.id)
    assert store.batches.get(batch.id).stopped_by == BO
    assert store.batches.stop(batch.id, ANA, NOON) is None  # one is told of the first


def test_a_batch_ends_when_none_of_it_is_running(store: Store, make_batch) -> None:
    batch, requests = make_batch(2)
    assert not store.batches.finish(batch.id, NOON)
    assert store.batches.unfinished() == [batch]
    for one in requests:
        store.requests.finish(one.id, RequestState.APPLIED, NOON)

    assert store.batches.finish(batch.id, NOON)

    assert not store.batches.finish(batch.id, NOON)
    assert store.batches.unfinished() == []
    assert store.batches.stop(batch.id, BO, NOON) is None


def test_who_approves_a_failed_one_again_takes_it_out_of_its_batch(store: Store, make_batch) -> None:
    batch, (first, _) = make_batch(2)
    store.requests.finish(first.id, RequestState.FAILED, NOON)

    store.requests.claim(first.id, BO, NOON)

    assert store.requests.get(first.id).batch is None
    assert store.batches.members(batch.post)[0].id == first.id  # the message goes on showing it
    assert len(store.batches.running(batch.id)) == 1


def test_a_batch_is_found_by_its_token_and_by_its_messages(store: Store, make_batch) -> None:
    batch, _ = make_batch(1)
    reply = store.posts.create("batch:2", PostKind.BATCH, "#x", NOON, thread=batch.post)

    assert store.batches.with_token(batch.token) == batch
    assert store.batches.with_token("another installation's") is None
    assert reply
    assert store.batches.of_post(batch.post) == store.batches.of_post(reply.id) == batch

import threading
from datetime import timedelta

from storage.fixes import RequestState
from storage.models import Verdict
from storage.store import Store
from tests.storage.conftest import NOON


def test_a_function_has_one_live_request(store: Store, make_function) -> None:
    first = store.requests.open_for(make_function(), NOON)
    second = store.requests.open_for(make_function(), NOON + timedelta(hours=1))

    assert second == first


def test_a_fixed_function_that_comes_back_gets_a_new_request(store: Store, make_function) -> None:
    first = store.requests.open_for(make_function(), NOON)
    store.requests.claim(first.id, "U0ANA", NOON)
    store.requests.finish(first.id, RequestState.APPLIED, NOON)

    assert store.requests.open_for(make_function(), NOON).id != first.id


def test_of_twenty_claims_at_once_one_counts(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    start, won = threading.Barrier(20), []

    def claim(number: int) -> None:
        start.wait()
        if store.requests.claim(request.id, f"U{number}", NOON):
            won.append(f"U{number}")

    threads = [threading.Thread(target=claim, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert store.requests.get(request.id).approved_by == won[0]


def test_a_failed_request_may_be_claimed_again_and_an_applied_one_may_not(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    assert store.requests.claim(request.id, "U0ANA", NOON)
    assert store.requests.finish(request.id, RequestState.FAILED, NOON, outcome="no")
    assert store.requests.claim(request.id, "U0BO", NOON)
    assert store.requests.finish(request.id, RequestState.APPLIED, NOON)

    assert not store.requests.claim(request.id, "U0ANA", NOON)
    assert not store.requests.finish(request.id, RequestState.FAILED, NOON)
    assert store.requests.get(request.id).approved_by == "U0BO"


def test_what_runs_is_found_after_a_restart(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    store.requests.claim(request.id, "U0ANA", NOON)

    assert [one.id for one in store.requests.running()] == [request.id]


def test_a_request_is_overtaken_when_its_function_is_traced_or_gone(store: Store, make_function) -> None:
    traced, gone, waiting = (make_function(name) for name in ("traced", "gone", "waiting"))
    for function in (traced, gone, waiting):
        store.functions.save([function], NOON)
        store.requests.open_for(function, NOON)
    store.functions.save([make_function("traced", verdict=Verdict.TRACED)], NOON + timedelta(hours=1))
    store.functions.mark_gone(gone.arn, NOON + timedelta(hours=1))

    found = {request.function_arn: verdict for request, verdict in store.requests.overtaken([Verdict.TRACED])}

    assert found == {traced.arn: Verdict.TRACED, gone.arn: None}


def test_ids_cannot_be_guessed(store: Store, make_function) -> None:
    ids = {store.requests.open_for(make_function(f"f{number}"), NOON).id for number in range(50)}

    assert len(ids) == 50
    assert all(len(one) >= 20 for one in ids)

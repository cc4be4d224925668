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


HOUR = timedelta(hours=1)


def asked_for(store: Store, function, hours: int = 24):
    """A request that Eve asks for at noon."""
    request = store.requests.open_for(function, NOON)
    assert store.requests.ask(request.id, "U0EVE", "we are blind in incidents", NOON + hours * HOUR)
    return store.requests.get(request.id)


def test_the_first_who_asks_is_the_one_who_asked(store: Store, make_function) -> None:
    request = asked_for(store, make_function())

    assert not store.requests.ask(request.id, "U0BO", "me too", NOON + 48 * HOUR)

    kept = store.requests.get(request.id)
    assert (kept.asked_by, kept.reason) == ("U0EVE", "we are blind in incidents")
    assert kept.expires_at == NOON + 24 * HOUR


def test_a_request_whose_time_is_over_can_neither_be_claimed_nor_denied(store: Store, make_function) -> None:
    request = asked_for(store, make_function())
    late = NOON + 24 * HOUR

    assert not store.requests.claim(request.id, "U0ANA", late)
    assert not store.requests.end(request.id, RequestState.DENIED, "U0ANA", late)
    assert store.requests.claim(request.id, "U0ANA", late - timedelta(microseconds=1))


def test_a_request_that_nobody_asked_for_never_runs_out(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    in_a_year = NOON + 365 * 24 * HOUR

    assert store.requests.run_out(in_a_year) == []
    assert not store.requests.expire(request.id, "late", in_a_year)
    assert store.requests.claim(request.id, "U0ANA", in_a_year)


def test_a_request_expires_once_and_makes_room_for_another(store: Store, make_function) -> None:
    request = asked_for(store, make_function())
    late = NOON + 25 * HOUR
    assert store.requests.run_out(late - 2 * HOUR) == []
    assert [one.id for one in store.requests.run_out(late)] == [request.id]

    assert [store.requests.expire(request.id, "late", late) for _ in range(2)] == [True, False]

    ended = store.requests.get(request.id)
    assert (ended.state, ended.outcome, ended.finished_at) == (RequestState.EXPIRED, "late", late)
    assert store.requests.run_out(late) == []
    assert store.requests.open_for(make_function(), late).id != request.id


def test_what_is_being_fixed_does_not_expire_and_what_failed_does(store: Store, make_function) -> None:
    request = asked_for(store, make_function())
    late = NOON + 25 * HOUR
    store.requests.claim(request.id, "U0ANA", NOON)
    assert store.requests.run_out(late) == []
    assert not store.requests.expire(request.id, "late", late)

    store.requests.finish(request.id, RequestState.FAILED, NOON, outcome="no")
    assert store.requests.expire(request.id, "late", late)


def test_there_is_one_reminder(store: Store, make_function) -> None:
    request = asked_for(store, make_function())
    assert store.requests.to_remind_of(NOON, NOON + 23 * HOUR) == []
    assert [one.id for one in store.requests.to_remind_of(NOON, NOON + 24 * HOUR)] == [request.id]

    assert [store.requests.remind(request.id, NOON) for _ in range(2)] == [True, False]

    assert store.requests.to_remind_of(NOON, NOON + 24 * HOUR) == []


def test_one_of_a_denial_and_an_approval_at_once_counts(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)

    assert store.requests.end(request.id, RequestState.DENIED, "U0BO", NOON, "not during the sale")
    assert not store.requests.claim(request.id, "U0ANA", NOON)
    assert not store.requests.end(request.id, RequestState.CANCELLED, "U0EVE", NOON)

    ended = store.requests.get(request.id)
    assert (ended.state, ended.ended_by, ended.outcome) == (RequestState.DENIED, "U0BO", "not during the sale")


def test_a_fix_can_be_undone_until_its_time_is_over(store: Store, make_function) -> None:
    request = store.requests.open_for(make_function(), NOON)
    store.requests.claim(request.id, "U0ANA", NOON)
    store.requests.finish(request.id, RequestState.APPLIED, NOON, undo_until=NOON + HOUR)

    assert store.requests.end_undo(NOON) == []
    assert store.requests.get(request.id).undo_until == NOON + HOUR
    assert store.requests.end_undo(NOON + HOUR) == [request.id]
    assert store.requests.end_undo(NOON + HOUR) == []
    assert store.requests.get(request.id).undo_until is None

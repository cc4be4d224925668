from datetime import datetime, timedelta

from storage.fixes import RequestState
from storage.store import Store
from tests.storage.conftest import NOON

LATER = NOON + timedelta(hours=24)


def applied(store: Store, function, undo_until: datetime | None = LATER) -> str:
    asked = store.requests.open_for(function, NOON)
    store.requests.claim(asked.id, "U0ANA", NOON)
    store.requests.finish(asked.id, RequestState.APPLIED, NOON, note="as wanted", undo_until=undo_until)
    return asked.id


def test_a_fix_is_undone_once_and_only_for_a_while(store: Store, make_function) -> None:
    number = applied(store, make_function())

    assert not store.undos.claim(number, "U0ANA", LATER)
    assert store.undos.claim(number, "U0ANA", NOON)
    assert not store.undos.claim(number, "U0BO", NOON)
    kept = store.requests.get(number)
    assert (kept.state, kept.ended_by, store.undos.under_way()) == (RequestState.UNDOING, "U0ANA", [number])

    assert store.undos.end(number, RequestState.UNDONE, LATER, outcome="Taken back.")
    assert not store.undos.end(number, RequestState.APPLIED, LATER)
    kept = store.requests.get(number)
    assert (kept.state, kept.outcome, kept.finished_at, kept.undo_until) == ("undone", "Taken back.", LATER, None)


def test_an_undo_that_failed_may_be_tried_again_and_the_fix_stands(store: Store, make_function) -> None:
    number = applied(store, make_function())
    store.undos.claim(number, "U0ANA", NOON)

    store.undos.end(number, RequestState.APPLIED, NOON + timedelta(hours=1), outcome="AWS said no.", note="lost")

    kept = store.requests.get(number)
    assert (kept.state, kept.outcome, kept.note) == (RequestState.APPLIED, "AWS said no.", "as wanted")
    assert (kept.finished_at, kept.undo_until) == (NOON, LATER)
    assert store.undos.claim(number, "U0BO", NOON + timedelta(hours=2))


def test_a_fix_is_not_undone_beside_a_newer_request_for_the_function(store: Store, make_function) -> None:
    function = make_function()
    number = applied(store, function)
    newer = store.requests.open_for(function, NOON)

    assert not store.undos.claim(number, "U0ANA", NOON)
    store.requests.resolve(newer.id, "not wanted", NOON)
    assert store.undos.claim(number, "U0ANA", NOON)


def test_a_fix_that_changed_nothing_is_not_undone(store: Store, make_function) -> None:
    number = applied(store, make_function(), undo_until=None)

    assert not store.undos.claim(number, "U0ANA", NOON)

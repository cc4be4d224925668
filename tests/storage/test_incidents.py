"""Incidents: how transitions pair, in whatever order they are learnt, and whether their functions were traced."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.incidents import Alarm, AlarmState, Incident, Transition, paired
from storage.models import Function, Inventory, Source, Verdict
from storage.news import Change, ChangeKind
from storage.store import Store
from tests.memory import new_store
from tests.storage.conftest import NOON

PLACE = ("111122223333", "eu-central-1")
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund-worker"
ERRORS = Alarm(*PLACE, "errors", (ARN,))
LONG_AGO, FAR_AHEAD = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

states = st.sampled_from([AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA])
moments = st.integers(0, 40).map(lambda minutes: NOON + timedelta(minutes=minutes))
histories = st.lists(st.tuples(moments, states), max_size=25)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def kept(store: Store) -> list[timedelta]:
    ended = list(store.incidents.ended(LONG_AGO, FAR_AHEAD))
    return sorted(length for _, length, _ in ended)


def told(*changes: tuple[float, str]) -> list[Transition]:
    return [Transition("errors", at(minutes), state) for minutes, state in changes]


@pytest.fixture
def watched(store: Store) -> Store:
    store.incidents.watched(PLACE, [ERRORS], NOON)
    return store


def test_an_incident_lasts_from_alarm_to_the_next_ok() -> None:
    assert paired([(at(0), "ALARM"), (at(40), "OK"), (at(50), "ALARM")]) == [
        Incident(at(0), at(40)),
        Incident(at(50)),
    ]


def test_insufficient_data_keeps_it_open_and_a_second_alarm_begins_nothing() -> None:
    changes = [(at(0), "ALARM"), (at(5), "INSUFFICIENT_DATA"), (at(9), "ALARM"), (at(20), "OK")]

    assert paired(changes) == [Incident(at(0), at(20))]


def test_ok_without_an_alarm_before_it_is_no_incident() -> None:
    assert paired([(at(0), "OK"), (at(5), "INSUFFICIENT_DATA"), (at(9), "OK")]) == []


@given(histories)
def test_incidents_follow_one_another_and_only_the_last_goes_on(history: list[tuple[datetime, str]]) -> None:
    found = paired(history)

    assert all(one.ended_at is not None and one.began_at <= one.ended_at for one in found[:-1])
    assert all(one.ended_at <= two.began_at for one, two in pairwise(found))
    assert all((one.began_at, "ALARM") in history for one in found)
    assert all(one.ended_at is None or (one.ended_at, "OK") in history for one in found)


@given(histories, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_what_is_found(history, dice) -> None:
    shuffled = history + history[: len(history) // 2]
    dice.shuffle(shuffled)

    assert paired(shuffled) == paired(history)


@settings(max_examples=40, deadline=None)
@given(histories, st.randoms(use_true_random=False), st.integers(1, 7))
def test_what_is_learnt_bit_by_bit_is_what_is_learnt_at_once(history, dice, size: int) -> None:
    shuffled = history + history[: len(history) // 3]
    dice.shuffle(shuffled)
    with TemporaryDirectory() as folder, closing(new_store(Path(folder) / "memory.db")) as store:
        store.incidents.watched(PLACE, [ERRORS], NOON)
        for start in range(0, len(shuffled), size):
            part = shuffled[start : start + size]
            store.incidents.record(PLACE, [Transition("errors", moment, state) for moment, state in part])
        lengths = kept(store)
        going_on = len(list(store.incidents.open_at(FAR_AHEAD)))

    whole = paired(history)
    assert lengths == sorted(one.ended_at - one.began_at for one in whole if one.ended_at)
    assert going_on == sum(one.ended_at is None for one in whole)


def test_what_an_alarm_told_outlives_it(watched: Store) -> None:
    watched.incidents.record(PLACE, told((0, "ALARM"), (40, "OK")))
    watched.incidents.watched(PLACE, [], at(60))
    watched.incidents.record(PLACE, told((45, "ALARM"), (50, "OK")))  # AWS tells of it for 30 days more

    assert kept(watched) == [timedelta(minutes=5), timedelta(minutes=40)]


def test_an_alarm_that_watches_another_function_is_another_alarm(
    watched: Store, make_function: Callable[..., Function]
) -> None:
    other = make_function("other", team="search")
    watched.functions.save([make_function(), other], at(-60))
    watched.incidents.record(PLACE, told((0, "ALARM"), (40, "OK")))
    watched.incidents.watched(PLACE, [Alarm(*PLACE, "errors", (other.arn,))], at(50))
    watched.incidents.record(PLACE, told((60, "ALARM"), (61, "OK")))

    (first,) = watched.measures.alarms_of("payments", None)
    (second,) = watched.measures.alarms_of("search", None)
    lengths = {alarm: length for alarm, length, _ in watched.incidents.ended(LONG_AGO, FAR_AHEAD)}
    assert lengths == {first: timedelta(minutes=40), second: timedelta(minutes=1)}


def test_what_alarms_on_other_things_tell_is_passed_over(watched: Store) -> None:
    watched.incidents.record(PLACE, [Transition("disk-full", at(0), "ALARM"), Transition("disk-full", at(9), "OK")])

    assert kept(watched) == []


def test_an_incident_counts_where_it_ended_and_goes_on_until_then(watched: Store) -> None:
    watched.incidents.record(PLACE, told((0, "ALARM"), (40, "OK")))

    assert [list(watched.incidents.ended(at(start), at(start + 20))) != [] for start in (0, 20, 40)] == [
        False,
        False,
        True,
    ]
    assert [len(list(watched.incidents.open_at(at(minutes)))) for minutes in (0, 1, 40, 41)] == [0, 1, 1, 0]


def test_of_an_incident_whose_end_was_not_seen_no_length_is_told(watched: Store) -> None:
    watched.incidents.record(PLACE, told((0, "ALARM")))
    watched.incidents.settle(PLACE, {"errors"}, at(90))

    assert kept(watched) == []
    assert list(watched.incidents.open_at(at(100))) == []
    assert watched.incidents.lost(at(0), at(100)) == 1

    watched.incidents.record(PLACE, told((30, "OK")))  # AWS has entered it late
    assert kept(watched) == [timedelta(minutes=30)]
    assert watched.incidents.lost(at(0), at(100)) == 0


def test_an_alarm_that_is_still_in_alarm_goes_on(watched: Store) -> None:
    watched.incidents.record(PLACE, told((0, "ALARM")))
    watched.incidents.settle(PLACE, set(), at(90))

    assert len(list(watched.incidents.open_at(at(100)))) == 1


def test_a_time_that_nobody_saw_is_kept_and_ends_what_was_open(watched: Store) -> None:
    watched.incidents.record(PLACE, told((0, "ALARM")))
    watched.incidents.forgotten(PLACE, at(10), at(500))

    (gap,) = watched.incidents.gaps(at(400), at(900))
    assert (gap.since, gap.until) == (at(10), at(500))
    assert watched.incidents.gaps(at(500), at(900)) == []
    assert list(watched.incidents.open_at(at(600))) == []


def test_how_far_a_place_is_known_is_kept_when_a_look_fails(store: Store) -> None:
    store.incidents.looked(PLACE, at(0), at(-100), at(0))
    store.incidents.failed(PLACE, at(60), "Denied")
    (failed,) = store.incidents.looks()
    store.incidents.looked(PLACE, at(120), at(-5), at(120))
    (after,) = store.incidents.looks()

    assert (failed.problem, failed.seen_from, failed.seen_until) == ("Denied", at(-100), at(0))
    assert (after.problem, after.seen_from, after.seen_until) == ("", at(-100), at(120))


# ---- whether its functions were traced when it began


def audited(store: Store, when: datetime, *changes: Change) -> None:
    taken = store.audits.record(
        Inventory((), (), (), (), 0), {}, source=Source.CLOCK, started_at=when, finished_at=when
    )
    store.changes.record(taken.id, changes)


def traced_when(store: Store, minutes: float) -> bool | None:
    store.incidents.watched(PLACE, [ERRORS], at(minutes))
    store.incidents.record(PLACE, told((minutes, "ALARM"), (minutes + 1, "OK")))
    return next(traced for _, _, traced in store.incidents.ended(at(minutes), at(minutes + 2)))


@pytest.mark.parametrize(
    ("verdict", "traced"),
    [(Verdict.TRACED, True), (Verdict.UNTRACED, False), (Verdict.EXEMPT, False), (Verdict.UNKNOWN, None)],
)
def test_the_verdict_that_stood_when_it_began_counts(store, make_function, verdict, traced) -> None:
    store.functions.save([make_function(verdict=verdict)], at(0))

    assert traced_when(store, 10) is traced


def test_a_fix_after_it_began_changes_nothing_about_it(store, make_function) -> None:
    store.functions.save([make_function()], at(0), audited=True)
    audited(store, at(0))
    store.functions.save([make_function(verdict=Verdict.TRACED)], at(100), audited=True)
    audited(store, at(100), Change(ARN, ChangeKind.FIXED, Verdict.UNTRACED, Verdict.TRACED))

    assert traced_when(store, 50) is False
    assert traced_when(store, 150) is True


def test_between_two_changes_the_earlier_one_counts(store, make_function) -> None:
    for minutes, verdict in enumerate((Verdict.UNTRACED, Verdict.TRACED, Verdict.UNTRACED, Verdict.EXEMPT)):
        store.functions.save([make_function(verdict=verdict)], at(100 * minutes), audited=True)

    assert traced_when(store, 150) is True
    assert traced_when(store, 250) is False


def test_a_fix_that_no_audit_has_told_yet_changes_nothing_about_it(store, make_function) -> None:
    store.functions.save([make_function()], at(0), audited=True)
    store.functions.save([make_function(verdict=Verdict.TRACED)], at(100))

    assert traced_when(store, 50) is False


def test_before_the_first_look_it_is_known_only_of_what_was_not_modified_since(store, make_function) -> None:
    store.functions.save([make_function(verdict=Verdict.TRACED, last_modified=at(-500))], at(0))
    assert traced_when(store, -400) is True
    assert traced_when(store, -600) is None


def test_of_an_alarm_on_functions_that_differ_it_is_not_known(store, make_function) -> None:
    other = make_function("other", verdict=Verdict.TRACED)
    store.functions.save([make_function(), other], at(0))
    store.incidents.watched(PLACE, [Alarm(*PLACE, "both", (ARN, other.arn))], at(1))
    store.incidents.record(PLACE, [Transition("both", at(5), "ALARM"), Transition("both", at(6), "OK")])

    assert [traced for _, _, traced in store.incidents.ended(LONG_AGO, FAR_AHEAD)] == [None]

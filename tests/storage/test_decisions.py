import sqlite3
from datetime import timedelta

import pytest

from storage.models import Decision, DecisionKind
from storage.store import Store
from tests.storage.conftest import NOON

ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund-worker"


def given_decisions(store: Store, number: int = 5) -> list[Decision]:
    return [
        store.decisions.record(
            Decision(
                DecisionKind.APPROVED,
                NOON + timedelta(minutes=turn),
                "U0ANA",
                ARN,
                request_id=f"r{turn}",
                reason="ünïcode & <marks>",
                until=NOON + timedelta(days=90),
                detail={"steps": ["role", "tracing"]},
            )
        )
        for turn in range(number)
    ]


def outside(store: Store, *statements: str) -> None:
    """What somebody with the file and no scruples can do."""
    other = sqlite3.connect(store.path)
    for name in ("decisions_are_never_changed", "decisions_are_never_removed"):
        other.execute(f"drop trigger {name}")
    for statement in statements:
        other.execute(statement)
    other.commit()
    other.close()


def test_a_decision_is_read_as_it_was_written(store: Store) -> None:
    written = given_decisions(store)

    assert store.decisions.history(ARN) == written
    assert store.decisions.of_request("r3") == [written[3]]
    assert store.decisions.verify() is None


@pytest.mark.parametrize("statement", ["update decisions set actor = 'U0BO'", "delete from decisions"])
def test_a_decision_is_never_changed_or_removed(store: Store, statement: str) -> None:
    given_decisions(store)
    other = sqlite3.connect(store.path)

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        other.execute(statement)
    other.close()


@pytest.mark.parametrize("number", [1, 3, 5])
@pytest.mark.parametrize("column", ["actor", "at", "reason", "detail", "until", "request_id", "kind", "prev_hash"])
def test_a_changed_row_shows(store: Store, number: int, column: str) -> None:
    given_decisions(store)

    outside(store, f"update decisions set {column} = 'denied' where id = {number}")

    assert str(number) in str(store.decisions.verify())


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_row_shows(store: Store, number: int) -> None:
    given_decisions(store)

    outside(store, f"delete from decisions where id = {number}")

    assert store.decisions.verify() == f"decision {number} is missing"


def test_removing_all_rows_shows(store: Store) -> None:
    given_decisions(store)

    outside(store, "delete from decisions")

    assert store.decisions.verify() == "decision 5 is missing"


def test_one_request_is_applied_once(store: Store) -> None:
    applied = Decision(DecisionKind.APPLIED, NOON, "U0ANA", ARN, request_id="r1")
    store.decisions.record(applied)

    with pytest.raises(sqlite3.IntegrityError):
        store.decisions.record(applied)

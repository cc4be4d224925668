"""A look into the file beside whoever works with it: it sees the newest rows, and nothing is written or made."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.connection import StorageProblem
from storage.look import look_into, readable
from storage.store import Store

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_nothing_can_be_written_through_a_look(tmp_path: Path) -> None:
    Store(tmp_path / "memory.db").close()

    with (
        look_into(tmp_path / "memory.db") as (store, _),
        pytest.raises(StorageProblem, match="for reading only"),
        readable(),
    ):
        store.tips.dismiss("first", "U0ANA", "T0LAMPLIT", NOON)

    assert [one.name for one in tmp_path.iterdir()] == ["memory.db"]


def test_what_is_written_meanwhile_is_seen(tmp_path: Path) -> None:
    writing = Store(tmp_path / "memory.db")
    writing.tips.dismiss("first", "U0ANA", "T0LAMPLIT", NOON)

    with look_into(tmp_path / "memory.db") as (store, shape):
        assert store.tips.dismissed("U0ANA", "T0LAMPLIT") == {"first"}
        writing.tips.dismiss("second", "U0ANA", "T0LAMPLIT", NOON)
        assert store.tips.dismissed("U0ANA", "T0LAMPLIT") == {"first", "second"}
        with pytest.raises(StorageProblem, match="for reading only"), readable():
            store.tips.dismiss("third", "U0ANA", "T0LAMPLIT", NOON)
    assert (shape.behind, shape.ahead) == (0, ())
    writing.close()


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageProblem, match="there is no database"), look_into(tmp_path / "none.db"):
        pass

    assert list(tmp_path.iterdir()) == []

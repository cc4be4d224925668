"""Where many threads ask, what is looked up and what is decided do not wait for each other."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage.connection import Connection

pytestmark = pytest.mark.timeout(20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


@pytest.fixture
def memory(path: Path) -> Iterator[Connection]:
    opened = Connection(path, readers=1)
    yield opened
    opened.close()


def add(memory: Connection, region: str) -> None:
    memory.change("insert into places values ('111111111111', ?, '2026-01-01')", [region])


def regions(memory: Connection) -> list[str]:
    return [row["region"] for row in memory.rows("select region from places order by region")]


def test_who_looks_something_up_waits_for_no_transaction_and_sees_what_was_committed(memory: Connection) -> None:
    add(memory, "eu-west-1")
    with ThreadPoolExecutor(1) as other, memory.transaction():
        add(memory, "eu-west-2")

        assert other.submit(regions, memory).result(10) == ["eu-west-1"]
        assert regions(memory) == ["eu-west-1", "eu-west-2"]  # who writes sees what it has written
    assert regions(memory) == ["eu-west-1", "eu-west-2"]


def test_who_writes_waits_for_nobody_who_reads(memory: Connection) -> None:
    for region in ("eu-west-1", "eu-west-2"):
        add(memory, region)
    reading = memory.tuples("select region from places order by region")
    assert next(reading) == ("eu-west-1",)

    with ThreadPoolExecutor(1) as other:
        other.submit(add, memory, "eu-west-3").result(10)

    assert list(reading) == [("eu-west-2",)]  # as it was when the look began
    assert regions(memory) == ["eu-west-1", "eu-west-2", "eu-west-3"]


def test_a_look_within_a_look_needs_no_second_reader(memory: Connection) -> None:
    for region in ("eu-west-1", "eu-west-2"):
        add(memory, region)

    found = [regions(memory) for _ in memory.tuples("select 1 from places")]

    assert found == [["eu-west-1", "eu-west-2"]] * 2


def test_more_threads_than_readers_are_all_answered(memory: Connection) -> None:
    add(memory, "eu-west-1")
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: regions(memory), range(200)))

    assert found == [["eu-west-1"]] * 200


def test_a_look_that_fails_gives_its_reader_back(memory: Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        memory.rows("select 1 from nowhere")
    given_up = memory.tuples("select 1 from audits union select 2")
    next(given_up)
    del given_up

    with ThreadPoolExecutor(1) as other:
        assert other.submit(regions, memory).result(10) == []


def test_a_reader_writes_nothing(memory: Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        list(memory.tuples("insert into places values ('111111111111', 'eu-west-1', '2026-01-01')"))
    assert regions(memory) == []


def test_patterns_are_matched_by_readers_too(memory: Connection) -> None:
    assert memory.row("select 'service-1' regexp 'service-.' as found") == {"found": 1}


def test_what_is_put_in_the_place_of_the_file_is_not_read(memory: Connection, path: Path) -> None:
    add(memory, "eu-west-1")
    other = path.with_name("other.db")
    Connection(other).close()
    path.rename(path.with_name("memory.away"))
    shutil.copy(other, path)

    assert regions(memory) == ["eu-west-1"]


def test_closed_it_leaves_nothing_open(path: Path) -> None:
    before = open_files(path)
    opened = Connection(path, readers=3)
    assert len(open_files(path)) > 3
    opened.close()

    assert open_files(path) == before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened.rows("select 1")


def test_threads_that_end_leave_no_reader_behind(memory: Connection) -> None:
    for _ in range(5):
        one = threading.Thread(target=regions, args=[memory])
        one.start()
        one.join(10)

    assert regions(memory) == []


def open_files(path: Path) -> list[str]:
    found = []
    for number in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(number.readlink()))
        except FileNotFoundError:  # the folder's own
            continue
    return sorted(one for one in found if one.startswith(str(path)))

"""What a report said is kept as it was said, and only for as long as somebody may want it."""

import sqlite3
import zlib
from datetime import timedelta
from pathlib import Path

import pytest

from storage.models import PostKind
from storage.reports import from_json, to_json
from storage.store import Store
from tests.reporting import NOON, figures


def test_figures_come_back_as_they_were(store: Store) -> None:
    made = figures()
    number = store.reports.add(made, NOON)

    assert store.reports.get(number) == made
    assert from_json(to_json(made)) == made
    assert store.reports.get("of another installation") is None


def test_a_report_that_no_post_shows_is_forgotten_and_one_that_a_post_shows_is_not(store: Store) -> None:
    asked, posted = (store.reports.add(figures(), NOON) for _ in range(2))
    post = store.posts.create("report:1", PostKind.REPORT, "#finops", NOON)
    assert post
    store.reports.show(post.id, posted)

    store.reports.forget(NOON)
    assert store.reports.get(asked)
    store.reports.forget(NOON + timedelta(seconds=1))

    assert store.reports.get(asked) is None
    assert store.reports.of_post(post.id) == store.reports.get(posted) == figures()


DAMAGED = {
    "not compressed": b"{}",
    "cut short": zlib.compress(to_json(figures()))[:-9],
    "not JSON": zlib.compress(b"{"),
    "not UTF-8": zlib.compress(b'{"figures": "\xff"}'),
    "of another version": zlib.compress(to_json(figures()).replace(b'"remediation"', b'"repaired"')),
    "of another kind": zlib.compress(b"[]"),
    "empty": b"",
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_what_cannot_be_read_is_given_up_and_said_once(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    number = store.reports.add(figures(), NOON)
    with sqlite3.connect(tmp_path / "memory.db") as file:
        file.execute("update reports set figures = ?", [content])
    file.close()

    assert [store.reports.get(number) for _ in range(3)] == [None, None, None]
    assert len(caplog.messages) == (1 if content else 0)
    assert all("cannot be read and is given up" in said and "\n" not in said for said in caplog.messages)


def test_five_hundred_teams_of_two_months_are_a_fraction_of_a_megabyte(store: Store, tmp_path: Path) -> None:
    big = figures(teams=500, days=60)
    store.reports.add(big, NOON)

    assert (tmp_path / "memory.db-wal").stat().st_size < 2_000_000

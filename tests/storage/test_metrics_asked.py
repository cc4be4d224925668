"""What CloudWatch was asked for, day by day."""

import threading
from datetime import date, timedelta
from pathlib import Path

from storage.metrics_asked import KEPT, Purpose
from storage.store import Store, open_store

DAY = date(2026, 11, 28)


def take(store: Store, wanted: int, purpose: Purpose = Purpose.FORECASTS, day: date = DAY, of_it: int = 100) -> int:
    return store.metrics_asked.take(day, purpose, wanted, 100, of_it)


def test_a_day_gives_no_more_than_it_has_for_all_purposes_together(store: Store) -> None:
    assert take(store, 60) == 60
    assert take(store, 60, Purpose.FORECAST_CHECKS) == 40
    assert take(store, 1, Purpose.GB_SECONDS) == 0

    assert store.metrics_asked.on(DAY) == {Purpose.FORECASTS: 60, Purpose.FORECAST_CHECKS: 40}
    assert take(store, 1, day=DAY + timedelta(days=1)) == 1
    assert store.metrics_asked.between(DAY, DAY + timedelta(days=1)) == 101


def test_one_purpose_may_have_a_part_of_it(store: Store) -> None:
    assert [take(store, 30, Purpose.GB_SECONDS, of_it=50) for _ in range(3)] == [30, 20, 0]
    assert take(store, 80) == 50


def test_a_cap_that_was_lowered_since_gives_nothing_back(store: Store) -> None:
    take(store, 100)
    assert store.metrics_asked.take(DAY, Purpose.FORECASTS, 5, 10, 10) == 0
    assert store.metrics_asked.on(DAY) == {Purpose.FORECASTS: 100}


def test_days_of_long_ago_are_forgotten(store: Store) -> None:
    take(store, 1)
    take(store, 2, day=DAY + timedelta(days=1))
    take(store, 3, day=DAY + KEPT + timedelta(days=1))

    assert store.metrics_asked.on(DAY) == {}
    assert store.metrics_asked.between(DAY, DAY + KEPT + timedelta(days=1)) == 5


def test_several_processes_share_the_days_money(tmp_path: Path) -> None:
    path, given = tmp_path / "memory.db", []

    def spend() -> None:
        with open_store(path) as mine:
            given.extend(take(mine, 3) for _ in range(20))

    with open_store(path) as store:
        threads = [threading.Thread(target=spend) for _ in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sum(given) == sum(store.metrics_asked.on(DAY).values()) == 100

"""A hundred thousand functions over a year: the file stays small, and a past day is told while one waits."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from commands._production import Production
from storage.audits import Audits
from storage.connection import Connection, to_text
from storage.functions import Functions
from storage.models import CheckName, Coverage, Finding, Function, Inventory, Source, TracingMode, Verdict
from storage.store import Store
from tests.yardstick import yards

FUNCTIONS, TEAMS, ACCOUNTS, DAYS = 100_000, 500, 50, 365
CHURN = 100  # one of so many functions changes each day
FIRST = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
MOST_BYTES, MOST_YARDS = 500_000_000, 2.5  # where it was set, a yard was 0.45 s, and the dearest rule took one
RULES = {
    "all": Production(),
    "tags": Production(tags=("env=prod",), accounts=("111000000001",)),
    "names": Production(names=("*-00001*", "*-[!0]*", "search-*")),
}


def functions() -> Iterator[Function]:
    for number in range(FUNCTIONS):
        account, name = f"{111_000_000_000 + number % ACCOUNTS}", f"payments-settlement-worker-{number:06}"
        yield Function(
            f"arn:aws:lambda:eu-central-1:{account}:function:{name}",
            account,
            "eu-central-1",
            name,
            TracingMode.PASS_THROUGH,
            role=f"arn:aws:iam::{account}:role/service-role/{name}",
            runtime="python3.13",
            last_modified=FIRST,
            revision_id="0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0",
            code_sha256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            team=f"team-{number % TEAMS:03}",
            environment_keys=("STAGE", "TABLE_NAME"),
            handler="app.handler",
            production=number % 2 == 0,
            verdict=Verdict.UNTRACED,
            findings=(Finding(CheckName.PASSTHROUGH, "Active tracing is off: its mode is PassThrough."),),
        )


@cache
def covered() -> Counter[Production]:
    """How many functions each rule covers, one function after the other; no day changes what rules go by."""
    return Counter(rule for one in functions() for rule in RULES.values() if rule.covers(one))


def others(day: int) -> str:
    """The rows of the functions that change on a day, as JSON."""
    return json.dumps([CHURN * each + 1 + day % CHURN for each in range(FUNCTIONS // CHURN)])


def a_day(connection: Connection, day: int) -> None:
    """What an audit leaves behind where a hundredth of the functions has changed: nine of ten verdicts, else teams."""
    at = FIRST + timedelta(days=day)
    its = {"day": day, "at": to_text(at), "teams": TEAMS, "others": others(day)}
    connection.change(
        """
        update functions set verdict = iif(verdict = 'traced', 'untraced', 'traced'), since = :at, seen_at = :at
        where rowid in (select value from json_each(:others)) and rowid / 100 % 10 > 0
        """,
        its,
    )
    connection.change(
        """
        update functions set team = printf('team-%03d', (rowid + :day) % :teams), seen_at = :at
        where rowid in (select value from json_each(:others)) and rowid / 100 % 10 = 0
        """,
        its,
    )
    totals = {f"team-{number:03}": Coverage(100, 60, 30, 5, 5) for number in range(TEAMS)}
    seen = Inventory((), (), tuple("a" * ACCOUNTS), ("eu-central-1",), 400)
    taken = Audits(connection).record(seen, totals, source=Source.CLOCK, started_at=at, finished_at=at)
    connection.change(
        """
        insert into changes select ?, arn, 'fixed', 'untraced', 'traced', '{}' from functions
        where rowid in (select value from json_each(?)) and rowid / 100 % 10 > 0
        """,
        [taken.id, others(day)],
    )


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("year") / "memory.db"
    connection = Connection(path)
    Functions(connection).save(functions(), FIRST)
    with connection.transaction():
        for day in range(1, DAYS):
            a_day(connection, day)
    connection.close()
    return path


@pytest.fixture(scope="module")
def memory(year: Path) -> Iterator[Store]:
    store = Store(year)
    yield store
    store.close()


def test_the_file_of_a_year_is_small(year: Path) -> None:
    assert year.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("day", [10, DAYS // 2, DAYS - 1])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_coverage_of_a_past_day_is_told_at_once(memory: Store, day: int, rule: Production) -> None:
    counts, took = yards(lambda: memory.past.coverage_at(FIRST + timedelta(days=day), rule))

    assert took < MOST_YARDS
    total = Coverage.sum(counts.values())
    assert total.traced + total.untraced == covered()[rule] > 0
    if not rule:
        # Each day turned a hundredth, of which nine of ten are verdicts; after a hundred days it turned them back.
        lit = FUNCTIONS // CHURN * 9 // 10 * (min(day % 200, 200 - day % 200))
        assert total == Coverage(traced=lit, untraced=FUNCTIONS - lit)
        assert len(counts) == TEAMS


def test_a_page_of_a_past_day_is_told_at_once(memory: Store) -> None:
    page, took = yards(lambda: memory.past.functions_at(FIRST + timedelta(days=180), Verdict.UNTRACED, size=50))
    one, and_took = yards(lambda: memory.past.verdict_at(page[0].arn, FIRST + timedelta(days=180)))

    assert took + and_took < MOST_YARDS
    assert one == page[0]

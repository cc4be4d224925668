"""How many traces were recorded when, beside what a walk through each hour counts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from msgspec import structs
from sqlite_utils import Database

from storage.forecasts import Range
from storage.models import Function, Verdict
from storage.store import Store
from storage.traces import FunctionTraces, Whose
from tests.memory import new_store
from tests.storage.conftest import NOON
from tests.storage.test_forecasts import KNOWN
from tests.storage.test_past import Days, Happening, happenings

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOME = "111122223333"
SPANS = 3.5
Make = Callable[..., Function]


def forecast(store: Store, *arns: str, a_day: float = 10) -> None:
    month = 30 * a_day
    store.forecasts.save(replace(KNOWN, function_arn=arn, recorded=Range(month, month, month)) for arn in arns)


def test_traces_count_while_a_function_was_traced_and_for_the_team_of_then(store: Store, make_function: Make) -> None:
    one = make_function()
    forecast(store, one.arn)
    for day, verdict, team in (
        (0, Verdict.UNTRACED, "payments"),
        (2, Verdict.TRACED, "payments"),
        (3, Verdict.TRACED, "search"),
        (7, Verdict.UNKNOWN, "search"),
        (9, Verdict.TRACED, None),
    ):
        store.functions.save([structs.replace(one, verdict=verdict, team=team)], NOON + day * DAY)
    store.functions.mark_gone(one.arn, NOON + 10 * DAY)

    found = store.traces.recorded([NOON, NOON + 2.5 * DAY, NOON + 8 * DAY, NOON + 20 * DAY], SPANS)

    payments, search, none = Whose(HOME, "payments"), Whose(HOME, "search"), Whose(HOME, None)
    open_ = Whose(HOME, None, doubtful=True)
    assert [{whose: pytest.approx(traces) for whose, traces in span.items()} for span in found.spans] == [
        {payments: 5},
        {payments: 5, search: 40, open_: 10},
        {open_: 10, none: 10},
    ]
    assert (found.known_from, found.unweighed, found.now) == ({HOME: NOON}, 0, {})
    by_team = {"payments": pytest.approx(10), "search": pytest.approx(40), None: pytest.approx(10)}
    assert store.traces.of_functions(NOON, NOON + 20 * DAY, SPANS) == [FunctionTraces(one.arn, None, by_team)]


def test_of_what_nobody_knows_the_traffic_it_is_counted_how_many(store: Store, make_function: Make) -> None:
    store.functions.save([make_function(verdict=Verdict.TRACED), make_function("dark")], NOON)

    found = store.traces.recorded([NOON - DAY, NOON, NOON + DAY], SPANS)

    assert (found.spans, found.unweighed) == (({}, {}), 1)
    assert store.traces.recorded([NOON - DAY, NOON], SPANS).unweighed == 0


def test_without_any_function_there_is_nothing(store: Store) -> None:
    assert store.traces.recorded([NOON, NOON + DAY], SPANS).spans == ({},)
    assert store.traces.of_functions(NOON, NOON + DAY, SPANS) == []


@settings(max_examples=60, deadline=None)
@given(happened=happenings())
def test_they_are_what_each_moment_tells(happened: list[Happening]) -> None:
    """Between two moments at which anything changed, all is as at the first of them."""
    with TemporaryDirectory() as folder:
        store = new_store(Path(folder) / "memory.db")
        days = Days(store)
        for after, (what, facts) in happened:
            days.wait(after)
            getattr(days, what)(*facts)
        days.wait(3 * DAY)
        arns, changed = _kept(Path(folder) / "memory.db")
        forecast(store, *arns)
        edges = [NOON - DAY, *sorted(days.ends)[:: max(1, len(days.ends) // 3)], days.now]
        moments = sorted({*edges, *(at for at in changed if edges[0] < at < edges[-1])})

        found = store.traces.recorded(edges, SPANS)

        expected: list[dict[Whose, float]] = [{} for _ in edges[1:]]
        for at, until in pairwise(moments):
            span = sum(at >= edge for edge in edges) - 1
            for one in store.past.functions_at(at):
                if one.verdict in (Verdict.TRACED, Verdict.UNKNOWN) and span < len(expected):
                    doubtful = one.verdict is Verdict.UNKNOWN
                    whose = Whose(one.account, None if doubtful else one.team, doubtful)
                    expected[span][whose] = expected[span].get(whose, 0.0) + 10 * ((until - at) / DAY)
        store.close()
    for told, right in zip(found.spans, expected, strict=True):
        assert {key: traces for key, traces in told.items() if traces > 1e-6} == pytest.approx(
            {key: traces for key, traces in right.items() if traces > 1e-6}, abs=1e-6
        )


def _kept(path: Path) -> tuple[list[str], list[datetime]]:
    """The functions that there are or were, and when anything about them changed."""
    db = Database(path)
    times = db.execute(
        """
        select since from past union select until from past union select gone_at from functions
        union select coalesce(known_since, made_at) from functions
        """
    ).fetchall()
    arns = [arn for (arn,) in db.execute("select arn from functions").fetchall()]
    db.close()
    return arns, [datetime.fromisoformat(text) for (text,) in times if text]

"""Which teams and functions drive what tracing costs, by their forecasts."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from storage.drivers import Driver
from storage.forecasts import Range
from storage.models import Function, MayWrite, TracingMode, Verdict
from storage.store import Store
from tests.storage.conftest import NOON
from tests.storage.test_forecasts import KNOWN

Make = Callable[..., Function]


def test_functions_that_send_traces_are_ranked_by_what_they_would_cost(store: Store, make_function: Make) -> None:
    sends = {"mode": TracingMode.ACTIVE, "verdict": Verdict.TRACED, "role_may_write": MayWrite.YES}
    functions = [
        make_function("a", **sends),
        make_function("b", **sends),
        make_function("c", **{**sends, "team": None}),
        make_function("unpriced", **sends),
        make_function("unseen", **sends),
        make_function("mute", **{**sends, "role_may_write": MayWrite.NO}),
        make_function("dark"),
        make_function("gone", **sends),
    ]
    store.functions.save(functions, NOON)
    store.functions.mark_gone(functions[-1].arn, NOON)
    usd = {"a": 1.0, "b": 2.5, "c": 3.0, "mute": 50.0, "dark": 60.0, "gone": 70.0, "unpriced": None}
    store.forecasts.save(
        replace(KNOWN, function_arn=one.arn, usd=Range(0, usd[one.name] or 0, 9) if usd[one.name] else None)
        for one in functions
        if one.name in usd
    )

    found = store.spend_drivers.find(2)

    assert found.teams == (Driver("payments", Decimal("3.50"), functions=2), Driver(None, Decimal("3.00"), functions=1))
    assert found.functions == (
        Driver(None, Decimal("3.00"), functions[2].arn),
        Driver("payments", Decimal("2.50"), functions[1].arn),
    )
    assert (found.known, found.unknown, found.oldest) == (3, 2, KNOWN.asked_at)


def test_nothing_is_known_where_no_traffic_was_looked_at(store: Store, make_function: Make) -> None:
    store.functions.save([make_function(mode=TracingMode.ACTIVE)], NOON)

    found = store.spend_drivers.find(5)

    assert (found.teams, found.functions, found.known, found.unknown, found.oldest) == ((), (), 0, 1, None)

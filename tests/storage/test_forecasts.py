"""Forecasts as they are kept."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from msgspec import structs

from storage.forecasts import Forecast, Range, Unit
from storage.models import Function, TracingMode, Verdict
from storage.store import Store

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-central-1:111122223333:function:refund"
KNOWN = Forecast(
    ARN, NOW, NOW - timedelta(days=14), NOW, 3600, 1_234, Range(61.7, 100.5, 1_234), usd=Range(0.1, 0.2, 0.3), price="p"
)


def test_a_forecast_comes_back_as_it_was_kept(store: Store) -> None:
    spans = replace(
        KNOWN, function_arn=f"{ARN}-2", unit=Unit.SPANS, gigabytes=Range(1, 2, 3), usd=None, spiky=True, scaled=0.5
    )
    store.forecasts.save([KNOWN, spans])
    assert store.forecasts.of([ARN, f"{ARN}-2", "else"]) == {ARN: KNOWN, f"{ARN}-2": spans}


def test_a_newer_forecast_takes_the_place_of_the_old_one(store: Store) -> None:
    store.forecasts.save([KNOWN])
    newer = replace(KNOWN, invocations=7, usd=None)
    store.forecasts.save([newer])
    assert store.forecasts.get(ARN) == newer


def test_a_function_whose_traffic_was_never_looked_at_has_none(store: Store) -> None:
    assert store.forecasts.get(ARN) is None


def test_ranges_add_up() -> None:
    assert Range.sum([Range(1, 2, 3), Range(4, 5, 6)]) == Range(5, 7, 9)
    assert Range.sum([]) == Range(0, 0, 0)


def function(name: str, verdict: Verdict = Verdict.UNTRACED) -> Function:
    arn = f"arn:aws:lambda:eu-central-1:111122223333:function:{name}"
    return Function(arn, "111122223333", "eu-central-1", name, TracingMode.PASS_THROUGH, verdict=verdict)


def test_due_are_untraced_ones_first_then_those_never_looked_at_then_the_oldest(store: Store) -> None:
    names = ("lit-old", "lit-new", "dark-old", "dark-older", "dark-new", "fresh", "ahead")
    known = {name: function(name, Verdict.TRACED if name.startswith("lit") else Verdict.UNTRACED) for name in names}
    store.functions.save([*known.values(), function("edge", Verdict.NOT_APPLICABLE)], NOW)
    asked = {"lit-old": -9, "dark-old": -8, "dark-older": -9, "fresh": -1, "ahead": 1}
    store.forecasts.save(
        replace(KNOWN, function_arn=known[name].arn, asked_at=NOW + timedelta(days=days))
        for name, days in asked.items()
    )

    due = store.forecasts.due(NOW - timedelta(days=7), NOW)

    assert [arn.rpartition(":")[2] for arn in due] == [
        "dark-new", "dark-older", "dark-old", "ahead", "lit-new", "lit-old",
    ]  # fmt: skip


def test_those_that_cloudwatch_would_not_tell_of_are_due_last_until_it_tells(store: Store) -> None:
    refused, other = function("a"), structs.replace(function("z", Verdict.TRACED), account="222222222222")
    store.functions.save([refused, other], NOW)
    store.forecasts.refused(refused.account, refused.region, NOW)
    assert store.forecasts.due(NOW, NOW) == [other.arn, refused.arn]

    store.forecasts.told(refused.account, refused.region)
    assert store.forecasts.due(NOW, NOW) == [refused.arn, other.arn]


def test_forecasts_of_functions_that_are_long_gone_are_dropped(store: Store) -> None:
    here, gone, lately = function("here"), function("gone"), function("lately")
    store.functions.save([here, gone, lately], NOW)
    store.forecasts.save(replace(KNOWN, function_arn=one.arn) for one in (here, gone, lately))
    store.functions.mark_gone(gone.arn, NOW)
    store.functions.mark_gone(lately.arn, NOW + timedelta(days=2))

    assert (store.forecasts.drop_gone(NOW + timedelta(days=1)), store.forecasts.kept()) == (1, 1)
    assert [store.forecasts.get(one.arn) is not None for one in (here, gone, lately)] == [True, False, True]

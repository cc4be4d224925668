"""Sums of forecasts: over teams, over all, and after the free tier."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.forecasts import Forecast, Range, Unit
from storage.models import Function, TracingMode, Verdict
from storage.store import Store
from storage.totals import Total
from tests.memory import new_store
from tests.storage.forecasts import NOON, forecast

ENDS = ("low", "expected", "high")
SUMS = ("usd", "traces", "traces_usd")
DOLLARS = st.floats(0, 1e5)
RANGES = st.lists(DOLLARS, min_size=3, max_size=3).map(lambda ends: Range(*sorted(ends)))
FACTS = st.fixed_dictionaries(
    {
        "usd": st.none() | RANGES,
        "recorded": RANGES,
        "unit": st.sampled_from(Unit),
        "spiky": st.booleans(),
        "until": st.integers(0, 9).map(lambda days: NOON - timedelta(days=days)),
    }
)
# A team, a verdict and what is known, for each function.
FLEETS = st.lists(
    st.tuples(
        st.sampled_from(["payments", "search", None]),
        st.sampled_from([Verdict.UNTRACED, Verdict.UNTRACED, Verdict.TRACED]),
        st.none() | FACTS,
    ),
    max_size=12,
)


def function(number: int, team: str | None, verdict: Verdict) -> Function:
    return Function(
        arn=f"arn:aws:lambda:eu-central-1:111122223333:function:f{number}",
        account="111122223333",
        region="eu-central-1",
        name=f"f{number}",
        mode=TracingMode.PASS_THROUGH,
        team=team,
        verdict=verdict,
    )


def same(one: Total, other: Total) -> bool:
    """As exactly as floats add up in another order."""
    ends = [(getattr(getattr(one, name), end), getattr(getattr(other, name), end)) for name in SUMS for end in ENDS]
    ends.append((one.spiky_usd, other.spiky_usd))
    counts = [(each.functions, each.priced, each.until) for each in (one, other)]
    return counts[0] == counts[1] and all(a == pytest.approx(b, rel=1e-9, abs=1e-9) for a, b in ends)


@given(fleet=FLEETS)
@settings(max_examples=60, deadline=None)
def test_the_sums_of_the_teams_are_the_sum_of_the_organization(
    fleet: list[tuple[str | None, Verdict, dict[str, object] | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = new_store(Path(tmp_path_factory.mktemp("totals")) / "memory.db")
    functions = [function(number, team, verdict) for number, (team, verdict, _) in enumerate(fleet)]
    known: dict[str, Forecast] = {
        one.arn: forecast(one.arn, **facts) for one, (_, _, facts) in zip(functions, fleet, strict=True) if facts
    }
    store.functions.save(functions, NOON)
    store.forecasts.save(known.values())

    by_team = store.totals.untraced(NOON)

    dark = [one for one in functions if one.verdict is Verdict.UNTRACED]
    assert set(by_team) == {one.team for one in dark}
    for team, total in by_team.items():
        assert same(total, Total.of(known.get(one.arn) for one in dark if one.team == team))
    assert same(Total.sum(by_team.values()), Total.of(known.get(one.arn) for one in dark))
    store.close()


def test_the_free_tier_saves_what_so_many_traces_cost_and_never_more_than_all() -> None:
    few, many = forecast("few", 0.2), forecast("many", 20.0)

    assert Total.of([few]).after_free_tier() == Range(0, 0, 0)
    after = Total.of([many]).after_free_tier()
    assert after.expected == pytest.approx(19.5)
    assert after.low == pytest.approx(1.5)
    spans = forecast("spans", 20.0, unit=Unit.SPANS)
    assert Total.of([spans]).after_free_tier() == spans.usd
    both = Total.of([spans, many])
    assert both.after_free_tier().expected == pytest.approx(39.5)
    after = Total.of([many]).after_free_tier(Range(60_000, 80_000, 200_000))
    assert (after.low, after.expected, after.high) == pytest.approx((1.8, 19.9, 30.0))


def test_what_traced_functions_record_uses_up_the_free_tier_first(store: Store) -> None:
    lit, dark = function(1, "payments", Verdict.TRACED), function(2, "payments", Verdict.UNTRACED)
    store.functions.save([lit, dark, function(3, "payments", Verdict.TRACED)], NOON)
    store.forecasts.save([forecast(lit.arn, 0.2), forecast(dark.arn, 20.0)])

    assert store.totals.recorded(NOON).expected == pytest.approx(40_000)
    assert store.totals.recorded(NOON + timedelta(seconds=1)) == Range(0, 0, 0)


def test_what_was_not_seen_lately_is_in_no_sum(store: Store) -> None:
    one = function(1, "payments", Verdict.UNTRACED)
    store.functions.save([one], NOON)
    store.forecasts.save([forecast(one.arn)])

    assert store.totals.untraced(NOON)["payments"].priced == 1
    assert store.totals.untraced(NOON + timedelta(seconds=1)) == {}

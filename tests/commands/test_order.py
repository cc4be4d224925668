from hypothesis import given
from hypothesis import strategies as st

from commands._order import behind, roots_first
from commands._pace import Pace

NAMES = st.sampled_from("abcdefgh")
GRAPHS = st.dictionaries(NAMES, st.frozensets(NAMES))


def test_callers_come_before_what_they_call() -> None:
    assert roots_first({"a": ("b",), "b": ("c",), "c": (), "d": ()}) == ["c", "b", "a", "d"]


def test_a_caller_that_is_not_in_the_batch_is_not_waited_for() -> None:
    assert roots_first({"a": ("elsewhere",), "b": ()}) == ["a", "b"]


def test_a_circle_is_broken_at_its_smallest_name_and_what_hangs_on_it_comes_after() -> None:
    assert roots_first({"z": (), "c": ("b",), "b": ("c",), "d": ("c",)}) == ["z", "b", "c", "d"]


def test_a_function_that_calls_itself_waits_for_nobody() -> None:
    order = roots_first({"a": ("a",)})

    assert order == ["a"]
    assert behind(order, {"a": ("a",)}) == {"a": frozenset()}


@given(GRAPHS)
def test_each_is_there_once_and_nobody_waits_for_a_later_one(callers: dict[str, frozenset[str]]) -> None:
    order = roots_first(callers)
    waits = behind(order, callers)

    assert sorted(order) == sorted(callers)
    assert all(order.index(one) < order.index(arn) for arn, by in waits.items() for one in by)
    assert order == roots_first(dict(reversed(callers.items())))  # the same, however it is asked


@given(GRAPHS)
def test_only_in_a_circle_is_a_caller_not_waited_for(callers: dict[str, frozenset[str]]) -> None:
    waits = behind(roots_first(callers), callers)

    def reaches(start: str, end: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether `start` calls `end`, through others perhaps."""
        return any(
            one == end or (one not in seen and reaches(one, end, seen | {one}))
            for one in callers
            if start in callers[one]
        )

    for arn, by in callers.items():
        for caller in by - waits[arn] - {arn}:
            assert caller not in callers or reaches(arn, caller)


def test_starts_are_spaced_for_each_key_by_itself() -> None:
    now = [100.0]
    pace = Pace(lambda: now[0])

    assert pace.take("eu", 4) == 0.0
    assert pace.take("eu", 4) == 0.25
    assert pace.take("us", 4) == 0.0
    now[0] += 0.25
    assert pace.take("eu", 4) == 0.0
    now[0] += 60
    assert [pace.take("eu", 4) for _ in range(2)] == [0.0, 0.25]  # a pause saves up nothing


def test_without_a_cap_nothing_waits() -> None:
    pace = Pace(lambda: 1.0)

    assert [pace.take("eu", 0) for _ in range(3)] == [0.0, 0.0, 0.0]

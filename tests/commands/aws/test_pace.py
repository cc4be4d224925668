"""How many calls a budget lets through, second by second."""

import pytest

from commands.aws.pace import Paces


def turns(rate, number):
    """When each of `number` calls that want to go at one moment may go, in seconds from then."""
    paces = Paces(rate, clock=lambda: 1000.0)
    return [paces.turn("111122223333", "eu-central-1") for _ in range(number)]


@pytest.mark.parametrize("rate", [1, 4, 7.5, 10, 15])
def test_no_second_has_more_than_its_budget(rate):
    going = turns(rate, 60)

    most = max(sum(start <= at < start + 0.999999 for at in going) for start in going)  # floats are not exact

    assert most <= max(1, rate)


def test_half_a_seconds_worth_goes_at_once_and_the_whole_takes_its_time():
    going = turns(10, 50)

    assert going[:5] == [0, 0, 0, 0, 0]
    assert going[5] > 0.49
    assert 4.4 < going[-1] < 4.6


def test_less_than_one_a_second_is_kept_too():
    assert [round(at) for at in turns(0.05, 3)] == [0, 20, 40]


def test_regions_and_accounts_have_budgets_of_their_own():
    paces = Paces(1)

    assert [paces.turn(account, region) for account in "ab" for region in ("x", "y")] == [0, 0, 0, 0]
    assert paces.turn("a", "x") > 0.9


def test_zero_is_no_cap():
    assert turns(0, 100) == [0] * 100

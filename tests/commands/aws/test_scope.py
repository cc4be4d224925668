"""Which accounts the rules leave: cases that people will write, and laws that hold for every rule and account."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.aws.scope import Member, Rules, selected

ROOT, WORK, PAYMENTS = "r-l4mp", "ou-l4mp-workload", "ou-l4mp-payments"
REFUND = Member(
    "111111111111", "payments-prod", {ROOT: True, WORK: True, PAYMENTS: True}, {"env": "prod", "owner": "payments"}
)
ANYBODY = Member("222222222222")
NONE = Rules()


@pytest.mark.parametrize(
    ("member", "include", "exclude", "answer"),
    [
        pytest.param(REFUND, NONE, NONE, True, id="no rules"),
        pytest.param(REFUND, Rules(accounts=("111111111111",)), NONE, True, id="by its id"),
        pytest.param(REFUND, Rules(accounts=("999999999999",)), NONE, False, id="another's id"),
        pytest.param(REFUND, Rules(units=(WORK,)), NONE, True, id="by a unit far above"),
        pytest.param(REFUND, Rules(units=(ROOT,)), NONE, True, id="by the root"),
        pytest.param(REFUND, Rules(names=("payments-*",)), NONE, True, id="by its name"),
        pytest.param(REFUND, Rules(names=("Payments-*",)), NONE, False, id="case counts"),
        pytest.param(REFUND, Rules(tags=("env",)), NONE, True, id="by a tag's key"),
        pytest.param(REFUND, Rules(tags=("env=prod",)), NONE, True, id="by a tag"),
        pytest.param(REFUND, Rules(tags=("env=",)), NONE, False, id="a tag without a value"),
        pytest.param(REFUND, Rules(tags=("env=test", "owner=payments")), NONE, True, id="any line is enough"),
        pytest.param(REFUND, Rules(accounts=("999999999999",), names=("payments-*",)), NONE, True, id="any kind too"),
        pytest.param(REFUND, NONE, Rules(tags=("env=prod",)), False, id="excluded"),
        pytest.param(REFUND, Rules(accounts=(REFUND.id,)), Rules(units=(WORK,)), False, id="exclude wins"),
        pytest.param(ANYBODY, Rules(units=(WORK,)), NONE, None, id="its unit is not known"),
        pytest.param(ANYBODY, Rules(accounts=(ANYBODY.id,), tags=("env",)), NONE, True, id="known enough to be in"),
        pytest.param(ANYBODY, NONE, Rules(names=("x",)), None, id="perhaps excluded"),
        pytest.param(ANYBODY, Rules(tags=("env",)), Rules(accounts=(ANYBODY.id,)), False, id="known enough to be out"),
        pytest.param(ANYBODY, Rules(accounts=("9" * 12,)), Rules(names=("x",)), False, id="out whatever its name"),
    ],
)
def test_the_rules_say_in_out_or_not_known(member: Member, include: Rules, exclude: Rules, answer: bool | None) -> None:
    assert selected(member, include, exclude) is answer


IDS, UNITS = st.sampled_from(["1" * 12, "2" * 12, "3" * 12]), st.sampled_from([ROOT, WORK, PAYMENTS])
NAMES = st.text("ab", max_size=3)
TAGS = st.dictionaries(st.sampled_from("kl"), st.sampled_from(["", "v", "w=x"]))


def some(one: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(one, max_size=3).map(tuple)


RULES = st.builds(
    Rules,
    accounts=some(IDS),
    units=some(UNITS),
    names=some(st.text("ab*?", min_size=1, max_size=3)),
    tags=some(st.sampled_from(["k", "l", "k=v", "k=w=x", "l="])),
)
WHOLE = st.builds(
    Member, IDS, NAMES, st.fixed_dictionaries({ROOT: st.booleans(), WORK: st.booleans(), PAYMENTS: st.booleans()}), TAGS
)


@st.composite
def partly(draw: st.DrawFn) -> tuple[Member, Member]:
    """A member of which all is known, and the same with some of it not known."""
    whole = draw(WHOLE)
    kept = draw(st.sets(UNITS))
    less = replace(whole, units={unit: below for unit, below in whole.units.items() if unit in kept})
    if draw(st.booleans()):
        less = replace(less, name=None)
    if draw(st.booleans()):
        less = replace(less, tags=None)
    return whole, less


@given(partly(), RULES, RULES)
def test_what_is_learnt_later_never_overturns_an_answer(
    members: tuple[Member, Member], include: Rules, exclude: Rules
) -> None:
    whole, less = members
    answer = selected(less, include, exclude)

    assert selected(whole, include, exclude) is not None
    assert answer in (None, selected(whole, include, exclude))


@given(WHOLE, RULES, RULES)
def test_exclude_wins_over_every_include(member: Member, include: Rules, exclude: Rules) -> None:
    if exclude.match(member):
        assert selected(member, include, exclude) is False


@given(WHOLE, RULES, RULES, RULES)
def test_more_lines_of_include_never_take_away_and_of_exclude_never_add(
    member: Member, include: Rules, exclude: Rules, more: Rules
) -> None:
    def with_more(rules: Rules) -> Rules:
        return Rules(
            rules.accounts + more.accounts, rules.units + more.units, rules.names + more.names, rules.tags + more.tags
        )

    if include and selected(member, include, exclude):
        assert selected(member, with_more(include), exclude)
    if not selected(member, include, exclude):
        assert not selected(member, include, with_more(exclude))


@given(WHOLE, RULES)
def test_without_include_everything_is_in_that_exclude_does_not_name(member: Member, exclude: Rules) -> None:
    assert selected(member, NONE, exclude) is not exclude.match(member)

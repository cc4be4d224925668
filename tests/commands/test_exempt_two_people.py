"""Exemptions that take two people: who asks is not who confirms, and nobody waits for ever."""

import pytest
from msgspec import structs

from commands import confirm
from commands._production import Production, TwoPeople
from commands._types import Say
from commands.views.exempt import LATER
from commands.views.exemptions import CONFIRM, DENY
from storage.models import DecisionKind, ExemptScope, ExemptState, TracingMode, Verdict
from tests.commands.conftest import ANA, BO, EVE, NamedPeople
from tests.commands.exempting import Desk
from tests.commands.test_exemption_ends import actions


@pytest.fixture
def two(exempting: Desk) -> Desk:
    return exempting.under(exemption_two_people=TwoPeople.ALWAYS)


def test_the_second_person_confirms_in_the_teams_channel(two: Desk) -> None:
    function = two.remembered("refund")

    told = two.exempts(function)

    assert "takes two people" in told
    assert "#team-payments" in told
    assert two.verdict(function) is Verdict.UNTRACED
    (post,) = two.posts()
    text, blocks = two.drawn(post)
    assert (post.channel, post.key) == ("#team-payments", "exemption:1")
    assert text.startswith(f"<@{ANA}> asks to exempt `refund`")
    assert actions(blocks) == [CONFIRM, DENY]
    assert f"Another approver has to confirm it: <@{BO}>" in str(blocks)

    assert "is exempt until" in two.confirms(two.only(), BO)

    assert two.verdict(function) is Verdict.EXEMPT
    assert two.only().granted_by == BO
    assert two.kinds() == [DecisionKind.EXEMPTION_ASKED, DecisionKind.EXEMPTED]
    assert two.last().detail["asked_by"] == ANA
    _, blocks = two.drawn(post)
    assert actions(blocks) == []
    assert f"*Confirmed* by <@{BO}>" in str(blocks)


def test_who_asked_cannot_confirm_and_nor_can_who_may_not_approve(two: Desk) -> None:
    function = two.remembered("refund")
    two.exempts(function)

    assert "you asked for this" in two.confirms(two.only(), ANA)
    assert "not an approver" in two.confirms(two.only(), EVE)
    assert "not an approver" in two.clicks(confirm.deny, two.only().token, EVE)

    assert two.verdict(function) is Verdict.UNTRACED
    assert two.kinds() == [DecisionKind.EXEMPTION_ASKED, DecisionKind.REFUSED, DecisionKind.REFUSED]


def test_memory_itself_refuses_a_confirmation_by_who_asked(two: Desk) -> None:
    two.exempts(two.remembered("refund"))

    assert not two.context.store.exemptions.confirm(two.only().id, ANA, two.clock())


def test_the_first_of_two_answers_counts(two: Desk, people: NamedPeople) -> None:
    people.of_team = {"payments": (ANA, BO, EVE)}
    two.exempts(two.remembered("refund"))

    assert "denied" in two.clicks(confirm.deny, two.only().token, BO)
    assert f"*Denied* by <@{BO}>" in two.confirms(two.only(), EVE)

    assert two.covered() == set()
    assert two.last().kind is DecisionKind.EXEMPTION_DENIED


def test_what_nobody_confirms_runs_out_and_can_be_asked_for_again(two: Desk) -> None:
    function = two.remembered("refund")
    two.exempts(function)
    assert "asked for already" in two.exempts(function, BO)

    two.clock.forward(hours=24)
    two.ticks()
    two.ticks()

    assert two.only().state is ExemptState.EXPIRED
    assert two.kinds().count(DecisionKind.EXEMPTION_EXPIRED) == 1
    assert "*Expired*" in two.confirms(two.only(), BO)
    assert "takes two people" in two.exempts(function)
    assert len(two.posts()) == 2


def test_a_click_after_the_time_is_too_late_though_the_clock_has_not_come_round(two: Desk) -> None:
    two.exempts(two.remembered("refund"))
    two.clock.forward(hours=24)

    assert "*Expired*" in two.confirms(two.only(), BO)
    assert two.covered() == set()


def test_what_was_traced_meanwhile_is_not_covered_by_the_confirmation(two: Desk) -> None:
    a, b = two.remembered("ctl-a"), two.remembered("ctl-b")
    two.exempts_by(ExemptScope.NAME, "ctl-*", a)
    two.remembered("ctl-a", verdict=Verdict.TRACED, mode=TracingMode.ACTIVE)
    two.remembered("ctl-new")

    two.confirms(two.only(), BO)

    assert two.covered() == {"ctl-b"}
    assert two.verdict(b) is Verdict.EXEMPT


def test_a_confirmation_of_what_needs_no_exemption_any_more_changes_nothing(two: Desk) -> None:
    two.exempts(two.remembered("refund"))
    two.remembered("refund", verdict=Verdict.TRACED, mode=TracingMode.ACTIVE)

    assert "needs no exemption any more" in two.confirms(two.only(), BO)
    assert two.only().state is ExemptState.ASKED


def test_every_team_that_a_rule_covers_has_to_be_the_second_persons(two: Desk, people: NamedPeople) -> None:
    near = two.remembered("ctl-a")
    two.remembered("ctl-s", team="search")
    two.exempts_by(ExemptScope.NAME, "ctl-*", near, **{"exempt-everywhere": "all"})
    people.of_team = {"search": (ANA,)}

    assert "not an approver" in two.confirms(two.only(), BO)
    _, blocks = two.drawn(two.posts()[0])
    assert "Nobody else may confirm it" in str(blocks)


@pytest.mark.parametrize(
    ("rule", "name", "later", "asked"),
    [
        (TwoPeople.NEVER, "prod-x", "", False),
        (TwoPeople.PRODUCTION, "prod-x", "", True),
        (TwoPeople.PRODUCTION, "test-x", "", False),
        (TwoPeople.PRODUCTION, "test-x", "later", True),
        (TwoPeople.ALWAYS, "test-x", "", True),
    ],
)
def test_policy_says_which_exemptions_take_two(
    exempting: Desk, rule: TwoPeople, name: str, later: str, asked: bool
) -> None:
    desk = exempting.under(exemption_two_people=rule, production=Production(names=("prod-*",)))
    function = desk.remembered(name)

    told = desk.exempts_by(ExemptScope.NAME, name, function, **{LATER: later})

    assert ("takes two people" in told) is asked
    assert (desk.covered() == set()) is asked


def test_a_button_of_another_installation_is_told_so(two: Desk) -> None:
    (said,) = confirm.confirm(two.asks(ANA, "button", value="forged"), two.context)

    assert isinstance(said, Say)
    assert "another installation" in said.text


def test_a_function_that_went_to_another_team_is_decided_on_by_that_team(two: Desk, people: NamedPeople) -> None:
    function = two.remembered("refund")
    two.exempts(function)
    people.of_team = {"orders": (EVE,)}
    two.context.store.functions.set_team(structs.replace(function, team="orders"), two.clock())

    assert "not an approver" in two.confirms(two.only(), BO)
    assert "is exempt until" in two.confirms(two.only(), EVE)


def test_two_teams_may_ask_for_rules_of_the_same_pattern(two: Desk) -> None:
    ours, theirs = two.remembered("ctl-a"), two.remembered("ctl-b", team="orders")
    two.exempts_by(ExemptScope.NAME, "ctl-*", ours)

    assert "asked for already" not in two.exempts_by(ExemptScope.NAME, "ctl-*", theirs)

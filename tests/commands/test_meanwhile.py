"""What happens while Slack is asked who may decide: a permission for one team is worth nothing for another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import structs

from commands import confirm, extend, fix, revoke
from commands._audits import remember
from commands._exempt_form import CHANGED
from commands._production import Production, TwoPeople
from commands._types import Context, OpenForm, Permission, Reply
from commands.views.exempt import LATER, SCOPE, TARGETS
from storage.fixes import RequestState
from storage.models import DecisionKind, Exemption, ExemptScope, Function, Source, TeamFrom, Verdict
from storage.tag_marks import mark
from tests.commands.conftest import ANA, BO, HandClock, NamedPeople
from tests.commands.exempting import Desk

TAGGED = {"tag_marks": mark("purpose=deployment")}


@dataclass
class SlowPeople(NamedPeople):
    """Slack takes its time, in which things happen."""

    meanwhile: list[Callable[[], None]] = field(default_factory=list)

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:
        answer = super().may_approve(user, workspace, team)
        if answer.allowed and self.meanwhile:
            self.meanwhile.pop()()
        return answer


@pytest.fixture
def people() -> SlowPeople:
    return SlowPeople(of_team={"payments": (ANA,), "search": (BO,)})


@pytest.fixture
def desk(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> Desk:
    return Desk(context, clock, remembered)


def moves(desk: Desk, function: Function, **more: Any) -> Callable[[], None]:
    """Its tags are changed, and an audit sees it."""
    changed = structs.replace(function, **{"team": "search", "team_from": TeamFrom.TAG} | more)

    def move() -> None:
        desk.clock.forward(minutes=1)
        remember(desk.context, [changed], desk.clock())

    return move


def words(reply: Reply) -> str:
    return str(reply.view if isinstance(reply, OpenForm) else getattr(reply, "text", ""))


def test_a_fix_of_what_went_to_another_team_is_not_approved(desk: Desk, people: SlowPeople) -> None:
    function = desk.remembered("refund")
    asked = desk.context.store.requests.open_for(function, desk.clock())
    people.meanwhile.append(moves(desk, function))

    assert "went to another team just now" in desk.clicks(fix.approve, asked.id)
    assert desk.context.store.requests.get(asked.id).state is RequestState.OPEN


def test_one_function_that_went_to_another_team_is_not_exempted(desk: Desk, people: SlowPeople) -> None:
    function = desk.remembered("refund")
    value = desk.value(function)
    people.meanwhile.append(moves(desk, function))

    assert "went to another team just now" in words(desk.sends(value))
    assert desk.covered() == set()


@pytest.mark.parametrize(
    "changed", [{}, {"team": "payments", "tag_marks": ""}], ids=["another team's", "without the tag"]
)
def test_a_rule_covers_no_more_than_was_seen_when_its_tags_change_in_the_middle(
    desk: Desk, people: SlowPeople, changed: dict[str, str]
) -> None:
    near, other = (desk.remembered(name, **TAGGED) for name in ("ctl-a", "ctl-b"))
    rule = {SCOPE: "tag", TARGETS[ExemptScope.TAG]: "purpose=deployment"}
    seen = desk.draws(desk.value(near), **rule)["private_metadata"]
    assert "Covers 2" in str(desk.draws(desk.value(near), **rule))
    people.meanwhile.append(moves(desk, other, **changed))

    again = desk.sends(seen, **rule)

    assert CHANGED in words(again)
    assert desk.covered() == set()
    assert isinstance(again, OpenForm)
    desk.sends(again.view["private_metadata"], **rule)
    assert desk.covered() == {"ctl-a"}


@pytest.fixture
def granted(desk: Desk) -> Exemption:
    desk.exempts(desk.remembered("refund"))
    return desk.only()


@pytest.mark.parametrize("way", ["extend", "let end", "revoke"])
def test_an_exemption_that_went_to_another_team_is_not_decided_on(
    desk: Desk, people: SlowPeople, granted: Exemption, way: str
) -> None:
    function = desk.context.store.functions.get(granted.function_arn)
    assert function
    people.meanwhile.append(moves(desk, function))
    match way:
        case "extend":
            said = words(desk.extends(granted, "2027-01-20"))
        case "let end":
            said = desk.clicks(extend.let_end, granted.token)
        case _:
            asks = desk.asks(ANA, Source.SLASH, text=f"{granted.id} it is traced by hand")
            (reply,) = revoke.revoke(asks, desk.context)
            said = words(reply)

    assert "went to another team just now" in said
    assert desk.context.store.exemptions.get(granted.id) == granted


@pytest.mark.parametrize("run", [confirm.confirm, confirm.deny])
def test_a_second_person_does_not_decide_for_a_team_that_it_went_to_meanwhile(
    desk: Desk, people: SlowPeople, run: Any
) -> None:
    people.of_team["payments"] = (ANA, "U0CY")
    two = desk.under(exemption_two_people=TwoPeople.ALWAYS)
    function = two.remembered("refund")
    two.exempts(function)
    asked = two.only()
    people.meanwhile.append(moves(two, function))

    assert "went to another team just now" in two.clicks(run, asked.token, "U0CY")
    assert two.context.store.exemptions.get(asked.id) == asked


def test_the_word_of_one_does_not_come_to_cover_what_takes_two(desk: Desk) -> None:
    near = desk.remembered("prod-a")
    desk.exempts_by(ExemptScope.NAME, "*-a*", near, **{LATER: "later"})
    production = Production(names=("prod-*",))
    two = desk.under(exemption_two_people=TwoPeople.PRODUCTION, production=production)
    dev, prod = (two.remembered(name) for name in ("dev-ab", "prod-ab"))

    two.audits(dev, prod)

    assert (two.verdict(dev), two.verdict(prod)) == (Verdict.EXEMPT, Verdict.UNTRACED)
    assert two.covered() == {"prod-a", "dev-ab"}


def test_the_word_of_two_does(desk: Desk, people: SlowPeople) -> None:
    people.of_team["payments"] = (ANA, "U0CY")
    production = Production(names=("prod-*",))
    two = desk.under(exemption_two_people=TwoPeople.PRODUCTION, production=production)
    near = two.remembered("prod-a")
    two.exempts_by(ExemptScope.NAME, "prod-*", near, **{LATER: "later"})
    assert two.kinds()[-1] is DecisionKind.EXEMPTION_ASKED
    two.confirms(two.only(), "U0CY")
    late = two.remembered("prod-b")

    two.audits(late)

    assert two.verdict(late) is Verdict.EXEMPT

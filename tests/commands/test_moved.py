"""A function that goes to another team: its request, the messages that show it, and both teams' digests go with it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from commands import fix
from commands._audits import keep_audit, remember
from commands._drawing import draw
from commands._requests import ask
from commands._types import Context, Say
from commands.digest import AUDIT, daily
from storage.digests import Told, Was
from storage.fixes import FixRequest, RequestState
from storage.models import THE_CLOCK, DecisionKind, Function, Inventory, Post, PostKind, PostState, Source, TeamFrom
from tests.commands.conftest import ANA, BERLIN, BO, EVE, HOME, HandClock, NamedPeople
from tests.commands.test_owners import asks, given_to

Remember = Callable[..., Function]


@dataclass
class Scene:
    context: Context
    clock: HandClock

    def __post_init__(self) -> None:
        self.store = self.context.store

    def shows(self, *functions: Function) -> None:
        """AWS shows them so by now, a minute later."""
        self.clock.forward(minutes=1)
        remember(self.context, functions, self.clock())

    def moves(self, function: Function, team: str | None) -> None:
        """Somebody has changed its tag."""
        self.shows(structs.replace(function, team=team, team_from=TeamFrom.TAG if team else None))

    def asked(self, function: Function) -> FixRequest:
        """By Eve, in the team's channel, where Slack has taken it."""
        request = self.store.requests.open_for(function, self.clock())
        by = asks(EVE, source=Source.SLASH)
        assert ask(by, self.context, request, "blind in OPS-12")
        made = self.store.posts.create(
            f"request:{request.id}",
            PostKind.REQUEST,
            self.context.teams.channel_of(function.team),
            self.clock(),
            team=function.team,
            requests=[request.id],
        )
        assert made
        self.sent()
        return self.store.requests.get(request.id)

    def morning(self, *functions: Function) -> None:
        """The daily job, with what AWS shows."""
        day = self.clock().date()
        self.store.daily_runs.begin(AUDIT, day, self.clock())
        keep_audit(self.context, Inventory(functions, (), (HOME,), (BERLIN,), 0), self.clock(), source=Source.CLOCK)
        list(daily(replace(asks(THE_CLOCK, source=Source.CLOCK), day=day), self.context))

    def digest(self, team: str | None, *functions: Function) -> Post:
        """The message that lives."""
        requests = [self.store.requests.open_for(one, self.clock()).id for one in functions]
        made = self.store.posts.create(
            f"old:{team}",
            PostKind.DIGEST,
            self.context.teams.channel_of(team),
            self.clock(),
            team=team,
            requests=requests,
        )
        assert made
        known = {one.arn: Was.UNTRACED for one in functions}
        day = self.clock().date() - timedelta(days=1)
        self.store.digests.keep(Told(team, day, self.clock(), post=made.id, posted_on=self.clock().date(), known=known))
        self.sent()
        return made

    def sent(self) -> None:
        """Slack has everything as it is."""
        for post in self.store.posts.all():
            if post.state is PostState.WAITING:
                self.store.posts.sent(post.id, f"C-{post.channel.strip('#')}", f"1.{post.id}", post.wanted_version)
            else:
                self.store.posts.redrawn(post.id, post.wanted_version)

    def is_to_be_redrawn(self, post: Post) -> bool:
        now = self.store.posts.get(post.id)
        return now.shown_version < now.wanted_version

    def drawn(self, post: Post) -> str:
        text, blocks = draw(self.context, self.store.posts.get(post.id))
        return json.dumps([text, blocks], ensure_ascii=False)

    def requests(self) -> list[Post]:
        return self.store.posts.all(PostKind.REQUEST)


@pytest.fixture
def scene(context: Context, clock: HandClock, people: NamedPeople) -> Scene:
    people.of_team = {"payments": (ANA,), "search": (BO,)}
    return Scene(context, clock)


def test_a_request_goes_with_its_function_and_is_asked_for_in_the_new_teams_channel(
    scene: Scene, remembered: Remember
) -> None:
    function = remembered("refund")
    asked = scene.asked(function)
    (old,) = scene.requests()

    scene.moves(function, "search")

    assert scene.store.requests.get(asked.id) == replace(asked, team="search")
    first, new = scene.requests()
    assert (first.id, new.team, new.channel) == (old.id, "search", "#team-search")
    assert f"<@{BO}>" in scene.drawn(new)
    assert "approve-fix" in scene.drawn(new)
    assert scene.is_to_be_redrawn(old)
    assert "is of team search by now, and is decided on in" in scene.drawn(old)
    assert "approve-fix" not in scene.drawn(old)


def test_who_may_approve_is_decided_by_the_present_team(scene: Scene, remembered: Remember) -> None:
    function = remembered("refund")
    asked = scene.asked(function)
    scene.moves(function, "search")

    def click(who: str) -> list[Any]:
        return list(fix.approve(asks(who, source=Source.BUTTON, value=asked.id), scene.context))

    (refusal,) = click(ANA)
    assert isinstance(refusal, Say)
    assert "not an approver" in refusal.text
    assert scene.store.requests.get(asked.id).state is RequestState.OPEN
    assert scene.store.decisions.all()[-1].kind is DecisionKind.REFUSED


def test_both_digests_are_redrawn_at_once_and_the_row_moves(scene: Scene, remembered: Remember) -> None:
    function, stays, theirs = remembered("refund"), remembered("ledger"), remembered("index", team="search")
    mine, other = scene.digest("payments", function, stays), scene.digest("search", theirs)

    scene.moves(function, "search")

    assert [scene.is_to_be_redrawn(one) for one in (mine, other)] == [True, True]
    assert "1 Lambda function without" in scene.drawn(mine)
    assert "`refund`" not in scene.drawn(mine)
    assert "2 Lambda functions without" in scene.drawn(other)
    assert "`refund`" in scene.drawn(other)
    assert scene.requests() == []  # nobody had asked


def test_a_function_without_a_row_is_counted_where_it_is(scene: Scene, remembered: Remember) -> None:
    many = [remembered(f"pay-{number:02}") for number in range(20)]
    mine = scene.digest("payments", *many[:3])
    listed = scene.store.posts.create(
        "list", PostKind.LIST, mine.channel, scene.clock(), team="payments", thread=mine.id
    )
    assert listed
    scene.sent()

    scene.moves(many[-1], "search")

    assert [scene.is_to_be_redrawn(one) for one in (mine, listed)] == [True, True]
    assert "19 Lambda functions" in scene.drawn(mine)


def test_an_assignment_takes_requests_along_too(scene: Scene, remembered: Remember) -> None:
    scene.shows(function := structs.replace(remembered("refund"), team=None))
    function = scene.store.functions.get(function.arn) or function
    asked = scene.asked(function)

    given_to(scene.context, "refund", "search")

    assert scene.store.requests.get(asked.id).team == "search"
    assert [(one.team, one.channel) for one in scene.requests()] == [(None, "#finops"), ("search", "#team-search")]


def test_there_and_back_is_no_third_message(scene: Scene, remembered: Remember) -> None:
    function = remembered("refund")
    asked = scene.asked(function)
    scene.moves(function, "search")
    scene.sent()
    scene.moves(function, "payments")

    first, second = scene.requests()
    assert "approve-fix" in scene.drawn(first)
    assert "approve-fix" not in scene.drawn(second)
    assert [scene.is_to_be_redrawn(one) for one in (first, second)] == [True, True]
    assert scene.store.requests.get(asked.id).team == "payments"


def test_what_is_decided_already_stays_where_it_is(scene: Scene, remembered: Remember) -> None:
    function = remembered("refund")
    asked = scene.asked(function)
    scene.store.requests.claim(asked.id, ANA, scene.clock())
    scene.moves(function, "search")

    assert len(scene.requests()) == 1
    assert scene.store.requests.get(asked.id).team == "search"


def test_no_move_redraws_nothing(scene: Scene, remembered: Remember) -> None:
    function = remembered("refund")
    asked = scene.asked(function)
    digest = scene.digest("payments", function)
    scene.shows(structs.replace(function, team_known=False, team=None), remembered("other"))

    assert [scene.is_to_be_redrawn(one) for one in (digest, *scene.requests())] == [False, False]
    assert scene.store.requests.get(asked.id) == asked


def test_the_next_morning_tells_the_new_team_and_edits_the_old_one(scene: Scene, remembered: Remember) -> None:
    function, stays, theirs = remembered("refund"), remembered("ledger"), remembered("index", team="search")
    scene.morning(function, stays, theirs)
    scene.sent()
    first = {one.team: one for one in scene.store.posts.all(PostKind.DIGEST)}
    scene.moves(function, "search")
    scene.sent()

    scene.clock.forward(days=1)  # Monday is the weekly day
    scene.morning(structs.replace(function, team="search"), stays, theirs)

    fresh = [one.team for one in scene.store.posts.all(PostKind.DIGEST) if one.state is PostState.WAITING]
    assert fresh == ["search"]
    assert scene.is_to_be_redrawn(first["payments"])


def test_a_snooze_of_a_day_holds_through_the_next_morning_though_its_audit_takes_longer(
    scene: Scene, remembered: Remember
) -> None:
    """The run begins at nine in UTC; Tuesday's audit ends two minutes later, Wednesday's after five."""
    scene.clock.now = scene.clock.now.replace(hour=9, minute=2) + timedelta(days=1)
    first = remembered("refund")
    scene.morning(first)
    scene.sent()
    scene.clock.forward(minutes=1)
    scene.store.snoozes.begin(None, "payments", ANA, scene.clock(), scene.clock() + timedelta(days=1))

    scene.clock.forward(days=1, minutes=2)
    fresh = remembered("ledger")
    scene.morning(first, fresh)
    assert [one for one in scene.store.posts.all() if one.state is PostState.WAITING] == []
    scene.sent()

    scene.clock.forward(days=1)
    scene.morning(first, fresh)
    (new,) = [one for one in scene.store.posts.all() if one.state is PostState.WAITING]
    assert (new.kind, new.team) == (PostKind.DIGEST, "payments")

"""Whose snoozes and exemptions are: the team's that the function is of now, and by whose clock a snooze ends."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec import structs

from commands import _at_home, menu, snooze
from commands._schedule import Plan, Schedule, Slot
from commands._types import OpenForm, Say
from commands.views.living import EXEMPT_SOME
from commands.views.snooze import FOR, WHAT
from storage.digests import Told
from storage.models import ExemptScope, Function, Post, PostKind, Source, TeamFrom
from tests.commands.conftest import ANA, BO, NOON, NamedPeople
from tests.commands.exempting import Desk
from tests.commands.test_owners import asks

BERLIN = ZoneInfo("Europe/Berlin")
Remember = Callable[..., Function]


def moved(desk: Desk, function: Function, team: str) -> Function:
    now = structs.replace(function, team=team, team_from=TeamFrom.TAG)
    desk.audits(now)
    return now


def digest(desk: Desk, team: str, *functions: Function) -> Post:
    """The message that lives, and that Slack has as it is."""
    store, channel = desk.context.store, f"C-{team}"
    requests = [desk.value(one) for one in functions]
    post = store.posts.create(f"d:{team}", PostKind.DIGEST, channel, NOON, team=team, requests=requests)
    assert post
    store.digests.keep(Told(team, NOON.date(), NOON, post=post.id, posted_on=NOON.date()))
    store.posts.sent(post.id, channel, f"1.{post.id}", post.wanted_version)
    return post


def is_to_be_redrawn(desk: Desk, post: Post) -> bool:
    now = desk.context.store.posts.get(post.id)
    return now.shown_version < now.wanted_version


def settled(desk: Desk) -> None:
    for post in desk.context.store.posts.all():
        desk.context.store.posts.redrawn(post.id, post.wanted_version)


def test_the_end_of_a_snooze_redraws_the_digest_of_the_present_team(exempting: Desk) -> None:
    function = exempting.remembered("refund")
    nap = exempting.context.store.snoozes.begin(function.arn, "payments", ANA, NOON, NOON + timedelta(days=7))
    old, new = digest(exempting, "payments", function), digest(exempting, "search")
    moved(exempting, function, "search")
    settled(exempting)

    exempting.clicks(snooze.end, nap.id)

    assert [is_to_be_redrawn(exempting, one) for one in (old, new)] == [False, True]


def test_a_snooze_redraws_the_digest_of_the_present_team_and_the_list_below(exempting: Desk) -> None:
    store, function = exempting.context.store, exempting.remembered("refund")
    old, new = digest(exempting, "payments", function), digest(exempting, "search")
    listed = store.posts.create("l", PostKind.LIST, "C-search", NOON, team="search", thread=new.id)
    assert listed
    store.posts.sent(listed.id, "C-search", "2.1", 1)
    asked = exempting.value(function)
    moved(exempting, function, "search")
    settled(exempting)

    sent = asks(ANA, source=Source.FORM, value=str(old.id), fields={WHAT: asked, FOR: "7"})
    list(snooze.snooze(sent, exempting.context))

    (nap,) = store.snoozes.in_force(exempting.clock())
    assert nap.function_arn == function.arn
    assert [is_to_be_redrawn(exempting, one) for one in (new, listed)] == [True, True]


def test_the_list_and_home_go_by_the_present_team(exempting: Desk) -> None:
    function, stays = exempting.remembered("refund"), exempting.remembered("ledger")
    exempting.exempts(function, until="2026-12-10")
    exempting.exempts(stays, until="2026-12-11")
    moved(exempting, function, "search")

    assert exempting.said("list search") == "1 exemption of search in force"
    assert exempting.said("list payments") == "1 exemption of payments in force"
    for team, name in (("search", "refund"), ("payments", "ledger")):
        (ending,) = _at_home.ending(exempting.context, {team})
        assert ending.exemption.function_arn.endswith(name)


def test_a_rule_is_of_the_team_that_it_was_granted_for_and_of_those_of_its_functions(exempting: Desk) -> None:
    first, second = exempting.remembered("ctl-a"), exempting.remembered("ctl-b")
    exempting.exempts_by(ExemptScope.NAME, "ctl-*", first)
    moved(exempting, second, "search")
    exempting.remembered("other", team="identity")

    said = [exempting.said(f"list {team}") for team in ("payments", "search", "identity")]
    assert [one.partition(" of ")[0] for one in said] == ["1 exemption", "1 exemption", "No exemption"]


def test_exempt_some_is_of_the_team_whose_digest_was_clicked(exempting: Desk, people: NamedPeople) -> None:
    people.of_team = {"payments": (ANA,), "search": (BO,)}
    function, stays = exempting.remembered("ctl-moved"), exempting.remembered("ctl-stays")
    clicked = digest(exempting, "payments", function, stays)
    asked = exempting.value(function)
    moved(exempting, function, "search")

    at = exempting.context.store.posts.get(clicked.id)
    click = asks(ANA, source=Source.BUTTON, value=f"{EXEMPT_SOME} {asked}", channel=at.posted_channel, message=at.ts)
    (reply,) = menu.choose(click, exempting.context)

    assert isinstance(reply, OpenForm)
    assert exempting.context.store.requests.get(reply.view["private_metadata"]).function_arn == stays.arn

    moved(exempting, stays, "search")
    (reply,) = menu.choose(click, exempting.context)
    assert isinstance(reply, Say)
    assert reply.text == "No function of *payments* is untraced any more."


@pytest.mark.parametrize(
    ("begun", "ends"),
    [
        ("2026-10-24T07:30+00:00", "2026-10-25T08:30+00:00"),  # the hour between two and three comes twice
        ("2027-03-27T08:30+00:00", "2027-03-28T07:30+00:00"),
        ("2026-11-23T08:30+00:00", "2026-11-24T08:30+00:00"),
    ],
    ids=["summer time ends", "summer time begins", "neither"],
)
def test_a_day_of_a_snooze_ends_at_the_same_time_on_the_teams_clock(exempting: Desk, begun: str, ends: str) -> None:
    """Half past nine in Berlin, where digests come at nine: the next one is still snoozed, and the one after is not."""
    desk = replace(exempting, context=replace(exempting.context, schedule=Schedule(Plan(Slot(time(9), BERLIN)))))
    desk.clock.now = datetime.fromisoformat(begun)
    function = desk.remembered("refund")
    post = digest(desk, "payments", function)

    sent = asks(ANA, source=Source.FORM, value=str(post.id), fields={WHAT: desk.value(function), FOR: "1"})
    list(snooze.snooze(sent, desk.context))

    (nap,) = desk.context.store.snoozes.in_force(desk.clock())
    assert nap.until == datetime.fromisoformat(ends)
    nine = datetime.combine(desk.clock().astimezone(BERLIN).date() + timedelta(days=1), time(9), BERLIN)
    assert nap.until > nine
    assert desk.context.store.snoozes.in_force(nine + timedelta(days=1)) == []

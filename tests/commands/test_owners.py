"""Who owns what: what an audit makes of assignments, and what `/trace-owners` shows and changes."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from commands._audits import look_again, remember
from commands._teams import TeamSettings
from commands._types import Answer, Context, OpenForm, Replace, Request, Say
from commands.assign import check, end, open_form, submit
from commands.assign import look_again as field_changed
from commands.owners import owners, turn
from commands.views.assign import PATTERN, TEAM
from commands.views.owners import ASSIGN, END, NEXT, PREVIOUS
from storage.models import CheckName, Decision, DecisionKind, Function, Source, TeamFrom, Verdict
from storage.owners import Assignment
from tests.commands.conftest import ANA, BERLIN, EVE, HOME, NOON, OTHER, WORKSPACE, HandClock, World

Remember = Callable[..., Function]


def asks(who: str = ANA, **more: Any) -> Request:
    given = {"source": Source.SLASH, "workspace": WORKSPACE, "channel": "C0PAY"} | more
    return Request(user=who, now=NOON, **given)


def told(answer: Answer) -> str:
    """All that the last reply shows."""
    last = list(answer)[-1]
    if isinstance(last, OpenForm):
        return json.dumps(last.view, ensure_ascii=False)
    assert isinstance(last, Say | Replace)
    return json.dumps([last.text, *last.blocks], ensure_ascii=False)


def form(answer: Answer) -> dict[str, Any]:
    last = list(answer)[-1]
    assert isinstance(last, OpenForm)
    return last.view


def looked_at(context: Context, pattern: str, team: str) -> Request:
    """What is sent once the form shows what it comes to."""
    fields = {PATTERN: pattern, TEAM: team}
    opened = form(open_form(asks(), context))
    drawn = form(field_changed(asks(value=opened["private_metadata"], fields=fields), context))
    return asks(source=Source.FORM, value=drawn["private_metadata"], fields=fields)


def given_to(context: Context, pattern: str, team: str) -> Assignment:
    """An assignment as an approver makes it."""
    assert "Tag" in told(submit(looked_at(context, pattern, team), context))
    return context.store.owners.in_force()[0]


def owner(context: Context, function: Function) -> tuple[str | None, TeamFrom | None]:
    known = context.store.functions.get(function.arn)
    assert known
    return known.team, known.team_from


def unowned_finding(context: Context, function: Function) -> bool:
    known = context.store.functions.get(function.arn)
    assert known
    return CheckName.UNOWNED in {finding.check for finding in known.findings}


@pytest.fixture
def orphan(remembered: Remember, context: Context, clock: HandClock) -> Remember:
    """A function that no tag gives to a team, as an audit leaves it."""

    def make(name: str, **more: Any) -> Function:
        return remember(context, [remembered(name, **{"team": None, **more})], clock())[0]

    return make


# ---- assigning


def test_what_is_assigned_is_the_teams_at_once_and_says_how_to_tag_it(context: Context, orphan: Remember) -> None:
    function = orphan("batch-nightly")
    assert unowned_finding(context, function)

    said = told(submit(looked_at(context, "batch-nightly", "Payments"), context))

    assert owner(context, function) == ("payments", TeamFrom.ASSIGNED)
    assert not unowned_finding(context, function)
    line = f"aws lambda tag-resource --region {BERLIN} --resource {function.arn} --tags team=payments"
    assert line in said
    assert "its channel is #team-payments" in said


def test_a_pattern_gives_away_what_no_tag_gives_to_a_team(
    context: Context, orphan: Remember, remembered: Remember
) -> None:
    mine = [orphan(f"batch-{number}") for number in range(3)]
    tagged = remembered("batch-tagged", team="search", team_from=TeamFrom.TAG)
    other = orphan("Batch-else")

    given_to(context, "batch-*", "payments")

    assert {owner(context, one) for one in mine} == {("payments", TeamFrom.ASSIGNED)}
    assert owner(context, tagged) == ("search", TeamFrom.TAG)
    assert owner(context, other) == (None, None)  # case counts


def test_an_arn_is_one_function(context: Context, orphan: Remember) -> None:
    here, there = orphan("batch"), orphan("batch", account=OTHER)

    given_to(context, here.arn, "payments")

    assert owner(context, here)[0] == "payments"
    assert owner(context, there)[0] is None


def test_it_is_a_decision_with_what_matched_and_the_rule_that_allowed_it(
    context: Context, orphan: Remember, remembered: Remember
) -> None:
    function = orphan("batch-1")
    remembered("batch-2", team="search", team_from=TeamFrom.TAG)

    given_to(context, "batch-*", "payments")

    row = decisions(context)[-1]
    assert (row.kind, row.actor, row.source) == (DecisionKind.OWNER_ASSIGNED, ANA, Source.FORM)
    assert {key: row.detail[key] for key in ("pattern", "team", "matched", "moved", "functions", "allowed_by")} == {
        "pattern": "batch-*",
        "team": "payments",
        "matched": 2,
        "moved": 1,
        "functions": [function.arn],
        "allowed_by": f"approver {ANA}",
    }
    assert context.store.decisions.verify() is None


def decisions(context: Context) -> list[Decision]:
    return context.store.decisions.all()


def test_the_form_shows_what_matches_before_it_is_granted(
    context: Context, orphan: Remember, remembered: Remember
) -> None:
    for number in range(12):
        orphan(f"batch-{number:02}")
    remembered("batch-tagged", team="search", team_from=TeamFrom.TAG)

    shown = told(field_changed(asks(value="{}", fields={PATTERN: "batch-*", TEAM: "payments"}), context))

    assert "*13 functions match*, 12 to *payments*" in shown
    assert "`batch-09`" in shown
    assert "and 2 more" in shown
    assert "1 stay where a tag says that they belong: search (1)" in shown
    assert "has no function yet" in shown


@pytest.mark.parametrize("change", ["the pattern", "the team", "what matches"])
def test_what_was_not_looked_at_is_not_granted(context: Context, orphan: Remember, change: str) -> None:
    orphan("batch-1")
    sent = looked_at(context, "batch-*", "payments")
    fields = dict(sent.fields)
    if change == "the pattern":
        fields[PATTERN] = "*"
    if change == "the team":
        fields[TEAM] = "search"
    if change == "what matches":
        orphan("batch-2")

    answer = form(submit(replace(sent, fields=fields), context))

    assert context.store.owners.in_force() == []
    assert "Look at it, then send it again" in json.dumps(answer)
    again = replace(sent, value=answer["private_metadata"], fields=fields)
    assert "tag-resource" in told(submit(again, context))


def test_where_every_match_has_a_team_nothing_is_assigned(context: Context, remembered: Remember) -> None:
    remembered("batch-1", team="search", team_from=TeamFrom.TAG)

    assert "Nothing was assigned" in told(submit(looked_at(context, "batch-*", "payments"), context))
    assert context.store.owners.in_force() == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({PATTERN: " ", TEAM: "payments"}, {PATTERN}),
        ({PATTERN: "batch", TEAM: "_ "}, {TEAM}),
        ({PATTERN: "batch", TEAM: "ana@example.com"}, {TEAM}),
        ({}, {PATTERN, TEAM}),
        ({PATTERN: "batch", TEAM: "Payments Team"}, set()),
    ],
)
def test_the_form_says_at_once_what_is_missing(context: Context, fields: dict[str, str], wrong: set[str]) -> None:
    assert set(check(fields, NOON, context.zone)) == wrong


@pytest.mark.parametrize("step", [open_form, field_changed, submit, end])
def test_who_may_not_approve_for_functions_of_no_team_assigns_none(
    context: Context, orphan: Remember, step: Callable[[Request, Context], Answer]
) -> None:
    function = orphan("batch-1")
    sent = looked_at(context, "batch-*", "payments")
    made = given_to(context, "batch-*", "search")
    value = made.token if step is end else sent.value

    said = told(step(replace(sent, user=EVE, value=value), context))

    assert "You are not an approver." in said
    assert owner(context, function) == ("search", TeamFrom.ASSIGNED)


def test_another_name_of_the_team_is_the_team(context: Context, orphan: Remember) -> None:
    function = orphan("batch-1")

    given_to(replace(context, teams=TeamSettings(aliases={"pay": "payments"})), "batch-1", "Pay")

    assert owner(context, function)[0] == "payments"


def test_messages_of_both_teams_and_of_the_function_are_drawn_again(
    context: Context, orphan: Remember, remembered: Remember, clock: HandClock
) -> None:
    store = context.store
    function, theirs = orphan("batch-1"), remembered("refund")
    posts = []
    for team, one in ((None, function), ("payments", theirs)):
        request = store.requests.open_for(one, clock())
        post = store.posts.create(f"digest:{team}", "digest", "#x", clock(), team=team, requests=[request.id])
        assert post
        store.posts.sent(post.id, "C0X", f"1.{post.id}", post.wanted_version)
        posts.append(post.id)

    given_to(context, "batch-1", "payments")

    assert all(store.posts.get(one).shown_version < store.posts.get(one).wanted_version for one in posts)


# ---- its end


def test_the_end_of_an_assignment_gives_back_at_once(context: Context, orphan: Remember) -> None:
    function = orphan("batch-1")
    made = given_to(context, "batch-*", "payments")

    said = told(end(asks(value=made.token), context))

    assert "1 function moved, 1 of them to no known team" in said
    assert owner(context, function) == (None, None)
    assert unowned_finding(context, function)
    assert [row.kind for row in decisions(context)] == [DecisionKind.OWNER_ASSIGNED, DecisionKind.OWNER_ENDED]
    assert "has ended already" in told(end(asks(value=made.token), context))
    assert len(decisions(context)) == 2


def test_the_newest_assignment_wins_and_its_end_uncovers_the_older_one(context: Context, orphan: Remember) -> None:
    function = orphan("batch-1")
    given_to(context, "batch-*", "payments")
    newest = given_to(context, "batch-1", "search")
    assert owner(context, function)[0] == "search"

    list(end(asks(value=newest.token), context))

    assert owner(context, function) == ("payments", TeamFrom.ASSIGNED)


# ---- audits


def test_a_tag_wins_over_an_assignment_and_once_it_is_gone_that_counts_again(world: World) -> None:
    arn = world.function("batch", team=None)
    later = world.function("batch-later", team="search")
    world.audit()
    given_to(world.context, "batch*", "payments")

    tags = {"team": "search"}
    world.lambdas().tag_resource(Resource=arn, Tags=tags)
    world.audit()
    assert (world.known(arn).team, world.known(arn).team_from) == ("search", TeamFrom.TAG)

    for one in (arn, later):
        world.lambdas().untag_resource(Resource=one, TagKeys=["team"])
    world.audit()
    assert {world.known(one).team for one in (arn, later)} == {"payments"}
    assert CheckName.UNOWNED not in {finding.check for finding in world.known(arn).findings}


def test_a_look_at_one_function_keeps_the_team_that_was_assigned_to_it(world: World) -> None:
    arn = world.function("batch", team=None)
    world.audit()
    given_to(world.context, "batch", "payments")

    assert look_again(world.context, world.known(arn)).team == "payments"


def test_a_look_at_one_function_keeps_the_team_that_its_stack_names(world: World) -> None:
    marks = world.aws.seed_stack(HOME, BERLIN, "batch-stack", {"team": "payments"})
    spec = {"FunctionName": "batch", "Role": f"arn:aws:iam::{HOME}:role/writes", "Runtime": "python3.13"}
    spec |= {"Handler": "app.handler", "Code": {"ZipFile": b""}, "Tags": marks}
    arn = world.aws.seed_function(HOME, BERLIN, spec, NOON)
    world.audit()
    assert world.known(arn).team_from is TeamFrom.STACK

    seen = look_again(world.context, world.known(arn))

    assert (seen.team, seen.team_from) == ("payments", TeamFrom.STACK)


def test_what_an_account_is_refused_later_leaves_the_team_that_it_named(world: World) -> None:
    world.aws.organizations.found(HOME, {HOME: "management"})
    world.aws.organizations.member(HOME).tags = {"team": "platform"}
    arn, tagged = world.function("batch", team=None), world.function("tagged", team="search")
    everybody = world.configured(accounts=None, organization=True)
    world.audit(everybody)
    assert (world.known(arn).team, world.known(arn).team_from) == ("platform", TeamFrom.ACCOUNT)

    world.lambdas().untag_resource(Resource=tagged, TagKeys=["team"])
    world.aws.deny(action="ListTagsForResource")
    taken = world.audit(everybody)

    assert (world.known(arn).team, world.known(arn).team_from) == ("platform", TeamFrom.ACCOUNT)
    assert (world.known(tagged).team, world.known(tagged).team_from) == (None, TeamFrom.UNKNOWN)
    assert world.known(arn).verdict is Verdict.UNTRACED
    assert len(taken.not_scanned) == 1
    world.aws.forgive()
    world.audit(everybody)
    assert world.known(tagged).team == "platform"


# ---- what it shows


def test_teams_channels_and_functions_of_nobody_are_shown(
    context: Context, orphan: Remember, remembered: Remember, clock: HandClock
) -> None:
    remembered("refund", team_from=TeamFrom.TAG)
    remembered("rank", team="search", team_from=TeamFrom.STACK)
    orphan("batch-1")
    context.store.owners.reached("#team-payments", clock())
    context.store.owners.closed("#team-search", "is_archived", clock())

    said = told(owners(asks(), context))

    assert "2 teams own 2 functions: 1 by a tag of its own, 1 by a tag of its stack" in said
    assert "1 function of no known team" in said
    assert '*payments* · 1 function · #team-payments"' in said  # it takes posts, as one expects
    assert "#team-search *takes no posts* since" in said
    assert "it is archived" in said
    assert "`batch-1`" in said
    assert ASSIGN in said


def test_who_may_not_approve_is_shown_no_button_to_assign_or_end(context: Context, orphan: Remember) -> None:
    orphan("batch-1")
    given_to(context, "batch-1", "payments")

    said = told(owners(asks(EVE), context))

    assert "Assigned: `batch-1` to *payments*" in said
    assert ASSIGN not in said
    assert END not in said


def test_functions_of_nobody_come_in_pages(context: Context, orphan: Remember) -> None:
    for number in range(32):
        orphan(f"batch-{number:02}")

    first = told(owners(asks(), context))
    assert "page 1 of 3" in first
    assert ("`batch-14`" in first, "`batch-15`" in first, NEXT in first, PREVIOUS in first) == (
        True,
        False,
        True,
        False,
    )

    last = told(turn(asks(value="3"), context))
    assert ("`batch-31`" in last, "`batch-29`" in last, NEXT in last, PREVIOUS in last) == (True, False, False, True)
    assert "page 3 of 3" in told(turn(asks(value="9"), context))  # there were more when it was drawn
    assert "page 1 of 3" in told(turn(asks(value="x"), context))


def test_where_tags_disagree_on_the_channel_the_most_used_counts_and_it_is_said(
    context: Context, remembered: Remember
) -> None:
    for number, channel in enumerate(["#pay", "#pay", "#money", None]):
        remembered(f"refund-{number}", team_from=TeamFrom.TAG, channel=channel)
    teams = TeamSettings(channel_tag="slack-channel", tagged=context.store.owners.channel_of)
    tagged = replace(context, teams=teams)

    assert teams.channel_of("payments") == "#pay"
    assert "tags name #pay (2), #money (1)" in told(owners(asks(), tagged))
    one = told(owners(asks(text="Payments"), tagged))
    assert "named by a tag of its functions" in one
    assert "the most used counts" in one


def test_the_settings_name_a_channel_before_any_tag_does(context: Context, remembered: Remember) -> None:
    remembered("refund", channel="#pay")
    teams = TeamSettings(tagged=context.store.owners.channel_of, channels={"payments": "C0PAY"})

    assert teams.channel_of("payments") == "C0PAY"
    assert teams.channel_of("search") == "#team-search"


def test_one_team_is_shown_with_its_people_and_other_names(context: Context, remembered: Remember) -> None:
    remembered("refund", team_from=TeamFrom.ACCOUNT)
    teams = TeamSettings(aliases={"pay": "payments"}, groups={"payments": "S0PAY"})

    said = told(owners(asks(text="PAY"), replace(context, teams=teams)))

    assert "1 by a tag of its account" in said
    assert "<!subteam^S0PAY>" in said
    assert "`pay`" in said


def test_a_team_that_nobody_knows_is_asked_back(context: Context, remembered: Remember) -> None:
    remembered("refund")

    assert "Did you mean `payments`?" in told(owners(asks(text="paymets"), context))

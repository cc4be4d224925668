"""App Home: whose functions it shows, what waits there, and how it turns its pages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from commands._requests import ask
from commands._types import Context, PublishHome, Request
from commands.home import kept_up, opened, turned
from commands.tips import dismiss
from commands.views.exemptions import EXTEND, LET_END
from commands.views.home import ALL_TEAMS, MY_TEAMS, NEXT, PREVIOUS
from storage.exemptions import Wish
from storage.models import Coverage, Inventory, NotScanned, Source, Verdict
from tests.commands.asking import Office
from tests.commands.conftest import ANA, BO, EVE, HOME, WORKSPACE
from tests.commands.views.test_views import buttons, words


@pytest.fixture
def audited(context, clock):
    """An audit that has just ended, with these totals by team."""

    def audited(coverage=None, not_scanned=()):
        seen = Inventory((), tuple(not_scanned), (HOME,), ("eu-central-1",), 3)
        return context.store.audits.record(
            seen, coverage or {}, source=Source.CLOCK, started_at=clock(), finished_at=clock()
        )

    return audited


def page_of(context: Context, run=opened, who=EVE, page="") -> dict:
    asks = Request(user=who, now=context.clock(), source=Source.EVENT, workspace=WORKSPACE, page=page)
    (reply,) = run(asks, context)
    assert isinstance(reply, PublishHome)
    return reply.view


def shown(view) -> str:
    return words(view["blocks"])


def test_before_the_first_audit_it_says_what_to_do(context):
    told = shown(page_of(context))

    assert "Welcome to Lamplighter" in told
    assert "1. *To do:* Look at AWS" in told
    assert "2. *Done:* Name who may approve" in told  # Ana and Bo may
    assert "#finops" in told


def test_what_is_done_is_not_asked_for_again(context, audited, remembered):
    audited()
    remembered("refund")

    told = shown(page_of(context))

    assert "Look at AWS" not in told
    assert "Tag functions with their team" not in told
    assert "Invite me to each team's channel" in told  # nothing was posted yet


def test_functions_of_no_team_are_counted_and_mended(context, audited, remembered):
    audited()
    remembered("refund", team=None)

    assert "Tag 1 function that no team owns yet: `team` or `owner` in AWS." in shown(page_of(context))


def test_it_begins_with_ones_own_teams_and_shows_all_on_a_click(context, audited, remembered, people):
    audited()
    remembered("refund")
    remembered("index", team="search")
    people.teams[EVE] = {"search"}

    own = page_of(context)
    everything = page_of(context, turned(ALL_TEAMS), page=own["private_metadata"])
    again = page_of(context, turned(MY_TEAMS), page=everything["private_metadata"])

    assert "Tracing coverage of search: 0" in shown(own)
    assert "`index`" in shown(own)
    assert "`refund`" not in shown(own)
    assert "Tracing coverage of all teams" in shown(everything)
    assert "`refund`" in shown(everything)
    assert again == own


def test_who_is_in_no_team_sees_all_and_is_given_no_choice(context, audited, remembered):
    audited()
    remembered("refund")

    view = page_of(context)

    assert "all teams" in shown(view)
    assert not {ALL_TEAMS, MY_TEAMS} & set(buttons(view["blocks"]))


def test_pages_are_turned_and_end_where_the_functions_end(context, audited, remembered):
    audited()
    for number in range(25):
        remembered(f"worker-{number:02}")

    first = page_of(context)
    second = page_of(context, turned(NEXT), page=first["private_metadata"])
    third = page_of(context, turned(NEXT), page=second["private_metadata"])

    assert [("`worker-00`" in shown(one), "`worker-24`" in shown(one)) for one in (first, second, third)] == [
        (True, False),
        (False, False),
        (False, True),
    ]
    assert "Page 2 of 3" in shown(second)
    turns = [{PREVIOUS, NEXT} & set(buttons(one["blocks"])) for one in (first, second, third)]
    assert turns == [{NEXT}, {PREVIOUS, NEXT}, {PREVIOUS}]
    assert page_of(context, turned(PREVIOUS), page=third["private_metadata"]) == second
    assert page_of(context, turned(NEXT), page=third["private_metadata"]) == third
    assert page_of(context, kept_up(turned(NEXT)), page=first["private_metadata"]) == second  # drawn once, and it stays


@pytest.mark.parametrize("page", ["", "nonsense", "[]", "null", '["x", 1]', "[-7, false]", "[1e400, false]", "[{}, 3]"])
def test_a_page_that_says_nothing_useful_of_itself_is_the_first(context, audited, remembered, page):
    audited()
    remembered("refund")

    assert "`refund`" in shown(page_of(context, turned(PREVIOUS), page=page))


def test_what_waits_for_ones_approval_stands_above_and_once(office: Office, audited):
    audited()
    asked = office.asked(EVE)

    view = page_of(office.context, who=ANA)

    assert "1 request waits for your approval" in shown(view)
    assert f"Asked for by <@{EVE}>" in shown(view)
    assert [block.get("block_id") for block in view["blocks"]].count(asked.id) == 1
    assert {"approve-fix", "open-deny"} <= set(buttons(view["blocks"]))
    assert "waits for your approval" not in shown(page_of(office.context, who=EVE))


def test_who_asked_is_not_told_to_approve_where_it_takes_two(office: Office, audited):
    audited()
    office.asked(ANA)
    two = office.under(two_people="always")

    assert "for your approval" not in shown(page_of(two.context, who=ANA))
    assert "for your approval" in shown(page_of(two.context, who=BO))


def test_what_has_run_out_waits_no_more(office: Office, audited):
    audited()
    office.asked(EVE)
    office.clock.forward(hours=25)

    assert "for your approval" not in shown(page_of(office.context, who=ANA))


def test_the_trend_is_of_each_days_last_audit_and_is_said_in_words(context, clock, audited, remembered):
    remembered("refund")
    for traced in (1, 2, 3, 4, 5):
        audited({"payments": Coverage(traced=traced - 1, untraced=9 - traced)})
        clock.forward(hours=1)
        audited({"payments": Coverage(traced=traced, untraced=8 - traced)})
        clock.forward(hours=23)

    told = shown(page_of(context))

    assert "▂▃▄▅▆ 12.5" in told
    assert "62.5" in told


def test_what_the_audit_could_not_see_is_said(context, clock, audited, remembered):
    remembered("refund")
    clock.forward(minutes=1)
    audited(not_scanned=[NotScanned(f"{number:012}", "", "denied") for number in range(7)])

    told = shown(page_of(context))

    assert told.count("Not fully seen:") == 5
    assert "and 2 places more that were not fully seen" in told
    assert "as of" in told  # what was seen before that audit is marked with its age


def test_a_command_that_was_begun_on_the_page_is_seen_there_and_its_words_are_kept(office: Office, audited):
    from commands.fix import approve

    audited()
    asked = office.asked(EVE)
    click = replace(office.by(EVE, asked), page="[1, false]")

    replies = list(kept_up(approve)(click, office.context))

    assert [type(one).__name__ for one in replies] == ["Say", "PublishHome"]


def test_a_traced_function_is_not_listed(context, audited, remembered):
    audited()
    remembered("refund", verdict=Verdict.TRACED)

    view = page_of(context)

    assert "No function of all teams is untraced." in shown(view)
    assert "100" in shown(view)


def test_asking_is_not_needed_to_have_a_request(office: Office, audited):
    """A row's buttons carry a request that was made when the page was drawn; asking for it is another matter."""
    audited()
    view = page_of(office.context)

    assert "approve-fix" in buttons(view["blocks"])
    assert office.history() == []
    assert ask(office.by(EVE), office.context, office.request())


def test_exemptions_that_end_soon_stand_with_their_buttons(office: Office, audited):
    audited()
    store, now = office.context.store, office.clock()
    store.exemptions.grant(office.function.arn, "moves in OPS-12", ANA, now, now + timedelta(days=20))

    view = page_of(office.context)

    assert "1 exemption ends within 30 days" in shown(view)
    assert "moves in OPS-12" in shown(view)
    assert {EXTEND, LET_END} <= set(buttons(view["blocks"]))


@pytest.mark.parametrize(("days", "team", "seen"), [(31, "payments", False), (29, "payments", True), (29, "x", False)])
def test_an_exemption_that_ends_later_or_of_another_team_is_not_shown(
    office: Office, audited, people, days, team, seen
):
    audited()
    people.teams[EVE] = {team}
    store, now = office.context.store, office.clock()
    store.exemptions.grant(office.function.arn, "moves in OPS-12", ANA, now, now + timedelta(days=days))

    assert ("moves in OPS-12" in shown(page_of(office.context))) is seen


def test_what_waits_for_a_second_person_is_shown_to_who_may_be_it(office: Office, audited):
    audited()
    until = office.clock() + timedelta(days=20)
    wish = Wish("moves in OPS-12", until, "payments", ("payments",), office.function.arn)
    office.context.store.exemptions.ask(
        wish, (office.function.arn,), ANA, office.clock(), office.clock() + timedelta(days=1)
    )

    seen = {who: "for a second person" in shown(page_of(office.context, who=who)) for who in (ANA, BO, EVE)}

    assert seen == {ANA: False, BO: True, EVE: False}
    office.clock.forward(days=2)
    assert "for a second person" not in shown(page_of(office.context, who=BO))


def test_snoozes_are_shown_until_they_end_or_their_function_is_traced(office: Office, audited):
    audited()
    store, now = office.context.store, office.clock()
    store.snoozes.begin(office.function.arn, "payments", ANA, now, now + timedelta(days=7))
    store.snoozes.begin(None, "search", ANA, now, now + timedelta(days=1))

    told = shown(page_of(office.context))
    assert "2 snoozed: untraced and counted, but no news" in told
    assert "`refund`: until" in told
    assert "New messages for *search*: until" in told

    store.functions.set_verdict(office.function.arn, Verdict.TRACED, now)
    office.clock.forward(days=2)
    assert "snoozed" not in shown(page_of(office.context))


def test_a_tip_that_was_dismissed_gives_way_to_the_next_for_this_person_alone(context, audited, remembered):
    audited()
    remembered("refund")
    assert "/trace-audit refund` asks AWS now" in shown(page_of(context))
    click = Request(EVE, context.clock(), Source.BUTTON, workspace=WORKSPACE, value="one-function", page="[1, false]")

    for _ in range(2):
        (page,) = kept_up(dismiss)(click, context)

    assert isinstance(page, PublishHome)
    assert "can be snoozed" in shown(page.view)
    assert "can be snoozed" in shown(page_of(context))
    assert "asks AWS now" in shown(page_of(context, who=BO))

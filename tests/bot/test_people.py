import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from slack_sdk import WebClient

from bot.demo.people import ANA, BO, FINOPS_LEAD, GUEST
from bot.demo.slack import TEAM_ID, Person, SlackStandIn
from bot.people import SlackPeople

GROUP = "S07L4MPAPPR"


def asking(client: WebClient, *approvers: str, **team_approvers: list[str]) -> SlackPeople:
    return SlackPeople(client, TEAM_ID, approvers, team_approvers)


def test_a_listed_person_may_approve_and_the_rule_is_named(client: WebClient) -> None:
    assert asking(client, ANA).may_approve(ANA, TEAM_ID, "payments").why == f"[policy] approvers: {ANA}"
    assert asking(client, ANA).may_approve(ANA, TEAM_ID, "payments").allowed


def test_a_member_of_a_listed_group_may_approve(client: WebClient) -> None:
    may = asking(client, GROUP).may_approve(BO, TEAM_ID, None)

    assert (may.allowed, may.why) == (True, f"[policy] approvers: {GROUP}")


def test_an_approver_of_one_team_is_none_of_another(client: WebClient) -> None:
    people = asking(client, payments=[BO])

    assert people.may_approve(BO, TEAM_ID, "payments").why == f"[policy.teams.payments] approvers: {BO}"
    assert people.may_approve(BO, TEAM_ID, "payments").allowed
    assert not people.may_approve(BO, TEAM_ID, "search").allowed
    assert not people.may_approve(BO, TEAM_ID, None).allowed
    assert people.approvers("payments") == (f"<@{BO}>",)
    assert people.approvers("search") == ()


def test_where_nobody_is_listed_nobody_may_and_the_answer_says_how_to_list_somebody(client: WebClient) -> None:
    may = asking(client).may_approve(ANA, TEAM_ID, "payments")

    assert not may.allowed
    assert "[policy] approvers" in may.why


def test_who_is_not_listed_is_told_whom_to_ask(client: WebClient) -> None:
    may = asking(client, ANA, GROUP).may_approve(FINOPS_LEAD, TEAM_ID, "payments")

    assert not may.allowed
    assert f"<@{ANA}>" in may.why
    assert f"<!subteam^{GROUP}>" in may.why


def test_a_plan_without_groups_refuses_and_listed_people_still_may(slack: SlackStandIn, client: WebClient) -> None:
    slack.workspace.usergroups_available = False
    people = asking(client, ANA, GROUP)

    assert people.may_approve(ANA, TEAM_ID, None).allowed
    refused = people.may_approve(BO, TEAM_ID, None)
    assert not refused.allowed
    assert f"could not say who is in the group <!subteam^{GROUP}> (plan_upgrade_required)" in refused.why
    assert "name people by their ids in lamplighter.toml" in refused.why


def denying(client: WebClient, *deny: str, **team_deny: list[str]) -> SlackPeople:
    """Everybody below is named as an approver, by id and by group."""
    return SlackPeople(client, TEAM_ID, [ANA, BO, GROUP], {"payments": [ANA]}, deny, team_deny)


@pytest.mark.parametrize("denied", [ANA, GROUP], ids=["by id", "by group"])
def test_who_is_denied_may_not_approve_whatever_else_names_them(client: WebClient, denied: str) -> None:
    people = denying(client, denied)

    refused = people.may_approve(ANA, TEAM_ID, "payments")

    assert not refused.allowed
    assert "[policy] deny names you" in refused.why
    assert people.may_ask(ANA, TEAM_ID).allowed


def test_who_is_denied_for_a_team_may_approve_for_others_and_is_not_named_as_its_approver(client: WebClient) -> None:
    people = denying(client, payments=[ANA])

    assert not people.may_approve(ANA, TEAM_ID, "payments").allowed
    assert people.may_approve(ANA, TEAM_ID, "search").allowed
    assert people.may_approve(BO, TEAM_ID, "payments").allowed
    assert f"<@{ANA}>" not in people.approvers("payments")
    assert f"<@{ANA}>" in people.approvers("search")


def test_where_a_denied_group_cannot_be_read_nobody_approves(slack: SlackStandIn, client: WebClient) -> None:
    slack.fail_next("usergroups.users.list", error="internal_error", status=500, times=5)
    people = denying(client, "S0CONTRACTORS")

    refused = people.may_approve(ANA, TEAM_ID, None)

    assert not refused.allowed
    assert "not known whether you are denied" in refused.why


def test_where_everybody_is_denied_nobody_may(client: WebClient) -> None:
    people = SlackPeople(client, TEAM_ID, [ANA], {}, [ANA])

    assert people.approvers(None) == ()
    assert "Nobody may approve yet" in people.may_approve(BO, TEAM_ID, None).why


@pytest.mark.parametrize(
    "changes",
    [
        {"deleted": True},
        {"is_bot": True},
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"team_id": "T0OTHER"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_who_is_no_full_member_may_nothing_even_if_listed(
    slack: SlackStandIn, client: WebClient, changes: dict[str, object]
) -> None:
    person = slack.workspace.person(ANA)
    assert person
    slack.workspace.put_person(replace(person, **changes))

    assert not asking(client, ANA).may_approve(ANA, TEAM_ID, None).allowed
    assert not asking(client, ANA).may_ask(ANA, TEAM_ID).allowed


@pytest.mark.parametrize("workspace", ["", "T0OTHER"])
def test_a_click_from_another_workspace_is_refused(client: WebClient, workspace: str) -> None:
    assert not asking(client, ANA).may_approve(ANA, workspace, None).allowed


def test_where_slack_does_not_answer_nothing_is_allowed(slack: SlackStandIn, client: WebClient) -> None:
    slack.fail_next("users.info", error="internal_error", status=500, times=5)

    refused = asking(client, ANA).may_approve(ANA, TEAM_ID, None)

    assert not refused.allowed
    assert "Slack could not say who you are" in refused.why


def test_an_unknown_person_is_refused(client: WebClient) -> None:
    assert not asking(client, "U0NOBODY").may_approve("U0NOBODY", TEAM_ID, None).allowed


def test_a_guest_may_not_even_ask(slack: SlackStandIn, client: WebClient) -> None:
    assert isinstance(slack.workspace.person(GUEST), Person)
    assert not asking(client, GUEST).may_ask(GUEST, TEAM_ID).allowed


class HalfAnswer(BaseHTTPRequestHandler):
    """Promises more than it sends, as a proxy that is restarted does."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "500")
        self.end_headers()
        self.wfile.write(b'{"ok": tr')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def half_answers() -> Iterator[WebClient]:
    with HTTPServer(("127.0.0.1", 0), HalfAnswer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield WebClient(token="xoxb-pretend", base_url=f"http://127.0.0.1:{server.server_port}/api/")
        server.shutdown()
        thread.join()


def test_an_answer_that_breaks_off_is_none_and_refuses(half_answers: WebClient) -> None:
    people = asking(half_answers, ANA)

    refused = people.may_approve(ANA, TEAM_ID, None)

    assert (refused.allowed, refused.why) == (False, "Slack could not say who you are. Try again in a minute.")
    assert people.teams_of(ANA, {"payments": GROUP}) == frozenset()


def test_a_persons_teams_are_those_of_their_groups_and_those_that_name_them(client: WebClient) -> None:
    people = asking(client, search=[BO])

    assert people.teams_of(BO, {"payments": GROUP}) == {"payments", "search"}
    assert people.teams_of(BO, {}) == {"search"}
    assert people.teams_of(FINOPS_LEAD, {"payments": GROUP}) == frozenset()


def test_groups_are_listed_once_in_five_minutes_and_not_at_all_without_need(
    slack: SlackStandIn, client: WebClient
) -> None:
    people = asking(client, ANA)
    people.teams_of(ANA, {})
    assert slack.calls_of("usergroups.list") == []
    for who in (ANA, BO, FINOPS_LEAD):
        people.teams_of(who, {"payments": GROUP, "search": "S0NONE"})

    assert len(slack.calls_of("usergroups.list")) == 1


def test_who_may_approve_can_be_kept_with_the_members_of_groups(slack: SlackStandIn, client: WebClient) -> None:
    people = SlackPeople(client, TEAM_ID, [ANA, GROUP], {"Pay Ments": [BO]}, [GUEST], {"search": [ANA]})

    rules = people.rules()

    assert (rules.approvers, rules.deny) == ((ANA, GROUP), (GUEST,))
    assert {name: (one.approvers, one.deny) for name, one in rules.teams.items()} == {
        "pay-ments": ((BO,), ()),
        "search": ((), (ANA,)),
    }
    assert BO in (rules.groups[GROUP] or ())
    assert rules.people("search") == set(rules.groups[GROUP] or ()) - {ANA}
    slack.workspace.usergroups_available = False
    assert SlackPeople(client, TEAM_ID, [GROUP], {}).rules().unread == (GROUP,)

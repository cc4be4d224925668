"""What the doctor finds in Slack, with each fault turned on in the local one. It posts nothing."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.config import Config
from bot.demo import people
from bot.demo.people import ANA, BO, FINOPS_LEAD, GUEST
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn, UserGroup, Workspace
from bot.doctor import approvers, around, channels
from bot.doctor.slack import SlackLook
from storage.diagnosis import Diagnosis, Outcome, together, wanting
from storage.store import Store

Configure = Callable[..., Config]
ROOT = Path(__file__).resolve().parents[3]
GROUP = "S07L4MPAPPR"


def of(found: Iterable[Diagnosis], what: str, place: str = "") -> Diagnosis:
    (one,) = [one for one in found if one.what == what and (not place or place in one.places)]
    return one


def bad(found: Iterable[Diagnosis]) -> dict[str, Outcome]:
    return {one.what: one.outcome for one in found if one.outcome is not Outcome.OK}


def look(config: Config, *, in_bot: bool = False, ahead: float = 0.0) -> list[Diagnosis]:
    return list(SlackLook(config, lambda: datetime.now(UTC) + timedelta(seconds=ahead), in_bot=in_bot).look())


def channels_of(config: Config, teams: list[str]) -> list[Diagnosis]:
    one = SlackLook(config, lambda: datetime.now(UTC), in_bot=True)
    list(one.look())
    return together(channels.look(one.client, one.name, channels.wanted(config, config.teams, teams)))


def approvers_of(config: Config, slack: SlackStandIn, teams: list[str]) -> list[Diagnosis]:
    client = SlackLook(config, lambda: datetime.now(UTC), in_bot=True).client
    return together(approvers.Approvers(client, slack.workspace.team_id, config).look(teams))


# ---- tokens, scopes, the clock, the way in


def test_a_good_token_tells_the_workspace_and_no_token_is_said(slack: SlackStandIn, configured: Configure) -> None:
    found = look(configured())

    assert of(found, "SLACK_BOT_TOKEN").said == "lamplighter in the workspace Lamplit (T0LAMPLIT)"
    assert bad(found) == {"commands and events of the app": Outcome.UNKNOWN}
    assert not wanting(found)
    assert slack.bot_token not in str(found)
    assert slack.app_token not in str(found)
    assert {call.method for call in slack.calls} == {"auth.test", "apps.connections.open"}


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "is missing"),
        ("xapp-1-of-the-app", "holds an app-level token"),
        ("secret", "holds no bot token"),
        ("xoxb-of-nobody", "Slack answers invalid_auth"),
    ],
)
def test_a_wrong_bot_token_is_a_failure(configured: Configure, token: str, said: str) -> None:
    told = of(look(configured({"slack_bot_token": token})), "SLACK_BOT_TOKEN")

    assert (told.outcome, told.said) == (Outcome.FAIL, said)
    assert "xoxb-" in told.mend
    assert not token or token not in told.said


@pytest.mark.parametrize(
    ("token", "said"),
    [("xoxb-of-the-bot", "holds a bot token"), ("xapp-of-nobody", "Slack answers invalid_auth")],
)
def test_a_wrong_app_token_is_a_failure(configured: Configure, token: str, said: str) -> None:
    told = of(look(configured({"slack_app_token": token})), "SLACK_APP_TOKEN")

    assert (told.outcome, told.said) == (Outcome.FAIL, said)
    assert "connections:write" in told.mend


def test_without_a_way_in_no_command_reaches_the_bot(configured: Configure) -> None:
    assert of(look(configured({"slack_app_token": ""})), "the way in").outcome is Outcome.FAIL


@pytest.mark.parametrize(("secret", "outcome"), [("5" * 32, Outcome.UNKNOWN), ("xoxb-wrong", Outcome.FAIL)])
def test_a_signing_secret_can_only_be_looked_at(configured: Configure, secret: str, outcome: Outcome) -> None:
    told = of(look(configured({"slack_app_token": "", "slack_signing_secret": secret})), "SLACK_SIGNING_SECRET")

    assert (told.outcome, told.asked) == (outcome, outcome is Outcome.FAIL)
    assert secret not in str(told)


def test_a_running_bot_does_not_try_the_way_that_the_command_came_in_by(
    slack: SlackStandIn, configured: Configure
) -> None:
    found = look(configured(), in_bot=True)

    assert bad(found) == {}
    assert slack.calls_of("apps.connections.open") == []


def test_slack_that_is_away_or_busy_is_unknown_and_wanting(slack: SlackStandIn, configured: Configure) -> None:
    slack.fail_next("auth.test", retry_after=30)
    slack.fail_next("apps.connections.open", error="internal_error")

    found = look(configured())

    assert of(found, "SLACK_BOT_TOKEN").said == "Slack asks for patience (ratelimited)"
    assert bad(found) == {
        "SLACK_BOT_TOKEN": Outcome.UNKNOWN,
        "SLACK_APP_TOKEN": Outcome.UNKNOWN,
        "commands and events of the app": Outcome.UNKNOWN,
    }
    assert wanting(found)
    slack.go_away()
    told = of(look(configured()), "SLACK_BOT_TOKEN")
    assert (told.outcome, told.mend) == (
        Outcome.UNKNOWN,
        "see that this machine reaches Slack (HTTPS_PROXY, SLACK_API_URL), and look again",
    )


def test_a_clock_that_is_off_is_told_by_slack_too(configured: Configure) -> None:
    assert of(look(configured(), ahead=400), "the clock, beside Slack's").outcome is Outcome.FAIL


@pytest.fixture
def with_less(tmp_path: Path) -> Iterator[SlackStandIn]:
    """A Slack in which four scopes were not granted."""
    manifest = (ROOT / "manifest.yml").read_text(encoding="utf-8")
    for scope in ("groups:read", "files:write", "users:read", "usergroups:read"):
        manifest = manifest.replace(f"      - {scope} ", "      # ")
    (tmp_path / "manifest.yml").write_text(manifest, encoding="utf-8")
    workspace = Workspace(people.people(), people.channels(), people.user_groups())
    with SlackStandIn(tmp_path / "manifest.yml", workspace) as running:
        yield running


def test_each_scope_that_is_missing_says_what_the_bot_cannot_do(with_less: SlackStandIn, configured: Configure) -> None:
    mine = {"slack_bot_token": with_less.bot_token, "slack_api_url": with_less.api_url}
    missing = {
        "scope files:write": Outcome.WARN,
        "scope groups:read": Outcome.WARN,
        "scope users:read": Outcome.FAIL,
        "scope usergroups:read": Outcome.WARN,
    }
    assert bad(look(configured(mine), in_bot=True)) == missing

    found = look(configured(mine, policy={"approvers": [GROUP]}), in_bot=True)
    assert bad(found) == missing | {"scope usergroups:read": Outcome.FAIL}
    assert "cannot tell who is in a user group" in of(found, "scope usergroups:read").said
    assert "reinstall" in of(found, "scope usergroups:read").mend

    config = configured(mine, policy={"approvers": [GROUP, ANA]})
    assert of(channels_of(config, []), "channel").outcome is Outcome.OK  # without private channels
    told = approvers_of(config, with_less, [])
    assert of(told, "user groups").outcome is Outcome.FAIL
    assert of(told, "person").outcome is Outcome.UNKNOWN
    assert of(told, "approvers of a team").outcome is Outcome.UNKNOWN


# ---- channels


def test_every_channel_is_looked_at_and_nothing_is_posted(slack: SlackStandIn, configured: Configure) -> None:
    workspace = slack.workspace
    bot = {BOT_USER_ID}
    workspace.put_channel(Channel("C0LD", "team-search-old", members=bot, is_archived=True))
    workspace.put_channel(Channel("C0SHARED", "team-shared", members=bot, is_ext_shared=True))
    workspace.put_channel(Channel("C0QUIET", "team-quiet", members=bot, is_read_only=True))
    workspace.put_channel(Channel("C0SECRET", "team-secret", is_private=True))  # the bot cannot see it
    config = configured(
        teams={"channels": {"search": "C0LD", "payments": "#team-payments", "gone": "C0GONE"}},
        report={"channel": "#nowhere"},
        budget={"monthly_usd": 200, "channel": "#general"},
    )

    found = channels_of(config, ["payments", "search", "mobile-bff", "shared", "quiet", "secret", "gone"])

    said = {place: (one.outcome, one.said.partition(";")[0], one.mend) for one in found for place in one.places}
    other = "or name another in"
    invite = "type `/invite @lamplighter` there"
    make = "make it, or invite lamplighter there if it is private: `/invite @lamplighter`"
    assert said == {
        "#finops": (Outcome.OK, "lamplighter is in it, and may post", ""),
        "#team-payments": (Outcome.OK, "lamplighter is in it, and may post", ""),
        "#general": (Outcome.WARN, "lamplighter is not in it", invite),
        "#nowhere": (Outcome.WARN, "lamplighter sees no such channel", f"{make}; {other} [report] channel"),
        "C0LD": (Outcome.WARN, "is archived", f"unarchive it, {other} [teams.channels]"),
        "#team-mobile-bff": (Outcome.WARN, "lamplighter is not in it", invite),
        "#team-shared": (
            Outcome.WARN,
            "is shared with another company, whose people read what is posted there",
            "name another in [teams] channel",
        ),
        "#team-quiet": (
            Outcome.WARN,
            "only some people may post there",
            f"let lamplighter post there, {other} [teams] channel",
        ),
        "#team-secret": (Outcome.WARN, "lamplighter sees no such channel", f"{make}; {other} [teams] channel"),
        "C0GONE": (Outcome.WARN, "lamplighter sees no such channel", f"{make}; {other} [teams.channels]"),
    }
    methods = {call.method for call in slack.calls}
    assert methods == {"auth.test", "conversations.list", "conversations.info"}


def test_the_fallback_channel_has_to_take_posts(configured: Configure) -> None:
    told = of(channels_of(configured(teams={"fallback_channel": "#nowhere"}), []), "channel")

    assert told.outcome is Outcome.FAIL
    assert "nowhere else" in told.said


def test_channels_that_slack_will_not_list_are_unknown(slack: SlackStandIn, configured: Configure) -> None:
    slack.fail_next("conversations.list", retry_after=30)

    (told,) = channels_of(configured(), ["payments"])

    assert (told.outcome, told.what) == (Outcome.UNKNOWN, "2 channels")


def test_a_list_that_breaks_off_leaves_the_rest_unknown(slack: SlackStandIn, configured: Configure) -> None:
    for number in range(1000):
        slack.workspace.put_channel(Channel(f"C1{number:04}", f"a-{number}"))
    slack.workspace.put_channel(Channel("C2LAST", "team-last", members={BOT_USER_ID}))
    config = configured()
    assert of(channels_of(config, ["last"]), "channel").outcome is Outcome.OK

    slack.storm(2, methods=["conversations.list"])
    found = channels_of(config, ["last"])

    assert {place: one.outcome for one in found for place in one.places} == {
        "#finops": Outcome.OK,
        "#team-last": Outcome.UNKNOWN,
    }


# ---- approvers


def test_each_approver_is_looked_up_and_each_team_has_to_have_one(slack: SlackStandIn, configured: Configure) -> None:
    workspace = slack.workspace
    workspace.put_person(replace(workspace.person(BO), deleted=True))  # type: ignore[arg-type]  # he is there
    workspace.put_usergroup(UserGroup("S0EMPTY", "empty", "Empty"))
    workspace.put_usergroup(UserGroup("S0OFF", "off", "Off", (ANA,), disabled=True))
    workspace.put_usergroup(UserGroup("S0GUESTS", "guests", "Guests", (GUEST,)))
    config = configured(
        policy={
            "teams": {
                "payments": {"approvers": [ANA, BO, GUEST, BOT_USER_ID, "U0NOBODY"]},
                "search": {"approvers": ["S0EMPTY", "S0OFF", "S0GUESTS", "S0GONE"]},
                "identity": {"approvers": [GROUP]},
                "checkout": {"approvers": [FINOPS_LEAD], "deny": [FINOPS_LEAD]},
            }
        },
        teams={"groups": {"identity": GROUP}},
    )

    found = approvers_of(config, slack, ["payments", "search", "identity", "checkout", "mobile-bff"])

    people_said = {place: (one.outcome, one.said) for one in found if one.what == "person" for place in one.places}
    assert people_said == {
        ANA: (Outcome.OK, "may approve"),
        BO: (Outcome.WARN, "This account is deactivated"),
        GUEST: (Outcome.WARN, "Guests cannot use Lamplighter"),
        BOT_USER_ID: (Outcome.WARN, "Bots cannot use Lamplighter"),
        "U0NOBODY": (Outcome.WARN, "Slack knows nobody by this id"),
    }
    groups = {place: (one.outcome, one.said) for one in found if one.what == "user group" for place in one.places}
    assert groups == {
        "S0EMPTY": (Outcome.WARN, "@empty has no members"),
        "S0OFF": (Outcome.WARN, "@off is disabled"),
        "S0GUESTS": (Outcome.WARN, "@guests has no member who may approve"),
        "S0GONE": (Outcome.WARN, "Slack knows none by this id"),
        GROUP: (Outcome.OK, "@lambda-approvers has 2 members"),
    }
    teams = {
        place: (one.outcome, one.said) for one in found if one.what == "approvers of a team" for place in one.places
    }
    nobody = (Outcome.FAIL, "there are none: nobody may approve a fix")
    assert teams == {
        "payments": (Outcome.OK, "there is somebody who may approve"),
        "search": (Outcome.FAIL, "none of those that are named may approve"),
        "identity": (Outcome.OK, "there is somebody who may approve"),
        "checkout": nobody,
        "mobile-bff": nobody,
        "(no known team)": nobody,
    }


def test_one_approver_alone_is_not_enough_where_two_people_are_asked_for(
    slack: SlackStandIn, configured: Configure
) -> None:
    told = of(
        approvers_of(configured(policy={"approvers": [ANA], "two_people": "always"}), slack, []), "approvers of a team"
    )

    assert told.outcome is Outcome.WARN
    assert "two_people" in told.said


def test_groups_need_a_plan_that_has_them(slack: SlackStandIn, configured: Configure) -> None:
    slack.workspace.usergroups_available = False

    found = approvers_of(configured(policy={"approvers": [GROUP]}), slack, [])

    assert of(found, "user groups").outcome is Outcome.FAIL
    assert "paid plan" in of(found, "user groups").mend
    assert of(found, "approvers of a team").outcome is Outcome.FAIL


def test_whom_slack_will_not_tell_of_is_unknown(slack: SlackStandIn, configured: Configure) -> None:
    slack.fail_next("users.info", error="internal_error")

    found = approvers_of(configured(policy={"approvers": [ANA]}), slack, [])

    assert bad(found) == {"person": Outcome.UNKNOWN, "approvers of a team": Outcome.UNKNOWN}


# ---- all of it


def test_all_of_slack_is_one_line_of_unknowns_where_the_token_is_wrong(configured: Configure) -> None:
    found = list(around.in_terminal(configured({"slack_bot_token": "xoxb-of-nobody"})))

    assert of(found, "channels and approvers").outcome is Outcome.UNKNOWN


def test_a_running_bot_looks_at_its_own_memory_and_teams(
    configured: Configure, context: object, slack: SlackStandIn, make_function: Callable[..., object]
) -> None:
    store: Store = context.store  # type: ignore[attr-defined]  # a Context
    store.functions.save([make_function("refund")], datetime.now(UTC))  # type: ignore[list-item]  # a Function

    found = around.in_bot(configured(policy={"approvers": [ANA]}), store, lambda: datetime.now(UTC))

    assert of(found, "chain of decisions").outcome is Outcome.OK
    assert "GB are free there" in of(found, "disk").said
    assert "#team-payments" in of(found, "channel").places
    assert of(found, "approvers of a team").places == ("payments", "(no known team)")
    assert of(found, "SLACK_APP_TOKEN").said == "your command came in by it"


class Dateless(BaseHTTPRequestHandler):
    """A Slack that says neither its scopes nor the time."""

    def do_POST(self) -> None:
        body = b'{"ok": true, "team_id": "T1", "team": "Acme", "user": "lamplighter"}'
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to say."""


def test_what_slack_does_not_say_is_unknown(configured: Configure) -> None:
    with HTTPServer(("127.0.0.1", 0), Dateless) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            found = look(configured({"slack_api_url": f"http://127.0.0.1:{server.server_port}/api/"}), in_bot=True)
        finally:
            server.shutdown()
            serving.join()

    assert bad(found) == {"the clock, beside Slack's": Outcome.UNKNOWN, "scopes": Outcome.UNKNOWN}
    assert not wanting(found)

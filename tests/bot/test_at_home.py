"""App Home over the real Bolt app and Socket Mode: published to who opens it, and drawn again as they act."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from slack_bolt import BoltRequest
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.app import build_app
from bot.channels import ChannelNames
from bot.demo.people import ANA, GUEST
from bot.demo.slack import TEAM_ID, SlackStandIn
from bot.demo.slack.payloads import event_callback
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands import COMMANDS
from commands._drawing import draw
from commands._requests import ask
from commands._types import Context, Request
from commands.views.form import REASON
from storage.fixes import RequestState
from storage.models import Function, Inventory, Source
from tests.bot.demo.slack.conftest import hang_up
from tests.commands.views.test_views import words
from tests.e2e.scene import wait_for

PRIYA = "U07A8N2RPAY"


@pytest.fixture
def asked(context: Context, clock, make_function: Callable[[str], Function]) -> str:
    """The id of a request of Eve's, after an audit that saw twelve functions."""
    functions = [make_function(f"worker-{number:02}") for number in range(12)]
    context.store.functions.save(functions, clock(), audited=True)
    seen = Inventory(tuple(functions), (), ("111122223333",), ("eu-central-1",), 3)
    context.store.audits.record(seen, {}, source=Source.CLOCK, started_at=clock(), finished_at=clock())
    request = context.store.requests.open_for(functions[0], clock())
    ask(Request(PRIYA, clock(), Source.SLASH, workspace=TEAM_ID), context, request, "blind in OPS-12")
    return request.id


@pytest.fixture
def bot(slack: SlackStandIn, client: WebClient, context: Context) -> Iterator[None]:
    who = SlackPeople(client, TEAM_ID, [ANA], {})
    desk = Desk(replace(context, people=who), who, Outbox(context, client, ChannelNames(client), draw))
    wire = WebClient(token=slack.app_token, base_url=slack.api_url)
    handler = SocketModeHandler(build_app(COMMANDS, desk, client, ""), slack.app_token, web_client=wire)
    handler.connect()
    slack.wait_until_connected()
    yield
    desk.stop()
    handler.client.auto_reconnect_enabled = False
    slack.drop_connections(goodbye=True)
    hang_up(handler)


def home(slack: SlackStandIn, who: str) -> dict[str, Any]:
    return slack.home(who) or {"blocks": []}


def told(slack: SlackStandIn, who: str) -> str:
    return words(home(slack, who)["blocks"])


def open_home(slack: SlackStandIn, who: str, until: str) -> dict[str, Any]:
    slack.acting_as(who).open_home()
    wait_for(lambda: until in told(slack, who), what=f"{until} in {told(slack, who)}")
    return home(slack, who)


def test_who_opens_it_sees_it_and_nobody_else(slack, bot, asked):
    open_home(slack, ANA, "1 request waits for your approval")

    assert home(slack, PRIYA)["blocks"] == []


def test_a_guest_is_told_why_there_is_nothing(slack, bot, asked):
    view = open_home(slack, GUEST, "Guests cannot use Lamplighter")

    assert len(view["blocks"]) == 1


def test_a_page_is_turned_and_the_next_click_stays_on_it(slack, bot, asked):
    view = open_home(slack, PRIYA, "Page 1 of 2")

    slack.acting_as(PRIYA).click_in_view(view["id"], "home-next")

    wait_for(lambda: "`worker-11`" in told(slack, PRIYA))
    assert "Page 2 of 2" in told(slack, PRIYA)


def test_a_refusal_comes_in_a_modal_and_the_page_stays(slack, bot, asked):
    view = open_home(slack, PRIYA, "Page 1 of 2")

    slack.acting_as(PRIYA).click_in_view(view["id"], "approve-fix")

    assert "You are not an approver" in words(slack.acting_as(PRIYA).modal()["blocks"])
    assert "Page 1 of 2" in told(slack, PRIYA)


def test_a_denial_in_the_form_leaves_the_page_at_once(slack, bot, asked, context):
    view = open_home(slack, ANA, "waits for your approval")
    slack.acting_as(ANA).click_in_view(view["id"], "open-deny")
    form = slack.acting_as(ANA).modal()

    slack.acting_as(ANA).submit(form["id"], **{REASON: "not before the sale ends"})

    wait_for(lambda: "for your approval" not in told(slack, ANA))
    assert context.store.requests.get(asked).state is RequestState.DENIED


def test_the_apps_messages_are_no_home(slack, bot, client, context, caplog):
    opened = {"type": "app_home_opened", "user": ANA, "tab": "messages", "event_ts": "1.0"}
    who = SlackPeople(client, TEAM_ID, [ANA], {})
    app = build_app(COMMANDS, Desk(context, who, Outbox(context, client, ChannelNames(client), draw)), client, "")

    answer = app.dispatch(BoltRequest(body=event_callback(opened, slack.app, slack.workspace), mode="socket_mode"))

    assert answer.status == 200
    assert caplog.text == ""
    assert home(slack, ANA)["blocks"] == []


def test_where_slack_does_not_publish_nothing_else_is_lost(slack, bot, asked, context):
    slack.fail_next("views.publish", error="internal_error")
    slack.acting_as(ANA).open_home()

    open_home(slack, ANA, "waits for your approval")

"""Socket Mode when things go wrong: no ack, no connection, broken and refreshed connections."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from slack_bolt import Ack, App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.slack import SlackStandIn
from tests.bot.demo.slack.conftest import actions, button

Connect = Callable[[], SocketModeHandler]


@pytest.mark.parametrize("ack_seconds", [0.3])
def test_a_command_that_nobody_acknowledges_times_out(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    let_go = threading.Event()

    @bolt.command("/trace-audit")
    def slow(ack: Ack) -> None:
        let_go.wait(10)
        ack()

    connect()
    outcome = slack.acting_as("U1ANA").command("C1PAY", "/trace-audit")
    let_go.set()

    assert outcome.error == "/trace-audit failed with the error “operation_timeout”"
    assert slack.faults == [outcome.error]


def test_a_command_while_nobody_is_connected_fails_to_dispatch(slack: SlackStandIn) -> None:
    outcome = slack.acting_as("U1ANA").command("C1PAY", "/trace-audit")

    assert outcome.error == "/trace-audit failed with the error “dispatch_failed”"


def test_a_click_that_nobody_acknowledges_leaves_a_warning_until_one_is(
    slack: SlackStandIn, bolt: App, connect: Connect, client: WebClient
) -> None:
    client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[actions(button())])
    message = slack.workspace.messages("C1PAY")[0]
    ana = slack.acting_as("U1ANA")

    assert not ana.click(message, "fix").ok
    assert slack.workspace.warning(message, "U1ANA") == "This app did not answer in time. Try again?"
    assert slack.workspace.warning(message, "U2BO") is None

    bolt.action("fix")(lambda ack: ack())
    connect()

    assert ana.click(message, "fix").ok
    assert slack.workspace.warning(message, "U1ANA") is None


def test_only_commands_of_the_manifest_and_only_people_of_the_channel(slack: SlackStandIn) -> None:
    def error(as_: str, channel: str, text: str) -> str:
        body = {"as": as_, "channel": channel, "text": text}
        return str(requests.post(f"{slack.url}/page/command", json=body, timeout=5).json()["error"])

    assert error("U1ANA", "C1PAY", "/foo bar") == "/foo is not a valid command"
    assert error("U3GUEST", "C2OPEN", "/trace-audit") == "not_in_channel"
    assert error("U1ANA", "G3SECRET", "/trace-audit") == "channel_not_found"
    assert error("U1ANA", "C5OLD", "/trace-audit") == "is_archived"
    assert error("U4GONE", "C1PAY", "/trace-audit") == "user_not_found"


def test_an_acknowledgement_can_carry_the_answer(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    answers: list[Any] = [{"text": "for you"}, {"text": "for all", "response_type": "in_channel"}, {"blocks": [{}]}]
    bolt.command("/trace-audit")(lambda ack: ack(**answers.pop(0)))
    connect()
    ana = slack.acting_as("U1ANA")

    assert ana.command("C2OPEN", "/trace-audit").ok
    assert ana.command("C2OPEN", "/trace-audit all").ok
    wrong = ana.command("C2OPEN", "/trace-audit")

    assert [message.text for message in slack.workspace.ephemerals("C2OPEN", "U1ANA")] == ["for you"]
    spoken = [(message.user, message.text) for message in slack.workspace.messages("C2OPEN")]
    assert spoken == [("U1ANA", "/trace-audit all"), (slack.app.bot_user_id, "for all")]
    assert wrong.error == "/trace-audit failed with the error “invalid_command_response”"


def test_a_command_that_is_not_escaped_arrives_as_typed(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    seen: list[dict[str, Any]] = []

    @bolt.command("/plain")
    def take(ack: Ack, command: dict[str, Any]) -> None:
        seen.append(command)
        ack()

    connect()
    slack.acting_as("U1ANA").command("G4OPS", "/plain @bo & #payments")

    assert seen[0]["text"] == "@bo & #payments"
    assert seen[0]["channel_name"] == "privategroup"
    assert seen[0]["is_enterprise_install"] == "false"
    assert seen[0]["response_url"].startswith(f"{slack.url}/commands/")


def test_of_two_connections_any_one_gets_each_envelope(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    taken: list[str] = []

    @bolt.command("/trace-audit")
    def take(ack: Ack, command: dict[str, Any]) -> None:
        taken.append(command["text"])
        ack()

    first, second = connect(), connect()
    counts = {id(handler): 0 for handler in (first, second)}

    def count(handler: SocketModeHandler) -> Callable[[str], None]:
        def heard(message: str) -> None:
            counts[id(handler)] += '"slash_commands"' in message

        return heard

    for handler in (first, second):
        handler.client.on_message_listeners.append(count(handler))
    for number in range(24):
        assert slack.acting_as("U1ANA").command("C1PAY", f"/trace-audit {number}").ok

    assert taken == [str(number) for number in range(24)]
    assert sum(counts.values()) == 24
    assert all(counts.values())


def test_the_app_comes_back_after_dropped_refreshed_and_refused_connections(
    slack: SlackStandIn, bolt: App, connect: Connect
) -> None:
    bolt.command("/trace-audit")(lambda ack: ack())
    connect()
    ana = slack.acting_as("U1ANA")

    slack.drop_connections()
    slack.workspace.wait_for(lambda: slack.connections == 0)
    slack.wait_until_connected()
    assert ana.command("C1PAY", "/trace-audit").ok

    asked = len(slack.calls_of("apps.connections.open"))
    slack.refresh_connections()
    slack.workspace.wait_for(lambda: len(slack.calls_of("apps.connections.open")) > asked)
    slack.wait_until_connected()
    assert ana.command("C1PAY", "/trace-audit").ok

    slack.go_away()
    assert ana.command("C1PAY", "/trace-audit").error == "/trace-audit failed with the error “dispatch_failed”"
    slack.come_back()
    slack.wait_until_connected()
    assert ana.command("C1PAY", "/trace-audit").ok


def test_a_connection_ticket_is_good_once(slack: SlackStandIn) -> None:
    wire = WebClient(slack.app_token, base_url=slack.api_url)
    url = wire.apps_connections_open(app_token=slack.app_token)["url"]
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    address = url.replace("ws://", "http://")

    with requests.get(address, headers=upgrade, timeout=5, stream=True) as first:
        assert first.status_code == 101
        assert requests.get(address, headers=upgrade, timeout=5).status_code == 401


@pytest.mark.parametrize("ack_seconds", [0.3])
def test_an_event_is_sent_again_until_it_is_acknowledged(slack: SlackStandIn, bolt: App, connect: Connect) -> None:
    headers: list[dict[str, Any]] = []

    @bolt.middleware
    def fail_twice(req: Any, resp: Any, next: Callable[[], Any]) -> Any:  # noqa: A002 - Bolt passes it by this name
        headers.append(dict(req.headers))
        if len(headers) <= 2:
            raise RuntimeError("not today")
        return next()

    opened: list[dict[str, Any]] = []

    @bolt.event("app_home_opened")
    def hear(event: dict[str, Any]) -> None:
        opened.append(event)

    connect()
    slack.acting_as("U1ANA").open_home()

    event = slack.workspace.wait_for(lambda: opened)[0]
    assert (event["user"], event["tab"]) == ("U1ANA", "home")
    assert headers[1]["x-slack-retry-num"] == ["1"]
    assert headers[2]["x-slack-retry-num"] == ["2"]
    assert headers[2]["x-slack-retry-reason"] == ["timeout"]

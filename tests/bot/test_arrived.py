"""What needs no words is acknowledged as it is read from the WebSocket, whatever else the bot is at."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.app import build_app, needs_no_words
from bot.channels import ChannelNames
from bot.demo.people import ANA
from bot.demo.slack import SlackStandIn
from bot.desk import Desk
from bot.doors import SocketDoor
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands import COMMANDS
from commands._drawing import draw
from commands._types import Context
from tests.e2e.scene import wait_for

FINOPS = "C06F1N0PSX2"


class Wire:
    """A bot whose listeners do nothing until they are let go."""

    def __init__(self, slack: SlackStandIn, client: WebClient) -> None:
        self.go = threading.Event()
        self.worked_on: list[str] = []
        self.app = App(client=client, token_verification_enabled=False, request_verification_enabled=False)
        self.app.command("/trace-audit")(self._listen)
        self.app.command("/trace-fix")(self._speak)
        self.door = SocketDoor(slack.app_token, slack.api_url)
        self.door.open(self.app, lambda envelope: envelope["payload"]["command"] == "/trace-audit")

    def _listen(self, ack: Ack, body: dict[str, Any]) -> None:
        self.go.wait(20)
        ack()
        self.worked_on.append(body["text"])

    def _speak(self, ack: Ack) -> None:
        ack("with words")


@pytest.fixture
def wire(slack: SlackStandIn, client: WebClient) -> Iterator[Wire]:
    made = Wire(slack, client)
    yield made
    made.go.set()
    made.door.close()


def sent(slack: SlackStandIn) -> list[dict[str, Any]]:
    """Every acknowledgement from now on, as the stand-in receives it."""
    received: list[dict[str, Any]] = []
    receive = slack._socket_mode._receive

    def listen_in(text: str) -> None:
        received.append(json.loads(text))
        receive(text)

    slack._socket_mode._receive = listen_in  # type: ignore[method-assign] # of this one alone
    return received


def test_slack_hears_at_once_that_it_arrived_though_every_listener_is_busy(slack: SlackStandIn, wire: Wire) -> None:
    received = sent(slack)
    ana = slack.acting_as(ANA)
    for number in range(60):  # three times as many as there are listeners
        began = time.monotonic()
        assert ana.command(FINOPS, f"/trace-audit {number}").ok
        assert time.monotonic() - began < 1.0  # none of the sixty is worked on yet

    assert wire.worked_on == []
    wire.go.set()
    wait_for(lambda: len(wire.worked_on) == 60, 20)
    assert sorted(wire.worked_on, key=int) == [str(number) for number in range(60)]
    assert [set(one) for one in received] == [{"envelope_id"}] * 60  # and no second time when Bolt was done


def test_words_go_the_usual_way(slack: SlackStandIn, wire: Wire) -> None:
    received = sent(slack)
    assert slack.acting_as(ANA).command(FINOPS, "/trace-fix").ok
    assert [one["payload"] for one in received] == [{"text": "with words"}]


def test_words_that_come_too_late_are_said_in_the_log(
    slack: SlackStandIn, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    client = wire.door._client
    assert client is not None
    client._needs_no_words = lambda _: True
    received = sent(slack)
    assert slack.acting_as(ANA).command(FINOPS, "/trace-fix").ok
    wait_for(lambda: "its request was acknowledged, and they were not sent" in caplog.text)
    assert [set(one) for one in received] == [{"envelope_id"}]
    assert client._acknowledged == set()  # nothing is left behind


def test_that_nothing_came_of_it_is_said_in_the_log(
    slack: SlackStandIn, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    client = wire.door._client
    assert client is not None
    client._needs_no_words = lambda _: True
    assert slack.acting_as(ANA).command(FINOPS, "/trace-exempt").ok  # for which this app has no listener
    wait_for(lambda: "a request was acknowledged, and nothing came of it" in caplog.text)
    assert client._acknowledged == set()


def test_the_first_request_is_taken_though_slack_answers_nothing_just_then(
    slack: SlackStandIn, client: WebClient, context: Context
) -> None:
    who = client.auth_test()
    slack.fail_next("auth.test", error="internal_error", times=5)
    people = SlackPeople(client, slack.workspace.team_id, [ANA], {})
    desk = Desk(context, people, Outbox(context, client, ChannelNames(client), draw))
    door = SocketDoor(slack.app_token, slack.api_url)
    door.open(build_app(COMMANDS, desk, client, "", who), needs_no_words(COMMANDS))
    try:
        assert slack.acting_as(ANA).command(FINOPS, "/trace-exempt list").ok
        wait_for(lambda: "No exemption is in force" in str(slack.workspace.ephemerals(FINOPS, ANA)))
    finally:
        door.close()
        desk.stop()


def test_whoever_cannot_be_looked_at_is_bolts_to_answer(slack: SlackStandIn, wire: Wire) -> None:
    client = wire.door._client
    assert client is not None

    def stumble(_: object) -> bool:
        raise KeyError("payload")

    client._needs_no_words = stumble
    wire.go.set()
    assert slack.acting_as(ANA).command(FINOPS, "/trace-audit 1").ok
    assert wire.worked_on == ["1"]


def test_at_the_end_whatever_was_acknowledged_is_worked_on(slack: SlackStandIn, wire: Wire) -> None:
    ana = slack.acting_as(ANA)
    wire.go.set()
    told: list[str] = []

    def ask(number: int) -> None:
        if ana.command(FINOPS, f"/trace-audit {number}").ok:
            told.append(str(number))

    with ThreadPoolExecutor(30) as pool:
        asking = [pool.submit(ask, number) for number in range(300)]
        wait_for(lambda: len(told) > 40)
        wire.door.close()
        for one in asking:
            one.result()

    assert 40 < len(told) < 300  # it was closed amid them
    wait_for(lambda: len(wire.worked_on) >= len(told), 10)
    assert sorted(wire.worked_on) == sorted(told)


def test_what_lamplighter_knows_is_acknowledged_so_and_forms_and_strangers_are_not() -> None:
    knows = needs_no_words(COMMANDS)
    commands = ("/trace-audit", "/trace-fix", "/trace-exempt", "/trace-report", "/trace-history")
    assert all(knows({"type": "slash_commands", "payload": {"command": command}}) for command in commands)
    assert not knows({"type": "slash_commands", "payload": {"command": "/weather"}})

    button = {"type": "block_actions", "actions": [{"action_id": "approve-fix"}]}
    assert knows({"type": "interactive", "payload": button})
    assert not knows({"type": "interactive", "payload": button | {"actions": [{"action_id": "of-another-version"}]}})
    assert not knows({"type": "interactive", "payload": {"type": "view_submission", "view": {}}})

    assert knows({"type": "events_api", "payload": {"event": {"type": "app_home_opened"}}})
    assert not knows({"type": "events_api", "payload": {"event": {"type": "message"}}})
    assert not knows({"type": "something_new", "payload": {}})

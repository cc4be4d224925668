"""Socket Mode's connection, lost in every way there is: it comes back by itself, says why it is away, and what is typed
meanwhile is answered by Slack with an error and not lost in silence."""

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.demo.people import ANA
from bot.demo.slack import SlackStandIn
from bot.doors import SocketDoor
from bot.socket_mode import SocketClient
from tests.e2e.scene import wait_for

FINOPS = "C06F1N0PSX2"
FAILED = "/trace-audit failed with the error “dispatch_failed”"


@pytest.fixture
def app(client: WebClient) -> App:
    made = App(client=client, token_verification_enabled=False, request_verification_enabled=False)

    @made.command("/trace-audit")
    def listen(ack: Ack) -> None:
        ack("heard")

    return made


@pytest.fixture
def door(slack: SlackStandIn, app: App) -> Iterator[SocketDoor]:
    made = SocketDoor(slack.app_token, slack.api_url, ping_seconds=0.2)  # a 25th of the usual
    made.open(app, lambda _: False)
    yield made
    made.close()
    assert not made.alive


def heard(slack: SlackStandIn) -> bool:
    return slack.acting_as(ANA).command(FINOPS, "/trace-audit").ok


def half_close(slack: SlackStandIn) -> None:
    """The other side ends without a word, as a server does that dies."""

    async def cut() -> None:
        for connection in slack._socket_mode._connections:
            connection.leaving = True
            connection.request.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)

    slack.call(cut())


def fall_silent(slack: SlackStandIn) -> None:
    """The connection stands, and nothing is heard of it any more: as where a router forgot it."""

    async def pause() -> None:
        for connection in slack._socket_mode._connections:
            connection.leaving = True
            connection.request.transport.pause_reading()

    slack.call(pause())


LOST = {
    "goodbye": lambda slack: slack.drop_connections(goodbye=True),
    "cut": lambda slack: slack.drop_connections(),
    "half closed": half_close,
    "silent": fall_silent,
    "refresh_requested": lambda slack: slack.refresh_connections("refresh_requested"),
    "warning": lambda slack: slack.refresh_connections("warning"),
}


@pytest.mark.parametrize("how", LOST)
def test_a_lost_connection_is_made_again_within_seconds(how: str, slack: SlackStandIn, door: SocketDoor) -> None:
    assert heard(slack)
    before = list(slack._socket_mode._connections)

    LOST[how](slack)

    def made_again() -> bool:
        now = slack._socket_mode._connections
        return slack.connections == 1 and all(one.leaving or one not in now for one in before)

    # While the old one is waited for, which takes slack_sdk 3 s, the new one is not read from.
    wait_for(made_again, 2.5 if how == "warning" else 6, how)
    wait_for(lambda: door.connected()[0], 4)
    assert heard(slack)
    assert door.alive
    assert slack.faults == []


@pytest.mark.parametrize("how", ["cut", "half closed"])
def test_an_end_of_the_connection_is_noticed_at_once_and_not_at_the_next_look(
    how: str, slack: SlackStandIn, app: App
) -> None:
    door = SocketDoor(slack.app_token, slack.api_url, ping_seconds=60)
    door.open(app, lambda _: False)
    try:
        assert heard(slack)
        LOST[how](slack)

        wait_for(lambda: len(slack.calls_of("apps.connections.open")) == 2 and door.connected()[0], 5, how)
        assert heard(slack)
    finally:
        door.close()


def test_a_connection_that_never_answers_a_ping_is_given_up(slack: SlackStandIn, door: SocketDoor) -> None:
    session = door._client.current_session
    wait_for(lambda: session.last_ping_pong_time)
    fall_silent(slack)
    wait_for(lambda: time.time() - session.last_ping_pong_time > 0.3)
    session.last_ping_pong_time = None  # as if there had been none, which slack_sdk waits for

    wait_for(lambda: len(slack.calls_of("apps.connections.open")) > 1, 5, "another connection")


def test_while_it_is_away_slack_says_so_to_who_asks_and_it_says_why(slack: SlackStandIn, door: SocketDoor) -> None:
    slack.pause_connections()
    wait_for(lambda: not door.connected()[0], 4)
    assert slack.acting_as(ANA).command(FINOPS, "/trace-audit").error == FAILED
    wait_for(lambda: "Slack takes no WebSocket" in door.connected()[1], 4)

    slack.resume_connections()
    wait_for(lambda: door.connected()[0], 6)
    assert heard(slack)


def test_a_token_that_is_revoked_meanwhile_is_named_and_tried_again(
    slack: SlackStandIn, door: SocketDoor, caplog: pytest.LogCaptureFixture
) -> None:
    slack.fail_next("apps.connections.open", error="token_revoked", times=2)
    slack.drop_connections()

    wait_for(lambda: "token_revoked. Set SLACK_APP_TOKEN" in door.connected()[1] + caplog.text, 4)
    wait_for(lambda: door.connected()[0], 6)
    assert "xapp" not in caplog.text.replace("(xapp-…)", "")
    assert "stumbled" not in caplog.text  # for it was foreseen
    assert heard(slack)


def test_slack_is_asked_less_and_less_often_and_not_before_it_wants_to_be(slack: SlackStandIn) -> None:
    client = SocketClient(slack.app_token, web_client=WebClient(token=slack.app_token, base_url=slack.api_url))
    client.logger.setLevel(logging.CRITICAL)
    waits = []
    try:
        slack.fail_next("apps.connections.open", error="internal_error", times=8)
        for _ in range(8):
            with pytest.raises(SlackApiError):
                client.issue_new_wss_url()
            waits.append(round(client._not_before - time.monotonic()))
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]

        slack.fail_next("apps.connections.open", retry_after=90)
        began = time.monotonic()
        with pytest.raises(SlackApiError):
            client.issue_new_wss_url()
        assert time.monotonic() - began < 5
        assert round(client._not_before - time.monotonic()) == 90
        asked = len(slack.calls_of("apps.connections.open"))
        client._monitor_current_session()
        assert len(slack.calls_of("apps.connections.open")) == asked
    finally:
        client.close()


@pytest.fixture
def client_alone(slack: SlackStandIn) -> Iterator[SocketClient]:
    """Asks only when a test has it ask."""
    made = SocketClient(slack.app_token, web_client=WebClient(token=slack.app_token, base_url=slack.api_url, timeout=5))
    yield made
    made.close()


@pytest.mark.parametrize("away", ["all of it", "its WebSockets"])
def test_slack_that_is_away_is_asked_less_and_less_often_too(
    slack: SlackStandIn, client_alone: SocketClient, away: str
) -> None:
    waits = []
    slack.go_away() if away == "all of it" else slack.pause_connections()
    for _ in range(3):
        with pytest.raises((OSError, SlackClientError)):
            client_alone.open()
        waits.append(round(client_alone._not_before - time.monotonic()))

    assert waits[0] == 1
    assert waits == sorted(set(waits))


def test_once_it_is_connected_the_next_loss_is_mended_as_quickly_as_the_first(
    slack: SlackStandIn, client_alone: SocketClient
) -> None:
    slack.fail_next("apps.connections.open", error="internal_error", times=4)
    for _ in range(4):
        with pytest.raises(SlackApiError):
            client_alone.open()
    client_alone.open()
    slack.fail_next("apps.connections.open", error="internal_error")
    with pytest.raises(SlackApiError):
        client_alone.issue_new_wss_url()

    assert round(client_alone._not_before - time.monotonic()) == 1


def test_a_connection_of_which_nothing_was_heard_for_long_is_not_said_to_be_well(door: SocketDoor) -> None:
    client = door._client
    assert client is not None
    wait_for(lambda: client.state()[0])

    assert client.state(time.time() + 100)[0] is False
    assert "Slack has answered no ping for" in client.state(time.time() + 100)[1]


def test_what_was_closed_is_not_connected_again(slack: SlackStandIn, app: App) -> None:
    door = SocketDoor(slack.app_token, slack.api_url, ping_seconds=0.2)
    door.open(app, lambda _: False)
    client = door._client
    assert client is not None
    door.close()

    client._monitor_current_session()  # which may have begun before

    assert len(slack.calls_of("apps.connections.open")) == 1


def test_whoever_looks_after_the_connection_outlives_what_nobody_foresaw(
    slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    class Odd(WebClient):
        def apps_connections_open(self, **_: object) -> dict[str, object]:  # type: ignore[override] # as Slack never did
            return {"ok": True}

    client = SocketClient(slack.app_token, web_client=Odd(token=slack.app_token, base_url=slack.api_url))
    client._monitor_current_session()
    client.close()

    assert "looking after the connection stumbled, and goes on" in caplog.text


def test_a_websocket_that_is_refused_is_no_connection(slack: SlackStandIn, app: App) -> None:
    slack.pause_connections()
    door = SocketDoor(slack.app_token, slack.api_url, ping_seconds=0.2)
    try:
        with pytest.raises(SlackClientError):
            door.open(app, lambda _: False)
        assert door.connected() == (False, "Socket Mode is not connected: Slack takes no WebSocket")
    finally:
        door.close()


def test_what_was_taken_is_acknowledged_before_it_hangs_up(slack: SlackStandIn, client: WebClient) -> None:
    app = App(client=client, token_verification_enabled=False, request_verification_enabled=False)
    entered, go = threading.Event(), threading.Event()

    @app.command("/trace-audit")
    def listen(ack: Ack) -> None:
        entered.set()
        go.wait(10)
        ack("done")

    door = SocketDoor(slack.app_token, slack.api_url, ping_seconds=0.2)
    door.open(app, lambda _: False)
    outcomes: list[bool] = []
    asking = threading.Thread(target=lambda: outcomes.append(heard(slack)))
    asking.start()
    assert entered.wait(10)
    closing = threading.Thread(target=door.close)
    closing.start()
    go.set()
    asking.join(10)
    closing.join(10)

    assert outcomes == [True]

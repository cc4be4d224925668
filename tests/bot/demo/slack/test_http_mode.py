"""HTTP mode: signed requests to a real Bolt app behind its WSGI adapter."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from slack_bolt import Ack, App, Respond
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk import WebClient

from bot.demo.slack import SlackStandIn, Workspace
from tests.bot.demo.slack.conftest import actions, button, reason_modal


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name for it
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[WSGIServer]:
    def nobody(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("500 Internal Server Error", [])
        return [b""]

    server = make_server("127.0.0.1", 0, nobody, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def slack(manifest: Path, workspace: Workspace, server: WSGIServer, ack_seconds: float) -> Iterator[SlackStandIn]:
    url = f"http://127.0.0.1:{server.server_port}/slack/events"
    stand_in = SlackStandIn(
        manifest, workspace, request_url=url, ack_seconds=ack_seconds, event_retry_seconds=(0, 0, 0)
    )
    with stand_in:
        yield stand_in


@pytest.fixture
def serve(server: WSGIServer, slack: SlackStandIn) -> Callable[..., App]:
    """Puts a Bolt app behind the request URL."""

    def serve(signing_secret: str | None = None) -> App:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        app = App(client=client, signing_secret=signing_secret or slack.signing_secret)
        server.set_app(SlackRequestHandler(app))
        return app

    return serve


def test_commands_clicks_and_submissions_go_to_the_request_url(slack: SlackStandIn, serve: Callable[..., App]) -> None:
    app = serve()
    taken: list[Any] = []

    @app.command("/trace-audit")
    def audit(ack: Ack, respond: Respond, command: dict[str, Any]) -> None:
        ack("looking")
        respond(f"team {command['text']}")

    @app.action("fix")
    def fix(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=reason_modal())

    @app.view("exempt")
    def exempt(ack: Ack, view: dict[str, Any]) -> None:
        taken.append(view["state"]["values"]["why"]["reason"]["value"])
        ack(response_action="errors", errors={"why": "no"}) if len(taken) == 1 else ack()

    ana = slack.acting_as("U1ANA")
    assert ana.command("C1PAY", "/trace-audit pay").ok
    slack.workspace.wait_for(lambda: len(slack.workspace.ephemerals("C1PAY", "U1ANA")) == 2)
    said = [message.text for message in slack.workspace.ephemerals("C1PAY", "U1ANA")]
    assert sorted(said) == ["looking", "team pay"]

    app.client.chat_postMessage(channel="C1PAY", text="Dark", blocks=[actions(button())])
    assert ana.click(slack.workspace.messages("C1PAY")[-1], "fix").ok
    assert ana.submit(ana.modal()["id"], reason="a").errors == {"why": "no"}
    assert ana.submit(ana.modal()["id"], reason="b").ok
    assert taken == ["a", "b"]
    assert slack.faults == []


def test_events_come_after_the_challenge(slack: SlackStandIn, serve: Callable[..., App]) -> None:
    app = serve()
    opened: list[dict[str, Any]] = []

    @app.event("app_home_opened")
    def hear(event: dict[str, Any]) -> None:
        opened.append(event)

    slack.acting_as("U1ANA").open_home()

    assert slack.workspace.wait_for(lambda: opened)[0]["user"] == "U1ANA"
    assert slack.faults == []


def test_an_app_with_another_signing_secret_refuses_what_the_stand_in_sends(
    slack: SlackStandIn, serve: Callable[..., App]
) -> None:
    app = serve(signing_secret="not the right one")
    app.command("/trace-audit")(lambda ack: ack())

    outcome = slack.acting_as("U1ANA").command("C1PAY", "/trace-audit")
    slack.acting_as("U1ANA").open_home()

    assert outcome.error == "/trace-audit failed with the error “dispatch_failed”"
    slack.workspace.wait_for(lambda: len(slack.faults) == 2)
    assert "url_verification" in slack.faults[1]


@pytest.mark.parametrize("ack_seconds", [0.3])
def test_an_app_that_is_down_or_slow_fails_like_slack(
    slack: SlackStandIn, serve: Callable[..., App], server: WSGIServer
) -> None:
    ana = slack.acting_as("U1ANA")
    assert ana.command("C1PAY", "/trace-audit").error == "/trace-audit failed with the error “dispatch_failed”"

    let_go = threading.Event()
    serve().command("/trace-audit")(lambda ack: let_go.wait(5) and ack())
    outcome = ana.command("C1PAY", "/trace-audit")
    let_go.set()

    assert outcome.error == "/trace-audit failed with the error “operation_timeout”"

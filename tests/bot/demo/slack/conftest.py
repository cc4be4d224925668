"""A small workspace, a manifest of its own, and a real Bolt app for it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.demo.slack import BOT_USER_ID, Channel, Person, SlackStandIn, UserGroup, Workspace

MANIFEST = """
display_information:
  name: Lamplighter
features:
  app_home: {home_tab_enabled: true, messages_tab_enabled: false}
  bot_user: {display_name: lamplighter}
  slash_commands:
    - {command: /trace-audit, description: List functions, usage_hint: "[team]", should_escape: true}
    - {command: /plain, description: Not escaped}
oauth_config:
  scopes:
    bot: [commands, chat:write, channels:read, groups:read, files:write, users:read, usergroups:read]
settings:
  event_subscriptions:
    bot_events: [app_home_opened]
  interactivity: {is_enabled: true}
"""


class Clock:
    """The time of day, which a test moves."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def button(action_id: str = "fix", text: str = "Turn on tracing", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **more}


def section(text: str = "refund", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def actions(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements), **more}


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def reason_modal(**more: Any) -> dict[str, Any]:
    """A modal with a required text field, and an optional date."""
    reason = {"type": "plain_text_input", "action_id": "reason", "max_length": 40}
    until = {"type": "datepicker", "action_id": "until"}
    return {
        "type": "modal",
        "callback_id": "exempt",
        "title": plain("Exempt"),
        "submit": plain("Exempt"),
        "blocks": [
            {"type": "input", "block_id": "why", "label": plain("Why"), "element": reason},
            {"type": "input", "block_id": "when", "label": plain("Until"), "element": until, "optional": True},
        ],
        **more,
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Workspace:
    return Workspace(
        people=[
            Person("U1ANA", "ana", "Ana Ruiz", "Engineer", "aa3355"),
            Person("U2BO", "bo", "Bo Lind", "Platform lead", "3355aa"),
            Person("U3GUEST", "gus", "Gus Guest", "Contractor", "55aa33", is_restricted=True),
            Person("U4GONE", "gone", "Gone Away", "", "777777", deleted=True),
        ],
        channels=[
            Channel("C1PAY", "payments", "Pay", members={"U1ANA", "U2BO", "U3GUEST", BOT_USER_ID}),
            Channel("C2OPEN", "general", "All", members={"U1ANA", "U2BO"}),
            Channel("G3SECRET", "board", "Hush", is_private=True, members={"U2BO"}),
            Channel("G4OPS", "ops", "Ops", is_private=True, members={"U1ANA", BOT_USER_ID}),
            Channel("C5OLD", "old", "Old", is_archived=True, members={"U1ANA", BOT_USER_ID}),
        ],
        usergroups=[UserGroup("S1APPROVE", "lambda-approvers", "Approvers", ["U2BO"])],
        clock=clock,
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.yml"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def ack_seconds() -> float:
    """Slack's own patience; tests about losing it parametrize it shorter."""
    return 3.0


@pytest.fixture
def slack(manifest: Path, workspace: Workspace, ack_seconds: float) -> Iterator[SlackStandIn]:
    with SlackStandIn(manifest, workspace, ack_seconds=ack_seconds, event_retry_seconds=(0.0, 0.05, 0.05)) as stand_in:
        yield stand_in


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient(slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def bolt(slack: SlackStandIn, client: WebClient) -> App:
    """A Bolt app that is not connected yet."""
    logger = logging.getLogger("test-bolt")
    return App(client=client, logger=logger, listener_executor=ThreadPoolExecutor(max_workers=10))


@pytest.fixture
def connect(slack: SlackStandIn, bolt: App) -> Iterator[Callable[[], SocketModeHandler]]:
    """Connects the app by Socket Mode, after the test has put its listeners in."""
    handlers: list[SocketModeHandler] = []

    def connect() -> SocketModeHandler:
        wire = WebClient(slack.app_token, base_url=slack.api_url)
        before = slack.connections
        handler = SocketModeHandler(bolt, slack.app_token, web_client=wire, ping_interval=0.2)
        handler.connect()  # type: ignore[no-untyped-call]  # Bolt leaves it without types
        handlers.append(handler)
        slack.workspace.wait_for(lambda: slack.connections > before)
        return handler

    yield connect
    for handler in handlers:
        handler.client.auto_reconnect_enabled = False
    slack.drop_connections(goodbye=True)
    for handler in handlers:  # closing takes a second or more of waiting for its threads; the next test need not wait
        threading.Thread(target=hang_up, args=(handler,), daemon=True).start()


def hang_up(handler: SocketModeHandler) -> None:
    with contextlib.suppress(AttributeError):  # the client trips over a socket that the other side closed meanwhile
        handler.close()  # type: ignore[no-untyped-call]  # Bolt leaves it without types

"""How Slack reaches the bot: a WebSocket that the bot opens, or HTTP requests that Slack signs."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from slack_bolt import App
from slack_bolt.adapter.socket_mode.base_handler import BaseSocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk import WebClient
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.config import Config
from bot.health import Health
from bot.serving import ARRIVAL_SECONDS, Serving
from bot.socket_mode import PING_SECONDS, NeedsNoWords, SocketClient

log = logging.getLogger(__name__)

CONCURRENCY = 20
SLACK_TIMEOUT_SECONDS = 15
EVENTS = "/slack/events"


class Door(Protocol):
    def prepare(self) -> None:
        """What can be there before Slack answers."""

    def open(self, app: App, needs_no_words: NeedsNoWords) -> None:
        """From now on requests come in; over a WebSocket, those that need no words are acknowledged as they are read.
        Raises SlackClientError or OSError where Slack does not answer."""

    def close(self) -> None:
        """No more requests come in."""

    def end(self) -> None:
        """When all else has ended."""

    def connected(self) -> tuple[bool, str]:
        """Whether requests can come in, and why, or why not."""

    @property
    def alive(self) -> bool:
        """Whether its threads live."""


def door_for(config: Config, health: Health) -> Door:
    """Socket Mode where there is an app-level token, else HTTP. Raises ConfigProblem."""
    token = config.environment.slack_app_token
    if token:
        return SocketDoor(token, config.slack_api_url)
    return HttpDoor(config, health)


class SocketDoor:
    """Socket Mode. Later drops are mended by the client; the first connection is tried by whoever opens the door."""

    def __init__(self, app_token: str, base_url: str, *, ping_seconds: float = PING_SECONDS) -> None:
        self._token, self._base_url, self._ping_seconds = app_token, base_url, ping_seconds
        self._client: SocketClient | None = None

    def prepare(self) -> None:
        """Nothing: until Slack answers there is no one to connect to."""

    def open(self, app: App, needs_no_words: NeedsNoWords) -> None:
        if self._client is None:
            self._client = SocketClient(
                self._token,
                logger=app.logger,
                web_client=WebClient(token=self._token, base_url=self._base_url, timeout=SLACK_TIMEOUT_SECONDS),
                concurrency=CONCURRENCY,
                ping_interval=self._ping_seconds,
                needs_no_words=needs_no_words,
            )
            self._client.socket_mode_request_listeners.append(_Handler(app).handle)
        self._client.open()

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def end(self) -> None:
        """It is closed already."""

    def connected(self) -> tuple[bool, str]:
        return self._client.state() if self._client else (False, "Socket Mode has not been tried yet")

    @property
    def alive(self) -> bool:
        return self._client is not None and self._client.threads_alive


class _Handler(BaseSocketModeHandler):
    def __init__(self, app: App) -> None:
        self.app = app

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        began = time.time()
        send_response(client, req, run_bolt_app(self.app, req), began)


class HttpDoor:
    """Signed requests at /slack/events, and beside them /healthz, /readyz and /metrics.

    There from the start to the end, so that load balancers see what is the matter; where the bot is not ready for
    requests, or no longer, Slack is told to come again.
    """

    def __init__(self, config: Config, health: Health, *, arrival_seconds: float = ARRIVAL_SECONDS) -> None:
        """Raises ConfigProblem where the address cannot be used."""
        from bot.probes import Probes
        from bot.signed import Signed

        self._signed = signed = Signed(config.environment.slack_signing_secret)
        self.probes = probes = Probes(health, told=False, token=config.environment.lamplighter_metrics_token)

        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == EVENTS:
                return signed(environ, start_response)
            return probes(environ, start_response)

        self._serving = Serving(
            "[slack] listen", config.file.slack.listen, serve, CONCURRENCY, arrival_seconds=arrival_seconds
        )

    def prepare(self) -> None:
        self._serving.open()

    def open(self, app: App, needs_no_words: NeedsNoWords) -> None:  # noqa: ARG002 - here the answer tells all
        from slack_bolt.adapter.wsgi import SlackRequestHandler

        self._signed.bolt = SlackRequestHandler(app, path=EVENTS)
        log.info("listening for Slack at %s", EVENTS)

    def close(self) -> None:
        self._signed.bolt = None

    def end(self) -> None:
        self._serving.close()

    def connected(self) -> tuple[bool, str]:
        if self._signed.bolt is None:
            return False, f"{EVENTS} takes no requests now"
        return True, f"Slack answers, and {EVENTS} takes its requests"

    @property
    def alive(self) -> bool:
        return self._serving.alive

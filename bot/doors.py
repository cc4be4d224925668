"""How Slack reaches the bot: a WebSocket that the bot opens, or HTTP requests that Slack signs."""

import logging
import threading
from typing import Protocol

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.config import Config, ConfigProblem

log = logging.getLogger(__name__)

CONCURRENCY = 20
PING_SECONDS = 5.0


class Door(Protocol):
    def open(self) -> None:
        """Raises SlackClientError or OSError where Slack does not answer."""

    def close(self) -> None:
        """No more requests come in."""


def door_for(config: Config, app: App) -> Door:
    """Socket Mode where there is an app-level token, else HTTP."""
    token = config.environment.slack_app_token
    return SocketDoor(app, token, config.slack_api_url) if token else HttpDoor(app, config.file.slack.listen)


class SocketDoor:
    """Socket Mode. Later drops are mended by the SDK; the first connection is tried by whoever opens the door."""

    def __init__(self, app: App, app_token: str, base_url: str) -> None:
        self._handler = SocketModeHandler(
            app,
            app_token,
            web_client=WebClient(token=app_token, base_url=base_url),
            concurrency=CONCURRENCY,
            ping_interval=PING_SECONDS,
        )

    def open(self) -> None:
        self._handler.connect()  # type: ignore[no-untyped-call] # Bolt leaves it untyped

    def close(self) -> None:
        self._handler.close()  # type: ignore[no-untyped-call] # Bolt leaves it untyped


class HttpDoor:
    """Signed requests at /slack/events, and /healthz for load balancers."""

    def __init__(self, app: App, listen: str) -> None:
        from slack_bolt.adapter.wsgi import SlackRequestHandler
        from waitress import create_server

        handler = SlackRequestHandler(app, path="/slack/events")

        def serve(environ, start_response):  # type: ignore[no-untyped-def] # WSGI's own shapes
            if environ.get("PATH_INFO") == "/healthz":
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"ok"]
            return handler(environ, start_response)

        try:
            self._server = create_server(serve, listen=listen, threads=CONCURRENCY)
        except OSError as problem:
            raise ConfigProblem(
                f"lamplighter.toml: [slack] listen: {listen} cannot be used ({problem.strerror}). Choose another port."
            ) from problem
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def open(self) -> None:
        if not self._thread.is_alive():
            self._thread.start()
            log.info("listening for Slack at /slack/events")

    def close(self) -> None:
        self._closing = True
        self._server.close()

    def _run(self) -> None:
        try:
            self._server.run()
        except OSError:  # it may be waiting for the socket that is closed under it
            if not self._closing:
                raise

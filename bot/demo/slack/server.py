"""The stand-in itself: one server on loopback, in a thread of its own, with everything built once."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Self, TypeVar

from aiohttp import web

from bot.demo.slack.app import read_manifest
from bot.demo.slack.chat_methods import ChatMethods
from bot.demo.slack.delivery import Delivery
from bot.demo.slack.doors import Doors
from bot.demo.slack.file_methods import FileMethods
from bot.demo.slack.http_mode import HttpMode
from bot.demo.slack.interactions import EVENT_RETRY_SECONDS, Interactions
from bot.demo.slack.modals import Modals
from bot.demo.slack.nouns import Call, Json
from bot.demo.slack.page_api import PageApi
from bot.demo.slack.page_json import PageJson
from bot.demo.slack.persona import Persona
from bot.demo.slack.rates import Rates
from bot.demo.slack.responses import Responses
from bot.demo.slack.socket_mode import SocketMode
from bot.demo.slack.tickets import Tickets
from bot.demo.slack.view_methods import ViewMethods
from bot.demo.slack.web_api import WebApi
from bot.demo.slack.workspace import Workspace
from bot.demo.slack.workspace_methods import WorkspaceMethods

ACK_SECONDS = 3.0
APPS_OWN = ("/api/", "/link/", "/commands/", "/actions/", "/upload/")

T = TypeVar("T")


class SlackStandIn:
    """A strict local Slack with one app installed from `manifest`.

    The app comes by Socket Mode, unless `request_url` is given: then it is sent signed HTTP requests. `ack_seconds`
    and `event_retry_seconds` are Slack's own times; tests make them shorter. `faults` collects what the app did that
    Slack would not have taken: a good run leaves it empty.
    """

    def __init__(
        self,
        manifest: Path,
        workspace: Workspace,
        port: int = 0,
        *,
        request_url: str | None = None,
        ack_seconds: float = ACK_SECONDS,
        event_retry_seconds: tuple[float, ...] = EVENT_RETRY_SECONDS,
        posts_per_second: float = 1.0,
        post_burst: int = 5,
        posts_per_minute: int | None = None,
        tiers: bool = True,
    ) -> None:
        self.workspace = workspace
        self.app = read_manifest(Path(manifest))
        workspace.put_person(self.app.bot_person(workspace.team_id))
        self.faults: list[str] = []
        self.rates = Rates(
            workspace.clock,
            posts_per_second=posts_per_second,
            post_burst=post_burst,
            posts_per_minute=posts_per_minute,
            tiers=tiers,
        )
        self.modals = Modals(workspace, self.app)
        self.request_url = request_url
        self._port = port
        self._ack_seconds = ack_seconds
        self._event_retry_seconds = event_retry_seconds
        self._away = False
        self._settled = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._socket_mode: SocketMode | None = None
        self._interactions: Interactions | None = None
        self._web_api: WebApi | None = None
        self.url = ""

    # -- for whoever starts it -----------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen on 127.0.0.1; returns when `url` answers. Raises OSError where the port is taken."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, args=(listener,), name="slack-stand-in", daemon=True)
        self._thread.start()
        self._settled.wait()
        if self._interactions is None:
            raise RuntimeError("the stand-in did not start; the thread slack-stand-in wrote why")
        return self

    def stop(self) -> None:
        """Close everything; returns when the port is free."""
        if self._loop is not None and self._thread is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bot_token(self) -> str:
        return self.app.bot_token

    @property
    def app_token(self) -> str:
        return self.app.app_token

    @property
    def signing_secret(self) -> str:
        return self.app.signing_secret

    @property
    def api_url(self) -> str:
        """For SLACK_API_URL."""
        return f"{self.url}/api/"

    # -- for tests -----------------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Call]:
        """Every Web API call so far, oldest first."""
        return list(self._started(self._web_api).calls)

    def calls_of(self, method: str) -> list[Call]:
        return list(self._started(self._web_api).calls_by_method.get(method, ()))

    def views(self, person_id: str) -> list[Json]:
        """The person's open modals, the one on top last."""
        return self.modals.stack(person_id)

    def home(self, person_id: str) -> Json | None:
        return self.modals.home(person_id)

    def acting_as(self, person_id: str) -> Persona:
        """Somebody's hands: commands, clicks and forms from Python."""
        return Persona(person_id, self._started(self._interactions), self.workspace, self.modals, self.call)

    def fail_next(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        times: int = 1,
        after_effect: bool = False,
        channel: str | None = None,
    ) -> None:
        """Let the next `times` calls of a method fail: an `error` (status 200), 429, 500, or 0 for a lost connection.

        Without anything else it is a 429 with `Retry-After: 1`. With `after_effect` the call is carried out first and
        only its answer is lost, as when a network breaks at the wrong moment. With `channel`, an id, only calls
        about that channel fail.
        """
        if status is None:
            status = 200 if error else 429
        if status == 429 and retry_after is None:
            retry_after = 1
        self.rates.fail_next(method, error or "ratelimited", status, retry_after, times, after_effect, channel)

    def storm(self, every: int, *, retry_after: int = 1, methods: Collection[str] = ()) -> None:
        """Answer every `every`th call of these methods, or of all, with 429; `storm(0)` ends it."""
        self.rates.storm(every, retry_after, methods)

    def wait_until_connected(self, seconds: float = 10.0) -> None:
        """Wait for the app's first WebSocket."""
        self.workspace.wait_for(lambda: self.connections > 0, seconds)

    @property
    def connections(self) -> int:
        return self._socket_mode.connections if self._socket_mode else 0

    def drop_connections(self, *, goodbye: bool = False) -> None:
        """Cut all WebSockets as a broken network would, or close them properly.

        Without a goodbye slack_sdk's built-in client needs five of its pings to notice.
        """
        if self._socket_mode is not None:
            self.call(self._socket_mode.drop(goodbye=goodbye))

    def refresh_connections(self, reason: str = "refresh_requested") -> None:
        """Ask the app to reconnect: `warning`, `refresh_requested` or `link_disabled`."""
        if self._socket_mode is not None:
            self.call(self._socket_mode.refresh(reason))

    def pause_connections(self) -> None:
        """Close all WebSockets and take no new one until `resume_connections`; the Web API goes on."""
        if self._socket_mode is not None:
            self._socket_mode.paused = True
            self.drop_connections(goodbye=True)

    def resume_connections(self) -> None:
        if self._socket_mode is not None:
            self._socket_mode.paused = False

    def go_away(self) -> None:
        """Be unreachable to the app (not to the page) until `come_back`: connections break and none is taken."""
        self._away = True
        self.drop_connections()

    def come_back(self) -> None:
        self._away = False

    def call(self, work: Awaitable[T]) -> T:
        """Run a coroutine in the stand-in's thread and wait for what it gives."""

        async def run() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._started(self._loop)).result()

    # -- inside --------------------------------------------------------------------------------------------

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(listener))
        finally:
            self._settled.set()

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = web.Application(middlewares=[self._reachable], client_max_size=64 * 1024**2)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.5)
        delivery = self._build(server)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        self._settled.set()
        await self._stopping.wait()
        await self._started(self._interactions).close()
        await delivery.close()
        serving = runner.server
        await runner.cleanup()
        await _let_go(serving)

    def _build(self, server: web.Application) -> Delivery:
        workspace, app, modals = self.workspace, self.app, self.modals
        tickets = Tickets(workspace.clock)
        responses = Responses(workspace, app, tickets)
        delivery: Delivery
        if self.request_url is None:
            delivery = self._socket_mode = SocketMode(tickets, app.id, self._ack_seconds, self.faults)
            server.router.add_get("/link/", self._socket_mode.connect)
        else:
            delivery = HttpMode(app, self.request_url, self._ack_seconds)
        self._interactions = Interactions(
            workspace, app, modals, tickets, responses, delivery, self.url, self.faults, self._event_retry_seconds
        )
        chat = ChatMethods(workspace, app, self.url)
        files = FileMethods(workspace, app, chat, self.url)
        asks = WorkspaceMethods(workspace, app, chat, tickets, self.url.replace("http", "ws", 1) + "/link/")
        views = ViewMethods(workspace, app, modals, tickets)
        methods = asks.methods() | chat.methods() | views.methods() | files.methods()
        self._web_api = WebApi(app, workspace, self.rates, methods)
        page_api = PageApi(workspace, self._interactions, PageJson(workspace, app, modals))
        server.router.add_routes(page_api.routes())
        server.router.add_routes(Doors(workspace, responses, files, self.faults).routes())
        server.router.add_route("*", "/api/{method}", self._web_api.handle)
        return delivery

    @web.middleware
    async def _reachable(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer, unless the stand-in went away: then whatever the app asks for breaks off."""
        if not self._away or not request.path.startswith(APPS_OWN):
            return await handler(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=503)

    def _started(self, part: T | None) -> T:
        if part is None:
            raise RuntimeError("start() the stand-in first")
        return part


async def _let_go(serving: web.Server | None) -> None:
    """Close the connections that were accepted in the very moment of stopping, for nobody else would."""
    for _ in range(3):
        await asyncio.sleep(0.01)
        for connection in serving.connections if serving else ():
            if connection.transport is not None:
                connection.transport.abort()

"""The page's own API: what a browser asks for and is told, as one of the workspace's people."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from bot.demo.slack.delivery import Outcome
from bot.demo.slack.interactions import Interactions
from bot.demo.slack.nouns import Json, Message, Person
from bot.demo.slack.page_json import PageJson
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.workspace import Workspace

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageApi:
    """Routes below /page, and the pushes to open pages. Lives in the stand-in's event loop."""

    def __init__(self, workspace: Workspace, interactions: Interactions, pages: PageJson) -> None:
        self.workspace = workspace
        self.interactions = interactions
        self.pages = pages
        self._listeners: set[tuple[str, asyncio.Queue[Json]]] = set()
        self._loop = asyncio.get_running_loop()
        workspace.observe(self._heard)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/page/state", _answering(self.state)),
            web.get("/page/messages", _answering(self.messages)),
            web.get("/page/home", _answering(self.home)),
            web.get("/page/views", _answering(self.views)),
            web.get("/page/events", self.events),
            web.post("/page/command", _answering(self.command)),
            web.post("/page/say", _answering(self.say)),
            web.post("/page/action", _answering(self.action)),
            web.post("/page/view/submit", _answering(self.submit)),
            web.post("/page/view/close", _answering(self.close_view)),
            web.post("/page/read", _answering(self.read)),
        ]

    # -- looking -------------------------------------------------------------------------------------------

    async def state(self, request: web.Request) -> Json:
        return self.pages.state(self._viewer(request))

    async def messages(self, request: web.Request) -> Json:
        person, channel_id = self._viewer(request), request.query.get("channel", "")
        channel = self.workspace.channel(channel_id)
        if channel is None or (channel.is_private and person.id not in channel.members):
            raise Refusal("channel_not_found")
        return {"messages": self.pages.messages(person, channel_id, request.query.get("thread"))}

    async def home(self, request: web.Request) -> Json:
        person = self._viewer(request)
        self.interactions.open_home(person.id)
        return {"view": self.pages.home(person.id)}

    async def views(self, request: web.Request) -> Json:
        return {"stack": self.pages.stack(self._viewer(request).id)}

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket on which an open page hears of changes."""
        person = self.workspace.person(request.query.get("as", ""))
        if person is None:
            return web.json_response({"ok": False, "error": "user_not_found"}, status=404)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        listener = (person.id, asyncio.Queue[Json]())
        self._listeners.add(listener)
        pump = asyncio.create_task(_pump(listener[1], socket))
        try:
            async for frame in socket:
                if frame.type == WSMsgType.ERROR:
                    break
        finally:
            self._listeners.discard(listener)
            pump.cancel()
        return socket

    # -- doing ---------------------------------------------------------------------------------------------

    async def command(self, request: web.Request) -> Json:
        body = await _body(request)
        return _told(await self.interactions.command(_text(body, "as"), _text(body, "channel"), _text(body, "text")))

    async def say(self, request: web.Request) -> Json:
        body = await _body(request)
        message = self.interactions.say(
            _text(body, "as"), _text(body, "channel"), _text(body, "text"), body.get("thread_ts")
        )
        return {"ok": True, "ts": message.ts}

    async def action(self, request: web.Request) -> Json:
        """A click or a choice: the action beside `as`, or inside `action`; `values` are a modal's other fields."""
        body = await _body(request)
        action = body["action"] if isinstance(body.get("action"), dict) else body
        if body.get("view_id"):
            return _told(
                await self.interactions.act_on_view(
                    _text(body, "as"), _text(body, "view_id"), action, body.get("values")
                )
            )
        return _told(
            await self.interactions.act_on_message(
                _text(body, "as"), _text(body, "channel"), _text(body, "message_ts"), action
            )
        )

    async def submit(self, request: web.Request) -> Json:
        body = await _body(request)
        return _told(
            await self.interactions.submissions.submit(
                _text(body, "as"), _text(body, "view_id"), body.get("values") or {}
            )
        )

    async def close_view(self, request: web.Request) -> Json:
        body = await _body(request)
        return _told(await self.interactions.submissions.close(_text(body, "as"), _text(body, "view_id")))

    async def read(self, request: web.Request) -> Json:
        body = await _body(request)
        self.workspace.mark_read(_text(body, "as"), _text(body, "channel"))
        return {"ok": True}

    # -- pushing -------------------------------------------------------------------------------------------

    def _heard(self, kind: str, details: Json) -> None:
        if self._listeners and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._push, kind, details)

    def _push(self, kind: str, details: Json) -> None:
        for person_id, queue in list(self._listeners):
            for news in self._news(kind, details, person_id):
                queue.put_nowait(news)

    def _news(self, kind: str, details: Json, person_id: str) -> list[Json]:
        """What one person's page is told about a change: nothing where it is not theirs to see."""
        if details.get("person") not in (None, person_id):
            return []
        if kind == "views":
            return [{"type": "views", "stack": self.pages.stack(person_id)}]
        if kind == "home":
            return [{"type": "home", "view": self.pages.home(person_id)}]
        if kind == "toast":
            return [{"type": "toast", "text": details["text"]}]
        channel = self.workspace.channel(details.get("channel", ""))
        if channel is None or (channel.is_private and person_id not in channel.members):
            return []
        unread = {"type": "unread", "channel": channel.id, "unread": self.workspace.unread(person_id, channel.id)}
        if kind == "read":
            return [unread]
        if kind == "deleted":
            return [{"type": "deleted", "channel": channel.id, "ts": details["ts"]}, unread]
        message = self.workspace.message(channel.id, details["ts"], person_id)
        return self._message_news(kind, message, person_id, unread) if message else []

    def _message_news(self, kind: str, message: Message, person_id: str, unread: Json) -> list[Json]:
        shown = {"type": kind, "channel": message.channel, "message": self.pages.message(message, person_id)}
        return [shown, unread] if kind == "message" and unread["unread"] else [shown]

    def _viewer(self, request: web.Request) -> Person:
        """Who looks; the first of the people where the page does not know yet."""
        asked = request.query.get("as")
        person = self.workspace.person(asked) if asked else next(iter(self.workspace.people()), None)
        if person is None:
            raise Refusal("user_not_found")
        return person


def _answering(answer: Callable[[web.Request], Awaitable[Json]]) -> Handler:
    """A handler that answers with JSON, and with `{"ok": false}` where something was refused."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await answer(request))
        except Refusal as refusal:
            status = 200 if request.method == "POST" else 404
            error = "; ".join([refusal.error, *refusal.messages])
            return web.json_response({"ok": False, "error": error}, status=status)

    return handler


async def _body(request: web.Request) -> Json:
    try:
        body: Any = await request.json()
    except ValueError as problem:
        raise Refusal("invalid_json") from problem
    if not isinstance(body, dict):
        raise Refusal("json_not_object")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise Refusal("invalid_arguments", messages=[f"missing {name}"])
    return value


def _told(outcome: Outcome) -> Json:
    if outcome.ok:
        return {"ok": True}
    if outcome.errors:
        return {"ok": False, "errors": outcome.errors}
    return {"ok": False, "error": outcome.error}


async def _pump(queue: asyncio.Queue[Json], socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_json(await queue.get())

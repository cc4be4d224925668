"""Socket Mode: WebSockets that the app opens, envelopes down, acknowledgements up."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from bot.demo.slack.delivery import FAILED, TIMEOUT, Ack, Kind, Retry
from bot.demo.slack.nouns import Json
from bot.demo.slack.tickets import Tickets

MOST_CONNECTIONS = 10


@dataclass(eq=False)
class _Connection:
    socket: web.WebSocketResponse
    request: web.Request
    leaving: bool = False  # was told to reconnect: gets nothing new, but may still acknowledge


@dataclass
class SocketMode:
    """All connections of the app. Each envelope goes to any one of them, and is waited for `ack_seconds`.

    `faults` collects what the app did against the protocol. Lives in the stand-in's event loop.
    """

    tickets: Tickets
    app_id: str
    ack_seconds: float
    faults: list[str]
    paused: bool = False  # no WebSocket is taken
    _connections: list[_Connection] = field(default_factory=list)
    _waiting: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    @property
    def connections(self) -> int:
        """How many connections take envelopes now."""
        return sum(not each.leaving for each in self._connections)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket behind apps.connections.open's URL."""
        if self.paused:
            return web.Response(status=503)
        if not self.tickets.use_connection(request.query.get("ticket", "")):
            return web.Response(status=401, text="the ticket is unknown, used, or old")
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket, request)
        left = [each for each in self._connections if each.leaving]
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            for old in left:  # the app has its new connection: now the refreshed one goes
                await old.socket.close()
            async for frame in socket:
                if frame.type == WSMsgType.TEXT:
                    self._receive(frame.data)
        finally:
            self._connections.remove(connection)
        return socket

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Ack:
        open_ones = [each for each in self._connections if not each.leaving and not each.socket.closed]
        if not open_ones:
            return Ack(failure=FAILED, reason="connection_failed")
        envelope: Json = {
            "envelope_id": str(uuid.uuid4()),
            "payload": payload,
            "type": kind,
            "accepts_response_payload": kind == "slash_commands" or payload.get("type") == "view_submission",
        }
        if kind == "events_api":
            envelope["retry_attempt"] = retry.number if retry else 0
            envelope["retry_reason"] = retry.reason if retry else ""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[envelope["envelope_id"]] = answer
        try:
            await random.choice(open_ones).socket.send_json(envelope)
            return Ack(await asyncio.wait_for(answer, self.ack_seconds))
        except TimeoutError:
            return Ack(failure=TIMEOUT, reason="timeout")
        except ConnectionError:
            return Ack(failure=FAILED, reason="connection_failed")
        finally:
            self._waiting.pop(envelope["envelope_id"], None)

    async def ready_for_events(self) -> bool:
        return True

    async def drop(self, *, goodbye: bool) -> None:
        """End every connection: with a closing frame, or cut as by a broken network."""
        for connection in list(self._connections):
            connection.leaving = True
            if goodbye:
                await connection.socket.close()
            elif connection.request.transport is not None:
                connection.request.transport.abort()

    async def refresh(self, reason: str) -> None:
        """Ask the app to reconnect, as Slack does every few hours; `warning` only says that it will be soon.

        The old connection stays for acknowledgements until the new one is there.
        """
        for connection in list(self._connections):
            connection.leaving = reason != "warning"
            await connection.socket.send_json(_disconnect(reason))

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close()

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {"host": "applink-local", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self.app_id},
        }

    def _receive(self, text: str) -> None:
        try:
            message = json.loads(text)
            envelope_id = message["envelope_id"]
        except (ValueError, KeyError, TypeError):
            self.faults.append(f"not a Socket Mode answer: {text[:200]}")
            return
        answer = self._waiting.get(envelope_id)
        # One that is no longer waited for came too late; the fault was written down when the time was over.
        if answer is not None and not answer.done():
            answer.set_result(message.get("payload") or None)


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-local"}}

"""The plain HTTP doors beside the two APIs: the page itself, response URLs, uploads, files, permalinks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.demo.slack.file_methods import FileMethods
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.responses import Responses
from bot.demo.slack.workspace import Workspace

PAGE = Path(__file__).with_name("page.html")
USED_UP = {"used_url", "expired_url", "no_service"}


class Doors:
    """`faults` gets what an app posted to a response URL in vain."""

    def __init__(self, workspace: Workspace, responses: Responses, files: FileMethods, faults: list[str]) -> None:
        self.workspace = workspace
        self.responses = responses
        self.files = files
        self.faults = faults

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.page),
            web.get("/favicon.ico", self.no_icon),
            web.post("/commands/{team}/{app}/{secret}", self.respond),
            web.post("/actions/{team}/{app}/{secret}", self.respond),
            web.route("*", "/upload/v1/{file}", self.upload),
            web.get("/files/{file}/{name}", self.download),
            web.get("/archives/{channel}/{message}", self.permalink),
        ]

    async def page(self, _request: web.Request) -> web.StreamResponse:
        """page.html, read at each request so that it can be worked on."""
        if not PAGE.is_file():
            return web.Response(text="page.html is not there yet", status=404)
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-store"})

    async def no_icon(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=204)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response URL: 404 where it is used up, 400 where the message cannot be taken."""
        try:
            self.responses.by_url(request.match_info["secret"], _payload(await request.text()))
        except Refusal as refusal:
            self.faults.append(f"a response URL refused: {refusal.error} {refusal.messages}")
            return web.json_response(refusal.answer(), status=404 if refusal.error in USED_UP else 400)
        return web.json_response({"ok": True})

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file, as the body or as one part of a multipart form."""
        try:
            self.files.receive(request.match_info["file"], await _content(request))
        except Refusal as refusal:
            return web.Response(text=refusal.error, status=400)
        return web.Response(text="OK")

    async def download(self, request: web.Request) -> web.StreamResponse:
        file = self.workspace.file(request.match_info["file"])
        if file is None or file.content is None:
            return web.Response(status=404)
        # An uploaded page must not run beside the stand-in's own.
        safe = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=file.content, content_type=file.mimetype, headers=safe)

    async def permalink(self, request: web.Request) -> web.StreamResponse:
        """To the page, where the channel is opened, and the message's thread if it is in one."""
        channel, stamp = request.match_info["channel"], request.match_info["message"].removeprefix("p")
        message = self.workspace.message(channel, f"{stamp[:-6]}.{stamp[-6:]}")
        if message is None:
            return web.Response(status=404, text="There is no such message.")
        thread = message.thread_ts or (message.ts if self.workspace.replies(channel, message.ts) else None)
        raise web.HTTPFound(f"/#/{channel}" + (f"?thread={thread}" if thread else ""))


def _payload(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as problem:
        raise Refusal("invalid_payload") from problem


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    part = next(iter(form.values()), b"")
    return part.file.read() if isinstance(part, web.FileField) else str(part).encode()

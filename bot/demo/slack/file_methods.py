"""Uploads in three steps: ask for a place, put the bytes there, share the file."""

from __future__ import annotations

import json
import mimetypes
import threading
from dataclasses import replace
from typing import Any

from bot.demo.slack import payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.chat_methods import ChatMethods
from bot.demo.slack.drafts import parsed
from bot.demo.slack.nouns import Json, SlackFile
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.web_api import Method, number, required
from bot.demo.slack.workspace import Workspace

MOST_ALT_TEXT = 1000


class FileMethods:
    """files.* and the place where the bytes arrive; sharing into a channel needs the bot to be its member."""

    def __init__(self, workspace: Workspace, app: InstalledApp, chat: ChatMethods, base_url: str) -> None:
        self.workspace = workspace
        self.app = app
        self.chat = chat
        self.base_url = base_url
        self._lock = threading.Lock()

    def methods(self) -> dict[str, Method]:
        write = ("files:write",)
        return {
            "files.getUploadURLExternal": Method(self.get_upload_url, write),
            "files.completeUploadExternal": Method(self.complete, write),
        }

    def get_upload_url(self, args: Json) -> Json:
        (name, _) = required(args, "filename", "length")
        length = number(args, "length", 0)
        if length <= 0:
            raise Refusal("invalid_arguments", messages=["[ERROR] must be greater than 0 [json-pointer:/length]"])
        alt_text = str(args.get("alt_txt") or "")
        if len(alt_text) > MOST_ALT_TEXT:
            raise Refusal("alt_txt_too_large")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        file = SlackFile(self.workspace.next_id("F"), name, name, length, kind, alt_text)
        self.workspace.put_file(file)
        return {"upload_url": f"{self.base_url}/upload/v1/{file.id}", "file_id": file.id}

    def receive(self, file_id: str, content: bytes) -> None:
        """The bytes of a file; Refusal where they are not as many as was said."""
        file = self.workspace.file(file_id)
        if file is None or file.content is not None:
            raise Refusal("file_not_found")
        if len(content) != file.length:
            raise Refusal("length_mismatch")
        self.workspace.put_file(replace(file, content=content))

    def complete(self, args: Json) -> Json:
        required(args, "files")
        with self._lock:
            files = [self._uploaded(each) for each in _list(parsed(args["files"], "invalid_arguments"))]
            wanted = args.get("channel_id") or args.get("channels") or args.get("channel")
            if wanted:
                for channel_id in str(wanted).split(","):
                    self._share(channel_id, files, args)
            for file in files:
                self.workspace.put_file(replace(file, shared=True))
        return {"files": [payloads.file(file, self.base_url) for file in files]}

    def _uploaded(self, entry: Any) -> SlackFile:
        file = self.workspace.file(str(entry.get("id"))) if isinstance(entry, dict) else None
        if file is None or file.content is None or file.shared:
            raise Refusal("file_not_found")
        return replace(file, title=entry.get("title") or file.name)

    def _share(self, channel_id: str, files: list[SlackFile], args: Json) -> None:
        channel = self.chat.joined(channel_id)
        thread_ts = self.chat.thread(channel, args)
        text = str(args.get("initial_comment") or "")
        self.workspace.post(channel.id, self.app.bot_user_id, text, bot=True, thread_ts=thread_ts, files=tuple(files))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refusal("invalid_arguments", messages=[f"[ERROR] not a list of files: {json.dumps(value)[:100]}"])
    return value

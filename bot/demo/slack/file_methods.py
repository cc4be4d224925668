"""Uploads in three steps: ask for a place, put the bytes there, share the file."""

from __future__ import annotations

import json
import mimetypes
import re
import threading
from dataclasses import replace
from typing import Any

from bot.demo.slack import payloads
from bot.demo.slack.app import InstalledApp
from bot.demo.slack.chat_methods import ChatMethods
from bot.demo.slack.drafts import Draft, draft, parsed
from bot.demo.slack.nouns import Json, SlackFile
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.web_api import Method, number, required
from bot.demo.slack.workspace import Workspace

MOST_ALT_TEXT = 1000
# Neither names nor people's ids are taken. Slack wants eight more characters, but invented ids are shorter.
CHANNEL_ID, IN_SLACKS_WORDS = re.compile(r"[CGDZ][A-Z0-9]+"), "^[CGDZ][A-Z0-9]{8,}$"


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
        if not self.workspace.uploads_allowed:
            raise Refusal("file_uploads_disabled")
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
            contents = self._contents(args)
            for channel_id in _channel_ids(args):  # without any, the file stays the bot's own
                self._share(channel_id, files, contents, args)
            for file in files:
                self.workspace.put_file(replace(file, shared=True))
        return {"files": [payloads.file(file, self.base_url) for file in files]}

    def _uploaded(self, entry: Any) -> SlackFile:
        file = self.workspace.file(str(entry.get("id"))) if isinstance(entry, dict) else None
        if file is None or file.content is None or file.shared:
            raise Refusal("file_not_found")
        return replace(file, title=entry.get("title") or file.name)

    def _contents(self, args: Json) -> Draft:
        """What stands above the files: `blocks` are left aside where there is an `initial_comment`."""
        comment = str(args.get("initial_comment") or "")
        if comment or not args.get("blocks"):
            return Draft(comment, None, None, None)
        return draft({"blocks": args["blocks"]}, self.workspace)

    def _share(self, channel_id: str, files: list[SlackFile], contents: Draft, args: Json) -> None:
        channel = self.chat.joined(channel_id)
        fields = contents.fields() | {"thread_ts": self.chat.thread(channel, args), "files": tuple(files)}
        self.workspace.post(channel.id, self.app.bot_user_id, bot=True, **fields)


def _channel_ids(args: Json) -> list[str]:
    name = "channel_id" if args.get("channel_id") else "channels"
    wanted = [args[name]] if name == "channel_id" else str(args.get(name) or "").split(",")
    wanted = [str(each) for each in wanted if each]
    for each in wanted:
        if not CHANNEL_ID.fullmatch(each):
            why = f"[ERROR] input must match regex pattern: {IN_SLACKS_WORDS} [json-pointer:/{name}]"
            raise Refusal("invalid_arguments", messages=[why])
    return wanted


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Refusal("invalid_arguments", messages=[f"[ERROR] not a list of files: {json.dumps(value)[:100]}"])
    return value

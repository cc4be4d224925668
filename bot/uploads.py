"""A file for a thread, in Slack's three steps: ask for a place, put the bytes there, share it.

https://docs.slack.dev/messaging/working-with-files
"""

import urllib.error
import urllib.request
from collections.abc import Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.slack_errors import error_code
from commands._digest import Attachment

TIMEOUT_SECONDS = 30

# Files cannot be had here, whatever is sent: the words that go with one have to serve alone.
NO_FILES = {
    "missing_scope": "the scope files:write is missing. Add it under OAuth & Permissions and reinstall the app.",
    "file_uploads_disabled": "this workspace does not allow file uploads.",
    "file_uploads_except_images_disabled": "this workspace allows images only.",
    "not_in_channel": "files need the bot to be a member of the channel.",
    "team_access_not_granted": "the app may not upload files in this workspace.",
}


def put(client: WebClient, file: Attachment) -> str:
    """Slack's id of the file, which nobody sees before it is shared. Raises SlackApiError or OSError."""
    place = client.files_getUploadURLExternal(filename=file.name, length=len(file.content), alt_txt=file.alt or None)
    asked = urllib.request.Request(str(place["upload_url"]), data=file.content, method="POST")  # noqa: S310 - Slack's own answer
    with urllib.request.urlopen(asked, timeout=TIMEOUT_SECONDS):  # noqa: S310 - the same
        return str(place["file_id"])


def share(
    client: WebClient,
    files: Sequence[str],
    titles: Sequence[str],
    channel: str,
    thread_ts: str | None,
    text: str,
    *,
    again: bool,
) -> None:
    """All of them in one message; `files` are Slack's ids. Raises SlackApiError. `again`: they may have been shared
    before; Slack then knows no such upload any more.

    UNCONFIRMED: that Slack answers `file_not_found` there, and never shares one upload twice.
    """
    try:
        client.files_completeUploadExternal(
            files=[{"id": file_id, "title": title} for file_id, title in zip(files, titles, strict=False)],
            channel_id=channel,
            thread_ts=thread_ts,
            initial_comment=text,
        )
    except SlackApiError as problem:
        if not (again and error_code(problem) == "file_not_found"):
            raise

"""What an app wants to say, checked before it is said: by the Web API, a response URL, or in an acknowledgement."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.demo.slack import inputs, limits
from bot.demo.slack.nouns import Json
from bot.demo.slack.refusals import Refusal
from bot.demo.slack.workspace import Workspace

MOST_ATTACHMENTS = 100


@dataclass(frozen=True)
class Draft:
    """Checked contents of a message; a field that was not given is None, and an update then leaves it alone."""

    text: str | None
    blocks: tuple[Json, ...] | None
    attachments: tuple[Json, ...] | None
    metadata: Json | None

    def fields(self) -> dict[str, Any]:
        """For a new message."""
        return {
            "text": self.text or "",
            "blocks": self.blocks or (),
            "attachments": self.attachments or (),
            "metadata": self.metadata,
        }

    def changes(self) -> dict[str, Any]:
        """For an edited one."""
        named = {"text": self.text, "blocks": self.blocks, "attachments": self.attachments, "metadata": self.metadata}
        return {name: value for name, value in named.items() if value is not None}


def draft(args: Json, workspace: Workspace, *, longest: int = limits.MESSAGE_TEXT) -> Draft:
    """Check text, blocks, attachments and metadata; Refusal in Slack's words where one is wrong or all are missing."""
    text = args.get("text")
    if text is not None and not isinstance(text, str):
        raise Refusal("invalid_arguments", messages=["[ERROR] must be a string [json-pointer:/text]"])
    blocks = _blocks(args.get("blocks"), workspace)
    attachments = _attachments(args.get("attachments"))
    if not text and not blocks and not attachments:
        raise Refusal("no_text")
    if len(text or "") > longest:
        raise Refusal("msg_too_long")
    return Draft(text, blocks, attachments, _metadata(args.get("metadata")))


def parsed(value: Any, error: str) -> Any:
    """A complex argument: JSON text in a form, or a value already in a JSON body."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as problem:
        raise Refusal(error) from problem


def _blocks(given: Any, workspace: Workspace) -> tuple[Json, ...] | None:
    blocks = parsed(given, "invalid_blocks_format")
    if blocks is None:
        return None
    if not isinstance(blocks, list):
        raise Refusal("invalid_blocks_format")
    problems = limits.message_problems(blocks) or missing_files(blocks, workspace)
    if problems:
        raise Refusal("invalid_blocks", messages=problems)
    if limits.blocks_are_too_long(blocks):
        raise Refusal("msg_blocks_too_long")
    return tuple(inputs.with_ids(blocks))


def missing_files(blocks: Any, workspace: Workspace, pointer: str = "/blocks") -> list[str]:
    """A problem for each `slack_file` that was never uploaded, wherever it stands."""
    if isinstance(blocks, dict):
        problems = []
        for name, part in blocks.items():
            if name == "slack_file" and not _is_uploaded(part, workspace):
                problems.append(f"[ERROR] invalid slack file [json-pointer:{pointer}/slack_file]")
            else:
                problems += missing_files(part, workspace, f"{pointer}/{name}")
        return problems
    if isinstance(blocks, list):
        return [each for i, part in enumerate(blocks) for each in missing_files(part, workspace, f"{pointer}/{i}")]
    return []


def _is_uploaded(slack_file: Json, workspace: Workspace) -> bool:
    file_id = slack_file.get("id") or slack_file["url"].rpartition("/files/")[2].partition("/")[0]
    file = workspace.file(file_id)
    return file is not None and file.content is not None


def _attachments(given: Any) -> tuple[Json, ...] | None:
    attachments = parsed(given, "invalid_attachments")
    if attachments is None:
        return None
    if not isinstance(attachments, list) or not all(isinstance(each, dict) for each in attachments):
        raise Refusal("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refusal("too_many_attachments")
    for each in attachments:
        if problems := limits.message_problems(each.get("blocks", [])):
            raise Refusal("invalid_attachments", messages=problems)
    return tuple(attachments)


def _metadata(given: Any) -> Json | None:
    metadata = parsed(given, "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("event_type"), str):
        raise Refusal("invalid_metadata_format")
    if not isinstance(metadata.get("event_payload"), dict):
        raise Refusal("invalid_metadata_format")
    return metadata

"""Decisions as CSV and as JSON Lines, a line at a time."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from commands.views.history import CSV, NOT_RECORDED
from commands.views.listing import FORMULA
from storage.connection import maybe_text, to_json, to_text
from storage.models import Decision, DecisionKind

COLUMNS = (
    "id", "at", "kind", "actor", "function_arn", "account", "region", "name", "team", "before", "after", "reason",
    "until", "allowed_by", "aws_request_ids", "request_id", "source", "workspace", "channel", "message", "prev_hash",
    "hash", "detail",
)  # fmt: skip
_WROTE = (DecisionKind.APPLIED, DecisionKind.UNDONE, DecisionKind.BUDGET_SET)


def lines(decisions: Iterable[Decision], file_format: str) -> Iterator[str]:
    """With their ends; of a CSV file, first the names of its columns."""
    return csv_lines(decisions) if file_format == CSV else json_lines(decisions)


def json_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """Exact: from one of these objects the hash can be worked out again. null: not recorded."""
    for one in decisions:
        yield json.dumps(dict(zip(COLUMNS, _values(one), strict=True)), ensure_ascii=False) + "\n"


def csv_lines(decisions: Iterable[Decision]) -> Iterator[str]:
    """What a spreadsheet might run as a formula stands behind an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in decisions:
        writer.writerow([_cell(name, value) for name, value in zip(COLUMNS, _values(one), strict=True)])
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _values(one: Decision) -> list[object]:
    parts = [*one.function_arn.split(":"), *[""] * 7]
    requests = list(one.aws_requests)
    told = requests or one.kind not in _WROTE or "aws_requests" in one.detail
    refused = one.kind is DecisionKind.REFUSED
    return [
        one.id,
        to_text(one.at),
        str(one.kind),
        one.actor,
        one.function_arn,
        parts[4],
        parts[3],
        parts[6],
        one.team,
        one.before,
        one.after,
        one.reason,
        maybe_text(one.until),
        one.allowed_by or ("" if refused else None),
        requests if told else None,
        one.request_id,
        str(one.source),
        one.workspace,
        one.channel,
        one.message,
        one.prev_hash,
        one.hash,
        dict(one.detail),
    ]


def _cell(name: str, value: object) -> str:
    if value is None:
        return "" if name == "until" else NOT_RECORDED
    if isinstance(value, list):
        value = " ".join(value)
    text = to_json(value) if isinstance(value, dict) else str(value)
    return f"'{text}" if FORMULA.match(text) else text

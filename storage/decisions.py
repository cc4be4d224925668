"""Who decided what, and what came of it: rows that are added and never changed, chained by hash."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime

from storage.connection import Connection, Row, maybe_text, maybe_time, to_json, to_text, to_time
from storage.models import Decision, DecisionKind, Source

LATER = ("team",)  # columns that the first version had not
# In the order in which JSON with sorted keys has them: `digest` writes that by itself, for a million rows are many.
_CHAINED = (
    "actor", "after", "at", "before", "channel", "detail", "function_arn", "kind", "message", "prev_hash", "reason",
    "request_id", "source", "team", "until", "workspace",
)  # fmt: skip
_text = json.JSONEncoder(ensure_ascii=False).encode


class Decisions:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def record(self, decision: Decision) -> Decision:
        """Add one row; the answer carries its id and its place in the chain."""
        with self._db.transaction():
            last = self._db.row("select hash from decisions order by id desc limit 1")
            row = to_row(decision) | {"prev_hash": last["hash"] if last else ""}
            row["hash"] = digest(row)
            number = self._db.insert("decisions", row)
        return replace(decision, id=number, prev_hash=row["prev_hash"], hash=row["hash"])

    def was_refused(self, request_id: str, actor: str) -> bool:
        """Whether it is kept already that this person tried to decide on this request and may not."""
        sql = "select 1 from decisions where request_id = ? and actor = ? and kind = 'refused'"
        return self._db.row(sql, [request_id, actor]) is not None

    def history(self, function_arn: str) -> list[Decision]:
        """Oldest first."""
        return self._list("select * from decisions where function_arn = ? order by id", function_arn)

    def of_request(self, request_id: str) -> list[Decision]:
        """Oldest first."""
        return self._list("select * from decisions where request_id = ? order by id", request_id)

    def last_fix(self, function_arn: str) -> Decision | None:
        """The newest that turned on its tracing; None where it was taken back since."""
        last = self.last_turn(function_arn)
        return last if last and last.kind is DecisionKind.APPLIED else None

    def last_turn(self, function_arn: str) -> Decision | None:
        """The newest that turned on its tracing here, or took that back."""
        sql = (
            "select * from decisions where function_arn = ? and kind in ('applied', 'undone') order by id desc limit 1"
        )
        return next(iter(self._list(sql, function_arn)), None)

    def turns_since(self, at: datetime) -> dict[str, DecisionKind]:
        """By function: whether its tracing was turned on here after that time, or that was taken back; the newest."""
        sql = "select function_arn, kind from decisions where at > ? and kind in ('applied', 'undone') order by id"
        return {row["function_arn"]: DecisionKind(row["kind"]) for row in self._db.rows(sql, [to_text(at)])}

    def last(self) -> Decision | None:
        """The newest: the head of the chain."""
        return next(iter(self._list("select * from decisions order by id desc limit 1")), None)

    def all(self) -> list[Decision]:
        """Oldest first."""
        return self._list("select * from decisions order by id")

    def _list(self, sql: str, *parameters: str) -> list[Decision]:
        return [from_row(row) for row in self._db.rows(sql, parameters)]

    def verify(self) -> str | None:
        """The first place where the chain is broken, as a phrase; None where every row is as it was written."""
        from storage.chain import Chain

        return Chain(self._db).verify().problem


def digest(row: Row) -> str:
    """What chains a row to the one before, as SHA-256 of compact JSON with sorted keys: of all that it says but its
    number, which its place in the chain gives.

    A column that came later counts where it is not null, so that rows of before keep their hash.
    """
    content = ",".join(
        f'"{key}":{"null" if row[key] is None else _text(row[key])}'
        for key in _CHAINED
        if key not in LATER or row.get(key) is not None
    )
    return hashlib.sha256(f"{{{content}}}".encode()).hexdigest()


def to_row(decision: Decision) -> Row:
    """Without its number and its hashes."""
    return {
        "at": to_text(decision.at),
        "kind": str(decision.kind),
        "actor": decision.actor,
        "function_arn": decision.function_arn,
        "source": str(decision.source),
        "workspace": decision.workspace,
        "channel": decision.channel,
        "message": decision.message,
        "request_id": decision.request_id,
        "before": decision.before,
        "after": decision.after,
        "reason": decision.reason,
        "until": maybe_text(decision.until),
        "detail": to_json(dict(decision.detail)),
        "team": decision.team,
    }


def from_row(row: Row) -> Decision:
    return Decision(
        **row
        | {
            "at": to_time(row["at"]),
            "kind": DecisionKind(row["kind"]),
            "source": Source(row["source"]),
            "until": maybe_time(row["until"]),
            "detail": json.loads(row["detail"]),
        }
    )

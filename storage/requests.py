"""Fix requests: one live request for a function, moved on by compare-and-set."""

import json
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING

from storage.connection import Connection, Row, maybe_text, maybe_time, to_json, to_text, to_time
from storage.models import Function, Verdict

if TYPE_CHECKING:  # an audit that finds no request needs none of these
    from storage.fixes import FixPlan, FixRequest, Receipt, RequestState

LIVE = "('open', 'running', 'failed', 'undoing')"


class Requests:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def open_for(self, function: Function, now: datetime) -> "FixRequest":
        """The function's live request, or a new one."""
        from storage.fixes import RequestState

        with self._db.transaction():
            live = self.live(function.arn)
            if live:
                return live
            token = secrets.token_urlsafe(16)
            row = {
                "id": token,
                "function_arn": function.arn,
                "team": function.team,
                "state": str(RequestState.OPEN),
                "created_at": to_text(now),
            }
            self._db.insert("requests", row)
            return self.get(token)

    def find(self, request_id: str) -> "FixRequest | None":
        """None for an id that was never given out here."""
        row = self._db.row("select * from requests where id = ?", [request_id])
        return from_row(row) if row else None

    def get(self, request_id: str) -> "FixRequest":
        """Raises KeyError for an id that was never given out."""
        found = self.find(request_id)
        if found is None:
            raise KeyError(request_id)
        return found

    def live(self, function_arn: str) -> "FixRequest | None":
        """The one that is open, running, failed or being undone."""
        sql = f"select * from requests where function_arn = ? and state in {LIVE}"  # noqa: S608 - a constant
        row = self._db.row(sql, [function_arn])
        return from_row(row) if row else None

    def running(self) -> "list[FixRequest]":
        rows = self._db.rows("select * from requests where state = 'running' order by approved_at")
        return [from_row(row) for row in rows]

    def claim(self, request_id: str, by: str, now: datetime) -> bool:
        """True for the one approver whose click counts."""
        return 1 == self._db.change(
            """
            update requests
            set state = 'running', approved_by = :by, approved_at = :now, finished_at = null, step = '', outcome = '',
                batch = null, queued = 0
            where id = :id and state in ('open', 'failed') and (expires_at is null or expires_at > :now)
            """,
            {"id": request_id, "by": by, "now": to_text(now)},
        )

    def ask(self, request_id: str, by: str, reason: str, expires_at: datetime) -> bool:
        """True for the first who asks for it; from then on it runs out."""
        return 1 == self._db.change(
            """
            update requests set asked_by = ?, reason = ?, expires_at = ?
            where id = ? and state in ('open', 'failed') and asked_by = ''
            """,
            [by, reason, to_text(expires_at), request_id],
        )

    def end(self, request_id: str, state: "RequestState", by: str, now: datetime, reason: str = "") -> bool:
        """True for the one who denies or cancels it while it waits."""
        return 1 == self._db.change(
            """
            update requests set state = :state, ended_by = :by, finished_at = :now, outcome = :reason
            where id = :id and state in ('open', 'failed') and (expires_at is null or expires_at > :now)
            """,
            {"id": request_id, "state": str(state), "by": by, "now": to_text(now), "reason": reason},
        )

    def awaited(self, now: datetime) -> "list[FixRequest]":
        """Those that somebody asked for and that wait for an approver, in the order in which they run out."""
        rows = self._db.rows(
            """
            select * from requests
            where state in ('open', 'failed') and asked_by <> '' and (expires_at is null or expires_at > ?)
            order by expires_at, created_at
            """,
            [to_text(now)],
        )
        return [from_row(row) for row in rows]

    def run_out(self, now: datetime) -> "list[FixRequest]":
        """Those that wait though their time is over."""
        sql = "select * from requests where state in ('open', 'failed') and expires_at <= ? order by expires_at"
        return [from_row(row) for row in self._db.rows(sql, [to_text(now)])]

    def expire(self, request_id: str, outcome: str, now: datetime) -> bool:
        """True once, when its time is over."""
        return 1 == self._db.change(
            """
            update requests set state = 'expired', finished_at = :now, outcome = :outcome
            where id = :id and state in ('open', 'failed') and expires_at <= :now
            """,
            {"id": request_id, "now": to_text(now), "outcome": outcome},
        )

    def to_remind_of(self, now: datetime, until: datetime) -> "list[FixRequest]":
        """Those that wait, run out by `until`, and of which nobody was reminded yet."""
        rows = self._db.rows(
            """
            select * from requests where state in ('open', 'failed') and reminded_at is null
              and expires_at > ? and expires_at <= ? order by expires_at
            """,
            [to_text(now), to_text(until)],
        )
        return [from_row(row) for row in rows]

    def remind(self, request_id: str, now: datetime) -> bool:
        """True once, for whoever is to send the reminder."""
        return 1 == self._db.change(
            """
            update requests set reminded_at = :now
            where id = :id and state in ('open', 'failed') and reminded_at is null and expires_at > :now
            """,
            {"id": request_id, "now": to_text(now)},
        )

    def end_undo(self, now: datetime) -> list[str]:
        """The ids of fixes that could be undone until now; from here on they cannot."""
        over = "state = 'applied' and undo_until <= ?"
        with self._db.transaction():
            rows = self._db.rows(f"select id from requests where {over}", [to_text(now)])  # noqa: S608 - a constant
            if rows:
                self._db.change(f"update requests set undo_until = null where {over}", [to_text(now)])  # noqa: S608 - a constant
        return [row["id"] for row in rows]

    def keep_plan(self, request_id: str, plan: "FixPlan") -> None:
        """The newest plan, while nobody has approved it."""
        sql = "update requests set plan = ? where id = ? and state in ('open', 'failed')"
        self._db.change(sql, [to_json(plan.to_row()), request_id])

    def forget_plan(self, request_id: str) -> None:
        """Of a request that nobody asked for: a new digest shows its function as it is now."""
        self._db.change(
            "update requests set plan = null where id = ? and state = 'open' and asked_by = ''", [request_id]
        )

    def keep_receipt(self, request_id: str, receipt: "Receipt") -> None:
        """What the fix has changed up to now; each step is kept before the next one begins."""
        self._db.change("update requests set receipt = ? where id = ?", [to_json(receipt.to_row()), request_id])

    def at_step(self, request_id: str, step: str) -> None:
        self._db.change(
            "update requests set step = ? where id = ? and state in ('running', 'undoing')", [step, request_id]
        )

    def finish(
        self,
        request_id: str,
        state: "RequestState",
        now: datetime,
        *,
        outcome: str = "",
        note: str = "",
        undo_until: datetime | None = None,
    ) -> bool:
        """True for the one who ends a running request."""
        return 1 == self._db.change(
            """
            update requests
            set state = :state, finished_at = :now, outcome = :outcome, note = :note, undo_until = :undo_until
            where id = :id and state = 'running'
            """,
            {
                "id": request_id,
                "state": str(state),
                "now": to_text(now),
                "outcome": outcome,
                "note": note,
                "undo_until": maybe_text(undo_until),
            },
        )

    def resolve(self, request_id: str, outcome: str, now: datetime) -> bool:
        """End a request that nobody needs to approve any more; `outcome` is a sentence."""
        return 1 == self._db.change(
            """
            update requests set state = 'resolved', finished_at = :now, outcome = :outcome
            where id = :id and state in ('open', 'failed')
            """,
            {"id": request_id, "now": to_text(now), "outcome": outcome},
        )

    def follow_teams(self) -> "list[FixRequest]":
        """The live requests whose function went to another team, as that team's from now on."""
        moved = f"""
            select requests.id, functions.team from requests join functions on functions.arn = requests.function_arn
            where requests.state in {LIVE} and functions.gone_at is null and requests.team is not functions.team
        """  # noqa: S608 - a constant
        with self._db.transaction():
            rows = self._db.rows(moved)
            self._db.change_many("update requests set team = :team where id = :id", rows)
        return [self.get(row["id"]) for row in rows]

    def shown(self) -> dict[str, tuple[str | None, ...]]:
        """What people who may approve are shown of each live request's function, by the request's id."""
        rows = self._db.rows(
            f"""
            select requests.id, functions.role, functions.mode, functions.role_may_write
            from requests join functions on functions.arn = requests.function_arn where requests.state in {LIVE}
            """  # noqa: S608 - a constant
        )
        return {row["id"]: (row["role"], row["mode"], row["role_may_write"]) for row in rows}

    def overtaken(self, verdicts: Collection[Verdict]) -> "list[tuple[FixRequest, Verdict | None]]":
        """Those that wait though their function is gone (None) or has one of these verdicts."""
        marks = ", ".join("?" for _ in verdicts)
        rows = self._db.rows(
            f"""
            select requests.*, functions.verdict, functions.gone_at
            from requests join functions on functions.arn = requests.function_arn
            where requests.state in ('open', 'failed')
              and (functions.gone_at is not null or functions.verdict in ({marks}))
            """,  # noqa: S608 - question marks
            [str(verdict) for verdict in verdicts],
        )
        found = []
        for row in rows:
            gone, verdict = row.pop("gone_at"), row.pop("verdict")
            found.append((from_row(row), None if gone else Verdict(verdict)))
        return found


def from_row(row: Row) -> "FixRequest":
    """A row of the table as its noun."""
    from storage.fixes import FixPlan, FixRequest, Receipt, RequestState

    return FixRequest(
        **row
        | {
            "state": RequestState(row["state"]),
            "created_at": to_time(row["created_at"]),
            "approved_at": maybe_time(row["approved_at"]),
            "finished_at": maybe_time(row["finished_at"]),
            "expires_at": maybe_time(row["expires_at"]),
            "reminded_at": maybe_time(row["reminded_at"]),
            "undo_until": maybe_time(row["undo_until"]),
            "queued": bool(row["queued"]),
            "plan": FixPlan.from_row(json.loads(row["plan"])) if row["plan"] else None,
            "receipt": Receipt.from_row(json.loads(row["receipt"])) if row["receipt"] else Receipt(),
        }
    )

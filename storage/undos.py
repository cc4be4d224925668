"""Fixes that are taken back: one claim for each, by compare-and-set, for as long as that is allowed."""

from datetime import datetime

from storage.connection import Connection, to_text
from storage.fixes import RequestState


class Undos:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def claim(self, request_id: str, by: str, now: datetime) -> bool:
        """True for the one person whose click counts; never while another request for the function is alive."""
        return 1 == self._db.change(
            """
            update requests set state = 'undoing', ended_by = :by, step = '', outcome = ''
            where id = :id and state = 'applied' and undo_until > :now and not exists (
                select 1 from requests as other
                where other.function_arn = requests.function_arn and other.id <> requests.id
                  and other.state in ('open', 'running', 'failed', 'undoing')
            )
            """,
            {"id": request_id, "by": by, "now": to_text(now)},
        )

    def under_way(self) -> list[str]:
        """Ids of the requests that are being undone."""
        return [row["id"] for row in self._db.rows("select id from requests where state = 'undoing' order by id")]

    def end(self, request_id: str, state: RequestState, now: datetime, *, outcome: str = "", note: str = "") -> bool:
        """True for the one who ends an undo. One that failed leaves the fix applied; it may be undone again in time."""
        return 1 == self._db.change(
            """
            update requests set state = :state, outcome = :outcome,
                note = case when :state = 'applied' then note else :note end,
                finished_at = case when :state = 'applied' then finished_at else :now end,
                undo_until = case when :state = 'applied' then undo_until end
            where id = :id and state = 'undoing'
            """,
            {"id": request_id, "state": str(state), "now": to_text(now), "outcome": outcome, "note": note},
        )

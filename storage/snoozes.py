"""Snoozes: until when a function or a team makes no new message, and who said so."""

import secrets
from datetime import datetime

from storage.connection import Connection, Row, to_text, to_time
from storage.models import Snooze


class Snoozes:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def begin(self, function_arn: str | None, team: str | None, by: str, now: datetime, until: datetime) -> Snooze:
        """`function_arn` None: the whole team. Takes the place of one that is in force for the same."""
        with self._db.transaction():
            self._db.change(
                """
                update snoozes set ended_at = :now
                where ended_at is null and until > :now and function_arn is :arn and (:arn is not null or team is :team)
                """,
                {"now": to_text(now), "arn": function_arn, "team": team},
            )
            row = {
                "id": secrets.token_urlsafe(16),
                "function_arn": function_arn,
                "team": team,
                "by": by,
                "at": to_text(now),
                "until": to_text(until),
            }
            self._db.insert("snoozes", row)
        return _from_row(row)

    def find(self, snooze_id: str) -> Snooze | None:
        """In force or not; None for an id that was never given out here."""
        row = self._db.row("select * from snoozes where id = ?", [snooze_id])
        return _from_row(row) if row else None

    def end(self, snooze_id: str, now: datetime) -> bool:
        """True for the one who ends it before its time."""
        sql = "update snoozes set ended_at = ? where id = ? and ended_at is null and until > ?"
        return 1 == self._db.change(sql, [to_text(now), snooze_id, to_text(now)])

    def in_force(self, now: datetime, since: datetime | None = None) -> list[Snooze]:
        """Those that end first come first. `since`: also those that were in force then, and that nobody ended."""
        sql = "select * from snoozes where ended_at is null and at <= ? and until > ? order by until, id"
        return [_from_row(row) for row in self._db.rows(sql, [to_text(now), to_text(min(now, since or now))])]

    def of_function(self, function_arn: str, team: str | None, now: datetime) -> Snooze | None:
        """One in force of this function, or of the whole of its team."""
        sql = """
            select * from snoozes where ended_at is null and at <= :now and until > :now
              and (function_arn = :arn or (function_arn is null and team is :team)) order by until desc limit 1
        """
        row = self._db.row(sql, {"now": to_text(now), "arn": function_arn, "team": team})
        return _from_row(row) if row else None


def _from_row(row: Row) -> Snooze:
    return Snooze(row["id"], row["function_arn"], row["team"], row["by"], to_time(row["at"]), to_time(row["until"]))

"""Exemptions: why a function may stay untraced, who said so, and until when."""

from datetime import datetime

from storage.connection import Connection, Row, to_text, to_time
from storage.models import Exemption


class Exemptions:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def grant(self, function_arn: str, reason: str, by: str, now: datetime, until: datetime) -> Exemption:
        """Replaces one that is in force, so that a function has one end date. Raises ValueError unless now < until."""
        if until <= now:
            raise ValueError("an exemption ends after it begins")
        with self._db.transaction():
            self._db.change(
                "update exemptions set expires_at = :now where function_arn = :arn and expires_at > :now",
                {"now": to_text(now), "arn": function_arn},
            )
            row = {
                "function_arn": function_arn,
                "reason": reason,
                "granted_by": by,
                "granted_at": to_text(now),
                "expires_at": to_text(until),
            }
            number = self._db.insert("exemptions", row)
        return _from_row(row | {"id": number})

    def end(self, function_arn: str, now: datetime) -> list[Exemption]:
        """Those that would still count; they do not any more."""
        with self._db.transaction():
            asked = {"arn": function_arn, "now": to_text(now)}
            rows = self._db.rows("select * from exemptions where function_arn = :arn and expires_at > :now", asked)
            self._db.change(
                "update exemptions set expires_at = :now where function_arn = :arn and expires_at > :now", asked
            )
        return [_from_row(row) for row in rows]

    def in_force(self, now: datetime) -> dict[str, Exemption]:
        """By function ARN."""
        rows = self._db.rows(
            "select * from exemptions where granted_at <= :now and expires_at > :now order by id", {"now": to_text(now)}
        )
        return {row["function_arn"]: _from_row(row) for row in rows}

    def covering(self, function_arn: str, now: datetime) -> Exemption | None:
        row = self._db.row(
            """
            select * from exemptions
            where function_arn = :arn and granted_at <= :now and expires_at > :now order by id desc
            """,
            {"arn": function_arn, "now": to_text(now)},
        )
        return _from_row(row) if row else None


def _from_row(row: Row) -> Exemption:
    return Exemption(**row | {"granted_at": to_time(row["granted_at"]), "expires_at": to_time(row["expires_at"])})

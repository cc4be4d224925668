"""Tips that a person has dismissed, for good."""

from datetime import datetime

from storage.connection import Connection, to_text


class Tips:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def dismiss(self, tip: str, user: str, workspace: str, now: datetime) -> None:
        """The first time counts."""
        sql = "insert or ignore into dismissed_tips (workspace, user, tip, at) values (?, ?, ?, ?)"
        self._db.change(sql, [workspace, user, tip, to_text(now)])

    def dismissed(self, user: str, workspace: str) -> frozenset[str]:
        rows = self._db.rows("select tip from dismissed_tips where workspace = ? and user = ?", [workspace, user])
        return frozenset(row["tip"] for row in rows)

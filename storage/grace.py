"""Notices of fixes that are made where nobody objects: what was announced, whether Slack has it, how it ended."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from storage.connection import Connection, Row, maybe_time, to_text, to_time
from storage.fixes import GraceNotice, NoticeState


class GraceNotices:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def announce(
        self, team: str, channel: str, post: int, pages: int, fix_on: date, functions: Sequence[str], now: datetime
    ) -> GraceNotice:
        """`functions` are ARNs; `post` is the first of the `pages` posts that name them."""
        row = {
            "token": secrets.token_urlsafe(16),
            "team": team,
            "channel": channel,
            "post": post,
            "pages": pages,
            "created_at": to_text(now),
            "fix_on": fix_on.isoformat(),
        }
        with self._db.transaction():
            number = self._db.insert("grace_notices", row)
            self._db.change_many(
                "insert into grace_functions (notice, position, function_arn) values (?, ?, ?)",
                ((number, position, arn) for position, arn in enumerate(functions)),
            )
            return self.get(number)

    def get(self, number: int) -> GraceNotice:
        """Raises KeyError."""
        row = self._db.row("select * from grace_notices where id = ?", [number])
        if row is None:
            raise KeyError(number)
        return _from_row(row)

    def with_token(self, token: str) -> GraceNotice | None:
        """None for a token that was never given out here."""
        row = self._db.row("select * from grace_notices where token = ?", [token])
        return _from_row(row) if row else None

    def of_post(self, post: int) -> GraceNotice | None:
        """The notice that a message shows, or whose thread it stands in."""
        row = self._db.row(
            "select * from grace_notices where post = :post or post = (select thread from posts where id = :post)",
            {"post": post},
        )
        return _from_row(row) if row else None

    def announced(self) -> list[GraceNotice]:
        """Those that have not ended, oldest first."""
        rows = self._db.rows("select * from grace_notices where state = 'announced' order by id")
        return [_from_row(row) for row in rows]

    def functions(self, number: int) -> dict[str, str]:
        """Why each was left alone, by ARN, in the notice's order; "" where it was not."""
        sql = "select function_arn, left_because from grace_functions where notice = ? order by position"
        return {row["function_arn"]: row["left_because"] for row in self._db.rows(sql, [number])}

    def is_announced(self, function_arn: str) -> bool:
        """Whether a notice that has not ended names it."""
        sql = """
            select 1 from grace_functions join grace_notices on grace_notices.id = grace_functions.notice
            where function_arn = ? and state = 'announced'
        """
        return self._db.row(sql, [function_arn]) is not None

    def see_posted(self, now: datetime) -> None:
        """Note of each notice that Slack has all of it now, in the channel where it belongs."""
        self._db.change(
            """
            update grace_notices set posted_at = :now
            where state = 'announced' and posted_at is null and pages = (
                select count(*) from posts
                where (posts.id = grace_notices.post or posts.thread = grace_notices.post) and posts.kind = 'grace'
                    and posts.state = 'sent' and posts.channel = grace_notices.channel
            )
            """,
            {"now": to_text(now)},
        )

    def is_there(self, number: int) -> bool:
        """Whether Slack still has all of it, as far as is known: a message that was deleted warns nobody."""
        sql = """
            select 1 from posts join grace_notices on grace_notices.post in (posts.id, posts.thread)
            where grace_notices.id = ? and posts.kind = 'grace' and posts.state <> 'sent'
        """
        return self._db.row(sql, [number]) is None

    def end(self, number: int, state: NoticeState, by: str, now: datetime, reason: str = "") -> bool:
        """True for the one who ends it; its messages are to be drawn again."""
        sql = """
            update grace_notices set state = :state, ended_by = :by, ended_at = :now, reason = :reason
            where id = :id and state = 'announced'
        """
        with self._db.transaction():
            asked = {"id": number, "state": str(state), "by": by, "now": to_text(now), "reason": reason}
            if not self._db.change(sql, asked):
                return False
            self._db.change(
                """
                update posts set wanted_version = wanted_version + 1
                where kind = 'grace' and (select post from grace_notices where id = ?) in (id, thread)
                """,
                [number],
            )
            return True

    def keep_outcome(self, number: int, batch: int | None, left: Mapping[str, str]) -> None:
        """Of one that was taken: the batch that fixes the others, and why these, by ARN, were left alone."""
        with self._db.transaction():
            self._db.change("update grace_notices set batch = ? where id = ?", [batch, number])
            self._db.change_many(
                "update grace_functions set left_because = ? where notice = ? and function_arn = ?",
                ((why, number, arn) for arn, why in left.items()),
            )


def _from_row(row: Row) -> GraceNotice:
    times = {name: maybe_time(row[name]) for name in ("posted_at", "ended_at")}
    kept = {"created_at": to_time(row["created_at"]), "fix_on": date.fromisoformat(row["fix_on"])}
    return GraceNotice(**row | times | kept | {"state": NoticeState(row["state"])})

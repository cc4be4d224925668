"""Messages that must arrive once and stay true: what Slack has, what waits, and what is to be drawn again."""

from collections.abc import Sequence
from datetime import datetime

from storage.connection import Connection, Row, to_text, to_time
from storage.models import Post, PostKind, PostState


class Posts:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def create(
        self,
        key: str,
        kind: PostKind,
        channel: str,
        now: datetime,
        *,
        team: str | None = None,
        requests: Sequence[str] = (),
        text: str = "",
        page: int = 1,
        thread: int | None = None,
    ) -> Post | None:
        """A post that waits to be sent; None where one with this key was made before."""
        with self._db.transaction():
            if self._db.row("select 1 from posts where key = ?", [key]):
                return None
            row = {
                "key": key,
                "kind": str(kind),
                "channel": channel,
                "state": str(PostState.WAITING),
                "created_at": to_text(now),
                "team": team,
                "text": text,
                "page": page,
                "thread": thread,
                "next_at": to_text(now),
            }
            number = self._db.insert("posts", row)
            self.show(number, requests)
            return self.get(number)

    def find(self, key: str) -> Post | None:
        row = self._db.row("select * from posts where key = ?", [key])
        return _from_row(row) if row else None

    def has(self, begins: str, team: str) -> bool:
        """Whether one of the team's was made with a key that begins so; `begins` ends with a colon."""
        sql = "select 1 from posts where key >= ? and key < ? and team = ? limit 1"
        return self._db.row(sql, [begins, f"{begins[:-1]};", team]) is not None

    def redraw(self, number: int) -> None:
        """It is to be drawn again."""
        self._db.change("update posts set wanted_version = wanted_version + 1 where id = ?", [number])

    def get(self, number: int) -> Post:
        """Raises KeyError."""
        found = self.numbered(number)
        if found is None:
            raise KeyError(number)
        return found

    def numbered(self, number: int) -> Post | None:
        row = self._db.row("select * from posts where id = ?", [number])
        return _from_row(row) if row else None

    def all(self, kind: PostKind | None = None) -> list[Post]:
        """Oldest first."""
        rows = self._db.rows("select * from posts where :kind is null or kind = :kind order by id", {"kind": kind})
        return [_from_row(row) for row in rows]

    def requests_of(self, number: int) -> list[str]:
        """The ids of the requests that a post shows, top to bottom."""
        rows = self._db.rows("select request_id from post_items where post_id = ? order by position", [number])
        return [row["request_id"] for row in rows]

    def show(self, number: int, requests: Sequence[str]) -> None:
        """From now on it shows these requests, top to bottom."""
        with self._db.transaction():
            self._db.change("delete from post_items where post_id = ?", [number])
            for position, request_id in enumerate(requests):
                self._db.insert("post_items", {"post_id": number, "position": position, "request_id": request_id})

    def retire_all(self, team: str | None, newer: int) -> None:
        """`newer` takes the place of every digest of the team that none has replaced yet, also of those that a version
        sent which kept no account of them."""
        with self._db.transaction():
            rows = self._db.rows(
                "select id from posts where kind = 'digest' and team is ? and id < ? and newer is null", [team, newer]
            )
            for row in rows:
                self.retire(row["id"], newer)

    def retire(self, number: int, newer: int) -> None:
        """`newer` takes its place, and once that was sent, this one says so. Of it and its lists, what was never sent
        never is."""
        with self._db.transaction():
            self._db.change("update posts set newer = ? where id = ?", [newer, number])
            waiting = "id = :id or (thread = :id and kind in ('list', 'file'))"
            self._db.change(
                f"update posts set state = 'abandoned', error = 'retired' where state = 'waiting' and ({waiting})",  # noqa: S608 - a constant
                {"id": number},
            )

    def keep_permalink(self, number: int, permalink: str) -> None:
        self._db.change("update posts set permalink = ? where id = ?", [permalink, number])

    def keep_files(self, number: int, file_ids: str) -> None:
        """Slack has their content; they are still to be shared. The ids have a space between."""
        self._db.change("update posts set file = ? where id = ?", [file_ids, number])

    def replies(self, number: int) -> list[Post]:
        """Those in its thread, oldest first."""
        rows = self._db.rows("select * from posts where thread = ? order by id", [number])
        return [_from_row(row) for row in rows]

    def any_sent(self) -> bool:
        """Whether Slack ever took a digest."""
        return self._db.row("select 1 from posts where kind = 'digest' and state = 'sent' limit 1") is not None

    def at(self, channel: str, ts: str) -> Post | None:
        """The post that Slack shows as this message and that is kept up to date."""
        sql = "select * from posts where posted_channel = ? and ts = ? and state = 'sent'"
        row = self._db.row(sql, [channel, ts])
        return _from_row(row) if row else None

    def showing(self, request_id: str) -> Post | None:
        """The newest message that shows this request, and in which it can be decided on."""
        sql = """
            select posts.* from posts join post_items on post_items.post_id = posts.id
            where post_items.request_id = ? and posts.state <> 'abandoned' and posts.kind <> 'grace'
            order by posts.id desc limit 1
        """
        row = self._db.row(sql, [request_id])
        return _from_row(row) if row else None

    def that_show(self, request_id: str) -> list[Post]:
        """The messages that show this request and that Slack has or is to have, oldest first."""
        sql = """
            select posts.* from posts join post_items on post_items.post_id = posts.id
            where post_items.request_id = ? and posts.state <> 'abandoned' order by posts.id
        """
        return [_from_row(row) for row in self._db.rows(sql, [request_id])]

    def channel_of(self, team: str | None) -> str | None:
        """The id of the channel that took the team's newest digest."""
        sql = """
            select posted_channel from posts
            where kind = 'digest' and team is ? and state = 'sent' order by id desc limit 1
        """
        row = self._db.row(sql, [team])
        return str(row["posted_channel"]) if row else None

    def redraw_showing(self, request_id: str, newest: int = 1_000_000) -> None:
        """The newest posts that show this request are to be drawn again, and the heads of their threads; so is the
        digest of its team, which counts what it does not list. A digest that has been replaced stays as it is.
        """
        self._db.change(
            """
            with showing as (
                select posts.id, posts.thread from posts join post_items on post_items.post_id = posts.id
                where post_items.request_id = :request and posts.state <> 'abandoned' and not exists
                    (select 1 from posts as later where later.id = posts.newer and later.state = 'sent')
                order by posts.id desc limit :newest
            )
            update posts set wanted_version = wanted_version + 1
            where id in (
                select id from showing union select thread from showing
                union select post from digests
                    where team = (select coalesce(team, '') from requests where id = :request)
            )
            """,
            {"request": request_id, "newest": newest},
        )

    def redraw_digest(self, team: str | None) -> None:
        """The team's newest digest and the list in its thread are to be drawn again."""
        self._db.change(
            """
            with digest as (
                select max(id) as id from posts where kind = 'digest' and team is ? and page = 1 and thread is null
            )
            update posts set wanted_version = wanted_version + 1
            where state <> 'abandoned' and (id in (select id from digest)
                or (kind = 'list' and thread in (select id from digest)))
            """,
            [team],
        )

    def waiting(self) -> tuple[int, Post | None]:
        """How many Slack has not taken yet, and the oldest of them."""
        sql = "select *, count(*) over () as number from posts where state = 'waiting' order by id limit 1"
        rows = self._db.rows(sql)
        return (int(rows[0].pop("number")), _from_row(rows[0])) if rows else (0, None)

    def due(self, now: datetime, most: int = 1_000_000) -> list[Post]:
        """What is to be sent by now, oldest first, then what is to be drawn again, newest first; `most` of a channel.

        A reply is due only once the post above it was sent.
        """
        rows = self._db.rows(
            """
            with lanes as (
                select posts.id, posts.state = 'sent' as drawn, row_number() over (
                    partition by iif(posts.posted_channel = '', posts.channel, posts.posted_channel)
                    order by posts.state = 'sent', iif(posts.state = 'sent', -posts.id, posts.id)
                ) as turn
                from posts left join posts as above on above.id = posts.thread
                where (posts.state = 'waiting' or posts.shown_version < posts.wanted_version)
                  and posts.state <> 'abandoned'
                  and posts.next_at <= ? and (posts.thread is null or above.state <> 'waiting')
            )
            select posts.* from lanes join posts on posts.id = lanes.id where turn <= ?
            order by drawn, iif(drawn, -posts.id, posts.id)
            """,
            [to_text(now), most],
        )
        return [_from_row(row) for row in rows]

    def sent(self, number: int, channel: str, ts: str, version: int, shown: str = "") -> None:
        """Slack took it: `channel` and `ts` are the message's identity, `version` is the count of changes it shows.

        What it takes the place of is to say so from now on; also what was given up, for the channel may be open again.
        """
        with self._db.transaction():
            self._db.change(
                """
                update posts set state = 'sent', posted_channel = ?, ts = ?, shown_version = ?, shown = ?,
                    attempts = 0, error = '', next_at = created_at
                where id = ?
                """,
                [channel, ts, version, shown, number],
            )
            self._db.change(
                """
                update posts set wanted_version = wanted_version + 1,
                    state = iif(state = 'abandoned' and ts <> '', 'sent', state), next_at = created_at
                where newer = ?
                """,
                [number],
            )

    def redrawn(self, number: int, version: int, shown: str = "") -> None:
        self._db.change(
            """
            update posts set shown_version = max(shown_version, ?), attempts = 0, error = '', next_at = created_at,
                shown = ?
            where id = ?
            """,
            [version, shown, number],
        )

    def shown(self, number: int) -> str:
        """A hash of what Slack was last sent; "" where that is not known."""
        row = self._db.row("select shown from posts where id = ?", [number])
        return str(row["shown"]) if row else ""

    def redirect(self, number: int, channel: str) -> None:
        """Send it to another channel than was wanted, on its own where it was to be a reply."""
        sql = "update posts set channel = ?, thread = null, next_at = created_at where id = ? and state = 'waiting'"
        self._db.change(sql, [channel, number])

    def begin(self, number: int, retry_at: datetime) -> None:
        """Kept before Slack is asked: what cannot be written down is not sent, and what was cut short waits a while."""
        self._db.change("update posts set next_at = ? where id = ?", [to_text(retry_at), number])

    def attempts(self, number: int) -> int:
        """How often sending or drawing it failed since it last went well."""
        row = self._db.row("select attempts from posts where id = ?", [number])
        return int(row["attempts"]) if row else 0

    def later(self, number: int, at: datetime, error: str) -> None:
        """Try again at `at`."""
        sql = "update posts set next_at = ?, error = ?, attempts = attempts + 1 where id = ?"
        self._db.change(sql, [to_text(at), error, number])

    def abandon(self, number: int, error: str) -> None:
        self._db.change("update posts set state = 'abandoned', error = ? where id = ?", [error, number])


def _from_row(row: Row) -> Post:
    kept = {key: value for key, value in row.items() if key not in ("next_at", "attempts", "shown")}
    return Post(
        **kept
        | {"kind": PostKind(row["kind"]), "state": PostState(row["state"]), "created_at": to_time(row["created_at"])}
    )

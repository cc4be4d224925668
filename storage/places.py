"""Which accounts' regions an audit has seen whole, and when last."""

from collections.abc import Iterable
from datetime import datetime

from storage.connection import Connection, to_text

Place = tuple[str, str]  # account and region


class Places:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def record(self, places: Iterable[Place], seen_at: datetime) -> None:
        self._db.change_many(
            """
            insert into places (account, region, seen_at) values (:account, :region, :seen_at)
            on conflict (account, region) do update set seen_at = max(places.seen_at, excluded.seen_at)
            """,
            ({"account": account, "region": region, "seen_at": to_text(seen_at)} for account, region in places),
        )

    def known(self) -> set[Place]:
        """Those of which an audit has told; what is found in any other for the first time was there before, maybe."""
        return {(account, region) for account, region in self._db.tuples("select account, region from places")}

    def in_any_account(self, region: str) -> bool:
        """Whether an audit ever saw this region whole in one."""
        return self._db.row("select 1 from places where region = ? limit 1", [region]) is not None

    def seen_since(self, account: str, at: datetime) -> bool:
        """Whether an audit that began then or later has seen a region of this account whole."""
        sql = "select 1 from places where account = ? and seen_at >= ? limit 1"
        return self._db.row(sql, [account, to_text(at)]) is not None

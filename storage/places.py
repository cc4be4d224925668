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

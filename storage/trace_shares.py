"""By what X-Ray's cost of a month was shared out, kept when the month is over: later forecasts change nothing of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from storage.connection import Connection, to_json, to_text


class Open(Enum):  # no text itself: a team may be called so
    """Why nobody's share can be told of a part."""

    BEFORE = "before"  # the account's functions were not known yet
    NO_TRAFFIC = "no traffic"  # is known of any function that was traced there
    DOUBT = "doubt"  # whether a function was traced then


Key = str | None | Open  # a team, None for functions of no known team, or why none is told


@dataclass(frozen=True, slots=True)
class MonthShares:
    """Of one month."""

    by_account: Mapping[str, Mapping[Key, float]]  # they add up to 1 in each account
    unweighed: int  # functions that were traced, or may have been, and of whose traffic nothing was known


class TraceShares:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def keep(self, month: date, shares: MonthShares, at: datetime) -> None:
        """For good: what was kept of a month stands."""
        with self._db.transaction():
            row = [month.isoformat(), to_text(at), shares.unweighed]
            sql = "insert or ignore into trace_months (month, kept_at, unweighed) values (?, ?, ?)"
            if not self._db.change(sql, row):
                return
            rows = (
                [month.isoformat(), account, *_to_row(key), share]
                for account, its in shares.by_account.items()
                for key, share in its.items()
            )
            self._db.change_many(
                "insert into trace_shares (month, account, team, open, share) values (?, ?, ?, ?, ?)", rows
            )

    def of(self, months: Collection[date]) -> dict[date, MonthShares]:
        """Of those that were kept; by their first days."""
        asked = [to_json([month.isoformat() for month in months])]
        kept = "select month, unweighed from trace_months where month in (select value from json_each(?))"
        unweighed = dict(self._db.tuples(kept, asked))
        found: dict[str, dict[str, dict[Key, float]]] = {month: {} for month in unweighed}
        sql = """
            select month, account, team, open, share from trace_shares
            where month in (select value from json_each(?)) order by month, account, team, open
        """
        for month, account, team, why, share in self._db.tuples(sql, asked):
            found[month].setdefault(account, {})[Open(why) if why else team or None] = share
        return {date.fromisoformat(month): MonthShares(its, unweighed[month]) for month, its in found.items()}


def _to_row(key: Key) -> tuple[str, str]:
    return ("", key.value) if isinstance(key, Open) else (key or "", "")

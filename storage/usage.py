"""How many GB-seconds the functions of each team used in each month: what the cost of Lambda is shared out by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from storage.connection import Connection, maybe_time, to_text, to_time

Place = tuple[str, str]  # account and region


@dataclass(frozen=True, slots=True)
class Used:
    """By all functions of a team in one account's region, in a month."""

    month: date  # its first day
    account: str
    region: str
    team: str | None  # as it was when CloudWatch was asked; None: no known team
    gb_seconds: float


@dataclass(frozen=True, slots=True)
class UsageLook:
    """The last look at one account's region."""

    account: str
    region: str
    looked_at: datetime
    told_at: datetime | None  # when it last told; None: never
    metrics: int  # that AWS bills for
    problem: str = ""  # a sentence: why the last look failed


class Usage:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def save(self, place: Place, months: Iterable[date], used: Iterable[Used], at: datetime, metrics: int) -> None:
        """In place of what was known of the place in these months."""
        with self._db.transaction():
            for month in months:
                sql = "delete from usage where month = ? and account = ? and region = ?"
                self._db.change(sql, [month.isoformat(), *place])
            self._db.change_many(
                "insert into usage (month, account, region, team, gb_seconds) values (?, ?, ?, ?, ?)",
                [(one.month.isoformat(), one.account, one.region, one.team or "", one.gb_seconds) for one in used],
            )
            self._look(place, at, at, metrics, "")

    def failed(self, place: Place, at: datetime, problem: str, metrics: int = 0) -> None:
        """CloudWatch or Lambda would not tell; what was known stands."""
        self._look(place, at, None, metrics, problem)

    def _look(self, place: Place, at: datetime, told_at: datetime | None, metrics: int, problem: str) -> None:
        self._db.change(
            """
            insert into usage_looks (account, region, looked_at, told_at, metrics, problem)
            values (:account, :region, :at, :told_at, :metrics, :problem)
            on conflict (account, region) do update set looked_at = :at, metrics = :metrics, problem = :problem,
                told_at = coalesce(:told_at, usage_looks.told_at)
            """,
            {
                "account": place[0],
                "region": place[1],
                "at": to_text(at),
                "told_at": to_text(told_at) if told_at else None,
                "metrics": metrics,
                "problem": problem,
            },
        )

    def metrics_since(self, at: datetime) -> int:
        """For how many AWS bills that were asked for since then."""
        row = self._db.row("select total(metrics) as n from usage_looks where looked_at >= ?", [to_text(at)])
        return int(row["n"]) if row else 0

    def looks(self) -> list[UsageLook]:
        rows = self._db.rows("select * from usage_looks order by account, region")
        return [
            UsageLook(
                row["account"],
                row["region"],
                to_time(row["looked_at"]),
                maybe_time(row["told_at"]),
                row["metrics"],
                row["problem"],
            )
            for row in rows
        ]

    def by_account(self) -> Mapping[str, Mapping[date, Mapping[str | None, float]]]:
        """GB-seconds by account, month and team."""
        found: dict[str, dict[date, dict[str | None, float]]] = {}
        sql = "select account, month, team, sum(gb_seconds) from usage group by account, month, team"
        for account, month, team, gb_seconds in self._db.tuples(sql):
            found.setdefault(account, {}).setdefault(date.fromisoformat(month), {})[team or None] = gb_seconds
        return found

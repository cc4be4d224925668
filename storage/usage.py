"""How many GB-seconds the functions of each team used in each month: what the cost of Lambda is shared out by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from storage.connection import Connection, maybe_time, to_json, to_text, to_time

Place = tuple[str, str]  # account and region


@dataclass(frozen=True, slots=True)
class UsageLook:
    """The last look at one account's region. Times are UTC."""

    account: str
    region: str
    looked_at: datetime
    told_at: datetime | None = None  # when it last told; None: never
    metrics: int = 0  # that were asked for
    problem: str = ""  # a sentence: why the last look failed, or did not tell of all
    functions: int = 0  # that were listed when it last told
    known: int = 0  # of them, whose GB-seconds are known


class Usage:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def asked(self, place: Place, months: Sequence[date]) -> Mapping[str, datetime]:
        """When CloudWatch last told of each function there in any of these months, by its name."""
        sql = """
            select name, max(asked_at) from usage_functions
            where account = ? and region = ? and month in (select value from json_each(?)) group by name
        """
        return {name: to_time(at) for name, at in self._db.tuples(sql, [*place, _texts(months)])}

    def keep(
        self, place: Place, used: Mapping[str, Mapping[date, float]], months: Sequence[date], at: datetime
    ) -> None:
        """Functions' GB-seconds in each of these months, in place of what was known of them; one without never ran."""
        self._db.change_many(
            """
            insert or replace into usage_functions (account, region, name, month, gb_seconds, asked_at)
            values (?, ?, ?, ?, ?, ?)
            """,
            (
                [*place, name, month.isoformat(), by_month.get(month, 0.0), to_text(at)]
                for name, by_month in used.items()
                for month in months
            ),
        )

    def told(self, months: Sequence[date], teams: Mapping[str, str | None], look: UsageLook) -> None:
        """Add up what is kept of the place's functions in these months, in place of what was known of their teams.

        `teams`: of each function that there is, by name; what is kept of others, and of months before, is forgotten.
        """
        place, used = (look.account, look.region), dict[tuple[str, str], float]()
        with self._db.transaction():
            self._db.change(
                """
                delete from usage_functions where account = ? and region = ?
                    and (month not in (select value from json_each(?)) or name not in (select value from json_each(?)))
                """,
                [*place, _texts(months), to_json(list(teams))],
            )
            sql = "select name, month, gb_seconds from usage_functions where account = ? and region = ?"
            for name, month, gb_seconds in self._db.tuples(sql, place):
                key = (month, teams[name] or "")
                used[key] = used.get(key, 0.0) + gb_seconds
            sql = "delete from usage where month = ? and account = ? and region = ?"
            self._db.change_many(sql, ([month.isoformat(), *place] for month in months))
            self._db.change_many(
                "insert into usage (month, account, region, team, gb_seconds) values (?, ?, ?, ?, ?)",
                ([month, *place, team, gb_seconds] for (month, team), gb_seconds in used.items() if gb_seconds),
            )
            self._looked(look, look.looked_at)

    def failed(self, look: UsageLook) -> None:
        """Nothing came of it; what was known stands."""
        self._looked(look, None)

    def _looked(self, look: UsageLook, told_at: datetime | None) -> None:
        self._db.change(
            """
            insert into usage_looks (account, region, looked_at, told_at, metrics, problem, functions, known)
            values (:account, :region, :at, :told_at, :metrics, :problem, :functions, :known)
            on conflict (account, region) do update set looked_at = :at, metrics = :metrics, problem = :problem,
                told_at = coalesce(:told_at, usage_looks.told_at),
                functions = iif(:functions, :functions, usage_looks.functions),
                known = iif(:told_at is null, usage_looks.known, :known)
            """,
            {
                "account": look.account,
                "region": look.region,
                "at": to_text(look.looked_at),
                "told_at": to_text(told_at) if told_at else None,
                "metrics": look.metrics,
                "problem": look.problem,
                "functions": look.functions,
                "known": look.known,
            },
        )

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
                row["functions"],
                row["known"],
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


def _texts(months: Sequence[date]) -> str:
    return to_json([month.isoformat() for month in months])

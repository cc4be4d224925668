"""How functions were known to be at a moment in the past: from the spells that are over, and those that go on.

An audit counts from when it began to ask, and a decision from when it was made. A function that an audit could not see
is as it was last known to be. What was known before the past was kept is part of it as far as memory had it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.models import Coverage, Verdict
from storage.production_rule import IN_PRODUCTION, ProductionRule, parameters

_THEN = """
    select arn, account, region, name, verdict, team, production, coalesce(known_since, made_at) as since, null as until
    from functions where gone_at is null and coalesce(known_since, made_at) <= :at {now}
    union all
    select arn, account, region, name, past.verdict, past.team, past.production, past.since, past.until
    from past join past_functions on past_functions.id = past.function join functions using (arn)
    where past.since <= :at and past.until > :at {then}
"""
_EVERYWHERE = _THEN.format(now="", then="")
_ONE = _THEN.format(now="and arn = :arn", then="and past.function = (select id from past_functions where arn = :arn)")
_OF_TEAMS = "(:teams is null or coalesce(team, '') in (select value from json_each(:teams)))"
# The same with less of it, for a count looks at all of them: an ARN names the account and the function.
_COUNTED = """
    select arn, verdict, team, production from functions
    where gone_at is null and coalesce(known_since, made_at) <= :at
    union all
    select arn, verdict, team, production from past join past_functions on id = function
    where since <= :at and until > :at
"""

_TRACED = {Verdict.TRACED: True, Verdict.UNTRACED: False, Verdict.EXEMPT: False}


@dataclass(frozen=True, slots=True)
class PastVerdict:
    """What was known of a function from `since` to before `until`."""

    arn: str
    account: str
    region: str
    name: str
    verdict: Verdict | None  # None: it was there, and nobody kept how it was
    team: str | None
    production: bool | None  # as in models.Function
    since: datetime  # UTC
    until: datetime | None  # None: it is so still


class Past:
    """`at` is a moment in UTC: what is asked for is what had come to be known by then, that moment included."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def begins(self) -> datetime | None:
        """When the first audit began, before which nothing is known; None where none was taken."""
        row = self._db.row("select min(started_at) as at from audits")
        return maybe_time(row["at"]) if row else None

    def verdict_at(self, arn: str, at: datetime) -> PastVerdict | None:
        """None: it was not there, or nobody knew of it."""
        row = self._db.row(_ONE, {"at": to_text(at), "arn": arn})
        return _from_row(row) if row else None

    def traced_at(self, arn: str, at: datetime) -> bool | None:
        """False where it was untraced or exempt; None where that is not known.

        Before it was first seen, it was as it was then, if nobody had modified it since: its role may have been, and
        nobody can tell.
        """
        known = self.verdict_at(arn, at) or self._as_first_seen(arn, at)
        return _TRACED.get(known.verdict) if known and known.verdict else None

    def _as_first_seen(self, arn: str, at: datetime) -> PastVerdict | None:
        """None where it had been seen by then, and was gone, or may have been another than it was when it was seen."""
        row = self._db.row(
            """
            select last_modified, min(coalesce(known_since, made_at),
                coalesce((select min(past.since) from past where function = past_functions.id), '9999')) as first
            from functions left join past_functions using (arn) where arn = ?
            """,
            [arn],
        )
        if row is None or row["last_modified"] is None or not row["last_modified"] <= to_text(at) < row["first"]:
            return None
        return self.verdict_at(arn, to_time(row["first"]))

    def named_at(self, name: str, at: datetime) -> list[PastVerdict]:
        """In every account and region, by these; case makes no difference."""
        sql = f"select * from ({_EVERYWHERE}) where name = :name collate nocase order by account, region, name"  # noqa: S608 - constants
        return [_from_row(row) for row in self._db.rows(sql, {"at": to_text(at), "name": name})]

    def coverage_at(self, at: datetime, production: ProductionRule | None = None) -> dict[str | None, Coverage]:
        """By team, None for functions of no known team; of those that `production` covers, by their tags of then.

        Functions of which nobody kept how they were are left out: see `not_known_at`.
        """
        counts: dict[str | None, dict[str, int]] = {}
        for team, verdict, number in self._count(at, production, "verdict is not null"):
            counts.setdefault(team, {})[verdict] = number
        return {team: Coverage(**by_verdict) for team, by_verdict in counts.items()}

    def not_known_at(self, at: datetime, production: ProductionRule | None = None) -> int:
        """How many functions were there then of which nobody kept how they were."""
        return sum(number for _, _, number in self._count(at, production, "verdict is null"))

    def functions_at(
        self,
        at: datetime,
        verdict: Verdict | None = None,
        teams: Collection[str] | None = None,
        start: int = 0,
        size: int = -1,
    ) -> list[PastVerdict]:
        """By team, then by name, those of no team last. `verdict` None: any; `teams` as in `Overview`; `size` -1: all
        that come after the first `start`."""
        rows = self._db.rows(
            f"""
            select * from ({_EVERYWHERE}) where verdict is not null and (:verdict is null or verdict = :verdict)
                and {_OF_TEAMS}
            order by team is null, team, name, account, region limit :size offset :start
            """,  # noqa: S608 - constants
            {
                "at": to_text(at),
                "verdict": verdict and str(verdict),
                "teams": None if teams is None else to_json(sorted(teams)),
                "start": start,
                "size": size,
            },
        )
        return [_from_row(row) for row in rows]

    def _count(self, at: datetime, production: ProductionRule | None, what: str) -> list[tuple[str | None, str, int]]:
        found = self._db.tuples(
            f"""
            select team, verdict, count(*) from ({_COUNTED}) where {what} and {IN_PRODUCTION}
            group by team, verdict order by team is null, team
            """,  # noqa: S608 - constants
            {"at": to_text(at), **parameters(production)},
        )
        return list(found)


def _from_row(row: Row) -> PastVerdict:
    return PastVerdict(
        **row
        | {
            "verdict": Verdict(row["verdict"]) if row["verdict"] else None,
            "production": None if row["production"] is None else bool(row["production"]),
            "since": to_time(row["since"]),
            "until": maybe_time(row["until"]),
        }
    )

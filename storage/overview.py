"""What a page about many functions reads: counts, a trend and one page of rows, each in one question."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from storage.connection import Connection, to_text, to_time
from storage.function_rows import from_values
from storage.models import Coverage, Function, Verdict
from storage.saving import KEPT

_OF_TEAMS = "(:teams is null or coalesce(team, '') in (select value from json_each(:teams)))"

_PER_DAY = "invocations / max(julianday(until) - julianday(since), 1e-9)"


@dataclass(frozen=True, slots=True)
class Point:
    """Coverage as one audit left it."""

    at: datetime  # UTC, when it ended
    coverage: Coverage


class Overview:
    """`teams` are those that are asked about: None for all, "" among them for functions of no team."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def coverage(self, teams: Collection[str] | None, since: datetime) -> dict[str | None, Coverage]:
        """By team, of the functions that AWS was asked about since then."""
        rows = self._db.rows(
            f"""
            select team, verdict, count(*) as number from functions
            where gone_at is null and seen_at >= :since and {_OF_TEAMS} group by team, verdict
            """,  # noqa: S608 - a constant
            {"since": to_text(since), "teams": _json(teams)},
        )
        counts: dict[str | None, dict[str, int]] = {}
        for row in rows:
            counts.setdefault(row["team"], {})[row["verdict"]] = row["number"]
        return {team: Coverage(**by_verdict) for team, by_verdict in counts.items()}

    def trend(self, teams: Collection[str] | None, most: int) -> list[Point]:
        """The last of each day's audits that looked at everything, oldest first; `most` days at most."""
        rows = self._db.rows(
            f"""
            with last as (
                select max(id) as id from audits where scope = '' group by substr(finished_at, 1, 10)
                order by id desc limit :most
            )
            select audits.finished_at, sum(traced) as traced, sum(untraced) as untraced, sum(exempt) as exempt
            from last join audits on audits.id = last.id join coverage on coverage.audit_id = last.id
            where {_OF_TEAMS} group by audits.id order by audits.id
            """,  # noqa: S608 - a constant
            {"most": most, "teams": _json(teams)},
        )
        return [Point(to_time(row.pop("finished_at")), Coverage(**row)) for row in rows]

    def count(self, teams: Collection[str] | None, verdict: Verdict) -> int:
        row = self._db.row(
            f"select count(*) as number from functions where gone_at is null and verdict = :verdict and {_OF_TEAMS}",  # noqa: S608 - a constant
            {"verdict": str(verdict), "teams": _json(teams)},
        )
        return int(row["number"]) if row else 0

    def page(self, teams: Collection[str] | None, verdict: Verdict, start: int, size: int) -> list[Function]:
        """By team, and of each the most invoked first, then by name; those of no team last."""
        rows = self._db.tuples(
            f"""
            select {KEPT} from functions
            left join (select arn as known, {_PER_DAY} as per_day from forecasts) on known = arn
            where gone_at is null and verdict = :verdict and {_OF_TEAMS}
            order by team is null, team, coalesce(per_day, 0) desc, name, account, region limit :size offset :start
            """,  # noqa: S608 - constants
            {"verdict": str(verdict), "teams": _json(teams), "size": size, "start": start},
        )
        return list(map(from_values, list(rows)))


def _json(teams: Collection[str] | None) -> str | None:
    return None if teams is None else json.dumps(sorted(teams))

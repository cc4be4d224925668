"""What a report adds up: coverage as audits left it and as it is, and how long fixes took.

Sums are SQLite's, so that a report over a year and 100,000 functions takes no longer than a person waits.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any

from storage.connection import Connection, to_text, to_time
from storage.kpis import Day
from storage.models import Coverage

_VERDICTS = "traced, untraced, exempt, not_applicable, unknown"
_NO_NAME = "''"


@dataclass(frozen=True, slots=True)
class Counted:
    """Which functions count."""

    counts: Callable[[str, str, int | None], bool]  # by account, name, and what tags say of production
    by_name: bool = True  # False: whatever its name is, which spares looking at each


@dataclass(frozen=True, slots=True)
class Remediated:
    """A function that came to be traced."""

    team: str | None
    untraced_at: datetime  # when it was first seen untraced, or untraced again
    traced_at: datetime


class Measures:
    """`production` says which totals of audits are meant: those of production, or of all functions."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # ---- coverage

    def coverage_now(self, since: datetime, counts: Counted | None) -> dict[str | None, Coverage]:
        """By team, of the functions that AWS was asked about since then and that count; None: all do."""
        one_by_one = counts is not None and counts.by_name  # to sort them by name would take longer
        told = f", account, {'name' if one_by_one else _NO_NAME}, production" if counts else ""
        number, grouped = ("1", "") if one_by_one else ("count(*)", f"group by team, verdict {told}")
        sql = f"""
            select team, verdict, {number} {told} from functions where gone_at is null and seen_at >= ? {grouped}
        """  # noqa: S608 - constants
        found: dict[str | None, Counter[str]] = {}
        for team, verdict, number, *of in self._db.tuples(sql, [to_text(since)]):
            if counts is None or counts.counts(*of):
                found.setdefault(team, Counter())[verdict] += number
        return {team: Coverage(**by_verdict) for team, by_verdict in found.items()}

    def audit_before(self, at: datetime) -> int | None:
        """The last that looked at everything and had ended by then."""
        sql = "select max(id) as id from audits where scope = '' and finished_at <= ?"
        row = self._db.row(sql, [to_text(at)])
        return row["id"] if row else None

    def coverage_of(self, audit_id: int, *, production: bool) -> dict[str | None, Coverage] | None:
        """By team; None where nothing said then what production is."""
        sql = f"select team, {_VERDICTS} from {_table(production)} where audit_id = ?"  # noqa: S608 - constants
        found = {team or None: Coverage(*numbers) for team, *numbers in self._db.tuples(sql, [audit_id])}
        return None if production and not found else found

    def days(
        self, since: datetime, until: datetime, team: str | None, *, production: bool, weekly: bool = False
    ) -> dict[str | None, tuple[Day, ...]]:
        """By team, the last of each day's audits that looked at everything; of one team, or of all (None).
        `weekly`: of the last such day of each seven days, counted back from the newest."""
        rows = self._of_days("team, day, " + _VERDICTS, "order by team, day", since, until, team, production, weekly)
        on: dict[str, date] = {}
        return {
            name or None: tuple(Day(_date(day, on), Coverage(*numbers)) for _, day, *numbers in told)
            for name, told in groupby(rows, key=_first)
        }

    def days_together(self, since: datetime, until: datetime, team: str | None, *, production: bool) -> tuple[Day, ...]:
        """The sums of the same over these teams, day by day."""
        sums = "day, " + ", ".join(f"sum({verdict})" for verdict in _VERDICTS.split(", "))
        rows = self._of_days(sums, "group by day order by day", since, until, team, production, weekly=False)
        return tuple(Day(date.fromisoformat(day), Coverage(*numbers)) for day, *numbers in rows)

    def _of_days(
        self,
        told: str,
        order: str,
        since: datetime,
        until: datetime,
        team: str | None,
        production: bool,
        weekly: bool,
    ) -> Iterator[tuple[Any, ...]]:
        sql = f"""
            with days as (
                select max(id) as id, substr(finished_at, 1, 10) as day from audits
                where scope = '' and finished_at >= :since and finished_at < :until group by 2
            ),
            shown as (
                select max(id) as id, max(day) as day from days
                group by iif(:weekly,
                    cast(julianday((select max(day) from days)) - julianday(day) as integer) / 7, day)
            )
            select {told} from shown join {_table(production)} on audit_id = shown.id
            where :team is null or team = :team {order}
        """  # noqa: S608 - constants
        asked = {"since": to_text(since), "until": to_text(until), "team": team, "weekly": int(weekly)}
        return self._db.tuples(sql, asked)

    def not_seen(self, audit_id: int) -> int:
        """How many accounts and regions it could not see."""
        row = self._db.row("select count(*) as n from not_scanned where audit_id = ?", [audit_id])
        return int(row["n"]) if row else 0

    # ---- remediation

    def remediated(self, since: datetime, until: datetime, counts: Counted | None) -> Iterator[Remediated]:
        """The functions that audits of this time found traced and that had been untraced. To be read to its end.

        Where a function is traced since before that audit, that moment counts: a fix reads back what it did.
        """
        sql = """
            select functions.team, functions.account, functions.name, functions.production, functions.verdict,
                functions.since, functions.made_at, audits.started_at,
                (select before.started_at from changes as earlier join audits as before on before.id = earlier.audit_id
                 where earlier.arn = changes.arn and earlier.audit_id < changes.audit_id
                     and earlier.kind in ('new', 'returned', 'regressed')
                 order by earlier.audit_id desc limit 1) as untraced_at
            from audits join changes on changes.audit_id = audits.id
            join functions on functions.arn = changes.arn
            where audits.finished_at >= ? and audits.finished_at < ? and changes.kind = 'fixed'
        """
        for row in self._db.tuples(sql, [to_text(since), to_text(until)]):
            team, account, name, tagged, verdict, verdict_since, made_at, audited_at, again_at = row
            untraced_at = again_at or made_at
            if untraced_at is None or (counts and not counts.counts(account, name, tagged)):
                continue
            own = verdict == "traced" and untraced_at < verdict_since < audited_at
            yield Remediated(team, to_time(untraced_at), to_time(verdict_since if own else audited_at))

    # ---- whose the functions are

    def alarms_of(self, team: str | None, counts: Counted | None) -> frozenset[int] | None:
        """The alarms on functions that count, of one team (None: of all of them); None: every alarm."""
        if team is None and counts is None:
            return None
        sql = """
            select alarm_id, team, account, name, production from alarm_functions
            join functions on functions.arn = alarm_functions.arn
        """
        return frozenset(
            alarm_id
            for alarm_id, owner, *of in self._db.tuples(sql)
            if team in (None, owner) and (counts is None or counts.counts(*of))
        )

    def teams_in(self, place: tuple[str, str]) -> Mapping[str, str | None]:
        """The team of each function in an account's region, by its name."""
        sql = "select name, team from functions where account = ? and region = ? and gone_at is null"
        return dict(self._db.tuples(sql, place))


def _table(production: bool) -> str:
    return "production_coverage" if production else "coverage"


def _first(row: tuple[Any, ...]) -> Any:
    return row[0]


def _date(text: str, known: dict[str, date]) -> date:
    """There are a few days, and many teams."""
    found = known.get(text)
    if found is None:
        found = known[text] = date.fromisoformat(text)
    return found

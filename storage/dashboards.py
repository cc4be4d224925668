"""What dashboards show of memory: sums, each in one question, so that they can be asked for every few seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from storage.connection import Connection, maybe_time
from storage.models import DecisionKind, Verdict
from storage.production_rule import IN_PRODUCTION, ProductionRule, parameters

# What may come of a fix or of its undo; each is a row of the history.
OUTCOMES = (DecisionKind.APPLIED, DecisionKind.FAILED, DecisionKind.UNDONE, DecisionKind.UNDO_FAILED)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many functions are alike in this."""

    team: str | None
    account: str
    verdict: Verdict
    in_production: bool
    number: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The forecasts of all functions with a verdict, together; in 30 days."""

    verdict: Verdict
    unit: str  # a `forecasts.Unit`
    functions: int  # that have one
    recorded: float  # of the unit, expected
    usd: float | None  # expected, before any free tier; None: of some of them no price is known


class Dashboards:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def functions(self, production: ProductionRule | None = None) -> list[Counted]:
        """Of all that exist, also those that the last audit could not see, as they were last known."""
        rows = self._db.tuples(
            f"""
            select team, account, verdict, {IN_PRODUCTION} as covered, count(*) from functions
            where gone_at is null group by team, account, verdict, covered
            """,  # noqa: S608 - a constant
            parameters(production),
        )
        return [
            Counted(team, account, Verdict(verdict), bool(covered), n) for team, account, verdict, covered, n in rows
        ]

    def fixes(self) -> Mapping[DecisionKind, int]:
        """How often each of OUTCOMES has come about, ever: the history only grows."""
        kinds = ", ".join(f"'{kind}'" for kind in OUTCOMES)
        sql = f"select kind, count(*) from decisions where kind in ({kinds}) group by kind"  # noqa: S608 - ours
        found = dict(self._db.tuples(sql))
        return {kind: found.get(str(kind), 0) for kind in OUTCOMES}

    def posts_waiting(self) -> int:
        """Messages that Slack has not taken yet."""
        row = self._db.row("select count(*) as number from posts where state = 'waiting'")
        return int(row["number"]) if row else 0

    def audits(self) -> tuple[int, int]:
        """How many audits were taken, ever, and how many calls to AWS they took."""
        row = self._db.row("select count(*) as number, coalesce(sum(aws_calls), 0) as calls from audits")
        return (int(row["number"]), int(row["calls"])) if row else (0, 0)

    def foreseen(self) -> list[Foreseen]:
        rows = self._db.tuples(
            """
            select verdict, unit, count(*), total(recorded_expected), total(usd_expected), count(usd_expected)
            from forecasts join functions using (arn) where gone_at is null group by verdict, unit
            """
        )
        return [
            Foreseen(Verdict(verdict), unit, functions, recorded, usd if priced == functions else None)
            for verdict, unit, functions, recorded, usd, priced in rows
        ]

    def last_run(self, job: str) -> datetime | None:
        """When the newest run of a job ended whose name begins so."""
        row = self._db.row("select max(finished_at) as at from daily_runs where substr(job, 1, length(?1)) = ?1", [job])
        return maybe_time(row["at"]) if row else None

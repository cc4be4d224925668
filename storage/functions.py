"""The current state of every function that an audit ever saw."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from storage.connection import Connection, maybe_time, to_text, to_time
from storage.function_rows import as_json, from_values, to_row, values_of
from storage.models import Coverage, Function, Verdict
from storage.news import LastKnown
from storage.saving import KEPT, SAVE_CHANGED, SAVE_SAME


class Functions:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def save(
        self, functions: Iterable[Function], seen_at: datetime, now: datetime | None = None, *, audited: bool = False
    ) -> None:
        """`seen_at` is when AWS was asked. What was seen after `now` was seen by a clock that has been set back since,
        and does not count as newer. `audited`: what is saved is told as an audit's, and the next one compares with it.
        """
        times = (to_text(seen_at), to_text(now) if now else "9999", int(audited))
        with self._db.transaction():
            rows = ((*values_of(one), int(one.team_known), *times) for one in functions)
            self._db.change_many(SAVE_CHANGED, self._db.change_what_can(SAVE_SAME, rows))

    def mark_unseen_gone(self, places: Iterable[tuple[str, str]], before: datetime) -> None:
        """The functions in these accounts' regions that were last seen before `before` no longer exist."""
        self._db.change(
            """
            update functions set gone_at = :before
            where seen_at < :before and gone_at is null and (account, region) in
                (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(:places))
            """,
            {"places": as_json(list(places)), "before": to_text(before)},
        )

    def mark_gone_outside(
        self, accounts: Collection[str], seen_whole: Collection[str], regions: Collection[str], at: datetime
    ) -> None:
        """Functions in other accounts are no longer looked after; nor are those in other regions of the accounts in
        `seen_whole`, which said which regions they have."""
        self._db.change(
            """
            update functions set gone_at = :at, outside = 1
            where gone_at is null and seen_at <> :at and (  -- what is seen now is inside
                account not in (select value from json_each(:accounts))
                or (account in (select value from json_each(:seen_whole))
                    and region not in (select value from json_each(:regions)))
            )
            """,
            {
                "at": to_text(at),
                "accounts": as_json(list(accounts)),
                "seen_whole": as_json(list(seen_whole)),
                "regions": as_json(list(regions)),
            },
        )

    def of_role(self, role: str) -> list[Function]:
        """Those with this execution role."""
        return self._list("role = ?", [role])

    def mark_gone(self, arn: str, at: datetime) -> None:
        self._db.change("update functions set gone_at = ? where arn = ? and gone_at is null", [to_text(at), arn])

    def amend(self, function: Function, at: datetime) -> None:
        """What follows for it from a change of its role; AWS was not asked about the function itself."""
        row = to_row(function)
        self._db.change(
            """
            update functions set role_may_write = :role_may_write, findings = :findings, verdict = :verdict,
                since = case when verdict is :verdict then since else :at end
            where arn = :arn and gone_at is null
            """,
            {**{name: row[name] for name in ("arn", "role_may_write", "findings", "verdict")}, "at": to_text(at)},
        )

    def set_verdict(self, arn: str, verdict: Verdict, at: datetime) -> None:
        """What was decided here, not seen at AWS: an exemption."""
        self._db.change("update functions set verdict = ?, since = ? where arn = ?", [str(verdict), to_text(at), arn])

    def set_team(self, function: Function, at: datetime) -> None:
        """What was decided here, not seen at AWS: its team, and the finding that it has none."""
        row = to_row(function)
        self._db.change(
            """
            update functions set team = :team, team_from = :team_from, findings = :findings,
                known_since = case when team is :team or gone_at is not null then known_since else :at end
            where arn = :arn
            """,
            {**{name: row[name] for name in ("arn", "team", "team_from", "findings")}, "at": to_text(at)},
        )

    def get(self, arn: str) -> Function | None:
        """None for one that was never seen or is gone."""
        sql = f"select {KEPT} from functions where arn = ? and gone_at is null"  # noqa: S608 - ours
        return next(map(from_values, list(self._db.tuples(sql, [arn]))), None)

    def last_team(self, arn: str) -> str | None:
        """Whose it is, or was when it was last seen; "": nobody's that is known; None: it was never seen."""
        row = self._db.row("select team from functions where arn = ?", [arn])
        return None if row is None else str(row["team"] or "")

    def of(self, arns: Collection[str]) -> list[Function]:
        """Those of them that are there."""
        return self._list("arn in (select value from json_each(?))", [as_json(list(arns))])

    def modified(self) -> dict[str, datetime]:
        """When each was last changed, as far as that is known, by ARN."""
        sql = "select arn, last_modified from functions where gone_at is null and last_modified is not null"
        return {row["arn"]: to_time(row["last_modified"]) for row in self._db.rows(sql)}

    def named(self, name: str) -> list[Function]:
        """In every account and region."""
        return self._list("name = ?", [name])

    def of_team(self, team: str | None, verdict: Verdict) -> list[Function]:
        return self._list("team is ? and verdict = ?", [team, str(verdict)])

    def untraced(self) -> list[Function]:
        """Of every team."""
        return self._list("verdict = ?", [str(Verdict.UNTRACED)])

    def traceable(self) -> list[Function]:
        """All to which X-Ray applies, as far as that is known."""
        return self._list("verdict <> ?", [str(Verdict.NOT_APPLICABLE)])

    def members(self, team: str | None) -> list[Function]:
        """All of a team's, also those that the latest audit could not see."""
        return self._list("team is ?", [team])

    def seen_since(self, at: datetime) -> list[Function]:
        """Those that AWS was asked about at or after that time."""
        return self._list("seen_at >= ?", [to_text(at)])

    def untraced_of_team_since(self, team: str | None, at: datetime) -> list[Function]:
        return self._list("team is ? and verdict = ? and seen_at >= ?", [team, str(Verdict.UNTRACED), to_text(at)])

    def coverage_of_team_since(self, team: str | None, at: datetime) -> Coverage:
        """Of those that AWS was asked about at or after that time."""
        sql = """
            select verdict, count(*) from functions
            where gone_at is null and team is ? and seen_at >= ? group by verdict
        """
        return Coverage(**dict(self._db.tuples(sql, [team, to_text(at)])))

    def names(self) -> list[str]:
        """Each once, sorted."""
        rows = self._db.rows("select distinct name from functions where gone_at is null order by name")
        return [row["name"] for row in rows]

    def teams(self) -> list[str]:
        """Each once, sorted. From one to the next by the index: every command that names a team asks this."""
        sql = """
            with recursive known(team) as (
                select min(team) from functions where gone_at is null
                union all
                select (select min(team) from functions where gone_at is null and team > known.team) from known
                where known.team is not null
            )
            select team from known where team is not null
        """
        return [team for (team,) in self._db.tuples(sql)]

    def sharing(self, role: str, but: str) -> int:
        """How many functions other than `but` use this execution role."""
        sql = "select count(*) as number from functions where role = ? and arn <> ? and gone_at is null"
        row = self._db.row(sql, [role, but])
        return int(row["number"]) if row else 0

    def since(self, arn: str) -> datetime | None:
        """When the function's present verdict was first seen."""
        return self._time("since", arn)

    def made_at(self, arn: str) -> datetime | None:
        """When this function, and not an earlier one of its name, was first seen."""
        return self._time("made_at", arn)

    def seen_at(self, arn: str) -> datetime | None:
        """When AWS was last asked about it."""
        return self._time("seen_at", arn)

    def last_known(self, before: datetime, accounts: Sequence[str], regions: Sequence[str]) -> list[LastKnown]:
        """Those that AWS has not shown since then and that are not gone; in these accounts and regions, if any."""
        sql = f"""
            select {KEPT}, seen_at from functions
            where gone_at is null and seen_at < :before
              and (:accounts = '[]' or account in (select value from json_each(:accounts)))
              and (:regions = '[]' or region in (select value from json_each(:regions)))
            order by name, account, region
        """  # noqa: S608 - ours
        asked = {"before": to_text(before), "accounts": as_json(list(accounts)), "regions": as_json(list(regions))}
        return [
            LastKnown(seen_at=to_time(seen_at), function=from_values(values))
            for *values, seen_at in list(self._db.tuples(sql, asked))
        ]

    def _time(self, column: str, arn: str) -> datetime | None:
        row = self._db.row(f"select {column} as time from functions where arn = ?", [arn])  # noqa: S608 - ours
        return maybe_time(row["time"]) if row else None

    def _list(self, where: str, parameters: Sequence[object]) -> list[Function]:
        sql = f"select {KEPT} from functions where gone_at is null and {where} order by name, account, region"  # noqa: S608 - ours
        return list(map(from_values, list(self._db.tuples(sql, parameters))))  # made when others may read again

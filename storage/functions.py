"""The current state of every function that an audit ever saw."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import orjson

from storage.connection import Connection, Row, maybe_text, maybe_time, to_text, to_time
from storage.models import (
    Alias,
    CheckName,
    Coverage,
    Finding,
    Form,
    Function,
    Manager,
    MayWrite,
    ServedVersion,
    TeamFrom,
    TracingMode,
    Verdict,
)
from storage.news import LastKnown
from storage.saving import COLUMNS, KEPT, SAVE_CHANGED, SAVE_SAME

W = TypeVar("W", bound=StrEnum)


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
            rows = ((*_values(one), int(one.team_known), *times) for one in functions)
            self._db.change_many(SAVE_CHANGED, self._db.change_what_can(SAVE_SAME, rows))

    def mark_unseen_gone(self, places: Iterable[tuple[str, str]], before: datetime) -> None:
        """The functions in these accounts' regions that were last seen before `before` no longer exist."""
        self._db.change(
            """
            update functions set gone_at = :before
            where seen_at < :before and gone_at is null and (account, region) in
                (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(:places))
            """,
            {"places": _json(list(places)), "before": to_text(before)},
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
                "accounts": _json(list(accounts)),
                "seen_whole": _json(list(seen_whole)),
                "regions": _json(list(regions)),
            },
        )

    def of_role(self, role: str) -> list[Function]:
        """Those with this execution role."""
        return self._list("role = ?", [role])

    def mark_gone(self, arn: str, at: datetime) -> None:
        self._db.change("update functions set gone_at = ? where arn = ? and gone_at is null", [to_text(at), arn])

    def amend(self, function: Function, at: datetime) -> None:
        """What follows for it from a change of its role; AWS was not asked about the function itself."""
        row = _to_row(function)
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
        row = _to_row(function)
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
        return self._list("arn in (select value from json_each(?))", [_json(list(arns))])

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
        asked = {"before": to_text(before), "accounts": _json(list(accounts)), "regions": _json(list(regions))}
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


def _to_row(function: Function) -> Row:
    return dict(zip(COLUMNS, _values(function), strict=True))


def _values(function: Function) -> tuple[object, ...]:
    """In the order of `COLUMNS`. Plain texts: SQLite's adapter takes as long for three others as for the whole row;
    and `_value_`, for `.value` takes twice as long."""
    mode, role_may_write, published_mode = function.mode, function.role_may_write, function.published_mode
    managed_by, team_from, verdict = function.managed_by, function.team_from, function.verdict
    aliases = None if function.aliases is None else tuple(map(_alias_to_json, function.aliases))
    return (
        function.arn,
        function.account,
        function.region,
        function.name,
        mode and mode._value_,
        function.role,
        role_may_write and role_may_write._value_,
        function.runtime,
        maybe_text(function.last_modified),
        function.revision_id,
        function.code_sha256,
        function.team,
        None if aliases is None else _json(aliases) if aliases else "[]",
        None if function.sources is None else _json_of(function.sources),
        int(function.edge),
        _json_of(function.layers),
        _json_of(function.environment_keys),
        function.package_type,
        function.handler,
        _json_of(function.forms),
        published_mode and published_mode._value_,
        _json_of(function.untraced_callers),
        managed_by and managed_by._value_,
        function.stack,
        function.stack_id,
        function.logical_id,
        function.production,
        team_from and team_from._value_,
        function.channel,
        function.tag_marks,
        verdict and verdict._value_,
        _findings_to_json(function.findings),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


# Most functions of an audit share their layers, settings' names and findings with many others.
_json_of = lru_cache(maxsize=10_000)(_json)


@lru_cache(maxsize=10_000)
def _findings_to_json(findings: tuple[Finding, ...]) -> str:
    return _json([{"check": str(finding.check), "text": finding.text} for finding in findings])


def _alias_to_json(alias: Alias) -> dict[str, object]:
    versions = [{"version": served.version, "mode": served.mode, "weight": served.weight} for served in alias.versions]
    return {"name": alias.name, "versions": versions}


def from_values(values: Sequence[Any]) -> Function:
    """What stands in the columns of `KEPT`, as its noun. A question may be about all of a team's 20,000 functions, most
    of which share their findings, layers and settings' names: each of these is made once."""
    (
        arn, account, region, name, mode, role, role_may_write, runtime, last_modified, revision_id, code_sha256, team,
        aliases, sources, edge, layers, environment_keys, package_type, handler, forms, published_mode,
        untraced_callers, managed_by, stack, stack_id, logical_id, production, team_from, channel, tag_marks, verdict,
        findings,
    ) = values  # fmt: skip
    return Function(
        arn=arn,
        account=account,
        region=region,
        name=name,
        mode=_MODES[mode],
        role=role,
        role_may_write=_MAY_WRITE[role_may_write],
        runtime=runtime,
        last_modified=maybe_time(last_modified),
        revision_id=revision_id,
        code_sha256=code_sha256,
        team=team,
        aliases=() if aliases == "[]" else _aliases(aliases),
        sources=_texts(sources),
        edge=bool(edge),
        layers=_texts(layers) or (),
        environment_keys=_texts(environment_keys),
        package_type=package_type,
        handler=handler,
        forms=() if forms == "[]" else tuple(map(Form, orjson.loads(forms))),
        published_mode=_MODES[published_mode],
        untraced_callers=_texts(untraced_callers) or (),
        managed_by=_MANAGERS[managed_by],
        stack=stack,
        stack_id=stack_id,
        logical_id=logical_id,
        production=None if production is None else bool(production),
        team_from=_TEAM_FROM[team_from],
        channel=channel,
        tag_marks=tag_marks,
        verdict=_VERDICTS[verdict],
        findings=_findings(findings),
    )


def _by_text(words: type[W]) -> Mapping[str | None, W | None]:
    """An enumeration's members by their texts: to ask it takes ten times as long."""
    return {None: None, **{str(word): word for word in words}}


_MODES, _MAY_WRITE, _MANAGERS, _TEAM_FROM = (
    _by_text(TracingMode),
    _by_text(MayWrite),
    _by_text(Manager),
    _by_text(TeamFrom),
)
_VERDICTS = {str(verdict): verdict for verdict in Verdict}


@lru_cache(maxsize=10_000)
def _texts(told: str | None) -> tuple[str, ...] | None:
    return None if told is None or told == "null" else tuple(orjson.loads(told))


@lru_cache(maxsize=10_000)
def _findings(told: str) -> tuple[Finding, ...]:
    return tuple(Finding(CheckName(item["check"]), item["text"]) for item in orjson.loads(told))


def _aliases(told: str | None) -> tuple[Alias, ...] | None:
    return None if told is None else tuple(map(_alias, orjson.loads(told)))


def _alias(item: Row) -> Alias:
    versions = tuple(
        ServedVersion(served["version"], TracingMode(served["mode"]) if served["mode"] else None, served["weight"])
        for served in item["versions"]
    )
    return Alias(item["name"], versions)

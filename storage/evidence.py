"""What an evidence report is made of, as memory has it between two moments; `since` is included, `until` is not."""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.models import Coverage, DecisionKind, NotScanned

_COUNTS = ("traced", "untraced", "exempt", "not_applicable", "unknown")
# The team that a function had at that moment; what is about no function names its team, or an exemption that does.
# A file that somebody wrote in may hold what is no JSON: the chain says so, and the rest is told all the same.
_DETAIL = "iif(json_valid(decisions.detail), decisions.detail, '{}')"
_TEAM_THEN = f"""
    coalesce(
        nullif(json_extract({_DETAIL}, '$.team'), ''),
        case when past.function is not null then past.team else functions.team end,
        (select team from exemptions where id = json_extract({_DETAIL}, '$.exemption'))
    )
"""  # noqa: S608 - constants
_THEN = """
    left join functions on functions.arn = decisions.function_arn
    left join past_functions on past_functions.arn = decisions.function_arn
    left join past on past.function = past_functions.id and past.since <= decisions.at and past.until > decisions.at
"""


@dataclass(frozen=True, slots=True)
class Act:
    """A decision, or what came of one."""

    number: int
    at: datetime
    kind: DecisionKind
    actor: str
    function_arn: str
    team: str | None  # that it was about, as it was then; None: of no known team, or of none
    reason: str
    request_id: str
    detail: Mapping[str, object] = field(default_factory=dict)
    asked_by: str = ""  # who had asked for what was approved; "": nobody did


@dataclass(frozen=True, slots=True)
class ExceptionThen:
    """An exemption that was in force for a time."""

    number: int
    function_arn: str  # "": it goes by names or a tag
    scope: str
    target: str
    team: str | None
    reason: str
    ticket: str
    asked_by: str  # "": one person was enough
    granted_by: str
    granted_at: datetime
    until: datetime  # as it was chosen by the end of that time
    functions: int  # that it ever covered
    ended_at: datetime | None  # None: it went on
    ended_by: str
    ended_how: str  # as storage.models.ExemptState


@dataclass(frozen=True, slots=True)
class Outside:
    """A change that an audit found and that was not made here."""

    at: datetime  # when the audit ended
    kind: str  # 'fixed' or 'regressed'
    function_arn: str
    team: str | None
    fixed_by: str  # who had fixed here what was untraced again; "": nobody had


@dataclass(frozen=True, slots=True)
class Look:
    """An audit of everything."""

    id: int
    finished_at: datetime
    not_seen: tuple[NotScanned, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of decisions ends."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A report that was asked for in Slack; it is made again from this when it is sent."""

    id: str
    asked_by: str
    since: date
    until: date
    team: str | None


class EvidenceShelf:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # ---- decisions

    def head(self) -> Head | None:
        row = self._db.row("select id, hash from decisions order by id desc limit 1")
        return Head(row["id"], row["hash"]) if row else None

    def acts(self, since: datetime, until: datetime, team: str | None) -> tuple[list[Act], int]:
        """Oldest first, of one team or of all (None); and how many rows say what this version does not know."""
        rows = self._db.rows(
            f"""
            select decisions.id, decisions.at, decisions.kind, actor, decisions.function_arn, decisions.reason,
                decisions.request_id, {_DETAIL} as detail, {_TEAM_THEN} as team_then, coalesce((
                select asked.actor from decisions as asked
                where asked.function_arn = decisions.function_arn and asked.request_id = decisions.request_id
                    and asked.kind = 'requested' and asked.id < decisions.id and decisions.kind = 'approved'
                order by asked.id desc limit 1), '') as asked_by
            from decisions {_THEN}
            where decisions.at >= :since and decisions.at < :until
                and (:team is null or {_TEAM_THEN} = :team)
            order by decisions.id
            """,  # noqa: S608 - constants
            {"since": to_text(since), "until": to_text(until), "team": team},
        )
        found = [_act(row) for row in rows]
        acts = [one for one in found if one]
        return acts, len(found) - len(acts)

    # ---- exceptions

    def exceptions(self, since: datetime, until: datetime, team: str | None) -> list[ExceptionThen]:
        """Those in force at any moment of the time, the first to be granted first."""
        rows = self._db.rows(
            """
            select exemptions.*,
                (select count(*) from exemption_members where exemption_id = exemptions.id) as functions,
                (select json_extract(detail, '$.until_before') from decisions
                 where kind = 'exemption_extended' and at >= :until and json_valid(detail)
                     and json_extract(detail, '$.exemption') = exemptions.id order by id limit 1) as until_then
            from exemptions
            where granted_by <> '' and granted_at < :until and coalesce(ended_at, '9999') >= :since
                and expires_at > :since and state in ('granted', 'ended', 'revoked')
                and (:team is null or team = :team)
            order by granted_at, id
            """,
            {"since": to_text(since), "until": to_text(until), "team": team},
        )
        return [_exception(row, until) for row in rows]

    # ---- audits

    def looks(self, since: datetime, until: datetime) -> list[Look]:
        """The audits of everything that ended in that time, oldest first."""
        asked = {"since": to_text(since), "until": to_text(until)}
        within = "scope = '' and finished_at >= :since and finished_at < :until"
        unseen: dict[int, list[NotScanned]] = {}
        sql = f"select not_scanned.* from not_scanned join audits on id = audit_id where {within}"  # noqa: S608 - constants
        for row in self._db.rows(sql, asked):
            unseen.setdefault(row["audit_id"], []).append(NotScanned(row["account"], row["region"], row["reason"]))
        sql = f"select id, finished_at from audits where {within} order by finished_at"  # noqa: S608 - constants
        return [
            Look(row["id"], to_time(row["finished_at"]), tuple(unseen.get(row["id"], ())))
            for row in self._db.rows(sql, asked)
        ]

    def last_before(self, at: datetime) -> Look | None:
        """The last audit of everything that had ended by then."""
        sql = (
            "select id, finished_at from audits where scope = '' and finished_at <= ? order by finished_at desc limit 1"
        )
        row = self._db.row(sql, [to_text(at)])
        if row is None:
            return None
        unseen = self._db.rows("select account, region, reason from not_scanned where audit_id = ?", [row["id"]])
        return Look(row["id"], to_time(row["finished_at"]), tuple(NotScanned(**one) for one in unseen))

    def together(self, audits: Collection[int], team: str | None, *, production: bool) -> dict[int, Coverage]:
        """What each of these audits counted; of production alone, without those that knew of none."""
        table = "production_coverage" if production else "coverage"
        rows = self._db.tuples(
            f"""
            select audit_id, {", ".join(f"sum({one})" for one in _COUNTS)} from {table}
            where audit_id in (select value from json_each(?)) and (? is null or team = ?) group by audit_id
            """,  # noqa: S608 - constants
            [to_json(sorted(audits)), team, team],
        )
        return {number: Coverage(*counts) for number, *counts in rows}

    def accounts(self, since: datetime, until: datetime, team: str | None) -> tuple[str, ...]:
        """Those in which functions were known, or that an audit saw whole."""
        rows = self._db.tuples(
            """
            select account from functions
            where coalesce(made_at, since) < :until and coalesce(gone_at, '9999') >= :since
                and (:team is null or team = :team)
            union select account from places where :team is null and seen_at >= :since order by 1
            """,
            {"since": to_text(since), "until": to_text(until), "team": team},
        )
        return tuple(account for (account,) in rows)

    def outside(self, since: datetime, until: datetime, team: str | None) -> list[Outside]:
        """Tracing that was turned on or off, or lost its permission, between two audits and not by a decision here."""
        rows = self._db.rows(
            """
            select audits.finished_at as at, changes.kind, changes.arn, changes.detail, functions.team
            from changes join audits on audits.id = changes.audit_id
            left join functions on functions.arn = changes.arn
            where audits.finished_at >= :since and audits.finished_at < :until
                and changes.kind in ('fixed', 'regressed') and (:team is null or functions.team = :team)
                and not exists (
                    select 1 from decisions
                    where decisions.function_arn = changes.arn and decisions.at <= audits.finished_at
                        and decisions.kind = iif(changes.kind = 'fixed', 'applied', 'undone')
                        and decisions.at >= coalesce(
                            (select before.started_at from audits as before
                             where before.id < audits.id and before.scope = '' order by before.id desc limit 1), ''))
            order by audits.finished_at, changes.arn
            """,
            {"since": to_text(since), "until": to_text(until), "team": team},
        )
        return [
            Outside(
                to_time(row["at"]),
                row["kind"],
                row["arn"],
                row["team"],
                str(json.loads(row["detail"]).get("fixed_by", "")),
            )
            for row in rows
        ]

    # ---- reports that were asked for in Slack

    def ask(self, by: str, since: date, until: date, team: str | None, now: datetime) -> str:
        """The id of the report, which is all that its button carries."""
        report_id = secrets.token_urlsafe(16)
        row: Row = {"id": report_id, "made_at": to_text(now), "asked_by": by, "team": team}
        self._db.insert("evidence_reports", row | {"since": f"{since}", "until": f"{until}"})
        return report_id

    def asked(self, report_id: str) -> AskedFor | None:
        return self._asked("select * from evidence_reports where id = ?", report_id)

    def show(self, post: int, report_id: str) -> None:
        """This post brings that report."""
        self._db.insert("evidence_posts", {"post": post, "report": report_id})

    def of_post(self, post: int) -> AskedFor | None:
        sql = "select evidence_reports.* from evidence_posts join evidence_reports on id = report where post = ?"
        return self._asked(sql, post)

    def _asked(self, sql: str, key: str | int) -> AskedFor | None:
        row = self._db.row(sql, [key])
        if row is None:
            return None
        since, until = date.fromisoformat(row["since"]), date.fromisoformat(row["until"])
        return AskedFor(row["id"], row["asked_by"], since, until, row["team"])


def _act(row: Row) -> Act | None:
    try:
        kind, at = DecisionKind(row["kind"]), to_time(row["at"])
    except ValueError:
        return None
    detail, about = json.loads(row["detail"]), (row["function_arn"], row["team_then"])
    told = detail if isinstance(detail, dict) else {}
    return Act(row["id"], at, kind, row["actor"], *about, row["reason"], row["request_id"], told, row["asked_by"])


def _exception(row: Row, until: datetime) -> ExceptionThen:
    """As it stood at that moment, whatever became of it later."""
    ended_at = maybe_time(row["ended_at"])
    over = ended_at is not None and ended_at < until
    return ExceptionThen(
        number=row["id"],
        function_arn=row["function_arn"],
        scope=row["scope"],
        target=row["target"],
        team=row["team"],
        reason=row["reason"],
        ticket=row["ticket"],
        asked_by=row["asked_by"],
        granted_by=row["granted_by"],
        granted_at=to_time(row["granted_at"]),
        until=to_time(row["until_then"] or row["expires_at"]),
        functions=row["functions"],
        ended_at=ended_at if over else None,
        ended_by=row["ended_by"] if over else "",
        ended_how=row["state"] if over else "",
    )

"""What each audit found other than the one before had left it: rows that are added and never changed."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from storage.audits import scope_of
from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.models import Function, Verdict
from storage.news import Before, Change, ChangeKind, Since, net

_BEFORE = """
    select arn, verdict, told, seen_at, made_at, gone_at, outside, package_type, forms, stack_id, nullif(aliases, '[]'),
        team
    from functions
"""
_CHANGES = """
    select changes.*, audits.started_at as at, functions.team from changes
    join audits on audits.id = changes.audit_id join functions on functions.arn = changes.arn
"""


class Changes:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def before(self, functions: Sequence[Function]) -> Iterator[Before]:
        """What is remembered of these functions; for several of them, of all in their accounts, gone ones too.

        To be read to its end.
        """
        if len(functions) == 1:
            rows = self._db.tuples(f"{_BEFORE} where arn = ?", [functions[0].arn])
        else:
            accounts = to_json(sorted({function.account for function in functions}))
            rows = self._db.tuples(f"{_BEFORE} where account in (select value from json_each(?))", [accounts])  # noqa: S608 - a constant
        return map(Before._make, rows)

    def part_with(self, function_arn: str, at: datetime) -> None:
        """What is remembered under this ARN was of a function that is no more."""
        self._db.change(
            "update functions set gone_at = coalesce(gone_at, ?), outside = 0, told = null where arn = ?",
            [to_text(at), function_arn],
        )

    def take_gone(self) -> list[Change]:
        """The functions that are gone and of which no audit has told so; from now on, one has."""
        newly = "gone_at is not null and not outside and told is not 'gone'"
        with self._db.transaction():
            rows = self._db.rows(f"select arn, verdict, told from functions where {newly}")  # noqa: S608 - a constant
            self._db.change(f"update functions set told = 'gone' where {newly}")  # noqa: S608 - a constant
        told = [row for row in rows if row["told"]]
        return [Change(row["arn"], ChangeKind.GONE, Verdict(row["verdict"])) for row in told]

    def record(self, audit_id: int, changes: Iterable[Change]) -> None:
        self._db.change_many(
            """
            insert into changes (audit_id, arn, kind, before, after, detail)
            values (:audit_id, :arn, :kind, :before, :after, :detail)
            """,
            ({"audit_id": audit_id, **_to_row(one)} for one in changes),
        )

    def since_last(self, audit_id: int) -> Since:
        """What this audit and those after the last one of the same places have told, as one.

        An audit of everything follows on the last of everything, and tells what narrower ones have told meanwhile.
        """
        scope = scope_of(self._db, audit_id)
        sql = "select id, started_at from audits where id < ? and scope in ('', ?) order by id desc limit 1"
        last = self._db.row(sql, [audit_id, scope.text])
        if last is None:
            return Since()
        found = net(self._list("changes.audit_id > ? and changes.audit_id <= ?", [last["id"], audit_id]))
        within = tuple(one for one in found if scope.covers(one.function_arn))
        return Since(last["id"], to_time(last["started_at"]), within)

    def between(self, after: datetime, until: datetime) -> list[Change]:
        """What the audits told that ended after the one time, and not after the other, as one."""
        return net(self._list("audits.finished_at > ? and audits.finished_at <= ?", [to_text(after), to_text(until)]))

    def of_team(self, team: str | None, after: datetime, until: datetime | None) -> list[Change]:
        """As `between`, for one team."""
        sql = "functions.team is ? and audits.finished_at > ? and audits.finished_at <= ?"
        return net(self._list(sql, [team, to_text(after), to_text(until) if until else "9999"]))

    def last_of(self, function_arn: str) -> Change | None:
        """The newest of one function."""
        return next(iter(self._list("changes.arn = ?", [function_arn], "order by audit_id desc limit 1")), None)

    def _list(self, where: str, parameters: Sequence[object], order: str = "") -> list[Change]:
        return [_from_row(row) for row in self._db.rows(f"{_CHANGES} where {where} {order}", parameters)]


def _to_row(change: Change) -> Row:
    return {
        "arn": change.function_arn,
        "kind": str(change.kind),
        "before": str(change.before or ""),
        "after": str(change.after or ""),
        "detail": to_json(dict(change.detail)),
    }


def _from_row(row: Row) -> Change:
    return Change(
        row["arn"],
        ChangeKind(row["kind"]),
        Verdict(row["before"]) if row["before"] else None,
        Verdict(row["after"]) if row["after"] else None,
        json.loads(row["detail"]),
        row["audit_id"],
        maybe_time(row["at"]),
        row["team"],
    )

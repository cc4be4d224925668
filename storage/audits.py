"""Audits: when one was taken, what it could not see, and its totals by team."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime

import msgspec

from storage.connection import Connection, Row, maybe_text, to_text, to_time
from storage.models import Audit, Coverage, Inventory, NotScanned, Source


class Scope(msgspec.Struct, frozen=True):
    """The accounts and regions that an audit was narrowed down to, as `audits` has them: "" for everything."""

    text: str

    @property
    def accounts(self) -> list[str]:
        return [word for word in self.text.split() if word.isdigit()]

    @property
    def regions(self) -> list[str]:
        return [word for word in self.text.split() if not word.isdigit()]

    def covers(self, arn: str) -> bool:
        region, account = arn.split(":")[3:5]
        return (not self.accounts or account in self.accounts) and (not self.regions or region in self.regions)


class Audits:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def record(
        self,
        inventory: Inventory,
        coverage: Mapping[str | None, Coverage],
        *,
        source: Source,
        scope: str = "",
        started_at: datetime,
        finished_at: datetime,
        production: Mapping[str | None, Coverage] | None = None,
    ) -> Audit:
        """`coverage` is by team, None for functions of no known team; `scope` is "" unless a filter was given.
        `production`: the same of production alone; None: nothing says what that is."""
        row = {
            "source": str(source),
            "scope": scope,
            "started_at": to_text(started_at),
            "finished_at": to_text(finished_at),
            "accounts": len(inventory.accounts),
            "regions": len(inventory.regions),
            "functions": len(inventory.functions),
            "aws_calls": inventory.aws_calls,
        }
        with self._db.transaction():
            number = self._db.insert("audits", row)
            for unseen in inventory.not_scanned:
                self._db.insert(
                    "not_scanned",
                    {"audit_id": number, "account": unseen.account, "region": unseen.region, "reason": unseen.reason},
                )
            self._record_totals("coverage", number, coverage)
            if production is not None:  # a row of no team in any case: it says that there was a rule, whatever it named
                self._record_totals("production_coverage", number, {None: Coverage(), **production})
        return _audit(row | {"id": number}, inventory.not_scanned)

    def _record_totals(self, table: str, audit_id: int, totals: Mapping[str | None, Coverage]) -> None:
        names = [field.name for field in fields(Coverage)]
        self._db.change_many(
            f"insert into {table} (audit_id, team, {', '.join(names)}) values (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - the names are ours
            ([audit_id, team or "", *(getattr(counts, name) for name in names)] for team, counts in totals.items()),
        )

    def latest(self, by: datetime | None = None) -> Audit | None:
        """The newest that looked at everything, and that had begun by then."""
        sql = "select * from audits where scope = '' and started_at <= ? order by id desc limit 1"
        row = self._db.row(sql, [maybe_text(by) or "9999"])
        if row is None:
            return None
        sql = "select account, region, reason from not_scanned where audit_id = ? order by rowid"
        unseen = self._db.rows(sql, [row["id"]])
        return _audit(row, (NotScanned(**one) for one in unseen))

    def latest_start(self) -> datetime | None:
        """When the newest that looked at everything began."""
        row = self._db.row("select started_at from audits where scope = '' order by id desc limit 1")
        return to_time(row["started_at"]) if row else None

    def coverage(self, audit_id: int) -> dict[str | None, Coverage]:
        """By team, None for functions of no known team."""
        rows = self._db.rows("select * from coverage where audit_id = ? order by team", [audit_id])
        return {
            row["team"] or None: Coverage(**{field.name: row[field.name] for field in fields(Coverage)}) for row in rows
        }

    def scope(self, audit_id: int) -> Scope:
        """What it was narrowed down to."""
        return scope_of(self._db, audit_id)


def scope_of(db: Connection, audit_id: int) -> Scope:
    row = db.row("select scope from audits where id = ?", [audit_id])
    return Scope(row["scope"] if row else "")


def _audit(row: Row, not_scanned: Iterable[NotScanned]) -> Audit:
    return Audit(
        id=row["id"],
        started_at=to_time(row["started_at"]),
        finished_at=to_time(row["finished_at"]),
        accounts=row["accounts"],
        regions=row["regions"],
        functions=row["functions"],
        aws_calls=row["aws_calls"],
        not_scanned=tuple(not_scanned),
    )

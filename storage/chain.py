"""Whether the history is as it was written: its chain of hashes, and the heads of it that were posted in Slack.

Reads any file of any version, and needs none of its other tables.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from storage.connection import Connection, Row, maybe_time, to_text, to_time
from storage.decisions import LATER, digest

CHUNK = 2000  # rows that are read while nobody else is kept from the file
_FIRST = (
    "id", "at", "kind", "actor", "function_arn", "source", "workspace", "channel", "message", "request_id", "before",
    "after", "reason", "until", "detail", "prev_hash", "hash",
)  # fmt: skip
_TRIGGERS = {
    f"{table}_are_never_{done}": (
        f"create trigger {table}_are_never_{done} before {event} on {table} "
        f"begin select raise(abort, '{what} are append-only'); end"
    )
    for table, what in (("decisions", "decisions"), ("chain_heads", "posted heads"))
    for done, event in (("changed", "update"), ("removed", "delete"))
}


@dataclass(frozen=True, slots=True)
class Head:
    """The newest decision at some time: whoever knows its hash knows whether anything up to it was changed since."""

    number: int
    hash: str
    at: datetime | None = None  # of the decision, or when it was posted; None: not said

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the chain found."""

    rows: int = 0  # that were looked at and follow from each other
    head: Head | None = None  # the last of them; None: there was none, or the chain is broken
    problem: str | None = None  # the first place where it is not as it was written, as a phrase
    posted: int = 0  # heads of before that were held against it


class Chain:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def head(self) -> Head | None:
        """None where there is none, or none can be read."""
        try:
            row = self._db.row("select id, hash, at from decisions order by id desc limit 1")
        except sqlite3.DatabaseError:
            return None
        return Head(row["id"], row["hash"], _time(row["at"])) if row else None

    def first_at(self) -> datetime | None:
        """When the first decision was made; None: there is none yet."""
        row = self._db.row("select at from decisions order by id limit 1")
        return _time(row["at"]) if row else None

    def verify(self, since: Head | None = None) -> Checked:
        """Every row, the shape of the table, SQLite's count, and each head that was posted. `since`: only what came
        after this one, which has to be there as it was; the table and the posted heads all the same.

        A row that was changed, removed or put in shows, unless all hashes after it were made anew: then it shows in the
        head that somebody else has, as in a message of before.
        """
        try:
            return self._verified(since)
        except sqlite3.DatabaseError as problem:
            return Checked(problem=f"the file cannot be read to its end ({problem})")

    def hash_of(self, number: int) -> str | None:
        """None where there is no such decision."""
        try:
            row = self._db.row("select hash from decisions where id = ?", [number])
        except sqlite3.DatabaseError:
            return None
        return None if row is None else str(row["hash"])

    def number_of(self, hash_: str) -> int | None:
        """Of the decision with this hash."""
        try:
            row = self._db.row("select id from decisions where hash = ?", [hash_])
        except sqlite3.DatabaseError:
            return None
        return None if row is None else int(row["id"])

    # ---- heads that were posted

    def note(self, head: Head, post: int | None, now: datetime) -> None:
        """To be called in the transaction that makes the post."""
        row = {"number": head.number, "hash": head.hash, "noted_at": to_text(now), "post": post}
        self._db.insert("chain_heads", row)

    def last_posted(self) -> Head | None:
        row = self._db.row("select number, hash, noted_at from chain_heads order by id desc limit 1")
        return Head(row["number"], row["hash"], maybe_time(row["noted_at"])) if row else None

    def posted(self) -> list[Head]:
        """Oldest first; none in a file of a version that posted none."""
        if not self._sql_of("chain_heads", "table"):
            return []
        rows = self._db.rows("select number, hash, noted_at from chain_heads order by id")
        return [Head(row["number"], row["hash"], maybe_time(row["noted_at"])) for row in rows]

    # ---- looking

    def _verified(self, since: Head | None) -> Checked:
        columns = [row["name"] for row in self._db.rows("select name from pragma_table_info('decisions')")]
        problem = self._shape(columns)
        if problem:
            return Checked(problem=problem)
        if since and self.hash_of(since.number) != since.hash:
            return Checked(problem=_not_as_posted(since, self.hash_of(since.number)))
        number, last = (since.number, since.hash) if since else (0, "")
        rows, newest = 0, None
        counts = self._counts()  # what is decided from now on is the next look's: the bot need not stand still
        for row in self._rows(columns, number, counts):
            problem = row if isinstance(row, str) else _broken(row, number + 1, last)
            if problem or isinstance(row, str):
                return Checked(rows, problem=problem)
            number, last, newest = number + 1, row["hash"], row
            rows += 1
        problem = _miscounted(counts) or self._triggers()
        heads = [] if problem else self.posted()
        problem = problem or next(filter(None, map(self._posted_wrong, heads)), None)
        if problem:
            return Checked(rows, problem=problem, posted=len(heads))
        head = Head(number, last, _time(newest["at"]) if newest else None) if number else None
        return Checked(rows, head, None, len(heads))

    def _counts(self) -> Row:
        """At one moment: the first and the last row, and SQLite's own count of those that there ever were."""
        return self._db.rows(
            """
            select (select min(id) from decisions) as first, (select max(id) from decisions) as last,
                (select count(*) from sqlite_sequence where name = 'decisions') as counts,
                (select seq from sqlite_sequence where name = 'decisions') as counted
            """
        )[0]

    def _rows(self, columns: list[str], after: int, counts: Row) -> Iterator[Row | str]:
        """In the order of their numbers, a chunk at a time; a phrase in place of one that cannot be read."""
        names, last = ", ".join(columns), counts["last"] or 0
        sql = f"select {names} from decisions where id > ? and id <= {int(last)} order by id limit ?"  # noqa: S608 - checked by _shape
        if counts["first"] is not None and counts["first"] < 1:
            yield f"decision {counts['first']} was put in"
            return
        while True:
            try:
                chunk = self._db.rows(sql, [after, CHUNK])
            except sqlite3.OperationalError as problem:
                if "decode" not in str(problem):
                    raise
                yield from self._one_by_one(sql, after)
                return
            yield from chunk
            if len(chunk) < CHUNK:
                return
            after = chunk[-1]["id"]

    def _one_by_one(self, sql: str, after: int) -> Iterator[Row | str]:
        """Where one of the next rows holds what is no text."""
        while True:
            try:
                row = self._db.row(sql, [after, 1])
            except sqlite3.OperationalError:
                yield f"decision {after + 1} was changed"
                return
            if row is None:
                return
            yield row
            after = row["id"]

    def _shape(self, columns: list[str]) -> str | None:
        if not columns or not self._sql_of("decisions", "table"):
            return "the table of decisions is missing"
        lacking = [name for name in _FIRST if name not in columns]
        if lacking:
            return f"the table of decisions lacks its column {lacking[0]}"
        unknown = [name for name in columns if name not in (*_FIRST, *LATER)]
        return f"the table of decisions has a column that is not Lamplighter's: {unknown[0]}" if unknown else None

    def _triggers(self) -> str | None:
        """What refuses changes has to be there, and nothing beside it that might swallow a row."""
        sql = "select name, sql from sqlite_master where type = 'trigger' and tbl_name in ('decisions', 'chain_heads')"
        found = {row["name"]: " ".join(str(row["sql"]).split()).lower() for row in self._db.rows(sql)}
        tables = [table for table in ("decisions", "chain_heads") if self._sql_of(table, "table")]
        wanted = {name: text for name, text in _TRIGGERS.items() if name.partition("_are_")[0] in tables}
        for name, text in wanted.items():
            if name not in found:
                return f"the trigger {name} is missing"
            if found[name] != text:
                return f"the trigger {name} was changed"
        strange = sorted(found.keys() - wanted.keys())
        return f"there is a trigger that is not Lamplighter's: {strange[0]}" if strange else None

    def _posted_wrong(self, head: Head) -> str | None:
        now = self.hash_of(head.number)
        return None if now == head.hash else _not_as_posted(head, now)

    def _sql_of(self, name: str, kind: str) -> str:
        row = self._db.row("select sql from sqlite_master where name = ? and type = ?", [name, kind])
        return str(row["sql"]) if row else ""


def _broken(row: Row, number: int, before: str) -> str | None:
    if row["id"] != number:
        return f"decision {number} is missing"
    if row["prev_hash"] != before:
        return f"decision {number} does not follow from the one before"
    texts = all(isinstance(value, str) for key, value in row.items() if key not in ("id", "until", *LATER))
    maybe = all(isinstance(row.get(key), str | None) for key in ("until", *LATER))
    return None if texts and maybe and row["hash"] == digest(row) else f"decision {number} was changed"


def _miscounted(counts: Row) -> str | None:
    """SQLite never gives a number twice, so that the last row is the last there ever was."""
    number, counted = counts["last"] or 0, counts["counted"]
    if not counts["counts"]:
        return "SQLite's count of decisions is missing" if number else None
    if counts["counts"] > 1 or not isinstance(counted, int) or counted < number:
        return f"SQLite's count of decisions was changed: it says {counted} of {number}"
    return f"decision {counted} is missing" if counted > number else None


def _not_as_posted(head: Head, now: str | None) -> str:
    when = f" on {head.at:%Y-%m-%d}" if head.at else ""
    if now is None:
        return f"decision {head.number} is missing, whose hash was posted{when}"
    return f"decision {head.number} has another hash than was posted{when}: the chain was rewritten"


def _time(text: str) -> datetime | None:
    try:
        return to_time(text)
    except ValueError:
        return None

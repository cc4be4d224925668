"""Teams by name wherever memory keeps one: another name of a team becomes the team's own, in all of it together."""

import json
from collections.abc import Collection
from dataclasses import replace

from storage.connection import Connection, to_json
from storage.digests import Digests
from storage.posts import Posts

_KEPT_IN = (
    *("posts", "requests", "snoozes", "assignments", "exemptions", "grace_notices", "batches", "deployed"),
    "evidence_reports",
)
_KNOWN_IN = ("functions", "past")  # of functions, also those that no audit sees any more
_VERDICTS = ("traced", "untraced", "exempt", "not_applicable", "unknown")
# Of which there is a row for each team: by what else, and what adds up where there is one for either name.
_ADDED_UP = {
    "coverage": (("audit_id",), _VERDICTS),
    "production_coverage": (("audit_id",), _VERDICTS),
    "usage": (("month", "account", "region"), ("gb_seconds",)),
    "trace_shares": (("month", "account", "open"), ("share",)),
}


class TeamNames:
    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._digests, self._posts = Digests(connection), Posts(connection)

    def all(self) -> list[str]:
        """That something is kept under which people are shown, sorted; for the history see `of_history`."""
        kept = " union ".join(f"select team from {table}" for table in ("digests", *_KEPT_IN))  # noqa: S608 - ours
        rows = self._db.rows(f"select team from ({kept}) where team <> '' order by team")  # noqa: S608 - ours
        return [row["team"] for row in rows]

    def of_history(self, names: Collection[str]) -> list[str]:
        """Which of these teams have functions, or had any when an audit counted them; sorted."""
        if not names:
            return []
        tables = ("functions", *_ADDED_UP)  # what the past has of a team, an audit has counted
        asked = "select value from json_each(?1)"
        found = " union ".join(f"select team from {table} where team in ({asked})" for table in tables)  # noqa: S608 - ours
        return sorted(team for (team,) in self._db.tuples(found, [to_json(sorted(names))]))

    def rename(self, old: str, new: str) -> None:
        """From now on all is `new`'s, and always was. Of two digests that live, the old one gives way to the other;
        what audits counted for both adds up."""
        with self._db.transaction():
            self._rename_digest(old, new)
            for table in (*_KEPT_IN, *_KNOWN_IN):  # functions first: the change of their team makes a past
                self._db.change(f"update {table} set team = ? where team = ?", [new, old])  # noqa: S608 - ours
            for row in self._db.rows("select id, teams from exemptions where teams like ?", [f"%{to_json(old)}%"]):
                teams = {new if team == old else team for team in json.loads(row["teams"])}
                kept = to_json(sorted(teams, key=str))
                self._db.change("update exemptions set teams = ? where id = ?", [kept, row["id"]])
            for table, (of, added) in _ADDED_UP.items():
                self._add_up(table, of, added, old, new)

    def _add_up(self, table: str, of: Collection[str], added: Collection[str], old: str, new: str) -> None:
        columns = ", ".join((*of, *added))
        sums = ", ".join(f"{each} = {each} + excluded.{each}" for each in added)
        self._db.change(
            f"""
            insert into {table} (team, {columns}) select ?, {columns} from {table} where team = ?
            on conflict (team, {", ".join(of)}) do update set {sums}
            """,  # noqa: S608 - the names are ours
            [new, old],
        )
        self._db.change(f"delete from {table} where team = ?", [old])  # noqa: S608 - ours

    def _rename_digest(self, old: str, new: str) -> None:
        was, is_now = self._digests.of_team(old), self._digests.of_team(new)
        if was is None:
            return
        self._db.change("delete from digests where team = ?", [old])
        if is_now is None:
            self._digests.keep(replace(was, team=new))
            return
        # What either message told of is no news to the team.
        self._digests.keep(replace(is_now, post=is_now.post or was.post, known={**was.known, **is_now.known}, shows=""))
        if was.post is not None and is_now.post is not None:
            self._posts.retire(was.post, is_now.post)
            self._posts.redraw(was.post)

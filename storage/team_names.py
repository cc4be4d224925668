"""Teams by name wherever memory keeps one: another name of a team becomes the team's own, in all of it together."""

import json
from dataclasses import replace

from storage.connection import Connection, to_json
from storage.digests import Digests
from storage.posts import Posts

_KEPT_IN = ("posts", "requests", "snoozes", "assignments", "exemptions", "grace_notices", "batches")


class TeamNames:
    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._digests, self._posts = Digests(connection), Posts(connection)

    def all(self) -> list[str]:
        """That something here is kept under, sorted; functions are as AWS names their team, and not among them."""
        kept = " union ".join(f"select team from {table}" for table in ("digests", *_KEPT_IN))  # noqa: S608 - ours
        rows = self._db.rows(f"select team from ({kept}) where team <> '' order by team")  # noqa: S608 - ours
        return [row["team"] for row in rows]

    def rename(self, old: str, new: str) -> None:
        """From now on all is `new`'s. Of two digests that live, the old one gives way to the other."""
        with self._db.transaction():
            self._rename_digest(old, new)
            for table in _KEPT_IN:
                self._db.change(f"update {table} set team = ? where team = ?", [new, old])  # noqa: S608 - ours
            for row in self._db.rows("select id, teams from exemptions where teams like ?", [f"%{to_json(old)}%"]):
                teams = {new if team == old else team for team in json.loads(row["teams"])}
                kept = to_json(sorted(teams, key=str))
                self._db.change("update exemptions set teams = ? where id = ?", [kept, row["id"]])

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

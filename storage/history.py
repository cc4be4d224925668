"""What was decided, searched: by function, team, person and time, the newest first for people, in order for a file."""

import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from storage.connection import Connection, maybe_text, maybe_time, to_json, to_text
from storage.decisions import from_row
from storage.models import Decision

CHUNK = 2000  # decisions that are in memory at once
_OF_FUNCTION = "function_arn in (select value from json_each(:functions))"
# A row that is about several functions names none, and lists them.
_LISTS_FUNCTION = """
    function_arn = '' and kind in ('owner_assigned', 'owner_ended') and json_valid(detail) and exists (
        select 1 from json_each(detail, '$.functions') as listed
        where listed.value in (select value from json_each(:functions)))
"""
# Theirs when it was decided; and what was decided earlier, or before teams were recorded, of functions that are now.
_OF_TEAM = """
    team in (select value from json_each(:teams))
    or function_arn in (select arn from functions where team in (select value from json_each(:teams)))
    or (:no_team and function_arn in (select arn from functions where team is null))
    or (team is null and function_arn = '' and json_valid(detail)
        and json_extract(detail, '$.team') in (select value from json_each(:teams)))
"""


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for; what is empty does not matter."""

    functions: tuple[str, ...] = ()  # ARNs
    teams: tuple[str, ...] = ()  # one team by all its names; "": functions of no known team
    person: str = ""  # Slack user id
    since: datetime | None = None  # at or after
    until: datetime | None = None  # before
    top: int | None = None  # the newest decision that is looked at, so that pages stay what they were

    def to_json(self) -> str:
        times = {"since": maybe_text(self.since), "until": maybe_text(self.until)}
        return to_json(asdict(self) | times)

    @classmethod
    def from_json(cls, text: str) -> "Search":
        kept = json.loads(text)
        times = {key: maybe_time(kept[key]) for key in ("since", "until")}
        return cls(**kept | times | {key: tuple(kept[key]) for key in ("functions", "teams")})


@dataclass(frozen=True, slots=True)
class File:
    """What a post brings."""

    search: Search
    format: str


class History:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def now(self, search: Search) -> Search:
        """The same of what there is by now, and of nothing that comes later."""
        row = self._db.row("select max(id) as id from decisions")
        return replace(search, top=int(row["id"] or 0) if row else 0)

    def count(self, search: Search) -> int:
        where, parameters = _where(search)
        row = self._db.row(f"select count(*) as number from decisions where {where}", parameters)  # noqa: S608 - constants
        return int(row["number"]) if row else 0

    def page(self, search: Search, skip: int, most: int) -> list[Decision]:
        """Newest first."""
        where, parameters = _where(search)
        sql = f"select * from decisions where {where} order by id desc limit :most offset :skip"  # noqa: S608 - constants
        return [from_row(row) for row in self._db.rows(sql, parameters | {"most": most, "skip": skip})]

    def each(self, search: Search) -> Iterator[Decision]:
        """Oldest first, some at a time: a million of them need no room beside each other."""
        where, parameters = _where(search)
        sql = f"select * from decisions where id > :after and ({where}) order by id limit {CHUNK}"  # noqa: S608 - constants
        after = 0
        while rows := self._db.rows(sql, parameters | {"after": after}):
            yield from map(from_row, rows)
            after = rows[-1]["id"]

    def arns(self) -> list[str]:
        """Of every function that was ever decided about, also of those that are gone; sorted."""
        sql = "select distinct function_arn as arn from decisions where function_arn <> '' order by function_arn"
        return [row["arn"] for row in self._db.rows(sql)]

    def teams(self) -> list[str]:
        """Every name of a team that was recorded; sorted."""
        rows = self._db.rows("select distinct team from decisions where team <> '' order by team")
        return [row["team"] for row in rows]

    # ---- pages that people turn, and files

    def keep(self, search: Search, page: int, now: datetime) -> str:
        """The token by which the page is found again."""
        token = secrets.token_urlsafe(16)
        row = {"token": token, "made_at": to_text(now), "search": search.to_json(), "page": page}
        self._db.insert("history_pages", row)
        return token

    def find(self, token: str) -> tuple[Search, int] | None:
        """What is searched for, and the page; None for what was never given out here or was forgotten."""
        row = self._db.row("select search, page from history_pages where token = ?", [token])
        return (Search.from_json(row["search"]), int(row["page"])) if row else None

    def bring(self, post: int, token: str, format_: str) -> None:
        """This post brings it as a file, and it is kept from now on."""
        self._db.insert("history_files", {"post": post, "token": token, "format": format_})

    def of_post(self, post: int) -> File | None:
        sql = "select search, format from history_files join history_pages using (token) where post = ?"
        row = self._db.row(sql, [post])
        return File(Search.from_json(row["search"]), row["format"]) if row else None

    def forget(self, before: datetime) -> None:
        """Pages that were made before then and that no post brings."""
        sql = "delete from history_pages where made_at < ? and token not in (select token from history_files)"
        self._db.change(sql, [to_text(before)])


def _where(search: Search) -> tuple[str, dict[str, object]]:
    said, parameters = ["1"], dict[str, object]()
    if search.functions:
        said.append(f"({_OF_FUNCTION} or ({_LISTS_FUNCTION}))")
        parameters["functions"] = to_json(list(search.functions))
    if search.teams:
        said.append(f"({_OF_TEAM})")
        parameters |= {"teams": to_json(list(search.teams)), "no_team": int("" in search.teams)}
    if search.person:
        said.append("actor = :person")
        parameters["person"] = search.person
    if search.since:
        said.append("at >= :since")
        parameters["since"] = to_text(search.since)
    if search.until:
        said.append("at < :until")
        parameters["until"] = to_text(search.until)
    if search.top is not None:
        said.append("id <= :top")
        parameters["top"] = search.top
    return " and ".join(said), parameters

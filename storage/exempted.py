"""Which functions an exemption covers, since when, and why one has left it. Who has left does not come back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from storage.connection import Connection, maybe_text, to_json, to_text, to_time
from storage.exemptions import GONE
from storage.models import Verdict


class Member(msgspec.Struct, frozen=True):
    """A function that an exemption covers, or has covered."""

    exemption_id: int
    arn: str
    later: bool = False  # it matched after the grant
    covers: bool = True  # False: its tags could not be read, so that nobody knows
    ended_at: datetime | None = None
    why: str = ""  # it has left

    @property
    def name(self) -> str:
        return self.arn.rsplit(":", 1)[-1]


_COLUMNS = ", ".join(f"exemption_members.{name}" for name in Member.__struct_fields__)


class Exempted:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, number: int, arn: str, now: datetime) -> bool:
        """It matches by now; True unless it was a member before."""
        return 1 == self._db.change(
            """
            insert into exemption_members (exemption_id, arn, added_at, later) values (?, ?, ?, 1)
            on conflict do nothing
            """,
            [number, arn, to_text(now)],
        )

    def drop(self, number: int, arns: Iterable[str]) -> None:
        """What was asked for need not be exempt any more, before anything was granted."""
        sql = "delete from exemption_members where exemption_id = ? and arn = ?"
        self._db.change_many(sql, ([number, arn] for arn in arns))

    def of(self, number: int) -> list[Member]:
        """Those that it covers, by ARN."""
        return self._list("exemption_id = ? and ended_at is null order by arn", number)

    def ever_of(self, number: int) -> list[Member]:
        """Those that it covers or has covered, by ARN."""
        return self._list("exemption_id = ? order by arn", number)

    def counts(self) -> Mapping[int, int]:
        """How many functions each exemption covers."""
        sql = "select exemption_id, count(*) from exemption_members where ended_at is null group by exemption_id"
        return dict(self._db.tuples(sql))

    def teams(self) -> Mapping[int, set[str | None]]:
        """Of which teams the functions are by now that each exemption covers."""
        sql = """
            select distinct exemption_id, functions.team from exemption_members
            join functions on functions.arn = exemption_members.arn
            where exemption_members.ended_at is null and functions.gone_at is null
        """
        found: dict[int, set[str | None]] = {}
        for number, team in self._db.tuples(sql):
            found.setdefault(number, set()).add(team)
        return found

    def leave(self, number: int, arn: str, why: str, now: datetime) -> bool:
        """True for the one who ends it for this function."""
        return 1 == self._db.change(
            """
            update exemption_members set ended_at = ?, why = ?
            where exemption_id = ? and arn = ? and ended_at is null
            """,
            [to_text(now), why, number, arn],
        )

    def known(self, number: int, arns: Iterable[str], covers: bool) -> None:
        """Whether it is known that they still belong to it."""
        sql = "update exemption_members set covers = ? where exemption_id = ? and arn = ?"
        self._db.change_many(sql, [[int(covers), number, arn] for arn in arns])

    def overtaken(self) -> list[tuple[Member, Verdict | None]]:
        """Those that need no exemption any more, by what their function is by now; None: it is gone.

        One that is merely outside of the settings may be there all the same.
        """
        rows = self._db.rows(
            f"""
            select {_COLUMNS}, functions.verdict, functions.gone_at from exemption_members
            join exemptions on exemptions.id = exemption_id
            join functions on functions.arn = exemption_members.arn
            where exemptions.state = 'granted' and exemption_members.ended_at is null and not functions.outside
              and (functions.gone_at is not null or functions.verdict in ('traced', 'not_applicable'))
            """  # noqa: S608 - the names are ours
        )
        found = []
        for row in rows:
            gone, verdict = row.pop("gone_at"), row.pop("verdict")
            found.append((_from_row(row), None if gone else Verdict(verdict)))
        return found

    def unsure(self, arn: str) -> Member | None:
        """Where nobody knows whether this function still belongs to an exemption that is in force."""
        in_force = "exemption_id in (select id from exemptions where state = 'granted')"
        return next(iter(self._list(f"arn = ? and ended_at is null and not covers and {in_force} limit 1", arn)), None)

    def last_left(self, arn: str) -> Member | None:
        """The newest exemption's that covered this function, where it has ended for it."""
        left = "arn = ? and ended_at is not null and why not in (?, 'another')"
        newest = self._list(f"{left} order by ended_at desc, exemption_id desc limit 1", arn, GONE)
        return next(iter(newest), None)

    def joined(self, team: str | None, after: datetime, until: datetime | None) -> list[Member]:
        """A team's functions that an exemption has come to cover between these times, because they match."""
        return self._of_team("later and added_at", team, after, until)

    def left(self, team: str | None, after: datetime, until: datetime | None) -> list[Member]:
        """A team's untraced functions whose exemption ended between these times."""
        return self._of_team("functions.verdict = 'untraced' and exemption_members.ended_at", team, after, until)

    def requests_about(self, arns: Iterable[str]) -> list[str]:
        """The ids of the requests that were ended because these functions were exempt, each function's newest."""
        rows = self._db.rows(
            """
            select id, max(created_at) from requests
            where function_arn in (select value from json_each(?)) and state = 'resolved' group by function_arn
            """,
            [to_json(list(arns))],
        )
        return [row["id"] for row in rows]

    def _of_team(self, what: str, team: str | None, after: datetime, until: datetime | None) -> list[Member]:
        sql = f"""
            select {_COLUMNS} from exemption_members join functions on functions.arn = exemption_members.arn
            where functions.team is ? and functions.gone_at is null and {what} > ?
              and {what.rsplit(" ", 1)[-1]} <= ? order by functions.name
        """  # noqa: S608 - the names are ours
        rows = self._db.rows(sql, [team, to_text(after), maybe_text(until) or "9999"])
        return [_from_row(row) for row in rows]

    def _list(self, where: str, *parameters: object) -> list[Member]:
        sql = f"select {_COLUMNS} from exemption_members where {where}"  # noqa: S608 - the names are ours
        return [_from_row(row) for row in self._db.rows(sql, parameters)]


def _from_row(row: dict[str, object]) -> Member:
    ended_at = row["ended_at"]
    return Member(
        int(str(row["exemption_id"])),
        str(row["arn"]),
        bool(row["later"]),
        bool(row["covers"]),
        to_time(str(ended_at)) if ended_at else None,
        str(row["why"]),
    )

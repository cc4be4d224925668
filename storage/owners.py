"""Who owns what: assignments that people made, teams as they are counted, and channels as they were found."""

import secrets
from collections.abc import Collection
from datetime import datetime
from fnmatch import fnmatchcase

import msgspec

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.models import TeamFrom


class Assignment(msgspec.Struct, frozen=True):
    """Functions of this ARN or name pattern that no tag gives to a team are this team's."""

    id: int
    token: str
    pattern: str  # a function's ARN, or a name with * for any text; case counts
    team: str
    assigned_by: str  # Slack user id
    assigned_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""

    def covers(self, name: str, arn: str) -> bool:
        return self.pattern == arn or fnmatchcase(name, self.pattern)


class Owned(msgspec.Struct, frozen=True):
    """A function, as far as it matters who owns it."""

    arn: str
    account: str
    region: str
    name: str
    team: str | None
    team_from: TeamFrom | None

    @property
    def assignable(self) -> bool:
        """Whether no tag gives it to a team."""
        return self.team is None or self.team_from is TeamFrom.ASSIGNED


class ChannelState(msgspec.Struct, frozen=True):
    """Whether a channel took the last post that was meant for it."""

    error: str  # "": it did
    since: datetime


class Owners:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # ---- assignments

    def assign(self, pattern: str, team: str, by: str, now: datetime) -> Assignment:
        row = {
            "token": secrets.token_urlsafe(16),
            "pattern": pattern,
            "team": team,
            "assigned_by": by,
            "assigned_at": to_text(now),
        }
        with self._db.transaction():
            self._db.insert("assignments", row)
            made = self.find(str(row["token"]))
        assert made is not None  # noqa: S101 - it was put there just now
        return made

    def find(self, token: str) -> Assignment | None:
        row = self._db.row("select * from assignments where token = ?", [token])
        return _assignment(row) if row else None

    def end(self, token: str, by: str, now: datetime) -> bool:
        """True for the one who ends it."""
        sql = "update assignments set ended_by = ?, ended_at = ? where token = ? and ended_at is null"
        return 1 == self._db.change(sql, [by, to_text(now), token])

    def in_force(self) -> list[Assignment]:
        """The newest first, which wins."""
        rows = self._db.rows("select * from assignments where ended_at is null order by id desc")
        return [_assignment(row) for row in rows]

    # ---- functions

    def functions(self) -> list[Owned]:
        """All that exist, by name, account and region."""
        sql = "select arn, account, region, name, team, team_from from functions where gone_at is null"
        return [_owned(row) for row in self._db.rows(f"{sql} order by name, account, region")]

    def orphans(self, offset: int, most: int) -> list[Owned]:
        """Functions of no team, by name, account and region."""
        rows = self._db.rows(
            """
            select arn, account, region, name, team, team_from from functions
            where gone_at is null and team is null order by name, account, region limit ? offset ?
            """,
            [most, offset],
        )
        return [_owned(row) for row in rows]

    def counts(self) -> dict[str | None, dict[TeamFrom | None, int]]:
        """By team, how many functions were found to be its in which way."""
        found: dict[str | None, dict[TeamFrom | None, int]] = {}
        sql = """
            select team, team_from, count(*) as number from functions where gone_at is null group by team, team_from
        """
        for row in self._db.rows(sql):
            found.setdefault(row["team"], {})[_team_from(row)] = int(row["number"])
        return found

    def from_elsewhere(self, arns: Collection[str]) -> dict[str, tuple[str, TeamFrom]]:
        """Of these functions, by ARN, those whose team a tag of their stack or account named when that was read."""
        sql = """
            select arn, team, team_from from functions
            where team is not null and team_from in ('stack', 'account') and gone_at is null
              and arn in (select value from json_each(?))
        """
        rows = self._db.rows(sql, [to_json(list(arns))])
        return {row["arn"]: (row["team"], TeamFrom(row["team_from"])) for row in rows}

    # ---- channels

    def tagged_channels(self, team: str) -> list[tuple[str, int]]:
        """The channels that the tags of a team's functions name, the most used first."""
        sql = """
            select channel, count(*) as number from functions
            where team = ? and channel is not null and gone_at is null
            group by channel order by number desc, channel
        """
        return [(row["channel"], int(row["number"])) for row in self._db.rows(sql, [team])]

    def channel_of(self, team: str) -> str | None:
        """The one that most of them name."""
        return next((channel for channel, _ in self.tagged_channels(team)), None)

    def reached(self, channel: str, now: datetime) -> None:
        """It took a post."""
        self._found(channel, "", now)

    def closed(self, channel: str, error: str, now: datetime) -> datetime:
        """It took none, for this reason; since when."""
        self._found(channel, error, now)
        return self.channels()[channel].since

    def channels(self) -> dict[str, ChannelState]:
        """By the name under which they are known here."""
        rows = self._db.rows("select * from channels")
        return {row["name"]: ChannelState(row["error"], to_time(row["since"])) for row in rows}

    def _found(self, channel: str, error: str, now: datetime) -> None:
        self._db.change(
            """
            insert into channels (name, error, since) values (:name, :error, :since)
            on conflict (name) do update set error = excluded.error, since = excluded.since
            where error <> excluded.error
            """,
            {"name": channel, "error": error, "since": to_text(now)},
        )


def _assignment(row: Row) -> Assignment:
    return Assignment(**row | {"assigned_at": to_time(row["assigned_at"]), "ended_at": maybe_time(row["ended_at"])})


def _owned(row: Row) -> Owned:
    return Owned(**row | {"team_from": _team_from(row)})


def _team_from(row: Row) -> TeamFrom | None:
    return TeamFrom(row["team_from"]) if row["team_from"] else None

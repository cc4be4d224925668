"""What teams were told of functions between two audits, by which messages, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.connection import Connection, Row, to_json, to_text, to_time
from storage.models import Function, Verdict


class WhyDark(StrEnum):
    """Why a function is told of, though the day's audit is still to come."""

    DEPLOYED = "deployed"  # it was made, and is untraced
    SWITCHED_OFF = "switched off"
    ROLE = "role"  # its role may not write to X-Ray any more
    ALIAS = "alias"  # an alias serves an untraced version
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Told:
    """That a team was told of a function by a message, and why."""

    why: WhyDark
    at: datetime
    team: str | None


class Deployments:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def say(self, post: int, functions: Mapping[str, WhyDark], team: str | None, now: datetime) -> None:
        """`post` tells of these, by ARN."""
        self._db.change_many(
            """
            insert into deployed (post, function_arn, team, why, at) values (?, ?, ?, ?, ?)
            on conflict (post, function_arn) do update set why = excluded.why, at = excluded.at
            """,
            [(post, arn, team or "", str(why), to_text(now)) for arn, why in functions.items()],
        )

    def of_post(self, post: int) -> dict[str, Told]:
        """By ARN; without those of which a newer message tells that Slack has or is to have."""
        rows = self._db.rows(
            """
            select * from deployed where post = ? and not exists (
                select 1 from deployed as newer join posts on posts.id = newer.post and posts.state <> 'abandoned'
                where newer.function_arn = deployed.function_arn and newer.post > deployed.post)
            order by at, function_arn
            """,
            [post],
        )
        return {row["function_arn"]: _told(row) for row in rows}

    def still_said(self, functions: Iterable[Function]) -> dict[str, datetime]:
        """When their team was told of these by a message that Slack has or is to have, by ARN; without those that are
        not as they were then."""
        teams = {one.arn: one.team or "" for one in functions}
        rows = self._db.tuples(
            """
            select deployed.function_arn, deployed.team, deployed.at from deployed
            join posts on posts.id = deployed.post and posts.state <> 'abandoned'
            join functions on functions.arn = deployed.function_arn
            where functions.verdict = ? and functions.gone_at is null and functions.since <= deployed.at
                and deployed.function_arn in (select value from json_each(?))
            order by deployed.at
            """,
            [str(Verdict.UNTRACED), to_json(list(teams))],
        )
        return {arn: to_time(at) for arn, team, at in rows if teams[arn] == team}

    def gathering(self, team: str | None, added_since: datetime, made_since: datetime) -> int | None:
        """The team's newest message, where it was added to and made recently enough to take some more."""
        row = self._db.row(
            """
            select posts.id from posts join deployed on deployed.post = posts.id
            where posts.kind = 'deployed' and posts.team is ? and posts.state <> 'abandoned' and posts.created_at >= ?
            group by posts.id having max(deployed.at) >= ? order by posts.id desc limit 1
            """,
            [team, to_text(made_since), to_text(added_since)],
        )
        return int(row["id"]) if row else None

    def pointless(self) -> list[int]:
        """Messages that Slack does not have yet and of whose functions none is untraced any more."""
        rows = self._db.rows(
            """
            select id from posts where kind = 'deployed' and state = 'waiting' and ts = '' and not exists (
                select 1 from deployed join functions on functions.arn = deployed.function_arn
                where deployed.post = posts.id and functions.gone_at is null and functions.verdict = 'untraced')
            """
        )
        return [int(row["id"]) for row in rows]


def _told(row: Row) -> Told:
    return Told(WhyDark(row["why"]), to_time(row["at"]), row["team"] or None)

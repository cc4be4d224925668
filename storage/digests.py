"""What each team was last told, and which message says it: the memory by which a morning knows what is new."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from storage.connection import Connection, Row, maybe_text, maybe_time, to_json, to_text, to_time


class Was(StrEnum):
    """How a function stood when its team was last told of it."""

    UNTRACED = "untraced"
    SNOOZED = "snoozed"  # untraced, and left out of what is news
    EXEMPT = "exempt"
    UNKNOWN = "unknown"  # was untraced, and AWS would not say since


class Why(StrEnum):
    """Why a function is news in a digest; the order is that of its rows."""

    REGRESSED = "regressed"
    RETURNED = "returned"
    NEW = "new"
    EXEMPTION_ENDED = "exemption ended"
    SNOOZE_ENDED = "snooze ended"


@dataclass(frozen=True, slots=True)
class News:
    """That a function is news, and since which day."""

    why: Why
    on: date


@dataclass(frozen=True, slots=True)
class Told:
    """One team's digest as it was last decided on."""

    team: str | None
    looked_on: date
    looked_at: datetime  # UTC, the end of the audit that was looked at
    post: int | None = None  # the message that lives; None: none was ever posted
    posted_on: date | None = None
    news_after: datetime | None = None
    zero_since: datetime | None = None  # None: some are untraced
    zero_told: bool = False  # that none is was said in a line of its own
    known: Mapping[str, Was] = field(default_factory=dict)  # by ARN
    news: Mapping[str, News] = field(default_factory=dict)  # by ARN
    shows: str = ""


class Digests:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def of_team(self, team: str | None) -> Told | None:
        """None for a team about which nothing was ever decided."""
        row = self._db.row("select * from digests where team = ?", [team or ""])
        return _from_row(row) if row else None

    def teams(self) -> list[str]:
        """Those with a message that lives, sorted; the functions of no known team are not among them."""
        rows = self._db.rows("select team from digests where team <> '' and post is not null order by team")
        return [row["team"] for row in rows]

    def keep(self, told: Told) -> None:
        row = {
            "team": told.team or "",
            "post": told.post,
            "posted_on": told.posted_on.isoformat() if told.posted_on else None,
            "looked_on": told.looked_on.isoformat(),
            "looked_at": to_text(told.looked_at),
            "news_after": maybe_text(told.news_after),
            "zero_since": maybe_text(told.zero_since),
            "zero_told": int(told.zero_told),
            "known": to_json({arn: str(was) for arn, was in told.known.items()}),
            "news": to_json({arn: [str(one.why), one.on.isoformat()] for arn, one in told.news.items()}),
            "shows": told.shows,
        }
        with self._db.transaction():
            self._db.change("delete from digests where team = ?", [row["team"]])
            self._db.insert("digests", row)


def _from_row(row: Row) -> Told:
    return Told(
        team=row["team"] or None,
        looked_on=date.fromisoformat(row["looked_on"]),
        looked_at=to_time(row["looked_at"]),
        post=row["post"],
        posted_on=date.fromisoformat(row["posted_on"]) if row["posted_on"] else None,
        news_after=maybe_time(row["news_after"]),
        zero_since=maybe_time(row["zero_since"]),
        zero_told=bool(row["zero_told"]),
        known={arn: Was(was) for arn, was in json.loads(row["known"]).items()},
        news={arn: News(Why(why), date.fromisoformat(on)) for arn, (why, on) in json.loads(row["news"]).items()},
        shows=row["shows"],
    )

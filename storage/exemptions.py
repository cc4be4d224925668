"""Exemptions: why functions may stay untraced, who said so, and until when; each moves on by compare-and-set."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time
from storage.models import THE_CLOCK, Exemption, ExemptScope, ExemptState

_COLUMNS = ", ".join(f"exemptions.{name}" for name in Exemption.__slots__)
_IN_FORCE = "exemptions.state = 'granted' and exemptions.granted_at <= :now and exemptions.expires_at > :now"
_COVERING = f"""
    from exemption_members join exemptions on exemptions.id = exemption_members.exemption_id
    where {_IN_FORCE} and exemption_members.ended_at is null and exemption_members.covers
"""
REPLACED = "Another was granted in its place."
GONE = "gone"  # why a function has left: whether another of its name comes, only time will tell


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to be exempt."""

    reason: str
    until: datetime
    team: str | None
    teams: tuple[str | None, ...]
    function_arn: str = ""
    scope: ExemptScope = ExemptScope.FUNCTION
    target: str = ""
    later: bool = False
    ticket: str = ""
    extends: int | None = None


class Exemptions:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def grant(self, function_arn: str, reason: str, by: str, now: datetime, until: datetime) -> Exemption:
        """Of one function. Raises ValueError unless now < until."""
        row = self._db.row("select team from functions where arn = ?", [function_arn])
        team = row["team"] if row else None
        return self.create(Wish(reason, until, team, (team,), function_arn), (function_arn,), by, now)

    def create(self, wish: Wish, arns: tuple[str, ...], by: str, now: datetime) -> Exemption:
        """Granted. One of a single function replaces that which it has, so that it has one end date.

        Raises ValueError unless now < until.
        """
        with self._db.transaction():
            if wish.scope is ExemptScope.FUNCTION:
                self._replace(wish.function_arn, by, now)
            return self._insert(wish, arns, now, {"state": "granted", "granted_by": by, "set_at": to_text(now)})

    def ask(self, wish: Wish, arns: tuple[str, ...], by: str, now: datetime, ask_until: datetime) -> Exemption:
        """It waits for a second person until then. Raises ValueError unless now < until."""
        asked = {"state": "asked", "asked_by": by, "granted_by": "", "ask_until": to_text(ask_until)}
        with self._db.transaction():
            return self._insert(wish, arns, now, asked)

    def confirm(self, number: int, by: str, now: datetime) -> bool:
        """True for the one second person whose click counts; who asked is none."""
        return 1 == self._db.change(
            """
            update exemptions set state = 'granted', granted_by = :by, granted_at = :now, set_at = :now
            where id = :id and state = 'asked' and ask_until > :now and expires_at > :now and asked_by <> :by
            """,
            {"id": number, "by": by, "now": to_text(now)},
        )

    def finish(self, number: int, was: ExemptState, state: ExemptState, by: str, now: datetime, why: str = "") -> bool:
        """True for the one who ends it; with it ends what it covers."""
        with self._db.transaction():
            done = self._db.change(
                """
                update exemptions set state = :state, ended_by = :by, ended_at = :now, ended_why = :why
                where id = :id and state = :was
                """,
                {"id": number, "was": str(was), "state": str(state), "by": by, "now": to_text(now), "why": why},
            )
            if done and was is ExemptState.GRANTED:
                sql = "update exemption_members set ended_at = ?, why = ? where exemption_id = ? and ended_at is null"
                self._db.change(sql, [to_text(now), why, number])
        return done == 1

    def extend(self, number: int, until: datetime, now: datetime) -> bool:
        """True where it was in force until now. Reminders begin anew, and so does the wish to hear none."""
        return 1 == self._db.change(
            """
            update exemptions set expires_at = :until, set_at = :now, let_end_by = ''
            where id = :id and state = 'granted' and expires_at > :now
            """,
            {"id": number, "until": to_text(until), "now": to_text(now)},
        )

    def let_end(self, number: int, by: str, now: datetime) -> bool:
        """True for the first who wants to hear no more of it."""
        return 1 == self._db.change(
            """
            update exemptions set let_end_by = ? where id = ? and state = 'granted' and expires_at > ?
                and let_end_by = ''
            """,
            [by, number, to_text(now)],
        )

    def end(self, function_arn: str, now: datetime) -> list[Exemption]:
        """Those that would still count for this function, which is another one now; they do not any more."""
        asked = {"arn": function_arn, "now": to_text(now), "gone": GONE}
        with self._db.transaction():
            rows = self._db.rows(
                f"""
                select {_COLUMNS} from exemptions
                join exemption_members on exemption_members.exemption_id = exemptions.id
                where arn = :arn and expires_at > :now and (
                    (state = 'granted' and exemption_members.ended_at is null) or exemption_members.why = :gone)
                order by exemptions.id
                """,  # noqa: S608 - the names are ours
                asked,
            )
            self._db.change(
                """
                update exemption_members set ended_at = coalesce(ended_at, :now), why = 'another'
                where arn = :arn and (ended_at is null or why = :gone)
                """,
                asked,
            )
            for row in rows:
                if row["scope"] == ExemptScope.FUNCTION:
                    self.finish(row["id"], ExemptState.GRANTED, ExemptState.ENDED, THE_CLOCK, now)
        return [from_row(row) for row in rows]

    def find(self, token: str) -> Exemption | None:
        """None for a token that was never given out here."""
        return self._one("token = :token", token=token)

    def get(self, number: int) -> Exemption:
        """Raises KeyError."""
        found = self.numbered(number)
        if found is None:
            raise KeyError(number)
        return found

    def numbered(self, number: int) -> Exemption | None:
        return self._one("id = :id", id=number)

    def in_force(self, now: datetime) -> dict[str, Exemption]:
        """By the ARNs of the functions that they cover."""
        granted = {one.id: one for one in self.granted(now)}
        sql = f"select exemption_members.arn, exemptions.id {_COVERING} order by exemptions.id"
        return {arn: granted[number] for arn, number in self._db.tuples(sql, {"now": to_text(now)})}

    def covering(self, function_arn: str, now: datetime) -> Exemption | None:
        sql = f"select {_COLUMNS} {_COVERING} and arn = :arn order by exemptions.id desc limit 1"
        row = self._db.row(sql, {"arn": function_arn, "now": to_text(now)})
        return from_row(row) if row else None

    def granted(self, now: datetime) -> list[Exemption]:
        """All that are in force, the one that ends first before the others."""
        return self._list(f"{_IN_FORCE} order by expires_at, id", now=to_text(now))

    def rules(self, now: datetime) -> list[Exemption]:
        """Those in force that go by names or a tag, oldest first."""
        return self._list(f"{_IN_FORCE} and scope <> 'function' order by id", now=to_text(now))

    def ending_before(self, now: datetime, until: datetime) -> list[Exemption]:
        """Those in force that end by `until`, the first to end before the others."""
        sql = f"{_IN_FORCE} and expires_at <= :until order by expires_at, id"
        return self._list(sql, now=to_text(now), until=to_text(until))

    def over(self, now: datetime) -> list[Exemption]:
        """Those whose time is over, and of which nobody has recorded so."""
        return self._list("state = 'granted' and expires_at <= :now order by expires_at, id", now=to_text(now))

    def waiting(self) -> list[Exemption]:
        """For a second person; their time may be over."""
        return self._list("state = 'asked' order by ask_until, id")

    def asked_for(self, wish: Wish) -> Exemption | None:
        """One for the same that waits already."""
        return self._one(
            "state = 'asked' and scope = :scope and target = :target and function_arn = :arn and extends is :extends"
            " and team is :team",
            team=wish.team,
            scope=str(wish.scope),
            target=wish.target,
            arn=wish.function_arn,
            extends=wish.extends,
        )

    def is_asked_for(self, function_arn: str, now: datetime) -> bool:
        """Whether one that would cover this function waits for a second person."""
        sql = """
            select 1 from exemptions join exemption_members on exemption_members.exemption_id = exemptions.id
            where arn = ? and state = 'asked' and extends is null and ask_until > ? limit 1
        """
        return self._db.row(sql, [function_arn, to_text(now)]) is not None

    def show(self, post: int, number: int) -> None:
        """This message shows it from now on."""
        self._db.insert("exemption_posts", {"post_id": post, "exemption_id": number})

    def of_post(self, post: int) -> Exemption | None:
        """What a message shows."""
        return self._one("id = (select exemption_id from exemption_posts where post_id = :post)", post=post)

    def posts_of(self, number: int) -> list[int]:
        """The messages that show it."""
        rows = self._db.rows("select post_id from exemption_posts where exemption_id = ? order by post_id", [number])
        return [row["post_id"] for row in rows]

    def _replace(self, function_arn: str, by: str, now: datetime) -> None:
        sql = "state = 'granted' and scope = 'function' and function_arn = :arn and expires_at > :now"
        for one in self._list(sql, arn=function_arn, now=to_text(now)):
            self.finish(one.id, ExemptState.GRANTED, ExemptState.ENDED, by, now, REPLACED)

    def _insert(self, wish: Wish, arns: tuple[str, ...], now: datetime, more: Row) -> Exemption:
        if wish.until <= now:
            raise ValueError("an exemption ends after it begins")
        row = {
            "token": secrets.token_urlsafe(16),
            "scope": str(wish.scope),
            "target": wish.target,
            "team": wish.team,
            "teams": to_json(list(wish.teams)),
            "later": int(wish.later),
            "function_arn": wish.function_arn,
            "reason": wish.reason,
            "ticket": wish.ticket,
            "granted_at": to_text(now),
            "expires_at": to_text(wish.until),
            "extends": wish.extends,
        }
        number = self._db.insert("exemptions", row | more)
        self._db.change_many(
            "insert into exemption_members (exemption_id, arn, added_at) values (?, ?, ?)",
            ([number, arn, to_text(now)] for arn in arns),
        )
        return self.get(number)

    def _one(self, where: str, **parameters: object) -> Exemption | None:
        return next(iter(self._list(f"{where} limit 1", **parameters)), None)

    def _list(self, where: str, **parameters: object) -> list[Exemption]:
        sql = f"select {_COLUMNS} from exemptions where {where}"  # noqa: S608 - the names are ours
        return [from_row(row) for row in self._db.rows(sql, parameters)]


def from_row(row: Row) -> Exemption:
    """A row of the table as its noun."""
    return Exemption(
        **row
        | {
            "granted_at": to_time(row["granted_at"]),
            "expires_at": to_time(row["expires_at"]),
            "scope": ExemptScope(row["scope"]),
            "state": ExemptState(row["state"]),
            "teams": tuple(json.loads(row["teams"])),
            "later": bool(row["later"]),
            "ask_until": maybe_time(row["ask_until"]),
            "set_at": maybe_time(row["set_at"]),
            "ended_at": maybe_time(row["ended_at"]),
        }
    )

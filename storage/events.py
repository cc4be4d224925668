"""What AWS's events tell, what is to be looked at for it, and how their queue answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from storage.connection import Connection, Row, maybe_time, to_json, to_text, to_time

KEPT = timedelta(days=15)  # SQS keeps a message for 14 at most


class Happened(StrEnum):
    """What an event tells."""

    CREATED = "created"  # a function was made
    CHANGED = "changed"  # of a function, something that may matter to tracing
    ROLE_CHANGED = "role_changed"  # of a role, what it may do


class EventOutcome(StrEnum):
    """What became of a message of the queue."""

    NOTED = "noted"
    AGAIN = "again"  # it was noted before
    NO_MATTER = "no_matter"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Noticed:
    """One event, as far as it matters."""

    id: str
    happened: Happened
    account: str
    region: str  # "" of a role
    name: str  # the function's or the role's


@dataclass(frozen=True, slots=True)
class Watched:
    """A function or a role that AWS is to be asked about."""

    account: str
    region: str
    name: str
    is_role: bool
    created: bool
    was: str  # a verdict; "" where it was not known
    first_at: datetime
    last_at: datetime
    attempts: int = 0
    by_role: bool = False  # no event told of it, but of its role


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue answered last."""

    reached_at: datetime | None
    waiting: int | None
    in_flight: int | None
    failing_since: datetime | None  # None: it answers
    problem: str


class Events:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # ---- what came

    def note(self, events: Sequence[Noticed], now: datetime) -> int:
        """Keep what is to be looked at for these; how many of them were not noted before."""
        with self._db.transaction():
            fresh = [one for one in events if self._is_new(one.id, now)]
            for one in fresh:
                self._watch(one, now)
        return len(fresh)

    def note_unreadable(self, message_id: str, now: datetime) -> bool:
        """True for the first time that this message came; the queue gives it again until it puts it aside."""
        return self._is_new(f"message {message_id}", now)

    def count(self, outcomes: Mapping[EventOutcome, int]) -> None:
        self._db.change_many(
            """
            insert into event_counts (outcome, number) values (?, ?)
            on conflict (outcome) do update set number = number + excluded.number
            """,
            [(str(outcome), number) for outcome, number in outcomes.items() if number],
        )

    def counts(self) -> dict[EventOutcome, int]:
        """Messages of the queue by what became of them; none is left out."""
        known = {row["outcome"]: int(row["number"]) for row in self._db.rows("select * from event_counts")}
        return {outcome: known.get(outcome, 0) for outcome in EventOutcome}

    def forget(self, now: datetime) -> None:
        """The ids of events that can come no more."""
        self._db.change("delete from noticed_events where at < ?", [to_text(now - KEPT)])

    def newest(self) -> datetime | None:
        """When the last event came of those that are remembered."""
        row = self._db.row("select max(at) as at from noticed_events")
        return maybe_time(row["at"]) if row else None

    def _is_new(self, event_id: str, now: datetime) -> bool:
        sql = "insert into noticed_events (id, at) values (?, ?) on conflict (id) do nothing"
        return self._db.change(sql, [event_id, to_text(now)]) == 1

    def _watch(self, one: Noticed, now: datetime) -> None:
        """What it was before the first event is what it is compared with."""
        is_role = one.happened is Happened.ROLE_CHANGED
        self._db.change(
            """
            insert into watched (account, region, is_role, name, created, was, first_at, last_at, not_before)
            values (:account, :region, :is_role, :name, :created, coalesce((
                select verdict from functions where name = :name and account = :account and region = :region
                    and gone_at is null and not :is_role), ''), :now, :now, :now)
            on conflict (account, region, is_role, name) do update
                set created = max(created, excluded.created), last_at = excluded.last_at
            """,
            {
                "account": one.account,
                "region": one.region,
                "is_role": int(is_role),
                "name": one.name,
                "created": int(one.happened is Happened.CREATED),
                "now": to_text(now),
            },
        )

    # ---- what is to be looked at

    def due(self, now: datetime, quiet: timedelta) -> list[Watched]:
        """Those about which no event came for `quiet`, in places that are quiet as long; after twice that, though they
        are not. Whoever deploys makes and changes many at a time, and is to be told of them together."""
        self._come_back_from_the_future(to_text(now))
        rows = self._db.rows(
            """
            with places as (
                select account as at_account, region as at_region, max(last_at) as last, min(first_at) as first
                from watched where not_before <= :now group by account, region
            )
            select watched.* from watched join places on account = at_account and region = at_region
            where not_before <= :now and (last <= :quiet or first <= :long)
                and (last_at <= :quiet or first_at <= :long)
            order by account, region, name
            """,
            {"now": to_text(now), "quiet": to_text(now - quiet), "long": to_text(now - 2 * quiet)},
        )
        return [_watched(row) for row in rows]

    def _come_back_from_the_future(self, now: str) -> None:
        """What came by a clock that has been set back since would wait until that time comes again."""
        if self._db.row("select 1 from watched where last_at > ?", [now]):
            self._db.change(
                "update watched set first_at = min(first_at, :now), last_at = :now, not_before = :now"
                " where last_at > :now",
                {"now": now},
            )

    def watching(self) -> int:
        """How many functions and roles are still to be looked at."""
        row = self._db.row("select count(*) as number from watched")
        return int(row["number"]) if row else 0

    def done(self, one: Watched, verdict: str = "") -> None:
        """It was looked at. Where another event has come meanwhile it is looked at again, compared with `verdict`."""
        key = [one.account, one.region, int(one.is_role), one.name, to_text(one.last_at)]
        where = "account = ? and region = ? and is_role = ? and name = ? and last_at"
        if one.by_role:
            return
        with self._db.transaction():
            self._db.change(f"delete from watched where {where} = ?", key)  # noqa: S608 - a constant
            self._db.change(
                f"update watched set was = ?, created = 0, first_at = last_at, attempts = 0 where {where} > ?",  # noqa: S608 - a constant
                [verdict, *key],
            )

    def later(self, ones: Iterable[Watched], at: datetime) -> None:
        """AWS would not say now."""
        self._db.change_many(
            """
            update watched set not_before = ?, attempts = attempts + 1
            where account = ? and region = ? and is_role = ? and name = ?
            """,
            [(to_text(at), one.account, one.region, int(one.is_role), one.name) for one in ones if not one.by_role],
        )

    def with_roles(self, roles: Iterable[Watched]) -> Iterator[tuple[Watched, Watched]]:
        """The functions of these roles, each with its role and as what is to be looked at because of it."""
        by_name = {(one.account, one.name): one for one in roles}
        accounts = to_json(sorted({account for account, _ in by_name}))
        rows = self._db.tuples(
            """
            select account, region, name, verdict, role from functions
            where gone_at is null and role is not null and account in (select value from json_each(?))
            """,
            [accounts],
        )
        for account, region, name, verdict, arn in rows:
            role = by_name.get((account, arn.rsplit("/", 1)[-1]))  # whatever its path
            if role:
                yield role, replace(role, region=region, name=name, is_role=False, was=verdict, by_role=True)

    # ---- the queue

    def reached(self, now: datetime, waiting: int, in_flight: int) -> None:
        """The queue answers."""
        self._queue({"reached_at": to_text(now), "waiting": waiting, "in_flight": in_flight})

    def not_reached(self, since: datetime, problem: str) -> None:
        self._queue({"failing_since": to_text(since), "problem": problem})

    def queue(self) -> QueueState | None:
        """None where no queue was ever asked."""
        row = self._db.row("select * from event_queue")
        return _queue_state(row) if row else None

    def _queue(self, changes: Row) -> None:
        row = {"reached_at": None, "waiting": None, "in_flight": None, "failing_since": None, "problem": ""}
        with self._db.transaction():
            before = self._db.row("select reached_at, waiting, in_flight from event_queue") or {}
            self._db.change("delete from event_queue")
            self._db.insert("event_queue", {"one": 1, **row, **before, **changes})


def _watched(row: Row) -> Watched:
    return Watched(
        account=row["account"],
        region=row["region"],
        name=row["name"],
        is_role=bool(row["is_role"]),
        created=bool(row["created"]),
        was=row["was"],
        first_at=to_time(row["first_at"]),
        last_at=to_time(row["last_at"]),
        attempts=row["attempts"],
    )


def _queue_state(row: Row) -> QueueState:
    times = {key: to_time(row[key]) if row[key] else None for key in ("reached_at", "failing_since")}
    return QueueState(waiting=row["waiting"], in_flight=row["in_flight"], problem=row["problem"], **times)

"""Incidents of alarms on functions: from ALARM to the next OK, kept after AWS has forgotten them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storage.connection import Connection, maybe_time, to_json, to_text, to_time
from storage.past import Past

Place = tuple[str, str]  # account and region


class AlarmState(StrEnum):
    """As AWS spells them; and one of ours."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"
    LOST = "LOST"  # what became of it was not seen: what was open is over, and nobody knows since when


@dataclass(frozen=True, slots=True)
class Alarm:
    """A metric alarm that watches functions."""

    account: str
    region: str
    name: str
    functions: tuple[str, ...]  # ARNs
    state: str = AlarmState.OK  # when it was looked at


@dataclass(frozen=True, slots=True)
class Transition:
    """An alarm's change of state."""

    alarm: str  # its name; account and region stand beside it
    at: datetime  # UTC
    state: str  # that it changed to


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which an alarm told of trouble."""

    began_at: datetime
    ended_at: datetime | None = None  # None: it goes on
    lost: bool = False  # it is over, and nobody knows since when


@dataclass(frozen=True, slots=True)
class AlarmLook:
    """How far the history of one account's region is known."""

    account: str
    region: str
    looked_at: datetime
    seen_from: datetime | None  # None: nothing is known
    seen_until: datetime | None
    problem: str = ""  # a sentence: why the last look failed


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which AWS had forgotten the history before anybody looked."""

    account: str
    region: str
    since: datetime
    until: datetime


def paired(transitions: Iterable[tuple[datetime, str]]) -> list[Incident]:
    """The incidents in these, in whatever order they come and however often each does.

    INSUFFICIENT_DATA ends nothing: an alarm that lost sight of its metric has not seen that all is well.
    """
    found: list[Incident] = []
    began: datetime | None = None
    for at, state in sorted(set(transitions)):  # of one moment: ALARM, LOST, OK
        if state == AlarmState.ALARM:
            began = began or at
        elif began is not None and state in (AlarmState.OK, AlarmState.LOST):
            found.append(Incident(began, at, lost=state == AlarmState.LOST))
            began = None
    return [*found, Incident(began)] if began else found


class Incidents:
    def __init__(self, connection: Connection) -> None:
        self._db, self._past = connection, Past(connection)

    # ---- looking

    def places(self) -> list[Place]:
        """The accounts' regions that have functions."""
        sql = "select distinct account, region from functions where gone_at is null order by account, region"
        return [(account, region) for account, region in self._db.tuples(sql)]

    def last_look(self) -> datetime | None:
        """When any place was last looked at."""
        row = self._db.row("select max(looked_at) as at from alarm_looks")
        return maybe_time(row["at"]) if row else None

    def looks(self) -> list[AlarmLook]:
        rows = self._db.rows("select * from alarm_looks order by account, region")
        return [
            AlarmLook(
                row["account"],
                row["region"],
                to_time(row["looked_at"]),
                maybe_time(row["seen_from"]),
                maybe_time(row["seen_until"]),
                row["problem"],
            )
            for row in rows
        ]

    def seen_until(self, place: Place) -> datetime | None:
        """How far its history is known; None: it was never read."""
        row = self._db.row("select seen_until from alarm_looks where account = ? and region = ?", place)
        return maybe_time(row["seen_until"]) if row else None

    def failed(self, place: Place, at: datetime, problem: str) -> None:
        """It was looked at, and AWS would not tell; what was known stands."""
        self._look(place, at, None, None, problem)

    def looked(self, place: Place, at: datetime, since: datetime, until: datetime) -> None:
        """Its history was read from `since` to `until`."""
        self._look(place, at, since, until, "")

    def _look(self, place: Place, at: datetime, since: datetime | None, until: datetime | None, problem: str) -> None:
        self._db.change(
            """
            insert into alarm_looks (account, region, looked_at, seen_from, seen_until, problem)
            values (:account, :region, :at, :since, :until, :problem)
            on conflict (account, region) do update set looked_at = :at, problem = :problem,
                seen_from = coalesce(min(alarm_looks.seen_from, :since), alarm_looks.seen_from, :since),
                seen_until = iif(alarm_looks.seen_until > :at, :until,
                    coalesce(max(alarm_looks.seen_until, :until), alarm_looks.seen_until, :until))
            """,
            {
                "account": place[0],
                "region": place[1],
                "at": to_text(at),
                "since": to_text(since) if since else None,
                "until": to_text(until) if until else None,
                "problem": problem,
            },
        )

    def forgotten(self, place: Place, since: datetime, until: datetime) -> None:
        """AWS no longer knows what happened in this time; what was open then is over or not, and nobody can tell."""
        account, region = place
        with self._db.transaction():
            self._db.change(
                "insert or ignore into alarm_gaps (account, region, since, until) values (?, ?, ?, ?)",
                [account, region, to_text(since), to_text(until)],
            )
            for alarm_id in self._open(place):
                self._add(alarm_id, [(until, AlarmState.LOST)])

    def gaps(self, since: datetime, until: datetime) -> list[Gap]:
        """Those that reach into this time."""
        sql = "select * from alarm_gaps where until > ? and since < ? order by since, account, region"
        rows = self._db.rows(sql, [to_text(since), to_text(until)])
        return [Gap(row["account"], row["region"], to_time(row["since"]), to_time(row["until"])) for row in rows]

    # ---- alarms

    def watched(self, place: Place, alarms: Iterable[Alarm], at: datetime) -> None:
        """These are all of the place's alarms on functions now. One that is gone keeps its incidents; one that
        watches other functions than before is another alarm."""
        unmet = {row["name"]: row for row in self._known(place)}
        with self._db.transaction():
            for alarm in alarms:
                arns = sorted(set(alarm.functions))
                functions = to_json(arns)
                known = unmet.pop(alarm.name, None)
                if known and known["functions"] == functions:
                    self._db.change("update alarms set seen_at = ? where id = ?", [to_text(at), known["id"]])
                    continue
                if known:
                    self._part(known["id"], at)
                row = {"account": place[0], "region": place[1], "name": alarm.name}
                made = self._db.insert("alarms", row | {"functions": functions, "seen_at": to_text(at)})
                self._db.change_many(
                    "insert into alarm_functions (alarm_id, arn) values (?, ?)",
                    [(made, arn) for arn in arns],
                )
            for known in unmet.values():
                self._part(known["id"], at)

    def any_alarm(self, place: Place) -> bool:
        """Whether it has, or had, an alarm on a function."""
        return self._db.row("select 1 from alarms where account = ? and region = ? limit 1", place) is not None

    def _known(self, place: Place) -> list[dict[str, object]]:
        sql = "select id, name, functions from alarms where account = ? and region = ? and gone_at is null"
        return self._db.rows(sql, place)

    def _part(self, alarm_id: object, at: datetime) -> None:
        self._db.change("update alarms set gone_at = ? where id = ?", [to_text(at), alarm_id])

    # ---- what they told

    def record(self, place: Place, transitions: Iterable[Transition]) -> None:
        """Those of known alarms; of one that is gone or was changed, the last of its name. What is known already
        changes nothing, and neither does the order in which they come."""
        account, region = place
        sql = "select name, max(id) as id from alarms where account = ? and region = ? group by name"
        known: dict[str, int] = dict(self._db.tuples(sql, [account, region]))
        told: dict[int, list[tuple[datetime, str]]] = {}
        for one in transitions:
            if one.alarm in known:
                told.setdefault(known[one.alarm], []).append((one.at, one.state))
        with self._db.transaction():
            for alarm_id, states in told.items():
                self._add(alarm_id, states)

    def settle(self, place: Place, fine: Collection[str], at: datetime) -> None:
        """Alarms that were in state OK before the history was read, or are gone, and have an incident that goes on:
        when that ended was not seen."""
        with self._db.transaction():
            for alarm_id in self._open(place):
                row = self._db.row("select name, gone_at from alarms where id = ?", [alarm_id])
                if row and (row["gone_at"] or row["name"] in fine):
                    self._add(alarm_id, [(at, AlarmState.LOST)])

    def _open(self, place: Place) -> list[int]:
        sql = """
            select alarm_id from incidents join alarms on alarms.id = alarm_id
            where ended_at is null and account = ? and region = ?
        """
        return [alarm_id for (alarm_id,) in self._db.tuples(sql, place)]

    def _add(self, alarm_id: int, states: Sequence[tuple[datetime, str]]) -> None:
        self._db.change_many(
            "insert or ignore into alarm_transitions (alarm_id, at, state, traced) values (?, ?, ?, ?)",
            [
                (alarm_id, to_text(at), str(state), self._traced(alarm_id, at) if state == AlarmState.ALARM else None)
                for at, state in dict.fromkeys(states)
            ],
        )
        self._pair_anew(alarm_id, min(at for at, _ in states))

    def _pair_anew(self, alarm_id: int, changed_at: datetime) -> None:
        """From the last time before the change at which all was well; what lies before cannot have changed."""
        sql = "select max(at) as at from alarm_transitions where alarm_id = ? and state in ('OK', 'LOST') and at < ?"
        row = self._db.row(sql, [alarm_id, to_text(changed_at)])
        since = (row and row["at"]) or ""
        told = {
            (to_time(at), state): traced
            for at, state, traced in self._db.tuples(
                "select at, state, traced from alarm_transitions where alarm_id = ? and at > ?", [alarm_id, since]
            )
        }
        self._db.change("delete from incidents where alarm_id = ? and began_at > ?", [alarm_id, since])
        self._db.change_many(
            "insert into incidents (alarm_id, began_at, ended_at, lost, traced) values (?, ?, ?, ?, ?)",
            [
                (
                    alarm_id,
                    to_text(one.began_at),
                    to_text(one.ended_at) if one.ended_at else None,
                    int(one.lost),
                    told[one.began_at, AlarmState.ALARM],
                )
                for one in paired(told)
            ],
        )

    def _traced(self, alarm_id: int, at: datetime) -> int | None:
        """Whether all of its functions were traced then, or none was; None: not known, or some were."""
        arns = [arn for (arn,) in self._db.tuples("select arn from alarm_functions where alarm_id = ?", [alarm_id])]
        found = {self._past.traced_at(arn, at) for arn in arns}
        (traced, *others) = found or {None}
        return None if traced is None or others else int(traced)

    # ---- reading

    def ended(self, since: datetime, until: datetime) -> Iterator[tuple[int, timedelta, bool | None]]:
        """Of each incident that ended in this time: its alarm's id, how long it took, and whether its functions were
        traced when it began. To be read to its end."""
        sql = """
            select alarm_id, began_at, ended_at, traced from incidents
            where ended_at >= ? and ended_at < ? and not lost
        """
        for alarm_id, began, end, traced in self._db.tuples(sql, [to_text(since), to_text(until)]):
            yield alarm_id, to_time(end) - to_time(began), None if traced is None else bool(traced)

    def open_at(self, at: datetime) -> Iterator[tuple[int, bool | None]]:
        """Of each incident that went on then: its alarm's id, and whether its functions were traced when it began.
        To be read to its end."""
        sql = """
            select alarm_id, traced from incidents
            where began_at < :at and (ended_at is null or (ended_at >= :at and not lost))
        """
        for alarm_id, traced in self._db.tuples(sql, {"at": to_text(at)}):
            yield alarm_id, None if traced is None else bool(traced)

    def lost(self, since: datetime, until: datetime) -> int:
        """How many were over in this time without anybody knowing since when."""
        sql = "select count(*) as n from incidents where lost and ended_at >= ? and ended_at < ?"
        row = self._db.row(sql, [to_text(since), to_text(until)])
        return int(row["n"]) if row else 0

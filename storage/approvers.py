"""Who could approve, and since when: rows that are added and never changed, chained by hash as decisions are.

Kept are ids of Slack's people and groups and names of teams, never a person's name or address. Between two looks nobody
knows; before the first, nothing was kept.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime

import msgspec

from storage.connection import Connection, Row, to_json, to_text, to_time


@dataclass(frozen=True, slots=True)
class TeamRules:
    """For one team, beside what holds for all."""

    approvers: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """[policy] as it was at a look, and who was in the user groups that it names."""

    approvers: tuple[str, ...] = ()  # user ids (U…, W…) and group ids (S…)
    deny: tuple[str, ...] = ()
    teams: Mapping[str, TeamRules] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)  # None: Slack would not say
    two_people: str = "never"
    exemption_two_people: str = "never"
    grace_days: int = 0  # 0: nothing is approved by the policy itself
    grace_teams: tuple[str, ...] | None = ()  # None: all teams

    def for_all(self) -> frozenset[str]:
        """The people who could approve for a team that [policy] does not name."""
        return self.people(None)

    def people(self, team: str | None) -> frozenset[str]:
        """Who could approve for this team; whoever is denied could not, whatever else names them."""
        own = self.teams.get(team or "", TeamRules())
        denied = self._spread((*self.deny, *own.deny))
        return self._spread((*self.approvers, *own.approvers)) - denied

    def everybody(self) -> frozenset[str]:
        """Who could approve for any team."""
        return frozenset().union(self.for_all(), *(self.people(team) for team in self.teams))

    @property
    def unread(self) -> tuple[str, ...]:
        """The groups that Slack would not tell of: by them nobody could approve."""
        return tuple(sorted(group for group, members in self.groups.items() if members is None))

    def _spread(self, ids: tuple[str, ...]) -> frozenset[str]:
        """With the members of groups in their place."""
        found: set[str] = set()
        for one in ids:
            found |= set(self.groups.get(one) or ()) if one.startswith("S") else {one}
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class KeptRules:
    """The rules, and when they were first seen to be so."""

    id: int
    since: datetime  # UTC
    rules: ApprovalRules


class Approvers:
    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def seen(self, rules: ApprovalRules, now: datetime) -> bool:
        """Keep that it was so now; True where that is news."""
        said = to_json(asdict(rules))
        with self._db.transaction():
            last = self._db.row("select rules, hash from approval_rules order by id desc limit 1")
            if is_new := last is None or last["rules"] != said:
                row = {"since": to_text(now), "rules": said, "prev_hash": last["hash"] if last else ""}
                self._db.insert("approval_rules", row | {"hash": _digest(row)})
            self._db.change(
                """
                insert into approval_looks (day, first_at, last_at) values (:day, :now, :now)
                on conflict (day) do update set last_at = max(last_at, excluded.last_at)
                """,
                {"day": f"{now.astimezone(UTC).date()}", "now": to_text(now)},
            )
        return is_new

    def begins(self) -> datetime | None:
        """The first look; None where there was none."""
        row = self._db.row("select since from approval_rules order by id limit 1")
        return to_time(row["since"]) if row else None

    def at(self, moment: datetime) -> KeptRules | None:
        """As they were last seen by then; None where nobody had looked."""
        sql = "select * from approval_rules where since <= ? order by id desc limit 1"
        row = self._db.row(sql, [to_text(moment)])
        return _from_row(row) if row else None

    def changed(self, after: datetime, before: datetime) -> list[KeptRules]:
        """What was new between the two, oldest first."""
        sql = "select * from approval_rules where since > ? and since < ? order by id"
        return [_from_row(row) for row in self._db.rows(sql, [to_text(after), to_text(before)])]

    def days(self) -> frozenset[date]:
        """The days (UTC) on which somebody looked."""
        return frozenset(date.fromisoformat(row["day"]) for row in self._db.rows("select day from approval_looks"))

    def verify(self) -> str | None:
        """The first row that is not as it was written, as a sentence; None where all are."""
        expected = ""
        for number, row in enumerate(self._db.rows("select * from approval_rules order by id"), 1):
            if row["id"] != number:
                return f"row {number} of who could approve is missing"
            if row["prev_hash"] != expected or row["hash"] != _digest(row):
                return f"row {number} of who could approve was changed"
            expected = row["hash"]
        given = self._db.row(
            "select seq, (select count(*) from approval_rules) as n from sqlite_sequence where name = 'approval_rules'"
        )
        if given and given["seq"] != given["n"]:
            return f"row {given['seq']} of who could approve is missing"
        return None


def _digest(row: Row) -> str:
    content = {key: row[key] for key in ("since", "rules", "prev_hash")}
    return hashlib.sha256(to_json(content).encode()).hexdigest()


def _from_row(row: Row) -> KeptRules:
    return KeptRules(row["id"], to_time(row["since"]), msgspec.json.decode(row["rules"], type=ApprovalRules))

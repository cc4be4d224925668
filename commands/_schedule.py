"""When each team reads: its hour, zone and days, and how often a new message may come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as date.weekday() counts them
WORKING_DAYS = frozenset(range(5))
LAST_CALL = time(23, 45)


def waits_until(due: datetime, patience: timedelta) -> datetime:
    """How long what is due then waits for the audit of its day: not over midnight, when that day would be missed."""
    return min(due + patience, datetime.combine(due.date(), LAST_CALL, due.tzinfo))


class Frequency(StrEnum):
    """How often a team may get a new message; the one that it has is kept true all the same."""

    DAILY = "daily"  # when something is new, and on the weekly day
    WEEKLY = "weekly"  # on the weekly day only
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Slot:
    """A time of day on the clock of a zone; teams of one slot are told together."""

    at: time = time(9, 0)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def __str__(self) -> str:
        return f"{self.at:%H:%M} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class Plan:
    """One team's days."""

    slot: Slot = field(default_factory=Slot)
    days: frozenset[int] = WORKING_DAYS  # on which a new message may come; Monday is 0
    weekly: int = 0  # the day of the week on which one comes though nothing is new
    frequency: Frequency = Frequency.DAILY

    def may_post(self, day: date, posted_on: date | None) -> bool:
        """Whether a new message may come on that day; `posted_on`: when the last one did."""
        if day.weekday() not in self.days:
            return False
        match self.frequency:
            case Frequency.DAILY:
                return True
            case Frequency.WEEKLY:
                return self.week_is_due(day, posted_on)
            case Frequency.NEVER:
                return False

    def week_is_due(self, day: date, posted_on: date | None) -> bool:
        """Whether none came since the weekly day, that day included. Where it was no day for messages, or nobody was
        there to send them, the next one makes up for it."""
        weekly = day - timedelta(days=(day.weekday() - self.weekly) % 7)
        return posted_on is None or posted_on < weekly


@dataclass(frozen=True, slots=True)
class Schedule:
    """[schedule] of lamplighter.toml."""

    general: Plan = field(default_factory=Plan)
    teams: Mapping[str, Plan] = field(default_factory=dict)

    def of_team(self, team: str | None) -> Plan:
        return self.teams.get(team or "", self.general)

    def slots(self) -> list[Slot]:
        """Each once, the general one first."""
        return list(dict.fromkeys([self.general.slot, *(plan.slot for plan in self.teams.values())]))

"""[schedule] of lamplighter.toml: when each team reads, and how often a new message may come."""

from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bot.values import HINT, NO_TIME_ZONE, TimeOfDay, is_time_zone, says

if TYPE_CHECKING:
    from commands._schedule import Plan, Schedule

_DAYS = 'should be "mon", "tue", "wed", "thu", "fri", "sat" or "sun"'
Weekday = Annotated[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], Meta(extra={HINT: _DAYS})]
Days = Annotated[list[Weekday], Meta(min_length=1)]
HowOften = Annotated[Literal["daily", "weekly", "never"], Meta(extra={HINT: "should be 'daily', 'weekly' or 'never'"})]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class TeamSchedule(Part, frozen=True):
    """What one team has otherwise."""

    daily: Annotated[TimeOfDay | None, says("of this team", "10:30")] = None
    timezone: Annotated[str | None, says("of this team", "Europe/London")] = None
    days: Annotated[Days | None, says("of this team", ["mon", "thu"])] = None
    weekly: Annotated[Weekday | None, says("of this team", "thu")] = None
    frequency: Annotated[HowOften | None, says("of this team", "weekly")] = None


class ScheduleSection(Part, frozen=True):
    daily: Annotated[
        TimeOfDay, says("one audit a day, at this hour or at the first team's that comes before it", "09:00")
    ] = "09:00"
    timezone: Annotated[str, says("in which days and hours are meant", "Europe/Berlin")] = "UTC"
    days: Annotated[
        Days,
        says("on which a new message may come; the audit is made every day", ["mon", "tue", "wed", "thu", "fri"]),
    ] = msgspec.field(default_factory=lambda: ["mon", "tue", "wed", "thu", "fri"])
    weekly: Annotated[
        Weekday, says("one comes then though nothing is new; where it cannot, on the next day that may", "mon")
    ] = "mon"
    frequency: Annotated[HowOften, says('"weekly": new messages then only; "never": none', "daily")] = "daily"
    teams: Annotated[
        dict[str, TeamSchedule],
        says(
            "what one team has otherwise, any of the keys above",
            {"payments": {"daily": "10:30", "timezone": "Europe/London"}},
        ),
    ] = {}


def schedule_of(section: ScheduleSection, named: Callable[[str], str]) -> "Schedule":
    """`named`: a team by any of its names."""
    from commands._schedule import Schedule  # an audit in a terminal tells nobody

    general = _plan(section, TeamSchedule())
    return Schedule(general, {named(name): _plan(section, own) for name, own in section.teams.items()})


def _plan(section: ScheduleSection, own: TeamSchedule) -> "Plan":
    from zoneinfo import ZoneInfo

    from commands._schedule import WEEKDAYS, Frequency, Plan, Slot

    slot = Slot(time.fromisoformat(own.daily or section.daily), ZoneInfo(own.timezone or section.timezone))
    days = frozenset(map(WEEKDAYS.index, own.days or section.days))
    weekly = WEEKDAYS.index(own.weekly or section.weekly)
    return Plan(slot, days, weekly, Frequency(own.frequency or section.frequency))


def time_zones(content: Mapping[str, Any]) -> Iterator[str]:
    """Which time zones there are, no pattern can tell: one line for each that is none."""
    schedule = content.get("schedule")
    if not isinstance(schedule, dict):
        return
    teams = schedule.get("teams")
    tables: dict[str, object] = {"schedule": schedule}
    if isinstance(teams, dict):
        tables |= {f"schedule.teams.{name}": table for name, table in teams.items()}
    for name, table in tables.items():
        zone = table.get("timezone") if isinstance(table, dict) else None
        if isinstance(zone, str) and not is_time_zone(zone):
            yield f"[{name}] timezone: {zone!r} {NO_TIME_ZONE}."

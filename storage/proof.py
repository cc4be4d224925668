"""What an evidence report says of a range of days. What memory does not have is None, or stands among the gaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from storage.approvers import KeptRules
from storage.evidence import Act, ExceptionThen, Head, Outside
from storage.models import Coverage

# What one person decided, in the columns of the report.
APPROVED, EXEMPTED, UNDONE, ENDED, OTHER = "approved", "exempted", "undone", "denied_or_ended", "other"
COLUMNS = (APPROVED, EXEMPTED, UNDONE, ENDED, OTHER)


@dataclass(frozen=True, slots=True)
class Range:
    """Whole days on the clock of a zone, both included."""

    since: date
    until: date
    zone: str
    start: datetime  # UTC
    end: datetime  # UTC, excluded; just after now, where the last day is not over


@dataclass(frozen=True, slots=True)
class ApproversThen:
    """Who could approve. None of it is known before `recorded_since`."""

    recorded_since: datetime | None
    at_start: KeptRules | None
    at_end: KeptRules | None
    changes: tuple[KeptRules, ...]  # between the two, oldest first
    not_looked: tuple[date, ...]  # days (UTC) on which nobody looked, since it is recorded
    broken: str | None  # where the record is not as it was written


@dataclass(frozen=True, slots=True)
class Person:
    """What one person decided, by COLUMNS; what one click exempted counts once."""

    who: str
    counts: Mapping[str, int]
    self_approved: int  # fixes that this person had asked for as well
    not_recorded: int  # decisions for which the record of that day does not name them


@dataclass(frozen=True, slots=True)
class Unseen:
    """An account of which an audit did not see all, on days when no other audit did."""

    account: str
    days: tuple[date, ...]
    places: int  # regions, or the account as a whole
    reason: str


@dataclass(frozen=True, slots=True)
class Measured:
    """Coverage as one audit counted it."""

    at: datetime
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Team:
    name: str | None  # None: of no known team
    start: Coverage | None
    end: Coverage


@dataclass(frozen=True, slots=True)
class Evidence:
    range: Range
    team: str | None
    made_at: datetime
    version: str
    database: str
    head: Head | None  # the newest decision's number and hash
    rows: int  # decisions that were checked
    broken: str | None  # the first place where the chain of decisions is broken
    first: int | None  # the numbers of the decisions of this range
    last: int | None
    history_since: datetime | None  # the first audit
    accounts: tuple[str, ...]
    approvers: ApproversThen
    decisions: int
    strange: int  # rows that say what this version does not know, and that are not counted
    people: tuple[Person, ...]  # who decided most before the others
    by_policy: int  # fixes that [policy.grace] approved
    without_another: int  # fixes that one person approved and nobody else had asked for
    self_approved: tuple[Act, ...]
    second_person: int  # exemptions that somebody else had asked for
    refused: tuple[Act, ...]
    fixes: Mapping[str, int]
    exceptions: tuple[ExceptionThen, ...]
    outside: tuple[Outside, ...]
    production_only: bool
    start: Measured | None
    end: Measured | None
    lowest: Measured | None
    teams: tuple[Team, ...]
    audits: int
    no_audit: tuple[date, ...]  # days since the first audit on which none of everything ended
    unseen: tuple[Unseen, ...]

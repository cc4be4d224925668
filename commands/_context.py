"""What commands work with: memory, AWS, who may act, the rules. An audit in a terminal needs this and none of Slack's
requests and replies, which are in `_types`."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from commands._budget_rules import BudgetRules, SpendRules
from commands._event_rules import EventRules
from commands._forecast_rules import ForecastRules
from commands._grace import OFF, Grace
from commands._hands import Hands
from commands._locks import Locks
from commands._pace import Pace
from commands._production import EVERYTHING, Production, TwoPeople
from commands._report_rules import ReportRules
from commands._schedule import Schedule
from commands._teams import TeamSettings
from storage.models import Function

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from storage.approvers import ApprovalRules
    from storage.diagnosis import Diagnosis
    from storage.store import Store


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether somebody may act, and the rule that says so (kept with the decision) or the reason why not (shown)."""

    allowed: bool
    why: str


class People(Protocol):
    """Who may act; `bot.people` asks Slack and the configuration."""

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:
        """May this person change AWS for this team's functions, or exempt them? Asked at the click; fails closed."""

    def approvers(self, team: str | None) -> tuple[str, ...]:
        """Those who may approve for this team, as mentions; none where nobody is configured."""

    def teams_of(self, user: str, groups: Mapping[str, str]) -> frozenset[str]:
        """The teams whose user group, by team in `groups`, this person is in, and those they are named for."""

    def rules(self) -> "ApprovalRules | None":
        """Who may approve, with the members of groups as they are now; None where nobody can be asked."""


@dataclass(frozen=True, slots=True)
class FixPolicy:
    """[policy], as far as it does not name who may approve, and [production]."""

    request_hours: float = 24.0  # so long a request waits for an approver
    undo_hours: float = 24.0  # so long a fix can be undone; 0: never
    patch_only_functions: bool = False  # what infrastructure as code deploys is changed there, not here
    patch_only_roles: bool = False  # the same of execution roles
    fixes_per_second: float = 1.0  # of one batch, in each account and region
    largest_batch: int = 300
    two_people: TwoPeople = TwoPeople.NEVER
    exemption_days: int = 90  # as long as an exemption lasts unless somebody chooses otherwise
    exemption_max_days: int = 365
    exemption_two_people: TwoPeople = TwoPeople.NEVER
    production: Production = EVERYTHING
    grace: Grace = OFF

    def needs_two_people(self, function: Function) -> bool:
        """Whether somebody else has to approve than who asked."""
        return self._takes_two(self.two_people, [function])

    def exemption_needs_two_people(self, functions: Sequence[Function], *, later: bool = False) -> bool:
        """Whether somebody else has to confirm an exemption of these. `later`: and of some that nobody knows yet."""
        return self._takes_two(self.exemption_two_people, functions, later=later)

    def _takes_two(self, rule: TwoPeople, functions: Sequence[Function], *, later: bool = False) -> bool:
        match rule:
            case TwoPeople.NEVER:
                return False
            case TwoPeople.PRODUCTION:
                return later or any(self.production.covers(function) for function in functions)
            case TwoPeople.ALWAYS:
                return True


@dataclass(frozen=True, slots=True)
class Context:
    """What commands work with; built once at the start."""

    store: "Store"
    cloud: "Cloud"
    teams: TeamSettings
    people: People
    clock: Callable[[], datetime]  # UTC now
    zone: ZoneInfo  # the schedule's, for days and dates
    policy: FixPolicy = FixPolicy()
    schedule: Schedule = field(default_factory=Schedule)
    forecasting: ForecastRules = field(default_factory=ForecastRules)
    spending: SpendRules = field(default_factory=SpendRules)
    budget: BudgetRules = field(default_factory=BudgetRules)
    reporting: ReportRules = field(default_factory=ReportRules)
    hands: Hands = field(default_factory=Hands)
    one_audit: threading.Lock = field(default_factory=threading.Lock)
    in_hand: Locks = field(default_factory=Locks)  # the requests that this process is carrying out
    roles: Locks = field(default_factory=Locks)  # fixes that share an execution role go one after another
    pace: Pace = field(default_factory=Pace)  # of batches, by account and region
    ending: threading.Event = field(default_factory=threading.Event)  # set: begin nothing more, end what has begun
    events: EventRules = field(default_factory=EventRules)
    custom_metrics: bool = False  # [metrics] cloudwatch: what an audit found goes to CloudWatch too
    # What only the process around the commands can look at: its settings, its memory, Slack. Like `people`, given by
    # `bot`, and asked for an answer rather than for a client, so that no command learns to talk to Slack.
    look_around: "Callable[[], Sequence[Diagnosis]] | None" = None

"""What a command is given and what it may answer. It carries Slack's ids, never Slack's shapes."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from commands._budget_rules import BudgetRules, SpendRules
from commands._forecast_rules import ForecastRules
from commands._grace import OFF, Grace
from commands._locks import Locks
from commands._pace import Pace
from commands._production import EVERYTHING, Production, TwoPeople
from commands._report_rules import ReportRules
from commands._schedule import Schedule, Slot
from commands._teams import TeamSettings
from storage.models import Function, Source

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud
    from commands.views.blocks import Block
    from storage.store import Store


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks for what, and where."""

    user: str  # Slack user id, THE_CLOCK or THE_POLICY
    now: datetime  # UTC
    source: Source
    text: str = ""  # what was typed after the command
    value: str = ""  # the opaque id that a button or a form carries
    fields: Mapping[str, str] = field(default_factory=dict)  # a form's inputs by name
    workspace: str = ""  # Slack team id
    channel: str = ""
    message: str = ""  # timestamp of the message that was clicked
    private: bool = False  # that message is shown to this person alone, and is redrawn by `Replace`
    page: str = ""  # of App Home: what the page that was clicked on said of itself
    day: date | None = None  # the local date that a daily job is for
    slot: Slot | None = None  # whose teams a daily job is for; None: those without an hour of their own


@dataclass(frozen=True, slots=True)
class Progress:
    """What is being done; shown at once, and followed by the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """An answer to the one who asked, seen by nobody else."""

    text: str
    blocks: "tuple[Block, ...]" = ()


@dataclass(frozen=True, slots=True)
class Replace:
    """Draw the private message that was clicked again."""

    text: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class OpenForm:
    """Open a modal for the one who asked; draw it anew where one is open that this answers in."""

    view: "Block"


@dataclass(frozen=True, slots=True)
class PublishHome:
    """App Home of the one who asked, drawn anew; nobody else's."""

    view: "Block"


@dataclass(frozen=True, slots=True)
class Background:
    """Work that goes on after the answer, and that nobody waits for."""

    what: str  # for the log
    run: Callable[[], object]


Reply = Progress | Say | Replace | OpenForm | PublishHome | Background
Answer = Iterable[Reply]


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
    one_audit: threading.Lock = field(default_factory=threading.Lock)
    in_hand: Locks = field(default_factory=Locks)  # the requests that this process is carrying out
    roles: Locks = field(default_factory=Locks)  # fixes that share an execution role go one after another
    pace: Pace = field(default_factory=Pace)  # of batches, by account and region
    ending: threading.Event = field(default_factory=threading.Event)  # set: begin nothing more, end what has begun
    custom_metrics: bool = False  # [metrics] cloudwatch: what an audit found goes to CloudWatch too


Run = Callable[[Request, Context], Answer]


@dataclass(frozen=True, slots=True)
class Slash:
    """A slash command, also listed in manifest.yml."""

    command: str  # "/trace-audit"
    usage: str
    summary: str
    examples: tuple[str, ...]
    run: Run
    opens_form: bool = False  # Slack's trigger lives for 3 seconds, so the form comes before all else


@dataclass(frozen=True, slots=True)
class Button:
    """A button in a message, with an opaque id whose meaning stands in memory; or a form's field that tells of changes.

    For a form's field, the request carries what it would if the form were sent.
    """

    action_id: str
    run: Run
    opens_form: bool = False
    decides: bool = False  # or leads to deciding: who tries it and may not is kept in the history


@dataclass(frozen=True, slots=True)
class Form:
    """A modal. `check` is quick and pure: it answers while Slack waits, with an error for each bad field."""

    callback_id: str
    check: Callable[[Mapping[str, str], datetime, ZoneInfo], dict[str, str]]
    run: Run
    decides: bool = False  # as a button


@dataclass(frozen=True, slots=True)
class Clock:
    """A job that runs every day at each of the configured times, or now and again."""

    job_id: str
    run: Run
    every: timedelta | None = None  # None: every day at each of the configured times


@dataclass(frozen=True, slots=True)
class Event:
    """Something that Slack tells of without being asked, by the name that the manifest subscribes to."""

    event: str
    run: Run


Entry = Slash | Button | Form | Clock | Event

"""The nouns of a fix: what it would do, who asked for it and where it stands, and what it did."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from storage.models import Manager, MayWrite, TracingMode

if TYPE_CHECKING:
    from storage.forecasts import Forecast


class RoleStep(StrEnum):
    """What a fix does to the execution role."""

    NOTHING = "nothing"  # it may write to X-Ray already
    ATTACH = "attach"  # the managed policy
    INLINE = "inline"  # a policy of two actions, where the role has no room for a managed one
    ASK_LAMBDA = "ask_lambda"  # it cannot be read whole: Lambda's own check decides, and the role is left alone


class AliasStep(StrEnum):
    """What a fix does about what an alias serves."""

    NOTHING = "nothing"  # all that it serves is traced, or follows $LATEST
    PUBLISH = "publish"  # a version equal to the served one in all but tracing, and the alias moved to it
    DEPLOY = "deploy"  # out of a fix's reach: it needs a deployment


@dataclass(frozen=True, slots=True)
class AliasPlan:
    """One alias, or `$LATEST.PUBLISHED` of a function on Managed Instances."""

    name: str
    version: str  # that it serves; "" for $LATEST.PUBLISHED
    step: AliasStep
    why: str = ""  # DEPLOY: a sentence


@dataclass(frozen=True, slots=True)
class FixPlan:
    """What a fix would change, as AWS stood at `made_at`: shown before it is approved, and held against AWS after."""

    made_at: datetime  # UTC
    mode: TracingMode | None  # of $LATEST; None counts as PassThrough
    role: str  # ARN; "" where AWS gives none
    role_may_write: MayWrite | None
    role_step: RoleStep
    role_manager: Manager | None = None  # what deploys the role, by the role's own tags
    sharing: int = 0  # other functions that use the role, as far as is remembered
    aliases: tuple[AliasPlan, ...] | None = ()  # all that it has; None: could not be read
    manager: Manager | None = None
    stack: str | None = None
    logical_id: str | None = None
    runtime: str | None = None
    revision_id: str = ""
    code_sha256: str = ""
    forecast: "Forecast | None" = None  # what tracing it would cost, as it was shown; None: not known
    no_forecast: str = ""  # a phrase: why it is not known, where that is known
    blocked: str = ""  # a sentence with a next step: why this cannot be approved; "" where it can
    remembered: bool = False  # what the latest audit knew, as a digest shows it; a fix then leaves aliases alone

    @property
    def changes_something(self) -> bool:
        return self.mode is not TracingMode.ACTIVE or self.changes_role or bool(self.publishes)

    @property
    def publishes(self) -> tuple[AliasPlan, ...]:
        """What a version would be published for."""
        return tuple(alias for alias in self.aliases or () if alias.step is AliasStep.PUBLISH)

    @property
    def changes_role(self) -> bool:
        return self.role_step in (RoleStep.ATTACH, RoleStep.INLINE)

    def to_row(self) -> dict[str, Any]:
        """For JSON."""
        forecast = self.forecast.to_row() if self.forecast else None
        return asdict(self) | {"made_at": self.made_at.isoformat(), "forecast": forecast}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "FixPlan":
        """Also of a plan that was kept before there were forecasts."""
        aliases = row["aliases"]
        return cls(
            **{
                **{name: value for name, value in row.items() if name != "monthly_usd"},
                "forecast": _forecast(row.get("forecast")),
                "made_at": datetime.fromisoformat(row["made_at"]),
                "mode": _maybe(TracingMode, row["mode"]),
                "role_may_write": _maybe(MayWrite, row["role_may_write"]),
                "role_step": RoleStep(row["role_step"]),
                "role_manager": _maybe(Manager, row["role_manager"]),
                "manager": _maybe(Manager, row["manager"]),
                "aliases": None
                if aliases is None
                else tuple(AliasPlan(**{**one, "step": AliasStep(one["step"])}) for one in aliases),
            }
        )


@dataclass(frozen=True, slots=True)
class AliasMove:
    """An alias that was moved: from the version that it served to the one that was published."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a fix changed on AWS, kept step by step while it runs: an undo takes back this and nothing else."""

    role: str = ""  # ARN
    policy: str = ""  # what this fix gave the role: a managed policy's ARN or an inline policy's name; "" for nothing
    policy_intended: str = (
        ""  # written down before the call, so that a crash cannot make our policy look like another's
    )
    mode_before: TracingMode | None = None  # of $LATEST, where this fix changed it
    published: str = ""  # the version that this fix published; "$LATEST.PUBLISHED" on Managed Instances
    moves: tuple[AliasMove, ...] = ()  # each is written down before the call
    requests: tuple[str, ...] = ()  # AWS's ids of the calls that changed something, as CloudTrail has them

    @property
    def nothing(self) -> bool:
        """Whether this fix changed nothing, as far as is kept."""
        return not (self.policy or self.mode_before or self.published or self.moves)

    def to_row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "Receipt":
        moves = tuple(AliasMove(**move) for move in row["moves"])
        requests = tuple(row.get("requests", ()))
        mode = _maybe(TracingMode, row["mode_before"])
        return cls(**{**row, "mode_before": mode, "moves": moves, "requests": requests})


class RequestState(StrEnum):
    """Where a fix request stands; it moves by compare-and-set only."""

    OPEN = "open"  # waits for an approver
    RUNNING = "running"  # approved; AWS is being changed
    APPLIED = "applied"  # read back as Active
    FAILED = "failed"  # may be approved again
    RESOLVED = "resolved"  # the function was traced, exempted or deleted without this request
    DENIED = "denied"  # an approver said no
    CANCELLED = "cancelled"  # withdrawn
    EXPIRED = "expired"  # nobody decided in time
    UNDOING = "undoing"  # was applied, and is being taken back
    UNDONE = "undone"  # taken back, as read back


@dataclass(frozen=True, slots=True)
class FixRequest:
    """One function that waits for, or went through, a fix. Its id is all that a button carries."""

    id: str  # opaque, unguessable
    function_arn: str
    team: str | None
    state: RequestState
    created_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    finished_at: datetime | None = None
    step: str = ""  # what is being done, or the step that failed
    outcome: str = ""  # why it failed or was denied, or how it was resolved
    note: str = ""  # what the fix could not do (an alias that still serves an untraced version)
    asked_by: str = ""  # Slack user id; "" where only the daily digest asks
    reason: str = ""  # of whoever asked
    expires_at: datetime | None = None  # None: nobody asked yet, and a digest's buttons do not run out
    reminded_at: datetime | None = None
    ended_by: str = ""  # who denied, cancelled or undid it
    undo_until: datetime | None = None  # None: it cannot be undone
    batch: int | None = None  # the batch that it was approved in
    queued: bool = False  # RUNNING, in a batch, and not begun
    plan: FixPlan | None = None  # the newest that was shown
    receipt: Receipt = Receipt()

    @property
    def function_name(self) -> str:
        return self.function_arn.rsplit(":", 1)[-1]

    @property
    def waiting(self) -> bool:
        """Whether somebody may still decide on it, as far as its state tells; its time may be over."""
        return self.state in (RequestState.OPEN, RequestState.FAILED)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests that one person approved together. Which they are stands with its post."""

    id: int
    token: str  # opaque, unguessable
    team: str | None
    channel: str  # as configured: an id or "#name"
    approved_by: str  # Slack user id
    created_at: datetime
    post: int  # the message that shows how far it is
    stopped_by: str = ""
    stopped_at: datetime | None = None
    finished_at: datetime | None = None


class NoticeState(StrEnum):
    """Where a notice of fixes stands; it moves by compare-and-set only."""

    ANNOUNCED = "announced"  # anybody may object who may approve
    TAKEN = "taken"  # its day came, and what could be fixed was approved
    STOPPED = "stopped"  # an approver objected
    LAPSED = "lapsed"  # its day went by, or the settings ask for it no more


@dataclass(frozen=True, slots=True)
class GraceNotice:
    """What `[policy.grace]` has fixed on a day where nobody objects. Which functions stands with its posts."""

    id: int
    token: str  # opaque, unguessable
    team: str
    channel: str  # as configured; posted anywhere else, it does not count
    post: int  # its first page
    pages: int
    created_at: datetime
    fix_on: date  # local
    posted_at: datetime | None = None  # when it was first seen to be posted whole
    state: NoticeState = NoticeState.ANNOUNCED
    ended_by: str = ""
    ended_at: datetime | None = None
    reason: str = ""  # of whoever stopped it, or why it lapsed
    batch: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function that can be put into a batch, as far as choosing it needs."""

    arn: str
    account: str
    region: str
    name: str
    role: str  # ARN; "" where AWS gave none
    gives_policy: bool  # its role may not write to X-Ray, so that a fix gives it a policy
    callers: tuple[str, ...]  # ARNs of functions that may call it and send no traces
    request: str  # the live request's id; "" where there is none
    forecast: "Forecast | None" = None  # what tracing it would cost; None: not known

    @property
    def place(self) -> str:
        return f"{self.account} {self.region}"


def _forecast(row: Mapping[str, Any] | None) -> "Forecast | None":
    if row is None:
        return None
    from storage.forecasts import Forecast  # of no use to an audit, which starts afresh each time

    return Forecast.from_row(row)


def _maybe(kind: type[Any], text: str | None) -> Any:
    return None if text is None else kind(text)

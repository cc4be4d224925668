"""The nouns that the rest of Lamplighter speaks in; nothing here reads or writes anything."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

import msgspec

# The AWS managed policy that lets an execution role send segments to X-Ray.
XRAY_WRITE_POLICY = "AWSXRayDaemonWriteAccess"


class Word(StrEnum):
    """One of a closed set, hashed as the text that it is: Enum's own hash is Python, and an audit asks for millions."""

    __hash__ = str.__hash__


class Source(StrEnum):
    """How a request came in."""

    SLASH = "slash"
    BUTTON = "button"
    FORM = "form"
    EVENT = "event"
    CLOCK = "clock"
    TERMINAL = "terminal"


# Who acted where no person did: the daily job, an audit, a restart.
THE_CLOCK = "clock"
# Who approved where nobody objected in time, and CloudTrail's source identity then: [policy.grace].
THE_POLICY = "policy"


class TracingMode(Word):
    """Lambda's `TracingConfig.Mode`, spelled as AWS spells it."""

    ACTIVE = "Active"
    PASS_THROUGH = "PassThrough"


class MayWrite(Word):
    """Whether an execution role may send segments to X-Ray."""

    YES = "yes"
    NO = "no"
    CONDITIONAL = "conditional"  # it depends on a condition that cannot be decided from the policies alone


def team_name(text: str) -> str:
    """A team as it is compared: case, and spaces or underscores for hyphens, make no difference."""
    return "-".join(text.replace("_", " ").lower().split())


class Verdict(Word):
    """What an audit says of one function: one verdict each, and `unknown` is never a pass."""

    TRACED = "traced"
    UNTRACED = "untraced"
    EXEMPT = "exempt"
    NOT_APPLICABLE = "not_applicable"
    UNKNOWN = "unknown"


class CheckName(Word):
    """The checks; each is one pure function in `commands.aws.checks`."""

    PASSTHROUGH = "passthrough"
    ROLE_DENIED = "role_denied"
    ROLE_CONDITIONAL = "role_conditional"
    ROLE_UNREADABLE = "role_unreadable"
    ALIAS_UNTRACED = "alias_untraced"
    ALIASES_UNREADABLE = "aliases_unreadable"
    NOT_APPLICABLE = "not_applicable"
    STARVED = "starved"
    SURFACE_ONLY = "surface_only"
    TRACED_ELSEWHERE = "traced_elsewhere"
    RUNTIME_BLOCKED = "runtime_blocked"
    UNOWNED = "unowned"


class TeamFrom(Word):
    """How a function's team was found."""

    TAG = "tag"  # of the function
    STACK = "stack"  # a tag of its CloudFormation stack
    ACCOUNT = "account"  # a tag of its account in the organization
    ASSIGNED = "assigned"  # somebody said so here; any tag of the above wins
    UNKNOWN = "unknown"  # its own tags name none, and its stack or its account would not say or was not asked


class Manager(Word):
    """What deploys a function, and may take back what is changed beside it. Terraform leaves no mark of its own."""

    CLOUDFORMATION = "cloudformation"
    SAM = "sam"
    CDK = "cdk"
    SERVERLESS = "serverless"  # the Serverless Framework


class Form(Word):
    """What a function can be beside an ordinary one."""

    MANAGED_INSTANCES = "managed_instances"  # runs on a capacity provider
    DURABLE = "durable"
    TENANCY = "tenancy"  # isolated by tenant


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one check says of one function, as a sentence for people."""

    check: CheckName
    text: str


class ServedVersion(msgspec.Struct, frozen=True, gc=False):
    """A published version that an alias sends traffic to."""

    version: str
    mode: TracingMode | None  # None: AWS did not say
    weight: float = 1.0  # share of the alias's traffic, 0.0 to 1.0


class Alias(msgspec.Struct, frozen=True, gc=False):
    """A function's alias and every version that it serves, the weighted one included."""

    name: str
    versions: tuple[ServedVersion, ...]


class Function(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One Lambda function in one account and region, as AWS described it, and what was made of that.

    A Struct, since a frozen dataclass of so many fields takes seven times as long to make, and an audit makes many
    thousands; `msgspec.structs.replace` makes a changed one.
    """

    arn: str  # unqualified
    account: str
    region: str
    name: str
    mode: TracingMode | None  # of $LATEST; None: AWS gave none, which counts as untraced
    role: str | None = None  # the execution role's ARN
    role_may_write: MayWrite | None = None  # None: the role could not be read
    role_doubt: str = ""  # why that is conditional; the finding keeps it, memory does not
    runtime: str | None = None  # None for container images
    last_modified: datetime | None = None  # UTC
    revision_id: str | None = None
    code_sha256: str | None = None
    team: str | None = None  # None: no tag names a team
    team_known: bool = True  # False: the tags could not be read; what was known of team and manager stands
    aliases: tuple[Alias, ...] | None = ()  # None: could not be read; () : none is in use
    sources: (
        tuple[str, ...] | None
    ) = ()  # event sources: "msk", "kafka", "mq", "sqs", … where they were asked for; None: refused
    edge: bool = False  # Lambda@Edge: a replica, or in us-east-1 with a role that trusts edgelambda.amazonaws.com
    layers: tuple[str, ...] = ()  # layer version ARNs
    environment_keys: tuple[str, ...] | None = ()  # names, never values; None: encrypted with a key that is not ours
    package_type: str | None = None  # "Zip" or "Image"
    handler: str | None = None  # None for container images
    forms: tuple[Form, ...] = ()
    published_mode: TracingMode | None = None  # of $LATEST.PUBLISHED, on Managed Instances; None: could not be read
    untraced_callers: tuple[str, ...] = ()  # ARNs of functions that may call this one and send no traces
    managed_by: Manager | None = None  # None: no tag says so
    stack: str | None = None  # its CloudFormation stack's name
    stack_id: str | None = None  # the stack's ARN, another one for a stack made anew
    logical_id: str | None = None  # the function's name in the stack's template
    production: bool | None = None  # by its tags; None: they could not be read, or no tag says what production is
    team_from: TeamFrom | None = None  # None: nothing names its team
    channel: str | None = None  # where its own tag says that its team reads: "#name" or an id
    tag_marks: str = ""  # of its tags, as far as a rule may go by them; see `storage.tag_marks`
    verdict: Verdict = Verdict.UNKNOWN
    findings: tuple[Finding, ...] = ()

    def judged(self, verdict: Verdict, findings: tuple[Finding, ...]) -> "Function":
        """The same with a verdict."""
        return msgspec.structs.replace(self, verdict=verdict, findings=findings)

    def __eq__(self, other: object) -> bool:
        """Why a role's permission is in doubt makes no difference: memory does not keep it."""
        return isinstance(other, Function) and _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash(_compared(self))

    @property
    def role_name(self) -> str:
        """Of the execution role; empty where AWS gave none."""
        return self.role.rsplit("/", 1)[-1] if self.role else ""

    @property
    def sends(self) -> bool:
        """Whether $LATEST sends traces, as far as its mode and its role tell: only a certain no counts."""
        return self.mode is TracingMode.ACTIVE and self.role_may_write is not MayWrite.NO

    @property
    def managed_instances(self) -> bool:
        """Whether unqualified calls run $LATEST.PUBLISHED instead of $LATEST."""
        return Form.MANAGED_INSTANCES in self.forms

    @property
    def fixable(self) -> bool:
        """Whether a fix has something to change; an alias of an untraced version needs a deployment instead."""
        return self.mode is not TracingMode.ACTIVE or self.role_may_write is MayWrite.NO


_compared = attrgetter(*(name for name in Function.__struct_fields__ if name != "role_doubt"))


def settle(function: Function, verdict: Verdict, findings: tuple[Finding, ...]) -> None:
    """As `Function.judged`, in place: for whoever has just made the function and has shown it to nobody yet."""
    msgspec.structs.force_setattr(function, "verdict", verdict)
    msgspec.structs.force_setattr(function, "findings", findings)


class Account(msgspec.Struct, frozen=True):
    """An AWS account; AWS Organizations knows its name, and gives an e-mail address that is never kept."""

    id: str  # 12 digits
    name: str = ""


# Stands for an account where the list of accounts itself could not be seen whole.
ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class NotScanned:
    """An account, or a region of it, that an audit could not see."""

    account: str
    region: str  # "" when the whole account could not be seen
    reason: str  # one sentence, AWS's error code included


@dataclass(frozen=True, slots=True)
class Inventory:
    """What AWS said when it was asked for everything."""

    functions: tuple[Function, ...]  # with their verdicts, exemptions apart
    not_scanned: tuple[NotScanned, ...]
    accounts: tuple[str, ...]
    regions: tuple[str, ...]
    aws_calls: int
    accounts_whole: bool = True  # False: the list of accounts broke off, and who is not in it may be there all the same
    regions_whole: bool = True  # False: the same of the regions
    # Accounts and regions ("": all of the account's) in which there may be functions that were not shown. Each has its
    # reason in `not_scanned`, where one row may stand for many of them.
    open_places: frozenset[tuple[str, str]] = frozenset()

    @property
    def unseen(self) -> frozenset[tuple[str, str]]:
        """The accounts and regions of which not all was seen; an account with the region "" as a whole."""
        return self.open_places | {(row.account, row.region) for row in self.not_scanned}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts by verdict."""

    traced: int = 0
    untraced: int = 0
    exempt: int = 0
    not_applicable: int = 0
    unknown: int = 0

    @property
    def percent(self) -> float | None:
        """traced ÷ (traced + untraced + exempt) × 100, one decimal; None where nothing could be traced."""
        whole = self.traced + self.untraced + self.exempt
        return round(100 * self.traced / whole, 1) if whole else None

    @classmethod
    def sum(cls, counts: "Iterable[Coverage]") -> "Coverage":
        """Of all of these together."""
        total = Counter[str]()
        for one in counts:
            total.update({each.name: getattr(one, each.name) for each in fields(cls)})
        return cls(**total)

    @classmethod
    def of(cls, functions: Iterable[Function]) -> "Coverage":
        return cls(**{str(verdict): number for verdict, number in Counter(one.verdict for one in functions).items()})


@dataclass(frozen=True, slots=True)
class Audit:
    """One look at the configured accounts and regions."""

    id: int
    started_at: datetime
    finished_at: datetime
    accounts: int
    regions: int
    functions: int
    aws_calls: int
    not_scanned: tuple[NotScanned, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return (self.finished_at - self.started_at).total_seconds()


class ExemptScope(StrEnum):
    """What an exemption goes by."""

    FUNCTION = "function"  # one function
    NAME = "name"  # a pattern of names: `*`, `?` and `[…]` as in file names
    TAG = "tag"  # "key=value"


class ExemptState(StrEnum):
    """Where an exemption stands; it moves by compare-and-set only."""

    ASKED = "asked"  # waits for a second person
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"  # nobody confirmed it in time
    ENDED = "ended"  # its last day is over, or what it covered needs it no more
    REVOKED = "revoked"
    MERGED = "merged"  # asked for to extend another, and that was done


@dataclass(frozen=True, slots=True)
class Exemption:
    """A team's agreed exception: why, who said so, and until when. Which functions it covers stands beside it."""

    id: int
    function_arn: str  # "" where it goes by names or a tag
    reason: str
    granted_by: str  # Slack user id; "" while it waits for a second person
    granted_at: datetime  # UTC
    expires_at: datetime  # UTC, exclusive
    token: str = ""  # opaque, unguessable: all that its buttons carry
    scope: ExemptScope = ExemptScope.FUNCTION
    target: str = ""  # the pattern, or "key=value"
    team: str | None = None  # whose channel hears of it
    teams: tuple[str | None, ...] = ()  # whose functions it may cover
    later: bool = False  # functions too that match later on
    ticket: str = ""  # a link, https
    state: ExemptState = ExemptState.GRANTED
    asked_by: str = ""  # Slack user id; "" where one person was enough
    ask_until: datetime | None = None
    set_at: datetime | None = None  # when its end was chosen
    let_end_by: str = ""  # who wants to hear no more of it before it ends
    ended_at: datetime | None = None
    ended_by: str = ""  # Slack user id, or THE_CLOCK
    ended_why: str = ""
    extends: int | None = None  # the exemption that this one asks to extend

    @property
    def last_moment(self) -> datetime:
        """For people, who say "until 21 February" and mean that day too."""
        return self.expires_at - timedelta(seconds=1)

    @property
    def by_rule(self) -> bool:
        """Whether it goes by more than one function's name."""
        return self.scope is not ExemptScope.FUNCTION

    def is_in_force(self, now: datetime) -> bool:
        return self.state is ExemptState.GRANTED and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Snooze:
    """Until when a function, or all of a team's, makes no new message. It stays untraced and counted."""

    id: str  # opaque, unguessable
    function_arn: str | None  # None: the whole team
    team: str | None
    by: str  # Slack user id
    at: datetime  # UTC
    until: datetime  # UTC, exclusive


class DecisionKind(StrEnum):
    """What was decided or came of it; rows of the append-only history."""

    REQUESTED = "requested"
    APPROVED = "approved"
    APPLIED = "applied"
    FAILED = "failed"
    EXEMPTED = "exempted"
    RESOLVED = "resolved"
    LAPSED = "lapsed"  # an exemption whose function was deleted, and another made under its name
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # nobody decided on a request in time
    UNDO = "undo"  # somebody decided to take a fix back
    UNDONE = "undone"  # it was taken back, as read back
    UNDO_FAILED = "undo_failed"
    BATCH = "batch"  # several functions were approved at once; each has its own rows besides
    STOPPED = "stopped"  # a batch, before all of it was done
    OWNER_ASSIGNED = "owner_assigned"  # functions without a team's tag were given to a team
    OWNER_ENDED = "owner_ended"  # that was taken back
    EXEMPTION_ASKED = "exemption_asked"  # an exemption, or a later end of one, that takes a second person
    EXEMPTION_DENIED = "exemption_denied"
    EXEMPTION_EXPIRED = "exemption_expired"  # nobody confirmed it in time
    EXEMPTION_EXTENDED = "exemption_extended"
    EXEMPTION_LEFT = "exemption_left"  # to end on its day, with no further reminder
    EXEMPTION_REVOKED = "exemption_revoked"
    EXEMPTION_ENDED = "exemption_ended"
    SNOOZED = "snoozed"  # a function or a team makes no new message until a day
    SNOOZE_ENDED = "snooze_ended"  # somebody ended that before its time
    BUDGET_APPROVED = "budget_approved"  # somebody decided to make or change the AWS budget of X-Ray
    BUDGET_SET = "budget_set"  # it was, as read back
    BUDGET_FAILED = "budget_failed"
    REFUSED = "refused"  # somebody tried to decide who may not; the first time for each person and request


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the history. `prev_hash` and `hash` chain it to the row before."""

    kind: DecisionKind
    at: datetime
    actor: str  # Slack user id, THE_CLOCK or THE_POLICY
    function_arn: str
    source: Source = Source.CLOCK
    workspace: str = ""  # Slack team id
    channel: str = ""
    message: str = ""  # timestamp of the message that was clicked
    request_id: str = ""
    before: str = ""  # what was so before: a tracing mode, a verdict, an end, teams or a budget, as its kind is about
    after: str = ""  # the same afterwards, as read back from AWS where AWS was changed
    reason: str = ""
    until: datetime | None = None
    detail: Mapping[str, object] = field(default_factory=dict)  # steps, AWS request ids, the rule that allowed it
    id: int = 0
    prev_hash: str = ""
    hash: str = ""
    team: str | None = None  # whose it was then; "": of no known team; None: not recorded

    @property
    def allowed_by(self) -> str:
        """The rule of the settings or of the product by which it was done; "" where none was recorded."""
        return str(self.detail.get("allowed_by") or "")

    @property
    def aws_requests(self) -> tuple[str, ...]:
        """AWS's ids of the calls that changed something, as CloudTrail has them, then of the call that AWS refused."""
        told = self.detail.get("aws_requests")
        done = [str(one) for one in told] if isinstance(told, list | tuple) else []
        refused = self.detail.get("aws_request")
        return tuple(dict.fromkeys([*done, *([str(refused)] if refused else [])]))


class PostKind(StrEnum):
    """What a post is drawn from."""

    DIGEST = "digest"  # a team's untraced functions
    REQUEST = "request"  # one function that somebody asks to fix
    BATCH = "batch"  # functions that were approved together: how far it is, and what came of each
    GRACE = "grace"  # functions that are fixed on a day where nobody objects
    EXEMPTION = "exemption"  # one that waits for a second person, or that ends soon
    NOTICE = "notice"  # its own text
    LIST = "list"  # all of a team's untraced functions as a table, in the thread of its digest
    FILE = "file"  # the same as a CSV file; its text alone where Slack takes no files
    DEPLOYED = "deployed"  # functions of which AWS has just told that they are untraced
    REPORT = "report"  # the figures of a window of time
    REPORT_FILES = "report_files"  # its pictures and its CSV file, in its thread; their words where there are no files
    MAP = "map"  # a function's trace map: its words, and its picture as soon as that is in its thread
    MAP_FILES = "map_files"  # its picture, in its thread
    HISTORY = "history"  # decisions as a file; the words that go with it where there are no files
    EVIDENCE = "evidence"  # a page of evidence, as a file; its words alone where Slack takes no files


class PostState(StrEnum):
    """Whether Slack has a post."""

    WAITING = "waiting"
    SENT = "sent"
    ABANDONED = "abandoned"  # Slack says the message is gone; the reason is kept


@dataclass(frozen=True, slots=True)
class Post:
    """A message that must arrive once and be redrawn when what it shows changes."""

    id: int
    key: str  # unique: "digest:payments:2026-11-23:1"
    kind: PostKind
    channel: str  # as configured: an id or "#name"
    state: PostState
    created_at: datetime
    team: str | None = None
    text: str = ""  # a notice's words, or a request's first line
    page: int = 1  # of a digest that takes several messages
    thread: int | None = None  # the post in whose thread this one stands
    posted_channel: str = ""  # the id of the channel that took it
    ts: str = ""  # Slack's timestamp, the message's identity
    wanted_version: int = 1  # counts the changes of what it shows
    shown_version: int = 0  # what Slack was last sent; behind `wanted_version`, it is to be drawn again
    error: str = ""
    newer: int | None = None  # the digest that takes the place of this one
    permalink: str = ""
    file: str = ""  # Slack's ids of uploaded files, with a space between

    @property
    def files(self) -> tuple[str, ...]:
        """Slack's ids of those that were uploaded for it, in their order."""
        return tuple(self.file.split())

"""A small organisation in the local AWS, memory on a real file, and people of whom a few may approve."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
import pytest

from bot.demo.aws import AwsStandIn
from commands._audits import take_audit
from commands._teams import TeamSettings
from commands._types import Context, Permission, Request
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.asking import Patience
from storage.fixes import FixRequest
from storage.models import Audit, Decision, Function, Post, Source, TracingMode, Verdict
from tests.memory import new_store

if TYPE_CHECKING:
    from tests.commands.asking import Office
    from tests.commands.exempting import Desk

HOME, OTHER = "123456789012", "222222222222"  # HOME is the account of keys that nobody issued
BERLIN, VIRGINIA = "eu-central-1", "us-east-1"
ANA, BO, EVE = "U0ANA", "U0BO", "U0EVE"
WORKSPACE = "T0LAMPLIT"
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MODIFIED = datetime(2026, 11, 1, 10, 0, tzinfo=UTC)
SETTINGS = AwsSettings(accounts=(HOME, OTHER), role="audit", calls_per_second=0)
WRITES = (
    *("UpdateFunctionConfiguration", "PublishVersion", "UpdateAlias"),
    *("AttachRolePolicy", "PutRolePolicy", "DetachRolePolicy", "DeleteRolePolicy"),
)


class HandClock:
    """A clock that stands until it is moved, and can be broken: then the next question fails."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.broken_after: int | None = None
        self.asked: Callable[[], None] = lambda: None

    def __call__(self) -> datetime:
        self.asked()
        if self.broken_after is not None:
            self.broken_after -= 1
            if self.broken_after < 0:
                self.broken_after = None
                raise RuntimeError("the clock is broken")
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


class Waiting:
    """The clock that waiting for AWS looks at. Waiting moves it and takes no time, and AWS's own clock goes with it."""

    def __init__(self) -> None:
        self._own = threading.local()  # so that the deadline of one fix is not brought nearer by how others wait
        self._lock = threading.Lock()
        self._ahead = 0.0

    def clock(self) -> float:
        return time.monotonic() + getattr(self._own, "ahead", 0.0)

    def wait(self, seconds: float) -> None:
        assert seconds >= 0
        self._own.ahead = getattr(self._own, "ahead", 0.0) + seconds
        with self._lock:
            self._ahead += seconds

    def utc(self) -> datetime:
        """AWS's clock."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    @property
    def patience(self) -> Patience:
        return Patience(self.clock, self.wait)


@dataclass
class NamedPeople:
    """Ana and Bo may approve for every team but those of which `of_team` names others."""

    of_team: dict[str, tuple[str, ...]] = field(default_factory=dict)
    teams: dict[str, set[str]] = field(default_factory=dict)  # whose people each is among

    def may_approve(self, user: str, workspace: str, team: str | None) -> Permission:
        if workspace == WORKSPACE and user in self._of(team):
            return Permission(True, f"approver {user}")
        return Permission(False, "You are not an approver.")

    def approvers(self, team: str | None) -> tuple[str, ...]:
        return tuple(f"<@{user}>" for user in self._of(team))

    def teams_of(self, user: str, groups: Mapping[str, str]) -> frozenset[str]:
        return frozenset(self.teams.get(user, ()))

    def _of(self, team: str | None) -> tuple[str, ...]:
        return self.of_team.get(team or "", (ANA, BO))


def trusting(**principal: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


class World:
    """Two accounts, each with a role that may write to X-Ray (`writes`) and one that may not (`mute`)."""

    def __init__(
        self, aws: AwsStandIn, context: Context, clock: HandClock, people: NamedPeople, waiting: Waiting
    ) -> None:
        self.aws, self.context, self.clock, self.people = aws, context, clock, people
        self.store, self.waiting = context.store, waiting
        for account in (HOME, OTHER):
            aws.create_role(account, "audit", trusting(AWS=f"arn:aws:iam::{HOME}:root"), attached=[ADMIN])
            aws.create_role(account, "writes", trusting(Service="lambda.amazonaws.com"), attached=[DAEMON])
            aws.create_role(account, "mute", trusting(Service="lambda.amazonaws.com"))
        aws.settle()

    # -- AWS

    def function(
        self,
        name: str,
        *,
        team: str | None = "payments",
        account: str = HOME,
        region: str = BERLIN,
        role: str = "writes",
        mode: str = "PassThrough",
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """A function by its ARN; Lamplighter knows of it after an audit."""
        spec: dict[str, Any] = {
            "FunctionName": name,
            "Role": f"arn:aws:iam::{account}:role/{role}",
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": b""},
            "Tags": {"team": team} if team else {},
            "Environment": {"Variables": dict(variables or {})},
        }
        arn = self.aws.seed_function(account, region, spec, MODIFIED)
        self.aws.seed_tracing_mode(arn, mode, MODIFIED)
        return arn

    def served_untraced(self, name: str) -> str:
        """An Active function of which an alias that is in use serves a version without active tracing."""
        arn = self.function(name)
        version = self.aws.seed_version(arn, MODIFIED)
        self.aws.seed_alias(arn, "live", version)
        self.aws.metrics.invoked(HOME, BERLIN, name, lambda _hour: 10.0, qualifier="live", version=version)
        self.aws.seed_tracing_mode(arn, "Active", MODIFIED)
        return arn

    def lambdas(self) -> Any:
        """A client of HOME, for what others do there."""
        return boto3.client("lambda", BERLIN)

    def role_client(self) -> Any:
        """IAM of HOME, for what others do there."""
        return boto3.client("iam", BERLIN)

    def mode(self, arn: str) -> str:
        return str(self.aws.function(arn)["TracingConfig"]["Mode"])

    def writes(self) -> list[str]:
        """The calls by which AWS was changed."""
        return [call.action for call in self.aws.calls if call.action.startswith(WRITES)]

    # -- Lamplighter

    def audit(self, context: Context | None = None, **narrow: Any) -> Audit:
        """A minute later, so that it is another one than the one before."""
        self.clock.forward(minutes=1)
        taken = take_audit(context or self.context, source=Source.CLOCK, **narrow)
        self.clock.forward(seconds=1)
        return taken

    def configured(self, **changes: Any) -> Context:
        """The same memory under other `[aws]` settings."""
        return replace(self.context, cloud=Cloud(replace(SETTINGS, **changes), self.waiting.patience))

    def known(self, arn: str) -> Function:
        found = self.store.functions.get(arn)
        assert found, f"{arn} is gone or was never seen"
        return found

    def request(self, arn: str) -> FixRequest:
        """What a button of this function carries."""
        return self.store.requests.open_for(self.known(arn), self.clock())

    def post(self, *requests: FixRequest) -> Post:
        """A message that shows these requests and that Slack has."""
        key = f"digest:{requests[0].id}"
        made = self.store.posts.create(
            key, "digest", "#team-payments", self.clock(), team="payments", requests=[one.id for one in requests]
        )
        assert made
        self.store.posts.sent(made.id, "C0PAY", f"1.{made.id}", made.wanted_version)
        return self.store.posts.get(made.id)

    def is_to_be_redrawn(self, post: Post) -> bool:
        now = self.store.posts.get(post.id)
        return now.shown_version < now.wanted_version

    def history(self, arn: str) -> list[Decision]:
        return self.store.decisions.history(arn)

    def asks(self, who: str = ANA, **more: Any) -> Request:
        given: Mapping[str, Any] = {"source": Source.BUTTON, "workspace": WORKSPACE, "channel": "C0PAY"} | more
        return Request(user=who, now=self.clock(), **given)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def people() -> NamedPeople:
    return NamedPeople()


@pytest.fixture
def context(tmp_path: Path, clock: HandClock, people: NamedPeople, waiting: Waiting) -> Iterator[Context]:
    """Memory on a real file; AWS is asked only by what is given a `world`."""
    store = new_store(tmp_path / "memory.db")
    yield Context(
        store=store,
        cloud=Cloud(SETTINGS, waiting.patience),
        teams=TeamSettings(),
        people=people,
        clock=clock,
        zone=ZoneInfo("Europe/Berlin"),
    )
    store.close()


@pytest.fixture
def delays() -> dict[str, timedelta]:
    """How long AWS takes to notice what was changed."""
    return {"iam_delay": timedelta(seconds=0.2), "lambda_update": timedelta(seconds=0.1)}


@pytest.fixture
def world(
    context: Context,
    clock: HandClock,
    people: NamedPeople,
    waiting: Waiting,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    delays: dict[str, Any],
) -> Iterator[World]:
    with AwsStandIn(**{"calls_per_second": None, "clock": waiting.utc} | delays) as aws:
        settings = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
            "AWS_DEFAULT_REGION": BERLIN,
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waiting.wait))  # before it tries again
        yield World(aws, context, clock, people, waiting)


@pytest.fixture
def remembered(context: Context, clock: HandClock) -> Callable[..., Function]:
    """A function that an audit saw, where AWS does not matter."""

    def remember(name: str, account: str = HOME, region: str = BERLIN, **more: Any) -> Function:
        given = {"team": "payments", "verdict": Verdict.UNTRACED, "mode": TracingMode.PASS_THROUGH} | more
        arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
        made = Function(arn=arn, account=account, region=region, name=name, **given)
        context.store.functions.save([made], clock())
        return made

    return remember


@pytest.fixture
def office(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> "Office":
    """A function that waits for a decision, where AWS does not matter."""
    from tests.commands.asking import Office  # it takes names from here

    return Office(context, clock, remembered("refund"))


@pytest.fixture
def exempting(context: Context, clock: HandClock, remembered: Callable[..., Function]) -> "Desk":
    """Forms, buttons and the clock of exemptions."""
    from tests.commands.exempting import Desk  # it takes names from here

    return Desk(context, clock, remembered)

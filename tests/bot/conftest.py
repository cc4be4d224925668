from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from slack_sdk import WebClient

from bot.demo import people
from bot.demo.slack import SlackStandIn, Workspace
from commands._teams import TeamSettings
from commands._types import Context
from commands.aws.accounts import AwsSettings, Cloud
from storage.models import Function, TracingMode, Verdict
from tests.memory import new_store

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    workspace = Workspace(people.people(), people.channels(), people.user_groups())
    with SlackStandIn(ROOT / "manifest.yml", workspace) as running:
        yield running


@pytest.fixture
def client(slack: SlackStandIn) -> WebClient:
    return WebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
def context(tmp_path: Path, clock: SetClock) -> Iterator[Context]:
    with context_in(tmp_path, clock) as made:
        yield made


@contextmanager
def context_in(folder: Path, clock: SetClock) -> Iterator[Context]:
    """Memory on a real file; AWS is not asked by what is tested with this."""
    store = new_store(folder / "memory.db")
    yield Context(
        store=store,
        cloud=Cloud(AwsSettings()),
        teams=TeamSettings(),
        people=Everybody(),
        clock=clock,
        zone=ZoneInfo("Europe/Berlin"),
    )
    store.close()


class Everybody:
    """Not about who may approve."""

    def may_approve(self, user: str, workspace: str, team: str | None):
        raise AssertionError("nobody asks here")

    def approvers(self, team: str | None) -> tuple[str, ...]:
        return ("<@U0ANA>",)

    def teams_of(self, user: str, groups: object) -> frozenset[str]:
        return frozenset()


@pytest.fixture
def make_function() -> Callable[[str], Function]:
    def make(name: str) -> Function:
        return Function(
            arn=f"arn:aws:lambda:eu-central-1:111122223333:function:{name}",
            account="111122223333",
            region="eu-central-1",
            name=name,
            mode=TracingMode.PASS_THROUGH,
            team="payments",
            verdict=Verdict.UNTRACED,
        )

    return make

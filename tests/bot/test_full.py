"""Where the file is full, busy or read-only, whoever clicks hears it, and what came of the click."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.cli import _answering
from bot.demo.people import ANA
from bot.demo.slack import TEAM_ID
from bot.desk import Desk
from bot.outbox import Outbox
from bot.people import SlackPeople
from commands._drawing import draw
from commands._types import Answer, Context, Progress, Request
from storage.models import Decision, DecisionKind, PostKind
from tests.bot.conftest import NOON
from tests.bot.test_desk import Heard, of
from tests.e2e.scene import wait_for

NOTHING = "Nothing was decided and nothing was changed: what I remember is in one file, and"


@contextmanager
def full(context: Context) -> Iterator[None]:
    """SQLite's own refusal where a file may not grow."""
    file = context.store._connection._sqlite
    (pages,) = file.execute("pragma page_count").fetchone()
    file.execute(f"pragma max_page_count = {pages}")
    yield
    file.execute("pragma max_page_count = 1073741823")


@contextmanager
def read_only(context: Context) -> Iterator[None]:
    context.store._connection._sqlite.execute("pragma query_only = on")
    yield
    context.store._connection._sqlite.execute("pragma query_only = off")


@contextmanager
def busy(context: Context) -> Iterator[None]:
    context.store._connection.patience = 0.05
    with closing(sqlite3.connect(context.store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


@pytest.fixture
def outbox(context: Context, client: WebClient) -> Iterator[Outbox]:
    made = Outbox(context, client, ChannelNames(client), draw)
    yield made
    made.stop()


@pytest.fixture
def desk(context: Context, client: WebClient, outbox: Outbox) -> Iterator[Desk]:
    made = Desk(context, SlackPeople(client, TEAM_ID, [ANA], {}), outbox)
    yield made
    made.stop()


def decide(context: Context, reason: str = "x" * 50_000) -> None:
    context.store.decisions.record(Decision(DecisionKind.APPROVED, NOON, ANA, "arn", reason=reason))


@pytest.mark.parametrize(
    ("fault", "why"),
    [(full, "the disk is full"), (read_only, "it can only be read"), (busy, "another process keeps it busy")],
    ids=["full", "read-only", "busy"],
)
def test_who_clicks_hears_why_and_that_nothing_was_decided(
    desk: Desk,
    context: Context,
    caplog: pytest.LogCaptureFixture,
    fault: Callable[[Context], AbstractContextManager[None]],
    why: str,
) -> None:
    heard = Heard()

    def click(_request: Request, context: Context) -> Answer:
        yield Progress("…")
        decide(context)

    with fault(context):
        desk.take(click, of(), heard, decides=True)
        wait_for(lambda: len(heard.replies) == 2)

    assert (
        heard.texts[1]
        == f"{NOTHING} {why}. Try again when that is mended. Whoever runs Lamplighter finds it in the log."
    )
    assert context.store.decisions.all() == []
    (line,) = [record for record in caplog.records if record.name == "bot.desk"]
    assert (line.getMessage(), line.exc_info) == (
        f"a request of {ANA} was not kept: the memory cannot be used, {why}",
        None,
    )

    desk.take(click, of(), heard)
    wait_for(context.store.decisions.all)


def test_who_decided_before_it_hears_that_this_is_kept(desk: Desk, context: Context) -> None:
    heard = Heard()

    def click(_request: Request, context: Context) -> Answer:
        decide(context, reason="")
        yield Progress("…")
        with full(context):
            decide(context)

    desk.take(click, of(), heard)
    wait_for(lambda: len(heard.replies) == 2)

    assert "the disk is full. What was decided until then is kept, and goes on by itself" in heard.texts[1]
    assert "Nothing was decided" not in heard.texts[1]
    assert len(context.store.decisions.all()) == 1


def test_the_outbox_says_it_once_and_sends_when_it_is_mended(
    outbox: Outbox, context: Context, client: WebClient, caplog: pytest.LogCaptureFixture
) -> None:
    for channel in ("#team-payments", "#team-search", "#finops"):
        context.store.posts.create(channel, PostKind.NOTICE, channel, context.clock(), text="hello")
    caplog.set_level(logging.ERROR)
    with read_only(context):
        outbox.start()
        for _ in range(3):
            outbox.nudge()
            wait_for(lambda: not outbox._wake.is_set())
    outbox.nudge()

    wait_for(lambda: context.store.posts.find("#finops").ts)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == ["the outbox stumbled and goes on; posts wait: the memory cannot be used, it can only be read"]


def test_a_terminal_says_it_in_one_line(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    with full(context):
        assert _answering(lambda: decide(context) or 0) == 2

    assert capsys.readouterr().err.splitlines() == [
        "lamplighter: what was asked could not be kept: of the database, the disk is full. Mend that, and ask again."
    ]

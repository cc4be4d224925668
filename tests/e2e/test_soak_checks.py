"""What the soak would see: each thing that must not be is brought about by itself, and is said."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.demo.aws.trail import Change
from bot.demo.fleet_access import FIX_ROLE
from bot.demo.people import ANA
from bot.demo.slack import BOT_USER_ID
from bot.demo.slack.nouns import SlackFile
from bot.outbox import _hash
from storage.models import Decision, DecisionKind, Function, Post, PostKind
from storage.store import Store
from tests.e2e.soak_checks import POOLS, problems
from tests.e2e.soaking import Measured, Plan, Soak
from tests.storage.test_chain import unguarded

HELD = {
    "files": 30,
    "sockets": 10,
    "ours": 500,
    "objects": 200_000,
    "rss_kb": 150_000,
    "databases": 1,
    "entries": {"bot.outbox.Outbox": 5},
    "pools": Counter({"MainThread": 1, "outbox": 1, "work": 20}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Soak]:
    """The stand-ins and a memory, and no bot; one for all, for they take a second to start."""
    with Soak(folder, Plan()) as made:
        made.bot.log.write_text("INFO bot.service: Lamplighter is ready\n")
        yield made


@pytest.fixture
def soak(running: Soak, tmp_path: Path) -> Soak:
    """Nothing has happened yet, and nothing is the matter."""
    running.database = tmp_path / "memory.db"
    running.measured = [Measured(hour, 1, {**HELD}) for hour in (6.6, 8.4, 12.0)]
    running.exit_codes = [0]
    running.slack.faults.clear()
    running.aws._changes.clear()
    for channel in running.workspace.channels():
        for message in running.workspace.messages(channel.id):
            running.workspace.erase(message)
    assert problems(running) == []
    return running


def arn(soak: Soak) -> str:
    return next(iter(soak.deployments.arns))


def decide(soak: Soak, store: Store, kind: DecisionKind, request: str = "", after: str = "") -> None:
    at = soak.clock()
    store.decisions.record(Decision(kind, at, ANA, arn(soak), request_id=request, after=after))


def channel(soak: Soak) -> str:
    return next(one.id for one in soak.workspace.channels() if one.name == "team-payments")


def sent(soak: Soak, store: Store, key: str, ts: str, kind: PostKind = PostKind.NOTICE, shown: str = "") -> Post:
    post = store.posts.create(key, kind, "#team-payments", soak.clock(), team="payments")
    assert post
    store.posts.sent(post.id, channel(soak), ts, 1, shown)
    return post


def said(soak: Soak, text: str, **fields: Any) -> str:
    return soak.workspace.post(channel(soak), BOT_USER_ID, text, bot=True, **fields).ts


# -- decisions


def test_a_changed_row_of_the_history_is_seen(soak: Soak) -> None:
    with soak.memory() as store:
        decide(soak, store, DecisionKind.SNOOZED)
        decide(soak, store, DecisionKind.SNOOZED)
    with unguarded(soak.database) as file:
        file.execute("update decisions set actor = 'U0EVE' where id = 1")

    assert len(problems(soak)) == 1


def test_a_request_that_went_a_way_that_there_is_not_is_seen(soak: Soak, make_request: Callable[[Store], str]) -> None:
    with soak.memory() as store:
        request = make_request(store)
        decide(soak, store, DecisionKind.DENIED, request)
        decide(soak, store, DecisionKind.CANCELLED, request)

    (line,) = problems(soak)
    assert f"request {request} was closed, and then cancelled" in line


def test_a_request_that_stands_elsewhere_than_its_decisions_say_is_seen(
    soak: Soak, make_request: Callable[[Store], str]
) -> None:
    with soak.memory() as store:
        request = make_request(store)
        decide(soak, store, DecisionKind.DENIED, request)

    (line,) = problems(soak)
    assert f"request {request} is open, after ['denied']" in line


def test_a_request_that_was_approved_and_never_ended_is_seen(soak: Soak, make_request: Callable[[Store], str]) -> None:
    with soak.memory() as store:
        request = make_request(store)
        assert store.requests.claim(request, ANA, soak.clock())
        decide(soak, store, DecisionKind.APPROVED, request)

    assert problems(soak) == [f"request {request} was approved and never ended"]


def test_a_decision_of_which_somebody_was_told_and_that_is_not_there_is_seen(soak: Soak) -> None:
    soak.workspace.post_ephemeral(channel(soak), ANA, BOT_USER_ID, f"`payments-01`: *Denied* by <@{ANA}>.")
    try:
        (line,) = problems(soak)
        assert f"{ANA} was told" in line
        assert "and there is no such row" in line
    finally:
        (told,) = soak.workspace.ephemerals(channel(soak), ANA)
        soak.workspace.erase(told)


@pytest.fixture
def make_request(soak: Soak) -> Callable[[Store], str]:
    def make(store: Store) -> str:
        region, account, name = (arn(soak).split(":")[part] for part in (3, 4, 6))
        function = Function(arn(soak), account, region, name, mode=None, team="payments")
        return store.requests.open_for(function, soak.clock()).id

    return make


# -- AWS


def changed(soak: Soak, *, lost: bool = False, caller: str = FIX_ROLE) -> None:
    name = arn(soak).rpartition(":")[2]
    asked = {"FunctionName": name, "TracingConfig": {"Mode": "Active"}}
    by = f"arn:aws:sts::111122223333:assumed-role/{caller}/lamplighter"
    soak.aws._changes.append(
        Change(arn(soak).split(":")[4], "UpdateFunctionConfiguration", asked, soak.clock(), by, lost)
    )


def fixed(soak: Soak, times: int = 1, **changes: Any) -> None:
    """Approved, changed so often, and applied; without a request, which is not what this is about."""
    with soak.memory() as store:
        decide(soak, store, DecisionKind.APPROVED, "r1")
        for _ in range(times):
            changed(soak, **changes)
        soak.aws.seed_tracing_mode(arn(soak), "Active", soak.aws.now())
        decide(soak, store, DecisionKind.APPLIED, "r1", after="Active")


@pytest.fixture(autouse=True)
def untraced(running: Soak) -> None:
    running.aws.seed_tracing_mode(arn(running), "PassThrough", running.aws.now())
    running.deployments.touched[arn(running)] = running.aws.now()


def test_a_change_that_was_approved_and_made_once_is_well(soak: Soak) -> None:
    fixed(soak)

    assert problems(soak) == []


def test_a_change_that_nobody_approved_is_seen(soak: Soak) -> None:
    changed(soak)

    (line,) = problems(soak)
    assert "was approved by nobody" in line


def test_a_change_by_another_role_is_seen(soak: Soak) -> None:
    fixed(soak, caller="audit")

    (line,) = problems(soak)
    assert "/audit/lamplighter made UpdateFunctionConfiguration" in line


def test_a_change_that_was_made_twice_is_seen_unless_its_answer_was_lost(soak: Soak) -> None:
    fixed(soak, times=2)
    (line,) = problems(soak)
    assert "1 changes were made twice, and only 0 answers were lost" in line

    soak.aws._changes[0] = replace(soak.aws._changes[0], lost=True)
    assert problems(soak) == []


def test_a_function_that_is_not_as_the_last_decision_left_it_is_seen(soak: Soak) -> None:
    fixed(soak)
    soak.aws.seed_tracing_mode(arn(soak), "PassThrough", soak.aws.now())

    (line,) = problems(soak)
    assert "is PassThrough, and the last decision was applied Active" in line


# -- posts


def test_a_message_that_no_row_knows_is_seen(soak: Soak) -> None:
    said(soak, "hello")

    (line,) = problems(soak)
    assert "a message that no row knows: 'hello'" in line


def test_a_row_without_its_message_is_seen(soak: Soak) -> None:
    with soak.memory() as store:
        sent(soak, store, "n", "1.1")

    (line,) = problems(soak)
    assert line.startswith("no message for a row")


def test_two_rows_of_one_message_are_seen(soak: Soak) -> None:
    ts = said(soak, "hello")
    with soak.memory() as store:
        sent(soak, store, "a", ts)
        sent(soak, store, "b", ts)

    (line,) = problems(soak)
    assert line.startswith("two posts are one message")


def test_a_message_that_looks_otherwise_than_memory_says_is_seen(soak: Soak) -> None:
    client = WebClient(token=soak.slack.bot_token, base_url=soak.slack.api_url)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]
    posted = client.chat_postMessage(channel=channel(soak), text="hello", blocks=blocks)
    client.chat_update(channel=channel(soak), ts=posted["ts"], text="hello", blocks=blocks)
    with soak.memory() as store:
        post = sent(soak, store, "n", posted["ts"], shown=_hash("hello", blocks))
        assert problems(soak) == []
        store.posts.redrawn(post.id, 1, _hash("good-bye", blocks))

    assert problems(soak) == ["n looks otherwise than memory says"]


def test_a_second_digest_of_a_day_is_seen(soak: Soak) -> None:
    with soak.memory() as store:
        for key in ("a", "b"):
            sent(soak, store, key, said(soak, key), PostKind.DIGEST)

    (line,) = problems(soak)
    assert line.startswith("2 digests of ('payments'")


def test_a_file_that_was_shared_twice_is_seen(soak: Soak) -> None:
    for _ in range(2):
        said(soak, "", thread_ts="1.1", files=(SlackFile("F1", "list.csv", "List", 1, "text/csv"),))

    (line,) = problems(soak)
    assert line.startswith("files were shared 2 times")


# -- leaks


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"files": 40}, "files: [30, 30, 40] after [6.6, 8.4, 12.0] h"),
        ({"sockets": 20}, "sockets: "),
        ({"ours": 700}, "ours: "),
        ({"objects": 230_000}, "objects: "),
        ({"rss_kb": 170_000}, "rss_kb: "),
        ({"entries": {"bot.outbox.Outbox": 50}}, "bot.outbox.Outbox keeps more and more: [5, 5, 50]"),
        ({"entries": {"bot.outbox.Outbox": 5, "bot.new.Cache": 50}}, "bot.new.Cache keeps more and more: [0, 0, 50]"),
        ({"databases": 2}, "2 connections to the database"),
        ({"pools": Counter({"MainThread": 1, "outbox": 5, "work": 20})}, "threads that are of no pool: [2, 2, 6]"),
        *(
            (
                {"pools": Counter({"MainThread": 1, "outbox": 1, pool: most + 1})},
                f"{most + 1} threads in the pool {pool}",
            )
            for pool, most in POOLS.items()
        ),
    ],
)
def test_what_is_held_more_and_more_is_seen(soak: Soak, more: dict[str, Any], words: str) -> None:
    soak.measured[-1].held.update(more)

    (line,) = problems(soak)
    assert line.startswith(words)


def test_what_was_held_before_the_last_start_is_no_leak_and_too_little_is_no_measure(soak: Soak) -> None:
    soak.measured.insert(0, Measured(5.0, 0, {**HELD, "files": 10}))
    assert problems(soak) == []

    soak.measured = [*soak.measured[:2], Measured(12.0, 2, {**HELD})]
    assert problems(soak) == ["it was measured 1 times since its last start"]


# -- the run


def test_an_end_that_was_no_good_end_is_seen(soak: Soak) -> None:
    soak.exit_codes = [0, 1]

    assert problems(soak) == ["exit codes [0, 1]"]


def test_what_slack_would_not_have_taken_is_seen(soak: Soak) -> None:
    soak.slack.faults += ["/trace-fix failed with the error “dispatch_failed”", "two messages have one id"]

    assert problems(soak) == ["Slack: two messages have one id"]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR bot.desk: reference 0a1b2c3d: a request of U07K2M4QANA failed",
        "ERROR bot.outbox: the outbox stumbled and goes on; posts wait",
        "ERROR bot.outbox: digest:payments could not be drawn or sent",
        "ERROR bot.outbox: Slack took no blocks for digest:payments: invalid_blocks []",
    ],
)
def test_a_fault_in_the_log_is_seen(soak: Soak, line: str) -> None:
    before = soak.bot.log.read_text()
    soak.bot.log.write_text(f"{before}{line}\n")
    try:
        assert problems(soak) == [f"log: {line}"]
    finally:
        soak.bot.log.write_text(before)


def test_an_hour_later_is_too_late_for_an_approval(soak: Soak) -> None:
    fixed(soak)
    soak.aws._changes[0] = replace(soak.aws._changes[0], time=soak.clock() + timedelta(hours=1))

    (line,) = problems(soak)
    assert "was approved by nobody" in line

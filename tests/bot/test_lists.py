"""Long lists in a digest's thread, digests that are replaced, and what the outbox does when Slack takes no files."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from msgspec import structs
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.slack import Message, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._types import Context
from storage.digests import Told
from storage.models import Function, Post, PostKind, PostState
from tests.bot.conftest import SetClock
from tests.e2e.scene import words

PAYMENTS = "C07PAYM3NT5"
FINOPS = "C06F1N0PSX2"


@pytest.fixture
def send(context: Context, client: WebClient, clock: SetClock) -> Callable[[], None]:
    """All that is due, by an outbox that keeps no pace of an earlier one."""

    def all_of_it() -> None:
        for _ in range(6):
            Outbox(context, client, ChannelNames(client), draw).send_due()
            clock.forward(minutes=1)

    return all_of_it


@pytest.fixture
def digest(context: Context, clock: SetClock, make_function: Callable[[str], Function]) -> Post:
    functions = [structs.replace(make_function(f"refund-{number:03}"), role="=cmd()") for number in range(120)]
    context.store.functions.save(functions, clock())
    first = context.store.requests.open_for(functions[0], clock()).id
    return posted(context, "digest:1", requests=[first])


def posted(context: Context, key: str, kind: PostKind = PostKind.DIGEST, **more: object) -> Post:
    made = context.store.posts.create(key, kind, "#team-payments", context.clock(), team="payments", **more)
    assert made
    return made


def thread(slack: SlackStandIn) -> list[Message]:
    top = slack.workspace.messages(PAYMENTS)[0]
    return [one for one in slack.workspace.replies(PAYMENTS, top.ts) if one.ts != top.ts]


def test_a_list_that_no_table_holds_is_one_csv_file_in_the_thread(
    context: Context, slack: SlackStandIn, digest: Post, send: Callable[[], None]
) -> None:
    file = posted(context, "file:1", PostKind.FILE, thread=digest.id)
    send()

    (reply,) = thread(slack)
    (shared,) = reply.files
    assert shared.name == "payments-2026-11-23.csv"
    rows = list(csv.DictReader(io.StringIO(shared.content.decode())))
    assert [row["name"] for row in rows] == [f"refund-{number:03}" for number in range(120)]
    assert rows[0]["role"] == "'=cmd()"  # no spreadsheet runs it
    assert "All 120 functions of payments" in reply.text
    assert context.store.posts.get(file.id).state is PostState.SENT


def test_a_file_that_was_shared_just_before_a_crash_is_not_shared_again(
    context: Context, slack: SlackStandIn, digest: Post, send: Callable[[], None]
) -> None:
    file = posted(context, "file:1", PostKind.FILE, thread=digest.id)
    send()
    # As if the process had been killed between Slack's answer and the record of it.
    context.store._connection.change("update posts set state = 'waiting', shown_version = 0 where id = ?", [file.id])
    send()

    assert len(thread(slack)) == 1
    assert context.store.posts.get(file.id).state is PostState.SENT


@pytest.mark.parametrize("error", ["missing_scope", "file_uploads_disabled"])
def test_where_slack_takes_no_files_the_words_come_alone_and_why_is_said_once(
    context: Context, slack: SlackStandIn, digest: Post, send: Callable[[], None], error: str
) -> None:
    for number in range(2):
        posted(context, f"file:{number}", PostKind.FILE, thread=digest.id)
        slack.fail_next("files.getUploadURLExternal", error=error)
    send()

    assert [bool(one.files) for one in thread(slack)] == [False, False]
    assert "All 120 functions of payments" in thread(slack)[0].text
    (said,) = [one.text for one in slack.workspace.messages(FINOPS)]
    assert "Lists, reports, maps and decisions come without their files" in said


def test_a_table_is_drawn_again_when_the_list_changes_and_only_then(
    context: Context,
    slack: SlackStandIn,
    clock: SetClock,
    make_function: Callable[[str], Function],
    send: Callable[[], None],
) -> None:
    functions = [make_function(f"refund-{number:02}") for number in range(20)]
    context.store.functions.save(functions, clock())
    first = context.store.requests.open_for(functions[0], clock()).id
    table = posted(context, "list:1", PostKind.LIST, thread=posted(context, "digest:1", requests=[first]).id)
    send()
    context.store.posts.redraw(table.id)
    send()
    assert slack.calls_of("chat.update") == []

    context.store.functions.mark_gone(functions[7].arn, clock())
    context.store.posts.redraw(table.id)
    send()

    assert len(slack.calls_of("chat.update")) == 1
    (block,) = thread(slack)[0].blocks
    names = [row[0]["text"] for row in block["rows"][1:]]
    assert names == [one.name for one in functions if one is not functions[7]]


def test_the_old_digest_loses_its_buttons_and_links_to_the_new_one_once_that_is_there(
    context: Context, slack: SlackStandIn, digest: Post, clock: SetClock, client: WebClient, send: Callable[[], None]
) -> None:
    send()
    old = slack.workspace.messages(PAYMENTS)[0]
    assert "approve-fix" in str(old.blocks)
    new = posted(context, "digest:2", requests=context.store.posts.requests_of(digest.id))
    context.store.posts.retire(digest.id, new.id)
    context.store.digests.keep(Told("payments", date(2026, 11, 23), clock(), post=new.id))
    slack.fail_next("chat.postMessage", error="internal_error", status=500)
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert "approve-fix" in str(slack.workspace.messages(PAYMENTS)[0].blocks)

    clock.forward(minutes=5)
    send()

    first, second = slack.workspace.messages(PAYMENTS)
    assert "approve-fix" not in str(first.blocks)
    assert f"/archives/{PAYMENTS}/p{second.ts.replace('.', '')}|a newer one>" in words(first)
    assert "approve-fix" in str(second.blocks)

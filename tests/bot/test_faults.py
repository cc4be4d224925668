"""The outbox where memory or a post is at fault: nothing is lost, nothing is said twice."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.people import ANA
from bot.demo.slack import BOT_USER_ID, Channel, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._types import Context
from storage.models import Function, Post, PostKind, PostState
from tests.bot.conftest import SetClock
from tests.e2e.scene import wait_for, words

PAYMENTS, SEARCH, FINOPS = "C07PAYM3NT5", "C07S34RCH2K", "C06F1N0PSX2"


@pytest.fixture
def outbox(context: Context, client: WebClient) -> Outbox:
    """Not started: tests look for what is due themselves."""
    return Outbox(context, client, ChannelNames(client), draw)


def given_notice(context: Context, channel: str = "#team-payments", key: str = "n", thread: int | None = None) -> Post:
    post = context.store.posts.create(key, PostKind.NOTICE, channel, context.clock(), text=key, thread=thread)
    assert post
    return post


def given_digest(context: Context, function: Function) -> Post:
    context.store.functions.save([function], context.clock())
    request = context.store.requests.open_for(function, context.clock())
    post = context.store.posts.create(
        "digest", PostKind.DIGEST, "#team-payments", context.clock(), team="payments", requests=[request.id]
    )
    assert post
    return post


def execute(context: Context, sql: str) -> None:
    """On the store's own connection, past its methods: a disk that is full cannot be had otherwise."""
    context.store._connection._sqlite.execute(sql)


@contextmanager
def unwritable(context: Context) -> Iterator[None]:
    execute(context, "pragma query_only = on")
    try:
        yield
    finally:
        execute(context, "pragma query_only = off")


@contextmanager
def refusing(context: Context, update: str) -> Iterator[None]:
    """Memory takes every change of a post but one of this kind."""
    execute(
        context,
        f"create temp trigger full before update on posts when {update} begin select raise(abort, 'disk full'); end",
    )
    try:
        yield
    finally:
        execute(context, "drop trigger full")


def texts(slack: SlackStandIn, channel: str) -> list[str]:
    return [message.text for message in slack.workspace.messages(channel)]


def test_where_memory_cannot_be_written_nothing_is_sent_and_afterwards_it_is_sent_once(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    post = given_notice(context)
    with unwritable(context):
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                outbox.send_due()
            outbox = Outbox(context, client, ChannelNames(client), draw)  # as after a restart: no pace is kept
    assert slack.calls_of("chat.postMessage") == []

    outbox.send_due()
    clock.forward(minutes=10)
    Outbox(context, client, ChannelNames(client), draw).send_due()

    assert texts(slack, PAYMENTS) == ["n"]
    assert context.store.posts.get(post.id).state is PostState.SENT


def test_what_slack_took_while_memory_failed_is_recorded_later_and_not_sent_again(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock
) -> None:
    post, other = given_notice(context), given_notice(context, "#team-search", key="other")
    with refusing(context, "new.state = 'sent'"):
        outbox.send_due()
        assert texts(slack, PAYMENTS) == ["n"]
        assert context.store.posts.get(post.id).state is PostState.WAITING

        clock.forward(minutes=10)
        with pytest.raises(sqlite3.IntegrityError, match="disk full"):
            outbox.send_due()
        assert len(slack.calls_of("chat.postMessage")) <= 2

    clock.forward(minutes=10)
    outbox.send_due()

    kept = context.store.posts.get(post.id)
    assert (kept.state, kept.posted_channel) == (PostState.SENT, PAYMENTS)
    assert kept.ts == slack.workspace.messages(PAYMENTS)[0].ts
    assert texts(slack, PAYMENTS) == ["n"]
    clock.forward(minutes=10)
    outbox.send_due()
    assert texts(slack, SEARCH) == ["other"]
    assert context.store.posts.get(other.id).state is PostState.SENT


def test_a_change_that_slack_shows_while_memory_failed_is_shown_again_without_a_new_message(
    context: Context,
    outbox: Outbox,
    slack: SlackStandIn,
    client: WebClient,
    clock: SetClock,
    make_function: Callable[[str], Function],
) -> None:
    post = given_digest(context, make_function("refund"))
    outbox.send_due()
    request = context.store.posts.requests_of(post.id)[0]
    context.store.requests.claim(request, ANA, clock())
    context.store.posts.redraw_showing(request)
    outbox = Outbox(context, client, ChannelNames(client), draw)
    with refusing(context, "new.shown_version > old.shown_version"):
        outbox.send_due()
    clock.forward(minutes=10)
    Outbox(context, client, ChannelNames(client), draw).send_due()

    (message,) = slack.workspace.messages(PAYMENTS)
    assert "Turning on" in words(message)
    kept = context.store.posts.get(post.id)
    assert kept.shown_version == kept.wanted_version


def test_while_slack_is_away_posts_wait_each_for_itself(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    posts = [given_notice(context), given_notice(context, "#team-search", key="other")]
    slack.go_away()
    outbox.send_due()
    assert [context.store.posts.attempts(post.id) for post in posts] == [1, 1]
    assert context.store.posts.due(clock()) == []

    slack.come_back()
    clock.forward(minutes=1)
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert (texts(slack, PAYMENTS), texts(slack, SEARCH)) == (["n"], ["other"])


def test_a_file_is_not_shared_where_that_could_not_be_kept(
    context: Context,
    outbox: Outbox,
    slack: SlackStandIn,
    client: WebClient,
    clock: SetClock,
    make_function: Callable[[str], Function],
) -> None:
    digest = given_digest(context, make_function("refund"))
    outbox.send_due()
    file = context.store.posts.create(
        "file", PostKind.FILE, "#team-payments", clock(), team="payments", thread=digest.id
    )
    assert file
    slack.fail_next("files.completeUploadExternal", error="internal_error", status=500)
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert context.store.posts.get(file.id).files  # Slack has what it holds
    clock.forward(minutes=1)
    asked = len(slack.calls_of("files.completeUploadExternal"))

    with unwritable(context), pytest.raises(sqlite3.OperationalError, match="readonly"):
        Outbox(context, client, ChannelNames(client), draw).send_due()

    assert len(slack.calls_of("files.completeUploadExternal")) == asked


def test_a_post_that_cannot_be_drawn_does_not_keep_back_the_others_and_is_tried_again(
    context: Context, outbox: Outbox, slack: SlackStandIn, clock: SetClock
) -> None:
    # A request's message that lost what it shows: there is nothing to draw it from.
    broken = context.store.posts.create("broken", PostKind.REQUEST, "#team-payments", clock(), text="asks")
    assert broken
    given_notice(context, "#team-search", key="other")
    outbox.send_due()

    assert texts(slack, SEARCH) == ["other"]
    assert texts(slack, PAYMENTS) == []
    kept = context.store.posts.get(broken.id)
    assert (kept.state, kept.error) == (PostState.WAITING, "IndexError")
    assert context.store.posts.attempts(broken.id) == 1
    assert context.store.posts.due(clock()) == []
    clock.forward(minutes=5)
    assert [post.id for post in context.store.posts.due(clock())] == [broken.id]


def test_replies_follow_their_thread_to_the_fallback_channel(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    slack.workspace.put_channel(Channel(PAYMENTS, "team-payments", is_archived=True, members={BOT_USER_ID, ANA}))
    above = given_notice(context, key="above")
    below = given_notice(context, key="below", thread=above.id)
    for _ in range(4):
        outbox.send_due()
        clock.forward(minutes=1)
        outbox = Outbox(context, client, ChannelNames(client), draw)

    kept = context.store.posts.get(above.id)
    assert (kept.state, kept.posted_channel) == (PostState.SENT, FINOPS)
    reply = context.store.posts.get(below.id)
    assert (reply.state, reply.posted_channel) == (PostState.SENT, FINOPS)
    assert "below" in [message.text for message in slack.workspace.replies(FINOPS, kept.ts)]
    assert sum("I cannot post to #team-payments" in text for text in texts(slack, FINOPS)) == 1


def test_replies_whose_thread_was_deleted_stand_on_their_own(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    above = given_notice(context, key="above")
    outbox.send_due()
    slack.workspace.erase(slack.workspace.messages(PAYMENTS)[0])
    below = given_notice(context, key="below", thread=above.id)
    for _ in range(3):
        clock.forward(minutes=1)
        outbox = Outbox(context, client, ChannelNames(client), draw)
        outbox.send_due()

    assert context.store.posts.get(below.id).state is PostState.SENT
    assert texts(slack, PAYMENTS) == ["below"]


def test_a_post_whose_answer_was_lost_is_sent_again_after_a_while_and_not_at_once(
    context: Context, outbox: Outbox, slack: SlackStandIn, client: WebClient, clock: SetClock
) -> None:
    slack.fail_next("chat.postMessage", error="internal_error", status=500)
    post = given_notice(context)
    outbox.send_due()
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert texts(slack, PAYMENTS) == []

    clock.forward(seconds=2)
    Outbox(context, client, ChannelNames(client), draw).send_due()
    assert texts(slack, PAYMENTS) == ["n"]
    assert context.store.posts.get(post.id).state is PostState.SENT


def test_where_even_the_fallback_channel_is_closed_posts_wait_and_it_is_logged_once(
    context: Context, outbox: Outbox, slack: SlackStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    slack.workspace.put_channel(Channel(FINOPS, "finops", is_archived=True, members={BOT_USER_ID, ANA}))
    posts = [given_notice(context, "#finops", key=key) for key in ("a", "b")]
    outbox.start()
    wait_for(lambda: all(context.store.posts.attempts(post.id) for post in posts))
    outbox.stop()

    assert {context.store.posts.get(post.id).state for post in posts} == {PostState.WAITING}
    lines = [record.message for record in caplog.records if "takes no posts" in record.message]
    assert len(lines) == 1
    assert "[teams] fallback_channel" in lines[0]

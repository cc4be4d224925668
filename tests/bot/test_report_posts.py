"""A report in a channel: the words first, pictures and CSV file in the thread, the pictures then above it as well."""

import csv
import io
import sqlite3
from collections.abc import Callable

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.slack import Message, SlackStandIn
from bot.outbox import PICTURE_ATTEMPTS, Outbox
from commands._drawing import draw
from commands._report_posts import post_report
from commands._types import Context
from storage.kpis import Figures
from storage.models import Post, PostKind, PostState
from tests.bot.conftest import SetClock
from tests.e2e.scene import words
from tests.reporting import figures, unknown_figures

FINOPS = "C06F1N0PSX2"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def send(context: Context, client: WebClient, clock: SetClock) -> Callable[..., None]:
    """All that is due, each time by an outbox that knows nothing but what is in memory, as after a restart."""

    def all_of_it(rounds: int = 6) -> None:
        for _ in range(rounds):
            Outbox(context, client, ChannelNames(client), draw).send_due()
            clock.forward(minutes=1)

    return all_of_it


def posted(context: Context, made: Figures, channel: str = "#finops") -> Post:
    report_id = context.store.reports.add(made, context.clock())
    assert post_report(context, report_id, "report:1", channel)
    assert not post_report(context, report_id, "report:1", channel)
    found = context.store.posts.find("report:1")
    assert found
    return found


def top(slack: SlackStandIn, channel: str = FINOPS) -> Message:
    (message,) = [one for one in slack.workspace.messages(channel) if "Tracing report" in one.text]
    return message


def thread(slack: SlackStandIn, channel: str = FINOPS) -> list[Message]:
    above = top(slack, channel)
    return [one for one in slack.workspace.replies(channel, above.ts) if one.ts != above.ts]


def images(message: Message) -> list[dict]:
    return [block for block in message.blocks if block["type"] == "image"]


def test_pictures_and_figures_are_one_reply_and_the_message_shows_the_pictures(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context, figures())
    send(1)
    assert images(top(slack)) == []
    assert "59.3" in words(top(slack))

    send()

    (reply,) = thread(slack)
    coverage, cost, table = reply.files
    assert [one.name for one in reply.files] == [
        "report-all-teams-2026-11-23-coverage.png",
        "report-all-teams-2026-11-23-cost.png",
        "report-all-teams-2026-11-23.csv",
    ]
    assert coverage.content.startswith(PNG)
    assert cost.content.startswith(PNG)
    assert "All teams: from 36.6" in coverage.alt_txt
    assert coverage.title == "Tracing coverage by team"
    rows = list(csv.DictReader(io.StringIO(table.content.decode(), newline="")))
    assert {"coverage", "X-Ray cost"} <= {row["figure"] for row in rows}
    assert "The budget is $50.00 a month" in reply.text
    shown = images(top(slack))
    assert [block["slack_file"]["id"] for block in shown] == [coverage.id, cost.id]
    assert [block["alt_text"] for block in shown] == [coverage.alt_txt, cost.alt_txt]
    assert slack.faults == []


@pytest.mark.parametrize("killed_at", ["before the record", "before the share"])
def test_what_was_cut_short_is_neither_posted_nor_uploaded_twice(
    context: Context, slack: SlackStandIn, send: Callable[..., None], killed_at: str
) -> None:
    posted(context, figures())
    if killed_at == "before the share":
        slack.fail_next("files.completeUploadExternal", error="internal_error")
        send(2)
    send()
    files = context.store.posts.find("report:1:files")
    assert files
    if killed_at == "before the record":
        sql = "update posts set state = 'waiting', shown_version = 0 where id = ?"
        context.store._connection.change(sql, [files.id])
    send()

    assert len(thread(slack)) == 1
    assert len(slack.calls_of("files.getUploadURLExternal")) == 3
    assert len(images(top(slack))) == 2
    assert context.store.posts.get(files.id).state is PostState.SENT


def test_a_picture_that_slack_does_not_know_yet_comes_later(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context, figures())
    for _ in range(2):
        slack.fail_next("chat.update", error="invalid_blocks")
    send(8)

    assert len(images(top(slack))) == 2


def test_where_slack_takes_no_picture_in_a_message_it_is_in_the_thread_and_the_message_stays(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    post = posted(context, figures())
    for _ in range(20):
        slack.fail_next("chat.update", error="invalid_blocks")
    send(20)

    assert images(top(slack)) == []
    assert len(thread(slack)[0].files) == 3
    assert len(slack.calls_of("chat.update")) == PICTURE_ATTEMPTS + 1
    assert context.store.posts.get(post.id).error == ""


@pytest.mark.parametrize("error", ["missing_scope", "file_uploads_disabled"])
def test_where_slack_takes_no_files_the_words_serve_and_why_is_said_once(
    context: Context, slack: SlackStandIn, send: Callable[..., None], error: str
) -> None:
    posted(context, figures())
    slack.fail_next("files.getUploadURLExternal", error=error)
    send()

    (reply,) = thread(slack)
    assert reply.files == ()
    assert "All teams: from 36.6" in reply.text
    assert images(top(slack)) == []
    told = [one for one in context.store.posts.all(PostKind.NOTICE) if one.key == f"notice:files:{error}"]
    assert len(told) == 1
    assert "Lists, reports, maps and decisions come without their files" in told[0].text


def test_where_there_is_nothing_to_draw_the_csv_file_comes_alone(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    made = unknown_figures()
    nothing = type(made.whole)(type(made.whole.coverage)(), None)
    posted(context, type(made)(**{name: getattr(made, name) for name in made.__slots__} | {"whole": nothing}))
    send()

    (reply,) = thread(slack)
    assert [one.name for one in reply.files] == ["report-all-teams-2026-11-23.csv"]
    assert images(top(slack)) == []


def test_a_channel_without_the_bot_has_its_report_sent_to_the_fallback_with_pictures(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context, figures(), "#team-mobile-bff")
    send(10)

    assert len(thread(slack)[0].files) == 3
    assert len(images(top(slack))) == 2


def test_a_message_that_is_drawn_again_shows_the_figures_of_its_day(
    context: Context, slack: SlackStandIn, send: Callable[..., None], clock: SetClock
) -> None:
    post = posted(context, figures())
    send()
    before = top(slack)
    clock.forward(days=60)
    context.store.reports.forget(clock())
    context.store.posts.redraw(post.id)
    send()

    assert top(slack).blocks == before.blocks


def test_a_report_that_cannot_be_read_is_said_to_be_gone_and_holds_nothing_up(
    context: Context, slack: SlackStandIn, send: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    posted(context, figures())
    with sqlite3.connect(context.store.path) as file:
        file.execute("update reports set figures = x'00'")
    file.close()

    send()

    said = {one.text for one in slack.workspace.messages(FINOPS)}
    assert said == {"This report is no longer kept. Ask for a new one: `/trace-report`"}
    assert [post.state for post in context.store.posts.all()] == [PostState.SENT, PostState.SENT]
    assert sum("cannot be read and is given up" in line for line in caplog.messages) == 1
    made = context.store.reports.add(figures(), context.clock())
    assert post_report(context, made, "report:2", "#finops")
    send()
    assert "59.3" in words(top(slack))

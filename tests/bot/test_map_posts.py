"""A trace map in a channel: the words first, then the picture among them; words alone where Slack takes no files."""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.slack import Message, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._map_posts import post_map
from commands._types import Context
from storage.models import Post, PostKind
from tests.bot.conftest import SetClock
from tests.commands.views.test_map_picture import traced
from tests.e2e.scene import words

FINOPS = "C06F1N0PSX2"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def send(context: Context, client: WebClient, clock: SetClock) -> Callable[..., None]:
    """All that is due, each time by an outbox that knows nothing but what is in memory, as after a restart."""

    def all_of_it(rounds: int = 4) -> None:
        for _ in range(rounds):
            Outbox(context, client, ChannelNames(client), draw).send_due()
            clock.forward(minutes=1)

    return all_of_it


def posted(context: Context, channel: str = "#finops") -> Post:
    map_id = context.store.maps.add(traced(3, 4, 1, name="refund-worker"), context.clock())
    assert post_map(context, map_id, "map:1", channel, shared_by="<@U0ANA>")
    assert not post_map(context, map_id, "map:1", channel)
    found = context.store.posts.find("map:1")
    assert found
    return found


def top(slack: SlackStandIn, channel: str = FINOPS) -> Message:
    (message,) = [one for one in slack.workspace.messages(channel) if "traced invocations" in one.text]
    return message


def thread(slack: SlackStandIn, channel: str = FINOPS) -> list[Message]:
    above = top(slack, channel)
    return [one for one in slack.workspace.replies(channel, above.ts) if one.ts != above.ts]


def images(message: Message) -> list[dict[str, Any]]:
    return [block for block in message.blocks if block["type"] == "image"]


def test_the_words_come_first_and_the_picture_takes_the_place_of_its_lines(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context)
    send(1)
    assert images(top(slack)) == []
    assert "Called by" in words(top(slack))

    send()

    (reply,) = thread(slack)
    (file,) = reply.files
    (image,) = images(top(slack))
    assert file.name == "trace-map-refund-worker-2026-11-28-2200.png"
    assert file.content.startswith(PNG)
    assert file.alt_txt.startswith("Trace map of refund-worker, 1,200 traced invocations")
    assert reply.text == "Trace map of `refund-worker`, 6 hours to Nov 28 22:00 UTC"
    assert image["slack_file"]["id"] == file.id
    assert "Called by: " in image["alt_text"]
    assert "Calls: " in image["alt_text"]
    said = words(top(slack))
    assert "482915067331 · eu-central-1 · 6 hours to Nov 28 22:00 UTC · shared by <@U0ANA>" in said
    assert "Slowest: " in said
    assert "#xray:service-map/map|Trace map>" in said
    assert "Called by" not in said
    assert slack.faults == []


def test_what_was_cut_short_is_neither_posted_nor_uploaded_twice(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context)
    slack.fail_next("files.completeUploadExternal", error="internal_error")
    send(6)

    assert len(images(top(slack))) == 1
    assert len(thread(slack)) == 1
    assert len(slack.calls_of("files.getUploadURLExternal")) == 1


def test_a_picture_that_slack_does_not_know_yet_comes_later(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context)
    slack.fail_next("chat.update", error="invalid_blocks")
    send(8)

    assert len(images(top(slack))) == 1


def test_where_slack_takes_no_files_the_words_say_all_of_it_and_why(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    slack.workspace.uploads_allowed = False
    posted(context)
    send()

    said = words(top(slack))
    assert thread(slack) == []
    assert images(top(slack)) == []
    assert "Called by" in said
    assert "(Lambda function): no traces. May call it, and sends no traces." in said
    assert "Most failing: " in said
    assert "No picture: this workspace does not allow file uploads." in said
    (notice,) = [one for one in context.store.posts.all(PostKind.NOTICE) if "without their files" in one.text]
    assert "this workspace does not allow file uploads" in notice.text


def test_a_channel_without_the_bot_has_it_sent_to_the_fallback(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    closed = people._CHANNEL_IDS[people.NOT_INVITED]
    posted(context, closed)
    send(6)

    assert [one for one in slack.workspace.messages(closed) if "Trace map" in one.text] == []
    assert len(thread(slack)) == 1
    assert len(images(top(slack))) == 1

"""A trace map in a channel: one message with its picture, or its words alone where Slack takes no files."""

from collections.abc import Callable

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo import people
from bot.demo.slack import Message, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._map_posts import post_map
from commands._types import Context
from storage.models import Post, PostKind, PostState
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


def shown(slack: SlackStandIn, channel: str = FINOPS) -> list[Message]:
    return [one for one in slack.workspace.messages(channel) if "Trace map" in one.text]


def test_a_map_is_one_message_with_its_picture_and_its_words(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    post = posted(context)
    send()

    (message,) = shown(slack)
    (picture,) = message.files
    assert picture.name == "trace-map-refund-worker-2026-11-28-2200.png"
    assert picture.content.startswith(PNG)
    assert picture.alt_txt.startswith("Trace map of refund-worker, 1,200 traced invocations")
    assert "Called by: " in picture.alt_txt
    assert message.text.startswith("*Trace map of `refund-worker`*\n482915067331 · eu-central-1 · 6 hours to 28 Nov")
    assert "shared by <@U0ANA>" in message.text
    assert "Slowest: " in message.text
    assert "#xray:service-map/map|Trace map>" in message.text
    assert context.store.posts.get(post.id).state is PostState.SENT
    assert slack.faults == []


def test_what_was_cut_short_is_neither_posted_nor_uploaded_twice(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    posted(context)
    slack.fail_next("files.completeUploadExternal", error="internal_error")
    send()

    assert len(shown(slack)) == 1
    assert len(slack.calls_of("files.getUploadURLExternal")) == 1


def test_where_slack_takes_no_files_the_words_say_all_of_it(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    slack.workspace.uploads_allowed = False
    posted(context)
    send()

    (message,) = shown(slack)
    said = words(message)
    assert message.files == ()
    assert "Called by" in said
    assert "(Lambda function): no traces. May call it, and sends no traces." in said
    assert "Most failing: " in said
    (notice,) = [one for one in context.store.posts.all(PostKind.NOTICE) if "without their files" in one.text]
    assert "this workspace does not allow file uploads" in notice.text


def test_a_channel_without_the_bot_has_it_sent_to_the_fallback(
    context: Context, slack: SlackStandIn, send: Callable[..., None]
) -> None:
    closed = people._CHANNEL_IDS[people.NOT_INVITED]
    posted(context, closed)
    send(6)

    assert shown(slack, closed) == []
    (message,) = shown(slack)
    assert [one.name for one in message.files] == ["trace-map-refund-worker-2026-11-28-2200.png"]

"""What a test orders of the stand-in to see a bot through a bad morning: limits, storms, pauses, and many channels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.demo.slack import BOT_USER_ID, Channel, Person, SlackStandIn, Workspace
from bot.demo.slack.history import MOST_UNREAD, History
from bot.demo.slack.nouns import Message
from tests.bot.demo.slack.conftest import Clock


def error_of(client: WebClient, channel: str, text: str = "Dark") -> str | None:
    try:
        client.chat_postMessage(channel=channel, text=text)
    except SlackApiError as refused:
        return str(refused.response["error"])
    return None


def test_in_a_storm_every_third_call_is_put_off_until_it_ends(client: WebClient, slack: SlackStandIn) -> None:
    slack.storm(3, retry_after=7, methods=["chat.postMessage"])
    errors = [error_of(client, channel) for channel in ("C1PAY", "G4OPS", "C1PAY", "G4OPS", "C1PAY")]
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel="G4OPS", text="Dark")
    others = [client.users_info(user="U1ANA")["ok"] for _ in range(3)]
    slack.storm(0)

    assert errors == [None, None, "ratelimited", None, None]
    assert caught.value.response.headers["Retry-After"] == "7"
    assert others == [True] * 3
    assert [error_of(client, "G4OPS") for _ in range(3)] == [None] * 3
    assert len(slack.workspace.messages("C1PAY") + slack.workspace.messages("G4OPS")) == 7


def test_a_failure_can_be_ordered_for_one_channel_however_it_is_named(client: WebClient, slack: SlackStandIn) -> None:
    slack.fail_next("chat.postMessage", channel="C1PAY", times=2)

    assert error_of(client, "G4OPS") is None
    assert [error_of(client, channel) for channel in ("C1PAY", "#payments", "payments")] == [
        "ratelimited",
        "ratelimited",
        None,
    ]


def test_a_channels_posts_count_together_by_id_and_by_name(client: WebClient) -> None:
    errors = [error_of(client, channel) for channel in ("C1PAY", "#payments") * 3]

    assert errors == [None] * 5 + ["ratelimited"]


def test_a_workspace_may_take_only_so_many_posts_a_minute(manifest: Path, workspace: Workspace, clock: Clock) -> None:
    with SlackStandIn(manifest, workspace, posts_per_minute=3) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        errors = [error_of(client, channel) for channel in ("C1PAY", "G4OPS", "C1PAY", "G4OPS")]
        clock.ahead += 20

        assert errors == [None, None, None, "ratelimited"]
        assert error_of(client, "G4OPS") is None


def test_while_connections_are_paused_only_the_web_api_answers(
    slack: SlackStandIn, bolt: App, client: WebClient, connect: Callable[[], SocketModeHandler]
) -> None:
    bolt.command("/trace-audit")(lambda ack: ack())
    connect()
    ana = slack.acting_as("U1ANA")

    slack.pause_connections()
    slack.workspace.wait_for(lambda: slack.connections == 0)
    assert client.chat_postMessage(channel="C1PAY", text="Dark")["ok"]
    assert ana.command("C1PAY", "/trace-audit").error == "/trace-audit failed with the error “dispatch_failed”"

    slack.resume_connections()
    slack.wait_until_connected()
    assert ana.command("C1PAY", "/trace-audit").ok


def test_five_hundred_channels_keep_their_messages_threads_and_counts() -> None:
    channels = [Channel(f"C{n:03d}", f"team-{n}", members={"U1", BOT_USER_ID}) for n in range(500)]
    workspace = Workspace([Person("U1", "ana", "Ana")], channels)
    for n in range(6000):
        parent = workspace.post(f"C{n % 500:03d}", BOT_USER_ID, f"digest {n}", bot=True)
        workspace.post(parent.channel, BOT_USER_ID, f"list {n}", bot=True, thread_ts=parent.ts)

    shown = workspace.newest_in_channel("C499", 2)

    assert [message.text for message in shown] == ["digest 5499", "digest 5999"]
    assert [message.text for message in workspace.replies("C499", shown[0].ts)] == ["list 5499"]
    assert {workspace.unread("U1", channel.id) for channel in channels} == {12}
    assert sum(len(workspace.messages(channel.id)) for channel in channels) == 12_000


def test_a_history_forgets_what_was_deleted_and_counts_no_further_than_it_must() -> None:
    history = History()
    for n in range(2 * MOST_UNREAD):
        history.put(Message(ts=f"17{n:08d}.000100", channel="C1", user="U1"))
    parent = history.all()[0]
    reply = Message(ts="1800000000.000100", channel="C1", user="U1", thread_ts=parent.ts)
    history.put(reply)

    assert history.replies(parent.ts) == [reply]
    assert (history.newest(), history.unread("", "U2"), history.unread("", "U1")) == (reply.ts, MOST_UNREAD, 0)
    history.remove(reply.ts)
    assert (history.replies(parent.ts), history.get(reply.ts)) == ([], None)
    assert (history.newest_in_channel(1), history.newest()) == ([history.all()[-1]], history.all()[-1].ts)

"""The page of evidence in a channel: one file with its sentence; the sentence alone where Slack takes no files."""

from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.channels import ChannelNames
from bot.demo.slack import Message, SlackStandIn
from bot.outbox import Outbox
from commands._drawing import draw
from commands._evidence_posts import post_evidence
from commands._types import Context
from storage.models import Coverage, Inventory, PostState, Source
from tests.bot.conftest import SetClock

FINOPS, ANA = "C06F1N0PSX2", "U07K2M4QANA"


@pytest.fixture
def posted(context: Context, clock: SetClock) -> None:
    seen = Inventory((), (), ("111122223333",), ("eu-central-1",), 9)
    context.store.audits.record(
        seen, {"payments": Coverage(1, 1)}, source=Source.CLOCK, started_at=clock(), finished_at=clock()
    )
    clock.forward(days=1)
    day = clock().date()
    report = context.store.evidence.ask(ANA, day - timedelta(days=1), day, None, clock())
    asked = context.store.evidence.asked(report)
    assert asked
    assert post_evidence(context, asked, ANA, FINOPS)
    assert not post_evidence(context, asked, ANA, FINOPS)


def send(context: Context, client: WebClient, clock: SetClock) -> None:
    for _ in range(3):
        Outbox(context, client, ChannelNames(client), draw).send_due()
        clock.forward(minutes=1)


def message(slack: SlackStandIn) -> Message:
    (found,) = [one for one in slack.workspace.messages(FINOPS) if "Evidence of all teams" in one.text]
    return found


def test_the_file_comes_once_with_its_sentence(
    context: Context, slack: SlackStandIn, client: WebClient, clock: SetClock, posted: None
) -> None:
    send(context, client, clock)

    (file,) = message(slack).files
    assert file.name == "evidence-all-teams-2026-11-23-2026-11-24.html"
    assert file.content.startswith(b"<!doctype html>")
    assert b"50 %" in file.content
    assert f"Posted by <@{ANA}>." in message(slack).text
    assert len(slack.calls_of("files.getUploadURLExternal")) == 1
    assert slack.faults == []


def test_where_slack_takes_no_files_the_sentence_comes_alone(
    context: Context, slack: SlackStandIn, client: WebClient, clock: SetClock, posted: None
) -> None:
    slack.fail_next("files.getUploadURLExternal", error="file_uploads_disabled")

    send(context, client, clock)

    assert message(slack).files == ()
    assert "coverage 50 % → 50 %" in message(slack).text
    assert [one.state for one in context.store.posts.all() if one.kind == "evidence"] == [PostState.SENT]

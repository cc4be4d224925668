"""What is taken out of the queue, what is left in it, and what is said of a queue that does not answer."""

import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.queues import Mailbox
from bot.demo.aws.trail import event
from bot.gauge_families import families
from bot.listening import SAY_AFTER, Listening
from commands._event_rules import EventRules
from commands._types import Context
from commands.aws.accounts import AwsSettings, Cloud
from commands.aws.errors import AwsProblem
from commands.aws.queue import Queue
from storage.events import EventOutcome
from storage.models import PostKind
from tests.bot.conftest import SetClock
from tests.e2e.scene import wait_for

URL = "http://sqs.local/123456789012/events"
ACCOUNT, BERLIN = "123456789012", "eu-central-1"


@dataclass
class Ear:
    aws: AwsStandIn
    box: Mailbox
    context: Context
    clock: SetClock

    def __post_init__(self) -> None:
        self.listening = Listening(self.context, lambda: None)

    def send(self, name: str = "refund", body: str | None = None) -> None:
        made = event(ACCOUNT, BERLIN, "lambda", "CreateFunction20150331", {"functionName": name}, datetime.now(UTC))
        self.aws.queues.send(self.box, json.dumps(made) if body is None else body)

    def receive(self, wait_seconds: int = 0) -> int:
        with ThreadPoolExecutor(4) as pool:
            return self.listening.receive(pool, wait_seconds)

    def notices(self) -> list[str]:
        return [post.text for post in self.context.store.posts.all(PostKind.NOTICE)]

    def counts(self) -> dict[EventOutcome, int]:
        return {outcome: number for outcome, number in self.context.store.events.counts().items() if number}


@pytest.fixture
def ear(context: Context, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    with AwsStandIn(calls_per_second=None, aws_policies=False) as aws:
        for name, value in {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": "AKIAPRETEND",
            "AWS_SECRET_ACCESS_KEY": "pretend",
            "AWS_DEFAULT_REGION": BERLIN,
            "AWS_EC2_METADATA_DISABLED": "true",
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        box = aws.queues.create(URL, visibility=0.1, most_receives=3)
        yield Ear(aws, box, replace(context, cloud=Cloud(AwsSettings()), events=EventRules(URL)), clock)


def test_everything_is_taken_at_once_and_deleted(ear: Ear) -> None:
    ear.box.visibility = 60.0  # on a slow machine, what is given out for a moment comes again before it is deleted
    for number in range(137):
        ear.send(f"f-{number}")

    assert ear.receive() == 137
    assert ear.box.bodies == []
    assert ear.context.store.events.watching() == 137


def test_what_cannot_be_read_goes_to_the_dead_letter_queue_and_keeps_nothing_back(ear: Ear) -> None:
    ear.send(body="<!channel> not JSON")
    ear.send(body='{"detail-type": "AWS API Call via CloudTrail"}')
    ear.send()
    for _ in range(4):
        ear.receive(1)

    assert ear.box.bodies == []
    assert ear.box.dead_letters
    assert len(ear.box.dead_letters.bodies) == 2
    assert ear.counts() == {EventOutcome.NOTED: 1, EventOutcome.UNREADABLE: 2}  # each counts once
    (said,) = ear.notices()  # once a day
    assert "the message is not JSON" in said
    assert "channel&gt;" not in said


def test_a_day_later_it_is_said_again(ear: Ear) -> None:
    ear.send(body="?")
    ear.receive()
    ear.clock.forward(days=1)
    ear.send(body="??")
    ear.receive()

    assert len(ear.notices()) == 2


def test_nothing_is_deleted_that_memory_did_not_take(ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    ear.send()
    ear.context.store.close()
    with pytest.raises(Exception, match="closed"):
        ear.receive()

    assert len(ear.box.bodies) == 1


def test_a_queue_without_a_dead_letter_queue_is_said_once(ear: Ear) -> None:
    ear.box.dead_letters = None
    ear.receive()
    ear.clock.forward(minutes=5)
    ear.receive()

    (said,) = ear.notices()
    assert "maxReceiveCount of 5" in said


def test_a_queue_that_does_not_answer_is_one_line_in_the_log_and_after_a_while_one_in_slack(
    ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    ear.aws.deny(service="sqs")
    ear.listening.start()
    events = ear.context.store.events
    wait_for(lambda: (state := events.queue()) and state.failing_since, 10)
    ear.clock.forward(seconds=SAY_AFTER.total_seconds() + 1)
    wait_for(ear.notices, 15)
    ear.aws.forgive()
    ear.send()
    wait_for(events.watching, 30)
    wait_for(lambda: (state := events.queue()) and state.failing_since is None, 10)
    ear.listening.stop()

    assert caplog.text.count("does not answer, and is asked again") == 1
    assert "the queue of events answers again" in caplog.text
    (said,) = ear.notices()
    assert "AccessDenied" in said
    assert "sqs:ReceiveMessage" in said


def test_messages_that_may_not_be_deleted_are_a_queue_that_fails(ear: Ear, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ear.aws.deny(service="sqs", action="DeleteMessageBatch")
    ear.box.most_receives = 100
    ear.send()
    ear.listening.start()
    wait_for(lambda: (state := ear.context.store.events.queue()) and state.failing_since, 10)
    ear.clock.forward(seconds=SAY_AFTER.total_seconds() + 1)
    (said,) = wait_for(ear.notices, 15)
    ear.listening.stop()

    assert "sqs:DeleteMessage" in said
    assert "answers again" not in caplog.text
    assert ear.counts()[EventOutcome.NOTED] == 1


def test_it_ends_at_once_though_it_waits_for_messages(ear: Ear) -> None:
    ear.listening.start()
    wait_for(lambda: any(call.action == "GetQueueAttributes" for call in ear.aws.calls), 10)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: (ear.listening.stop(), ended.set()))
    thread.start()

    assert ended.wait(2.5)


def test_a_queue_that_is_not_there_is_a_problem_that_names_it(ear: Ear) -> None:
    ear.context = replace(ear.context, events=EventRules(f"{URL}-gone"))
    ear.listening = Listening(ear.context, lambda: None)
    with pytest.raises(AwsProblem, match="NonExistentQueue"):
        ear.receive()


def test_the_address_tells_the_region(ear: Ear) -> None:
    def region(url: str, given: str = "") -> str:
        return Queue(ear.context.cloud, url, given)._region

    assert region("https://sqs.us-west-2.amazonaws.com/111122223333/events") == "us-west-2"
    assert region("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/events") == "cn-north-1"
    assert region("http://127.0.0.1:4566/111122223333/events") == BERLIN
    assert region("https://vpce-1.sqs.us-west-2.vpce.amazonaws.com/1/events", "eu-west-1") == "eu-west-1"


def test_metrics_tell_of_messages_of_what_is_watched_and_of_the_queue(ear: Ear) -> None:
    ear.send()
    ear.send(body="?")
    ear.receive()
    said = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families(ear.context)
        for sample in family.samples
    }

    assert said["lamplighter_events_total", "noted"] == 1
    assert said["lamplighter_events_total", "unreadable"] == 1
    assert said["lamplighter_functions_watched",] == 1
    assert said["lamplighter_event_queue_up",] == 1
    assert said["lamplighter_event_queue_messages", "waiting"] == 2
    assert said["lamplighter_event_queue_reached_timestamp_seconds",] == ear.clock().timestamp()


def test_who_names_no_queue_has_no_metrics_of_one(context: Context) -> None:
    assert not [family.name for family in families(context) if "event" in family.name]

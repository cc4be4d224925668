"""SQS over HTTP: at least once, what is not deleted comes again, and what comes too often is put aside."""

import threading
import time

import pytest

from bot.demo.aws import AwsStandIn
from tests.bot.demo.aws.conftest import Client, refusal

URL = "http://sqs.local/123456789012/events"


def bodies(sqs, **more) -> list[str]:
    return [
        one["Body"] for one in sqs.receive_message(QueueUrl=URL, MaxNumberOfMessages=10, **more).get("Messages", ())
    ]


def test_what_was_received_is_out_of_sight_until_its_time_is_over(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL, visibility=0.2)
    sqs.send_message(QueueUrl=URL, MessageBody="one")

    assert bodies(sqs) == ["one"]
    assert bodies(sqs) == []
    assert bodies(sqs, WaitTimeSeconds=2) == ["one"]
    assert box.bodies == ["one"]


def test_ten_come_at_most_and_are_deleted_by_their_newest_receipt(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL, visibility=0.1)
    for number in range(12):
        aws.queues.send(box, str(number))
    first = sqs.receive_message(QueueUrl=URL, MaxNumberOfMessages=10)["Messages"]
    assert len(first) == 10
    assert len(bodies(sqs)) == 2
    again = sqs.receive_message(QueueUrl=URL, MaxNumberOfMessages=10, WaitTimeSeconds=2)["Messages"]

    def delete(messages) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(messages)]
        assert not sqs.delete_message_batch(QueueUrl=URL, Entries=entries).get("Failed")

    delete(first)
    assert len(box.bodies) == 12 - 10 + len({one["MessageId"] for one in again})
    delete(again)
    assert len(box.bodies) == 2


def test_what_was_received_too_often_goes_to_the_dead_letter_queue(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL, visibility=0.05, most_receives=2)
    aws.queues.send(box, "poison")
    assert [bodies(sqs, WaitTimeSeconds=1) for _ in range(3)] == [["poison"], ["poison"], []]
    assert box.bodies == []
    assert box.dead_letters
    assert box.dead_letters.bodies == ["poison"]


def test_a_delete_may_be_forgotten(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL, visibility=0.05, forgets_deletes_every=1)
    aws.queues.send(box, "one")
    (message,) = sqs.receive_message(QueueUrl=URL)["Messages"]
    sqs.delete_message(QueueUrl=URL, ReceiptHandle=message["ReceiptHandle"])

    assert bodies(sqs, WaitTimeSeconds=1) == ["one"]


def test_who_waits_keeps_nobody_else_waiting(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL)
    heard: list[list[str]] = []
    waiting = threading.Thread(target=lambda: heard.append(bodies(sqs, WaitTimeSeconds=10)))
    waiting.start()
    begun = time.monotonic()
    client("lambda").list_functions()
    aws.queues.send(box, "one")
    waiting.join(5)

    assert heard == [["one"]]
    assert time.monotonic() - begun < 5


def test_attributes_and_refusals(aws: AwsStandIn, client: Client) -> None:
    sqs, box = client("sqs"), aws.queues.create(URL)
    for number in range(3):
        aws.queues.send(box, str(number))
    sqs.receive_message(QueueUrl=URL)
    said = sqs.get_queue_attributes(QueueUrl=URL, AttributeNames=["All"])["Attributes"]

    assert (said["ApproximateNumberOfMessages"], said["ApproximateNumberOfMessagesNotVisible"]) == ("2", "1")
    assert '"maxReceiveCount": 5' in said["RedrivePolicy"]
    assert '"arn:aws:sqs:eu-central-1:123456789012:events-dead-letters"' in said["RedrivePolicy"]
    dead = sqs.get_queue_attributes(QueueUrl=f"{URL}-dead-letters", AttributeNames=["All"])["Attributes"]
    assert (dead["QueueArn"].rpartition(":")[2], dead["VisibilityTimeout"]) == ("events-dead-letters", "120")
    gone = refusal(sqs.receive_message, QueueUrl=f"{URL}-not-there")
    assert gone[:2] == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    assert refusal(sqs.receive_message, QueueUrl=URL, MaxNumberOfMessages=11)[0] == "InvalidParameterValue"


@pytest.mark.parametrize("region", ["eu-central-1", "us-east-1"])
def test_what_changes_a_function_or_a_role_is_written_down_once_a_trail_goes_somewhere(
    aws: AwsStandIn, client: Client, region: str
) -> None:
    box = aws.queues.create(URL)
    iam = client("iam", region=region)
    iam.create_role(RoleName="quiet", AssumeRolePolicyDocument="{}")
    aws.trail.goes_to(box)
    iam.attach_role_policy(RoleName="quiet", PolicyArn="arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")
    policy = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
    assert refusal(iam.detach_role_policy, RoleName="nobody", PolicyArn=policy)[0] == "NoSuchEntity"

    (body,) = box.bodies
    assert '"eventName": "AttachRolePolicy"' in body
    assert '"awsRegion": "us-east-1"' in body
    assert '"roleName": "quiet"' in body

"""The queue that AWS's events wait in: received, deleted, counted. Each call is tried once; who calls tries again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from commands.aws.asking import ask
from commands.aws.credentials import acting
from commands.aws.errors import Where

if TYPE_CHECKING:
    from commands.aws.accounts import Cloud

MOST = 10  # messages of one call, by SQS's limits
LONGEST_WAIT_SECONDS = 20  # SQS's too


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was received this time; `receipt` deletes it, as long as nobody else has received it since."""

    id: str
    receipt: str
    body: str


@dataclass(frozen=True, slots=True)
class Backlog:
    """What SQS says of a queue; its counts are approximate."""

    waiting: int
    in_flight: int
    dead_letters: bool  # whether what is received too often goes to another queue


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """How a queue is set up, and how much is in it, approximately."""

    arn: str
    waiting: int
    in_flight: int
    visibility_seconds: int
    dead_letters: str  # the ARN of the queue for what is received too often; "": there is none
    dead_letters_url: str
    most_receives: int


class Queue:
    """One queue, by its address, under the ambient credentials. Its methods raise AwsProblem."""

    def __init__(self, cloud: "Cloud", url: str, region: str) -> None:
        """`region`: "" where the settings name none and the address tells, or else AWS's own settings do."""
        self._cloud, self._url = cloud, url
        self._region = region or _region_in(url) or cloud.home_region
        self._where: Where = {"region": self._region, "service": "sqs"}

    @property
    def arn(self) -> str:
        """As its address tells it."""
        account, name = ["", *self._url.split("/")][-2:]
        return f"arn:{self._cloud.partition}:sqs:{self._region}:{account}:{name}"

    def receive(self, wait_seconds: int) -> list[Message]:
        """Up to ten messages; waits for the first. IAM: sqs:ReceiveMessage."""
        asked = {"QueueUrl": self._url, "MaxNumberOfMessages": MOST, "WaitTimeSeconds": wait_seconds}
        with acting(None):
            told = ask(lambda: self._client.receive_message(**asked), **self._where)
        return [Message(one["MessageId"], one["ReceiptHandle"], one["Body"]) for one in told.get("Messages", ())]

    def delete(self, messages: Sequence[Message]) -> int:
        """At most ten; how many SQS would not delete, which will come again. IAM: sqs:DeleteMessage."""
        entries = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(messages)]
        if not entries:
            return 0
        with acting(None):
            told = ask(lambda: self._client.delete_message_batch(QueueUrl=self._url, Entries=entries), **self._where)
        return len(told.get("Failed", ()))

    def backlog(self) -> Backlog:
        """IAM: sqs:GetQueueAttributes."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "RedrivePolicy"]
        with acting(None):
            told = ask(
                lambda: self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names), **self._where
            )
        said = told.get("Attributes", {})
        return Backlog(int(said.get(names[0], 0)), int(said.get(names[1], 0)), bool(said.get(names[2])))

    def facts(self) -> QueueFacts:
        """IAM: sqs:GetQueueAttributes."""
        with acting(None):
            told = ask(
                lambda: self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"]), **self._where
            )
        said = told.get("Attributes", {})
        redrive = json.loads(said.get("RedrivePolicy") or "{}")
        dead = str(redrive.get("deadLetterTargetArn", ""))
        return QueueFacts(
            str(said.get("QueueArn", "")),
            int(said.get("ApproximateNumberOfMessages", 0)),
            int(said.get("ApproximateNumberOfMessagesNotVisible", 0)),
            int(said.get("VisibilityTimeout", 0)),
            dead,
            _beside(self._url, dead),
            int(redrive.get("maxReceiveCount", 0)),
        )

    @property
    def _client(self) -> Any:
        return self._cloud.client("sqs", self._region, attempts=1)


def _beside(url: str, arn: str) -> str:
    """The address of another queue of the same region; SQS has none elsewhere that it would move messages to."""
    account, _, name = arn.rpartition(":")
    return f"{url.rsplit('/', 2)[0]}/{account.rpartition(':')[2]}/{name}" if name else ""


def _region_in(url: str) -> str:
    """Of an address like https://sqs.eu-central-1.amazonaws.com/111122223333/lamplighter."""
    host = url.partition("://")[2].partition("/")[0].split(".")
    return host[1] if len(host) > 3 and host[0] in ("sqs", "sqs-fips") else ""

"""SQS as it is: at least once. moto's holds the whole server up while it waits, and looks at every message each time.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html and
…/sqs-dead-letter-queues.html
"""

import hashlib
import heapq
import itertools
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.demo.aws.protocol import AwsError, Handler, Request

LONGEST_WAIT_SECONDS = 20


@dataclass
class Letter:
    """A message of a queue, and how often it was given out."""

    body: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    received: int = 0
    receipt: str = ""


@dataclass
class Mailbox:
    """One queue. `visible_after` and times are in seconds of the monotonic clock."""

    url: str
    visibility: float
    most_receives: int = 0  # 0: nothing is put aside
    dead_letters: "Mailbox | None" = None
    forgets_deletes_every: int = 0  # each so-manieth delete is answered and not done, as AWS says that it may happen
    letters: dict[str, Letter] = field(default_factory=dict)
    asleep: list[tuple[float, int, str]] = field(default_factory=list)  # a heap: visible at, turn, id
    receipts: dict[str, str] = field(default_factory=dict)  # receipt -> id
    deletes: int = 0

    @property
    def bodies(self) -> list[str]:
        """What is in it, given out or not."""
        return [one.body for one in self.letters.values()]


class Queues:
    """The queues that a test makes here; of any other, moto answers."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._boxes: dict[str, Mailbox] = {}
        self._turns = itertools.count()
        self._changed = threading.Condition()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "SendMessage": self._of_ours(self._send_message),
            "ReceiveMessage": self._of_ours(self._receive),
            "DeleteMessage": self._of_ours(self._delete_one),
            "DeleteMessageBatch": self._of_ours(self._delete_batch),
            "GetQueueAttributes": self._of_ours(self._attributes),
        }

    def create(
        self, url: str, *, visibility: float = 120.0, most_receives: int = 5, forgets_deletes_every: int = 0
    ) -> Mailbox:
        """A queue with a dead-letter queue beside it; without one where `most_receives` is 0."""
        dead = Mailbox(f"{url}-dead-letters", visibility) if most_receives else None
        made = Mailbox(url, visibility, most_receives, dead, forgets_deletes_every)
        with self._changed:
            self._boxes |= {box.url: box for box in (made, dead) if box}
        return made

    def send(self, box: Mailbox, body: str) -> Letter:
        """As whoever may send: EventBridge, for one."""
        with self._changed:
            letter = Letter(body)
            box.letters[letter.id] = letter
            heapq.heappush(box.asleep, (self._now(), next(self._turns), letter.id))
            self._changed.notify_all()
        return letter

    def _send_message(self, request: Request, box: Mailbox) -> Mapping[str, Any]:
        letter = self.send(box, request.params["MessageBody"])
        return {"MessageId": letter.id, "MD5OfMessageBody": _md5(letter.body)}

    def wait(self, request: Request) -> None:
        """For a receive that may wait: until there is something. Called outside of the server's lock."""
        seconds = float(request.params.get("WaitTimeSeconds") or 0)
        box = self._boxes.get(request.params["QueueUrl"])
        if box is None or not seconds:
            return
        end = self._now() + min(seconds, LONGEST_WAIT_SECONDS)
        with self._changed:
            while (now := self._now()) < end:
                first = box.asleep[0][0] if box.asleep else end
                if first <= now:
                    return
                self._changed.wait(min(first, end) - now)

    def _receive(self, request: Request, box: Mailbox) -> Mapping[str, Any]:
        asked = request.params
        most = int(asked.get("MaxNumberOfMessages") or 1)
        if not 1 <= most <= 10:
            raise AwsError("InvalidParameterValue", "MaxNumberOfMessages must be between 1 and 10")
        visibility = asked.get("VisibilityTimeout")
        found: list[Letter] = []
        with self._changed:
            now = self._now()
            until = now + (box.visibility if visibility is None else float(visibility))
            while len(found) < most and box.asleep and box.asleep[0][0] <= now:
                _, _, number = heapq.heappop(box.asleep)
                letter = box.letters.get(number)
                if letter is None:
                    continue
                if box.dead_letters and letter.received >= box.most_receives:
                    self._put_aside(box, box.dead_letters, letter)
                    continue
                letter.received += 1
                letter.receipt = str(uuid.uuid4())
                box.receipts[letter.receipt] = number
                heapq.heappush(box.asleep, (until, next(self._turns), number))
                found.append(letter)
        said = [
            {"MessageId": one.id, "ReceiptHandle": one.receipt, "Body": one.body, "MD5OfBody": _md5(one.body)}
            for one in found
        ]
        return {"Messages": said} if said else {}

    def _put_aside(self, box: Mailbox, dead: Mailbox, letter: Letter) -> None:
        del box.letters[letter.id]
        dead.letters[letter.id] = letter
        heapq.heappush(dead.asleep, (self._now(), next(self._turns), letter.id))

    def _delete_one(self, request: Request, box: Mailbox) -> Mapping[str, Any]:
        self._delete(box, request.params["ReceiptHandle"])
        return {}

    def _delete_batch(self, request: Request, box: Mailbox) -> Mapping[str, Any]:
        entries = request.params["Entries"]
        if not 1 <= len(entries) <= 10 or len({one["Id"] for one in entries}) < len(entries):
            raise AwsError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "1 to 10 entries, each with its Id")
        for one in entries:
            self._delete(box, one["ReceiptHandle"])
        return {"Successful": [{"Id": one["Id"]} for one in entries], "Failed": []}

    def _delete(self, box: Mailbox, receipt: str) -> None:
        """By its newest receipt; an older one is taken and does nothing."""
        with self._changed:
            box.deletes += 1
            if box.forgets_deletes_every and box.deletes % box.forgets_deletes_every == 0:
                return
            letter = box.letters.get(box.receipts.pop(receipt, ""))
            if letter and letter.receipt == receipt:
                del box.letters[letter.id]

    def _attributes(self, request: Request, box: Mailbox) -> Mapping[str, Any]:
        now = self._now()
        waiting = sum(at <= now and number in box.letters for at, _, number in list(box.asleep))
        said = {
            "QueueArn": _arn(box.url, request.region),
            "ApproximateNumberOfMessages": str(waiting),
            "ApproximateNumberOfMessagesNotVisible": str(len(box.letters) - waiting),
            "VisibilityTimeout": str(int(box.visibility)),
        }
        if box.dead_letters:
            target = _arn(box.dead_letters.url, request.region)
            said["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": box.most_receives})
        names = request.params.get("AttributeNames") or []
        return {"Attributes": {key: value for key, value in said.items() if "All" in names or key in names}}

    def _of_ours(self, answer: Callable[[Request, Mailbox], Mapping[str, Any]]) -> Handler:
        def answer_or_leave(request: Request) -> Mapping[str, Any] | None:
            box = self._boxes.get(request.params["QueueUrl"])
            return answer(request, box) if box else None

        return answer_or_leave


def _arn(url: str, region: str) -> str:
    account, name = url.split("/")[-2:]
    return f"arn:aws:sqs:{region}:{account}:{name}"


def _md5(body: str) -> str:
    """SQS's check of what was sent; botocore compares it."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()

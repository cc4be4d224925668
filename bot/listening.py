"""Listening to the queue of AWS's events: two threads beside the scheduler, from the start of the service to its end.

One receives and keeps what the events tell; a message is deleted only after that is in SQLite, so that one which was
received by a process that died comes again. The other has the commands look at what is quiet by now.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from bot.notices import notify
from commands import deployed
from commands._types import Context, Progress, Request
from commands.aws import events
from commands.aws.errors import AwsProblem
from commands.aws.queue import LONGEST_WAIT_SECONDS, MOST, Message, Queue
from commands.views.text import clip, prose
from storage.events import EventOutcome, Noticed
from storage.models import THE_CLOCK, Source

log = logging.getLogger(__name__)

IN_FLIGHT = 8  # receives at once, as long as each comes back full
LOOK_EVERY_SECONDS = 1.0
LOOK_AT_QUEUE = timedelta(minutes=1)
FORGET_EVERY = timedelta(hours=6)
FIRST_WAIT_SECONDS, LONGEST_WAIT_BETWEEN = 1.0, 60.0
SAY_AFTER = timedelta(minutes=5)  # a queue that does not answer is then said in Slack too
END_SECONDS = 5.0


class Listening:
    """`after` is called whenever something may be to be posted."""

    def __init__(self, context: Context, after: Callable[[], None]) -> None:
        self._context, self._after = context, after
        self._queue = Queue(context.cloud, context.events.queue_url, context.events.region)
        self._stop = threading.Event()
        self._taking = threading.Lock()  # held while messages are kept and deleted
        self._failing_since: datetime | None = None
        self._looked_at_queue: datetime | None = None
        self._forgot_at: datetime | None = None
        self._receiving = threading.Thread(target=self._receive_until_the_end, name="events", daemon=True)
        self._looking = threading.Thread(target=self._look_until_the_end, name="deployments", daemon=True)

    def start(self) -> None:
        log.info("listening for events of functions at %s", self._context.events.queue_url)
        self._receiving.start()
        self._looking.start()

    def stop(self) -> None:
        """Waits for what is being looked at, and not for a queue that has nothing to say: what it gives out meanwhile
        it gives again."""
        self._stop.set()
        if self._taking.acquire(timeout=END_SECONDS):
            self._taking.release()
        if self._looking.ident is not None:
            self._looking.join(END_SECONDS)

    @property
    def alive(self) -> bool:
        return self._receiving.is_alive() and self._looking.is_alive()

    # ---- receiving

    def _receive_until_the_end(self) -> None:
        wait = FIRST_WAIT_SECONDS
        with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="queue") as pool:
            while not self._stop.is_set():
                try:
                    self.receive(pool)
                    wait = FIRST_WAIT_SECONDS
                    continue
                except AwsProblem as problem:
                    self._not_reached(problem)
                except Exception:  # where memory cannot be written, nothing is deleted, and all comes again
                    log.exception("events could not be taken in, and are left in the queue")
                self._stop.wait(wait)
                wait = min(LONGEST_WAIT_BETWEEN, 2 * wait)

    def receive(self, pool: ThreadPoolExecutor, wait_seconds: int = LONGEST_WAIT_SECONDS) -> int:
        """Wait for messages, then take all that are there; how many. Raises AwsProblem."""
        self._look_at_queue()
        taken = self._queue.receive(wait_seconds)
        total = len(taken)
        self._take(pool, taken)
        while len(taken) >= MOST and not self._stop.is_set():
            taken = [one for some in pool.map(lambda _: self._queue.receive(0), range(IN_FLIGHT)) for one in some]
            self._take(pool, taken)
            total += len(taken)
        self._reached()
        return total

    def _take(self, pool: ThreadPoolExecutor, messages: Sequence[Message]) -> None:
        """Keep what they tell, then have the queue forget them; but for those that cannot be read."""
        with self._taking:
            if not messages or self._stop.is_set():
                return
            done = self._keep(messages)
            batches = [done[start : start + MOST] for start in range(0, len(done), MOST)]
            left = sum(pool.map(self._queue.delete, batches))
        if left:
            log.info("%d messages could not be deleted, and come again", left)

    def _keep(self, messages: Sequence[Message]) -> list[Message]:
        """Those with which the queue is done."""
        store, now = self._context.store, self._context.clock()
        outcomes: Counter[EventOutcome] = Counter()
        noticed: list[Noticed] = []
        unreadable: list[tuple[Message, str]] = []
        for message in messages:
            try:
                event = events.read(message.body)
            except events.Unreadable as problem:
                unreadable.append((message, str(problem)))
                continue
            if event is None:
                outcomes[EventOutcome.NO_MATTER] += 1
            else:
                noticed.append(event)
        with store.transaction():
            fresh = store.events.note(noticed, now)
            outcomes[EventOutcome.NOTED] += fresh
            outcomes[EventOutcome.AGAIN] += len(noticed) - fresh
            for message, why in unreadable:
                if store.events.note_unreadable(message.id, now):
                    outcomes[EventOutcome.UNREADABLE] += 1
                    self._say_unreadable(now, why)
            store.events.count(outcomes)
        left = {message.id for message, _ in unreadable}
        return [message for message in messages if message.id not in left]

    def _say_unreadable(self, now: datetime, why: str) -> None:
        """Once a day; the words of the message are nobody's to repeat."""
        notify(
            self._context,
            f"unreadable-event:{now.astimezone(self._context.zone).date()}",
            f"A message in the queue of AWS's events cannot be read: {prose(why)}. It is left there, and SQS moves it "
            "to the queue's dead-letter queue, if it has one. Look at it there; other messages are not kept back. "
            "This is said once a day; `/metrics` counts them.",
        )

    # ---- the queue's health

    def _reached(self) -> None:
        if self._failing_since is not None:
            log.info("the queue of events answers again")
            self._failing_since = self._looked_at_queue = None
            self._look_at_queue()

    def _not_reached(self, problem: AwsProblem) -> None:
        """One line in the log for a time of silence, and after a while one in Slack."""
        now = self._context.clock()
        if self._failing_since is None:
            self._failing_since = now
            log.warning("the queue of events does not answer, and is asked again and again: %s", problem)
        why = clip(str(problem), 500)
        try:
            self._context.store.events.not_reached(self._failing_since, why)
            if now - self._failing_since >= SAY_AFTER:
                notify(
                    self._context,
                    f"event-queue:{self._failing_since.isoformat()}",
                    f"The queue of AWS's events does not answer: {prose(why)}. Until it does, only the daily audit "
                    "tells what is new. Check `[events] queue_url` in lamplighter.toml and the permissions "
                    "sqs:ReceiveMessage, sqs:DeleteMessage and sqs:GetQueueAttributes on it.",
                )
                self._after()
        except Exception:  # where memory cannot be written either, the log has said it
            log.exception("and that could not be kept")

    def _look_at_queue(self) -> None:
        """How much waits, once a minute; and whether it has somewhere to put aside what nobody can read."""
        now = self._context.clock()
        if _is_fresh(self._looked_at_queue, now, LOOK_AT_QUEUE):
            return
        backlog = self._queue.backlog()
        first, self._looked_at_queue = self._looked_at_queue is None, now
        if self._failing_since is None:
            self._context.store.events.reached(now, backlog.waiting, backlog.in_flight)
        if first and not backlog.dead_letters:
            notify(
                self._context,
                f"no-dead-letters:{self._context.events.queue_url}",
                "The queue of AWS's events has no dead-letter queue: a message that cannot be read comes again and "
                "again until it is too old. Give the queue a redrive policy with a maxReceiveCount of 5.",
            )
        if not _is_fresh(self._forgot_at, now, FORGET_EVERY):
            self._forgot_at = now
            self._context.store.events.forget(now)

    # ---- looking

    def _look_until_the_end(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                self.look()
            except Exception:  # what is to be looked at stands in memory, and is looked at in the next round
                log.exception("looking at what events told stumbled, and goes on")

    def look(self) -> None:
        """One round."""
        request = Request(user=THE_CLOCK, now=self._context.clock(), source=Source.EVENT)
        for reply in deployed.look(request, self._context):
            if isinstance(reply, Progress):
                log.info("%s", reply.text)
                self._after()


def _is_fresh(at: datetime | None, now: datetime, length: timedelta) -> bool:
    """What is to come yet was by a clock that has been set back since."""
    return at is not None and timedelta(0) <= now - at < length

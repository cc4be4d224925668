"""Where requests are worked on: pools of our own, apart from the few threads in which Bolt must acknowledge."""

import logging
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from bot.faults import cannot_keep, log_fault
from bot.outbox import Outbox
from bot.people import SlackPeople
from bot.replies import Deliver
from bot.slack_errors import error_code
from commands._refused import turned_away
from commands._types import Background, Context, Reply, Request, Run, Say
from storage.trouble import trouble

log = logging.getLogger(__name__)

WORKERS = 128  # most wait: for IAM, for Lambda, or for another fix of the same role
ASKERS = 128  # most wait: for an audit, or for one of the hands
FORM_OPENERS = 8

Answers = Callable[[], Iterable[Reply]]


class Desk:
    """One pool for decisions and for work that may take minutes, one for questions, and one that is free to open a form
    while Slack's trigger lives. However much is asked, a decision waits for no question."""

    def __init__(self, context: Context, people: SlackPeople, outbox: Outbox) -> None:
        self.context = context
        self._people = people
        self._outbox = outbox
        self._work = ThreadPoolExecutor(WORKERS, thread_name_prefix="work")
        self._questions = ThreadPoolExecutor(ASKERS, thread_name_prefix="questions")
        self._forms = ThreadPoolExecutor(FORM_OPENERS, thread_name_prefix="forms")
        self._at_work: dict[int, str] = {}  # by thread

    def at_work(self) -> list[str]:
        """What is being worked on."""
        return sorted(self._at_work.copy().values())

    def take(self, run: Run, request: Request, deliver: Deliver, *, quick: bool = False, decides: bool = False) -> None:
        """Returns at once. `quick`: somebody's form waits for the answer, and nothing slow is behind it. `decides`: who
        may not even ask, and tried to decide, is kept in the history."""
        pool: Executor = self._forms if quick else self._work if decides else self._questions
        steps = self._by_hand if pool is self._questions else self._at_once
        try:
            pool.submit(self._answer, partial(steps, run, request), request, deliver, decides)
        except RuntimeError:
            # The pool is closed: the bot is ending. The person gets Slack's own time-out and nothing has changed.
            log.warning("a request of %s came while Lamplighter was ending", request.user)

    def run_alone(self, what: str, run: Callable[[], object]) -> None:
        """Work that nobody waits for in Slack; where the bot is ending, it is left for the next start to take up."""
        try:
            self._work.submit(self._alone, what, run)
        except RuntimeError:
            log.warning("%s came while Lamplighter was ending", what)

    def stop(self) -> None:
        """Waits for what is running; what has not begun is dropped, and nothing was promised for it."""
        self._forms.shutdown(wait=True, cancel_futures=True)
        self._questions.shutdown(wait=True, cancel_futures=True)
        self._work.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _working_on(self, what: str) -> Iterator[None]:
        thread = threading.get_ident()
        self._at_work[thread] = what
        try:
            yield
        finally:
            del self._at_work[thread]

    def _answer(self, answers: Answers, request: Request, deliver: Deliver, decides: bool) -> None:
        with self._working_on(f"a {request.source} request of {request.user}"):
            self._answered(answers, request, deliver, decides)

    def _answered(self, answers: Answers, request: Request, deliver: Deliver, decides: bool) -> None:
        kept_before = self.context.store.kept
        try:
            asks = self._people.may_ask(request.user, request.workspace)
            if not asks.allowed:
                _deliver(deliver, Say(turned_away(request, self.context, asks.why) if decides else asks.why))
                return
            for reply in answers():
                self._outbox.nudge()
                if isinstance(reply, Background):
                    self.run_alone(reply.what, reply.run)
                else:
                    _deliver(deliver, reply)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the person is answered
            _deliver(deliver, Say(self._sorry(request, problem, kept=self.context.store.kept > kept_before)))
        finally:
            self._outbox.nudge()

    def _at_once(self, run: Run, request: Request) -> Iterable[Reply]:
        return run(request, self.context)

    def _by_hand(self, run: Run, request: Request) -> Iterator[Reply]:
        """Each step while a hand is free for it; its delivery to Slack takes none."""
        hands, store = self.context.hands, self.context.store
        with hands.at_work():
            answers = iter(run(request, self.context))
        while True:
            with hands.at_work(), store.asking():
                reply = next(answers, None)
            if reply is None:
                return
            yield reply

    def _sorry(self, request: Request, problem: Exception, *, kept: bool) -> str:
        """What the person is told: why the file cannot be used; of what nobody foresaw, a reference into the log."""
        why = trouble(problem)
        if why:
            log_fault(log, problem, "a request of %s was not kept", request.user)
            return cannot_keep(why, kept=kept)
        reference = secrets.token_hex(4)
        log.error("reference %s: a request of %s failed", reference, request.user, exc_info=problem)
        return f"Something went wrong on my side. Quote `{reference}` to whoever runs Lamplighter."

    def _alone(self, what: str, run: Callable[[], object]) -> None:
        try:
            with self._working_on(what):
                run()
        except Exception as problem:  # noqa: BLE001 - nobody waits for an answer here; the log is where it is read
            log_fault(log, problem, "%s failed", what)
        finally:
            self._outbox.nudge()


def _deliver(deliver: Deliver, reply: Reply) -> None:
    """Slack's refusal to take an answer must not stop the work that the answer is about."""
    try:
        deliver(reply)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the answer is lost and the work must not be
        log.warning("an answer could not be delivered: %s", error_code(problem))

"""Running a batch: callers before the called, one fix of a role at a time, paced, until all is done or stopped."""

import logging
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from commands._carry_out import carry_out
from commands._order import behind, roots_first
from commands._types import Context
from storage.fixes import Batch, FixRequest
from storage.models import Function, PostKind

SIDE_BY_SIDE = 8  # fixes of one batch; most of each is waiting for IAM and Lambda
LOOK_SECONDS = 0.5  # how soon an end of the process is noticed
RESULTS = 25  # functions in one message of a batch's thread; a line is up to 300 characters of 12,000

log = logging.getLogger(__name__)


def lock_of(batch: int) -> str:
    """Held in `Context.in_hand` by whoever runs the batch."""
    return f"batch:{batch}"


def run_batch(context: Context, number: int) -> None:
    """Carry out what of the batch has not ended. Whoever calls this after a crash goes on where it was cut short.

    Ends early where the process is ending; what has begun is ended first.
    """
    with context.in_hand.hold(lock_of(number)):
        batch = context.store.batches.get(number)
        if batch.finished_at is not None:
            return
        running = context.store.batches.running(number)
        with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix=f"batch-{number}") as pool:
            _Run(context, batch, pool, _turns(context, running)).to_the_end()
        _finish(context, batch)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request of the batch that has not ended."""

    request: FixRequest
    role: str  # what no other fix may be at work on meanwhile
    place: tuple[str, str]  # account and region
    callers: frozenset[str]  # ARNs that are to be ended before


def _turns(context: Context, running: list[FixRequest]) -> list[_Turn]:
    """In their order; what an earlier process had begun comes first, for it may be half done."""
    functions = {one.function_arn: context.store.functions.get(one.function_arn) for one in running}
    callers = {arn: one.untraced_callers if one else () for arn, one in functions.items()}
    order = roots_first(callers)
    requests = {one.function_arn: one for one in running}
    waits = behind(order, callers)
    turns = [_turn(requests[arn], functions[arn], waits[arn]) for arn in order]
    return sorted(turns, key=lambda turn: turn.request.queued)


def _turn(request: FixRequest, function: Function | None, callers: frozenset[str]) -> _Turn:
    region, account = request.function_arn.split(":")[3:5]
    role = (function.role if function else None) or request.function_arn
    # What has begun waits for nobody.
    return _Turn(request, role, (account, region), callers if request.queued else frozenset())


@dataclass(slots=True)
class _Run:
    context: Context
    batch: Batch
    pool: Executor
    left: list[_Turn]
    under_way: dict[Future[None], _Turn] = field(default_factory=dict)

    def to_the_end(self) -> None:
        while (self.left and not self.context.ending.is_set()) or self.under_way:
            pause = self._start_what_may()
            if self.under_way:
                ended, _ = wait(self.under_way, timeout=pause, return_when=FIRST_COMPLETED)
                for one in ended:
                    self._ended(one)
            elif self.left:
                self.context.ending.wait(pause)

    def _start_what_may(self) -> float:
        """How many seconds until it is worth looking again, where nothing ends before."""
        pause = LOOK_SECONDS
        if self.context.store.batches.get(self.batch.id).stopped_at:  # what is open again takes no turn
            self.left = [turn for turn in self.left if not turn.request.queued]
        unended = {turn.request.function_arn for turn in (*self.left, *self.under_way.values())}
        roles = {turn.role for turn in self.under_way.values()}
        for turn in list(self.left):
            if len(self.under_way) >= SIDE_BY_SIDE or self.context.ending.is_set():
                break
            if turn.role in roles or turn.callers & unended:
                continue
            wait_seconds = self.context.pace.take(turn.place, self.context.policy.fixes_per_second)
            if wait_seconds:
                pause = min(pause, wait_seconds)
                continue
            self.left.remove(turn)
            if not self._begin(turn):
                unended.discard(turn.request.function_arn)
                continue
            roles.add(turn.role)
            self.under_way[self.pool.submit(_carry_out, self.context, turn.request)] = turn
        return pause

    def _begin(self, turn: _Turn) -> bool:
        """False where it was stopped, or ended without us."""
        return not turn.request.queued or self.context.store.batches.begin(self.batch.id, turn.request.id)

    def _ended(self, future: "Future[None]") -> None:
        turn = self.under_way.pop(future)
        problem = future.exception()
        if problem:  # it is recorded with its request; the others go on
            log.error("the fix of %s stumbled", turn.request.function_arn, exc_info=problem)


def _carry_out(context: Context, request: FixRequest) -> None:
    for _ in carry_out(context, request.id, again=not request.queued):
        pass


def _finish(context: Context, batch: Batch) -> None:
    """The message says how it ended, and where it has no room for each function, the thread does."""
    store = context.store
    with store.transaction():
        if not store.batches.finish(batch.id, context.clock()):
            return
        store.posts.redraw(batch.post)
        members = store.posts.requests_of(batch.post)
        if len(members) <= RESULTS:
            return
        for page, start in enumerate(range(0, len(members), RESULTS), 1):
            store.posts.create(
                f"batch:{batch.id}:{page}",
                PostKind.BATCH,
                batch.channel,
                context.clock(),
                team=batch.team,
                requests=members[start : start + RESULTS],
                page=page,
                thread=batch.post,
            )

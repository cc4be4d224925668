"""What must hold when hours of faults are over: each check says in a line what does not."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.demo.fleet_access import FIX_ROLE
from bot.demo.slack import BOT_USER_ID, Message
from bot.outbox import _hash
from storage.fixes import RequestState
from storage.models import Decision, DecisionKind, Post, PostKind, PostState
from storage.store import Store
from tests.e2e.soaking import Measured, Soak

K, S = DecisionKind, RequestState
OPEN, CLOSED = "open", "closed"
# What may come of a request, and where it stands then.
COURSE: dict[str, dict[DecisionKind, str]] = {
    OPEN: {
        K.REQUESTED: OPEN, K.APPROVED: "running", K.DENIED: CLOSED, K.CANCELLED: CLOSED, K.EXPIRED: CLOSED,
        K.RESOLVED: CLOSED, K.EXEMPTED: CLOSED,
    },
    # Stopped: of a batch, before it came to this one.
    "running": {K.APPLIED: "applied", K.FAILED: OPEN, K.RESOLVED: CLOSED, K.STOPPED: OPEN},
    "applied": {K.UNDO: "undoing"},
    "undoing": {K.UNDONE: CLOSED, K.UNDO_FAILED: "applied", K.RESOLVED: CLOSED},
    CLOSED: {},
}  # fmt: skip
STANDS = {S.OPEN: OPEN, S.FAILED: OPEN, S.RUNNING: "running", S.APPLIED: "applied", S.UNDOING: "undoing"}
ENDS = (K.APPLIED, K.FAILED, K.UNDONE, K.UNDO_FAILED, K.RESOLVED)
BESIDE = {K.REFUSED, K.LAPSED, K.SNOOZED, K.SNOOZE_ENDED, K.BATCH}
# What people are told of their decision, and the row that has to be there.
ANSWERS = (
    (re.compile(r"Asked in .* to turn on tracing for `([^`]+)`"), K.REQUESTED),
    (re.compile(r"`([^`]+)`: \*Denied\* by <@(\w+)>"), K.DENIED),
    (re.compile(r"`([^`]+)`: \*Cancelled\* by <@(\w+)>"), K.CANCELLED),
    (re.compile(r"`([^`]+)` is not exempt any more"), K.EXEMPTION_REVOKED),
)

POOLS = {"work": 128, "forms": 8, "listener": 20, "forecast": 64}
# More than that in the last third is a leak. Objects and memory in all also grow by what is loaded at its first use.
MOST_MORE = {"files": 6, "sockets": 6, "ours": 100, "objects": 20_000, "rss_kb": 16_000}
MOST_ENTRIES, MOST_THREADS = 40, 3


def problems(soak: Soak) -> list[str]:
    """Empty where everything holds."""
    with soak.memory() as store:
        return [
            *_of_the_chain(store),
            *_of_requests(store),
            *_of_answers(soak, store),
            *_of_aws(soak, store),
            *_of_posts(soak, store),
            *_of_leaks(soak.measured),
            *_of_the_run(soak),
        ]


def _of_the_chain(store: Store) -> Iterator[str]:
    broken = store.decisions.verify()
    if broken:
        yield broken


def _of_requests(store: Store) -> Iterator[str]:
    """Each went a way that there is, and stands where its decisions have brought it."""
    rows: dict[str, list[Decision]] = defaultdict(list)
    for row in store.decisions.all():
        if row.request_id and row.kind not in BESIDE:
            rows[row.request_id].append(row)
    for request_id, its in rows.items():
        request = store.requests.find(request_id)
        if request is None:
            continue  # of something else that has an id
        at = OPEN
        for row in its:
            following = COURSE[at].get(row.kind)
            if following is None:
                yield f"request {request_id} was {at}, and then {row.kind}: {[one.kind.value for one in its]}"
                break
            at = following
        else:
            if STANDS.get(request.state, CLOSED) != at:
                yield f"request {request_id} is {request.state}, after {[one.kind.value for one in its]}"
    for one in store.requests.running():
        yield f"request {one.id} was approved and never ended"


def _of_answers(soak: Soak, store: Store) -> Iterator[str]:
    """What somebody was told is in the record."""
    kept = Counter((row.actor, row.kind, row.function_arn.rpartition(":")[2]) for row in store.decisions.all())
    for told in soak.crowd.told():
        for pattern, kind in ANSWERS:
            for match in pattern.finditer(told.text):
                who = match[2] if pattern.groups == 2 else told.who
                if not kept[who, kind, match[1]]:
                    yield f"{told.who} was told {match[0]!r}, and there is no such row"


@dataclass(frozen=True, slots=True)
class Span:
    """From an approval, or the decision to undo, to its end."""

    begin: datetime
    end: Decision


def _spans(store: Store) -> dict[str, list[Span]]:
    """By function, oldest first."""
    found: dict[str, list[Span]] = defaultdict(list)
    begun: dict[str, datetime] = {}
    for row in store.decisions.all():
        if row.kind in (K.APPROVED, K.UNDO):
            begun[row.request_id] = row.at
        elif row.kind in ENDS and row.request_id in begun:
            found[row.function_arn].append(Span(begun.pop(row.request_id), row))
    return found


def _of_aws(soak: Soak, store: Store) -> Iterator[str]:
    """Only what was approved was changed, once, and AWS is as the last decision left it."""
    spans = _spans(store)
    yield from _of_changes(soak, spans)
    for arn, its in spans.items():
        last = its[-1]
        if last.end.kind not in (K.APPLIED, K.UNDONE):
            continue  # what failed half way has changed some of it, which the reason says
        if arn not in soak.deployments.arns or soak.deployments.touched[arn] > last.begin:
            continue  # other hands have been there since
        mode = soak.aws.function(arn)["TracingConfig"]["Mode"]
        if mode != ("Active" if last.end.kind is K.APPLIED else last.end.after):
            yield f"{arn} is {mode}, and the last decision was {last.end.kind} {last.end.after}"


def _of_changes(soak: Soak, spans: dict[str, list[Span]]) -> Iterator[str]:
    by_name = {arn.rpartition(":")[2]: its for arn, its in spans.items()}
    made: Counter[tuple[str, str, datetime]] = Counter()
    for change in soak.aws.changes:
        if f"/{FIX_ROLE}/" not in change.caller:
            yield f"{change.caller} made {change.action}"
        named = str(change.asked.get("FunctionName") or "")
        if not named:
            continue  # of a role; its caller's session may no more than the plan of one fix says
        name = named.rpartition(":")[2]
        within = [one for one in by_name.get(name, ()) if one.begin <= change.time <= one.end.at + timedelta(seconds=1)]
        if not within:
            yield f"{change.action} of {name} at {change.time:%H:%M:%S} was approved by nobody"
        elif change.action == "UpdateFunctionConfiguration":
            made[name, str(change.asked.get("TracingConfig")), within[-1].begin] += 1
    twice, lost = (
        sum(count - 1 for count in made.values()),
        sum(one.lost for one in soak.aws.changes) + soak.kills + soak.late,
    )
    if twice > lost:
        yield f"{twice} changes were made twice, and only {lost} answers were lost: {made}"


def _of_posts(soak: Soak, store: Store) -> Iterator[str]:
    """A row for each message, a message for each row, and each as memory has it."""
    posts = [one for one in store.posts.all() if one.state is PostState.SENT]
    at = Counter((one.posted_channel, one.ts) for one in posts if one.ts)
    yield from (f"two posts are one message: {place}" for place, count in at.items() if count > 1)
    there = {(one.channel, one.ts): one for one in _said(soak)}
    mine = {place: one for place, one in there.items() if not one.files}
    extra = [one for place, one in mine.items() if place not in at]
    if soak.plan.ids_once or len(extra) > _lost_posts(soak):
        yield from (f"a message that no row knows: {one.text[:80]!r} in {one.channel}" for one in extra)
    yield from (f"no message for a row: {place}" for place in at if place not in there)
    shown = _last_shown(soak)
    for post in posts:
        if post.ts and shown.get((post.posted_channel, post.ts)) not in (None, store.posts.shown(post.id)):
            yield f"{post.key} looks otherwise than memory says"
    yield from _of_digests(posts)
    threads = Counter(
        (one.channel, one.thread_ts, tuple(file.id for file in one.files)) for one in there.values() if one.files
    )
    yield from (f"files were shared {count} times: {what}" for what, count in threads.items() if count > 1)


def _of_digests(posts: list[Post]) -> Iterator[str]:
    heads = Counter((one.team, one.created_at.date(), one.page) for one in posts if one.kind is PostKind.DIGEST)
    yield from (f"{count} digests of {what}" for what, count in heads.items() if count > 1)


def _said(soak: Soak) -> Iterator[Message]:
    for channel in soak.workspace.channels():
        for message in soak.workspace.messages(channel.id):
            if message.user == BOT_USER_ID and not channel.is_im:
                yield message


def _lost_posts(soak: Soak) -> int:
    """How many messages Slack took without the bot's knowing."""
    return sum(not call.ok for call in soak.slack.calls_of("chat.postMessage")) + soak.kills


def _last_shown(soak: Soak) -> dict[tuple[str, str], str]:
    """By message: what it shows, as its sender would count it; None where a later try was broken off."""
    found: dict[tuple[str, str], str] = {}
    for call in soak.slack.calls_of("chat.update"):
        if call.ok and call.args.get("blocks"):
            place = str(call.args["channel"]), str(call.args["ts"])
            found[place] = _hash(str(call.args["text"]), _blocks(call.args["blocks"]))
    return found


def _blocks(given: Any) -> Any:
    return json.loads(given) if isinstance(given, str) else given


def _of_leaks(measured: list[Measured]) -> Iterator[str]:
    """Of the process's last life: what it held when all had been loaded once, and at the end."""
    same = [one for one in measured if one.life == measured[-1].life][-3:]
    if len(same) < 3:
        yield f"it was measured {len(same)} times since its last start"
        return
    first, last = same[0].held, same[-1].held
    at = [round(one.hours, 1) for one in same]
    for what, most in MOST_MORE.items():
        if last[what] > first[what] + most:
            yield f"{what}: {[one.held[what] for one in same]} after {at} h"
    for name, count in last["entries"].items():
        if count > first["entries"].get(name, 0) + MOST_ENTRIES:
            yield f"{name} keeps more and more: {[one.held['entries'].get(name, 0) for one in same]} after {at} h"
    if last["databases"] != 1:
        yield f"{last['databases']} connections to the database"
    for pool, most in POOLS.items():
        if last["pools"].get(pool, 0) > most:
            yield f"{last['pools'][pool]} threads in the pool {pool}"
    single = [sum(count for name, count in one.held["pools"].items() if name not in POOLS) for one in same]
    if single[-1] > single[0] + MOST_THREADS:
        yield f"threads that are of no pool: {single}, {last['pools']}"


def _of_the_run(soak: Soak) -> Iterator[str]:
    if any(soak.exit_codes):
        yield f"exit codes {soak.exit_codes}"
    for fault in soak.slack.faults:
        if "failed with the error" not in fault and "expired_url" not in fault and "never acknowledged" not in fault:
            yield f"Slack: {fault}"
    log = soak.bot.log.read_text(errors="replace")
    for line in log.splitlines():
        if (
            "reference " in line
            or "stumbled" in line
            or "could not be drawn or sent" in line
            or "Slack took no blocks" in line
        ):
            yield f"log: {line}"

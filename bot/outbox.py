"""Posts that must arrive: sent one a second for each channel, drawn from memory, retried, and sent after a restart.

One thread does it all. What waits, and what is to be drawn again, stands in SQLite.
"""

import hashlib
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import uploads
from bot.channels import ChannelNames
from bot.faults import log_fault
from bot.message_ids import message_id, what_to_keep
from bot.notices import notify
from bot.pacing import Pacing
from bot.slack_errors import FINAL, LOCKED_OUT, NO_ANSWER, TOKEN_REFUSED, UNFIT, error_code, mend
from commands._attachments import attachments
from commands._teams import ChannelFrom
from commands._types import Context
from commands.views.blocks import Block
from commands.views.closed import CLOSED, closed_line
from storage.models import Post, PostKind, PostState
from storage.trouble import trouble

log = logging.getLogger(__name__)

Draw = Callable[[Context, Post], tuple[str, list[Block]]]

PACE_SECONDS = 1.0
BATCH_SECONDS = 2.0  # between two edits of how far a batch is
# So many times as long as it computed, a message that is drawn anew rests: of a team with 10,000 untraced functions it
# takes some tenths of a second, and each of its fixes has it drawn.
REST_OF_DRAWING = 9
DRAWING_WAITS_SECONDS = 0.5  # for who works or decides
IDLE_SECONDS = 5.0
SLOWEST_CALL_SECONDS = 20.0
LONGEST_WAIT_SECONDS = 300.0
OF_A_CHANNEL = 4  # posts that are looked at in one round: one goes, and what is slower by itself keeps back no other
POST, UPDATE, FILE = "chat.postMessage", "chat.update", "files.completeUploadExternal"
PICTURES = (PostKind.REPORT_FILES, PostKind.MAP_FILES)  # in a thread, for the message above it
FILES = (PostKind.FILE, PostKind.HISTORY, PostKind.EVIDENCE, *PICTURES)
PICTURE_ATTEMPTS = 6  # in two minutes; after that a message's pictures are in its thread alone
STUCK_SECONDS = 900.0  # no post takes that long: each call of Slack's ends after 15 s
UNSURE_SECONDS = 30.0  # until a post is sent again whose sending was cut short by the end of the process


class Outbox:
    """`draw` makes a post's text and blocks from memory, at the moment of sending."""

    def __init__(self, context: Context, client: WebClient, channels: ChannelNames, draw: Draw) -> None:
        self._context = context
        self._client = client
        self._channels = channels
        self._draw = draw
        self._pacing = Pacing()
        self._said: set[str] = set()
        self._unwell: str | None = None  # why the last round stumbled
        self._unrecorded: list[Callable[[], None]] = []  # what Slack took and memory could not be told yet
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._last_moment = 0.0
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        self._beat = time.monotonic()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread lives, and moves."""
        return self._thread.is_alive() and time.monotonic() - self._beat < STUCK_SECONDS

    def nudge(self) -> None:
        """Something may be due: look now."""
        self._wake.set()

    def stop(self, timeout: float = 5.0) -> None:
        """Sends what is due, for `timeout` seconds at most; what is left is sent after the next start."""
        self._last_moment = time.monotonic() + timeout
        self._stop.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout + SLOWEST_CALL_SECONDS)

    def _run(self) -> None:
        while True:
            self._beat = time.monotonic()
            self._wake.clear()
            try:
                pause = self.send_due()
            except Exception as problem:  # noqa: BLE001 - the loop outlives any fault of one round: posts wait
                self._stumbled(problem)
                pause = IDLE_SECONDS
            if self._stop.is_set() and (pause >= IDLE_SECONDS or time.monotonic() + pause > self._last_moment):
                return
            self._wake.wait(pause)

    def _stumbled(self, problem: Exception) -> None:
        """What is the same from round to round is said once."""
        if self._unwell != str(problem):
            log_fault(log, problem, "the outbox stumbled and goes on; posts wait")
        self._unwell = str(problem)

    def send_due(self) -> float:
        """Send what is due and free to go; how many seconds until it is worth looking again."""
        self._record()
        pause = IDLE_SECONDS
        self._pacing.forget(time.monotonic())
        for post in self._context.store.posts.due(self._context.clock(), OF_A_CHANNEL):
            lane = self._lane(post)
            lanes = (lane,) if self._stop.is_set() else (lane, post.key)  # at the end no message rests
            wait = self._pacing.wait(_method(post), *lanes, now=time.monotonic())
            if wait > 0:
                pause = min(pause, wait)
                continue
            self._handle(post, lane)
            self._unwell = None
            pause = min(pause, PACE_SECONDS)
        return pause

    def _lane(self, post: Post) -> str:
        """The channel that it stands in or goes to, by its id however it is named; its posts are a second apart."""
        if post.posted_channel:
            return post.posted_channel
        try:
            return self._target(post)[0]
        except NO_ANSWER:
            return post.channel  # sending it will fail for the same reason, and say so

    def _handle(self, post: Post, lane: str) -> None:
        self._beat = time.monotonic()
        self._pacing.hold(lane, PACE_SECONDS, now=time.monotonic())
        if post.kind is PostKind.BATCH:  # it changes with every step of every fix
            self._pacing.hold(post.key, BATCH_SECONDS, now=time.monotonic())
        try:
            asked = True
            if post.state is PostState.SENT:
                asked = self._redraw(post)
            elif post.kind in FILES:
                self._send_files(post)
            else:
                self._send(post)
            # From when Slack took it, whatever it took to be drawn.
            self._pacing.hold(lane, PACE_SECONDS if asked else 0.0, now=time.monotonic())
            self._pacing.went_through(_method(post))
        except SlackApiError as problem:
            self._refused(post, lane, problem)
        except NO_ANSWER as problem:
            self._later(post, error_code(problem))
        except Exception as problem:  # one post that cannot be drawn must not keep back all the others
            if trouble(problem):
                raise  # nor can it be kept that this one waits
            log.exception("%s could not be drawn or sent", post.key)
            self._later(post, type(problem).__name__)

    def _record(self) -> None:
        """Tell memory what Slack took. Raises where memory cannot be written, and then nothing more is sent."""
        while self._unrecorded:
            self._unrecorded[0]()
            self._unrecorded.pop(0)

    def _send(self, post: Post, *, plain: bool = False) -> None:
        target, thread_ts = self._target(post)
        text, blocks = self._draw(self._context, post)
        posts = self._context.store.posts
        posts.begin(post.id, self._context.clock() + timedelta(seconds=UNSURE_SECONDS))
        answer = self._client.chat_postMessage(
            channel=target,
            text=text,
            blocks=None if plain else blocks or None,
            thread_ts=thread_ts,
            unfurl_links=False,
            unfurl_media=False,
            client_msg_id=message_id(post, plain=plain),
        )
        place = str(answer["channel"]), str(answer["ts"])
        shown = _hash(text, blocks)
        self._unrecorded.append(lambda: posts.sent(post.id, *place, post.wanted_version, shown))
        self._record()
        if thread_ts is None:
            self._context.store.owners.reached(post.channel, self._context.clock())
        log.info("posted %s to %s", post.key, place[0])

    def _send_files(self, post: Post) -> None:
        """Uploads' ids are kept before they are shared, so that what was cut short is not uploaded again."""
        target, thread_ts = self._target(post)
        text, _ = self._draw(self._context, post)
        posts, again = self._context.store.posts, bool(post.file)
        made = attachments(self._context, post)
        try:
            if not again:
                post = replace(post, file=" ".join(uploads.put(self._client, one) for one in made))
                posts.keep_files(post.id, post.file)
            posts.begin(post.id, self._context.clock() + timedelta(seconds=UNSURE_SECONDS))
            titles = [one.title for one in made]
            uploads.share(self._client, post.files, titles, target, thread_ts, text, again=again)
        except SlackApiError as problem:
            why = uploads.NO_FILES.get(error_code(problem))
            if why is None:
                raise
            words = f"Lists, reports, maps and decisions come without their files, in words alone: {why}"
            notify(self._context, f"files:{error_code(problem)}", words)
            self._without_files(post, why)
            return
        self._unrecorded.append(lambda: self._shared(post, target))
        self._record()
        log.info("shared %s in %s", post.key, target)

    def _without_files(self, post: Post, why: str) -> None:
        """In words; of a map, the message above has them already, and says why there is no picture."""
        if post.kind is not PostKind.MAP_FILES or post.thread is None:
            self._send(post)
            return
        with self._context.store.transaction():
            self._context.store.posts.abandon(post.id, why)
            self._context.store.posts.redraw(post.thread)

    def _shared(self, post: Post, target: str) -> None:
        """A report or a map can show its pictures once they are files of the channel."""
        with self._context.store.transaction():
            self._context.store.posts.sent(post.id, target, "", post.wanted_version)
            if post.kind in PICTURES and post.thread is not None:
                self._context.store.posts.redraw(post.thread)

    def _target(self, post: Post) -> tuple[str, str | None]:
        """The channel's id or name, and the message in whose thread it stands."""
        if post.thread is None:
            return self._place(post.channel), None
        above = self._context.store.posts.get(post.thread)
        return above.posted_channel or self._place(post.channel), above.ts or None

    def _place(self, channel: str) -> str:
        """The channel's id; its name where Slack will not list channels, for that may still be posted to."""
        try:
            return self._channels.id_of(channel) or channel
        except SlackApiError as problem:
            if problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS or error_code(problem) in TOKEN_REFUSED:
                raise
            self._once(f"Slack will not list its channels ({error_code(problem)}); names are used as they are.")
            return channel

    def _redraw(self, post: Post) -> bool:
        """Slack is asked only where the message would look different; whether it was."""
        if post.newer is not None:
            self._link(post.newer)
        began = time.thread_time()
        with self._context.store.asking(DRAWING_WAITS_SECONDS):  # behind it wait all other messages
            text, blocks = self._draw(self._context, post)
        rest = max(
            REST_OF_DRAWING * (time.thread_time() - began), BATCH_SECONDS if post.kind is PostKind.BATCH else 0.0
        )
        self._pacing.hold(post.key, rest, now=time.monotonic())
        shown = _hash(text, blocks)
        differs = shown != self._context.store.posts.shown(post.id)
        if differs:
            self._client.chat_update(
                channel=post.posted_channel, ts=post.ts, text=text, blocks=blocks, parse="none", link_names=False
            )
        self._context.store.posts.redrawn(post.id, post.wanted_version, shown)
        return differs

    def _link(self, number: int) -> None:
        """Where the newer digest is; without a link, the words have to do."""
        newer = self._context.store.posts.get(number)
        if newer.state is not PostState.SENT or newer.permalink or not newer.ts:
            return
        try:
            answer = self._client.chat_getPermalink(channel=newer.posted_channel, message_ts=newer.ts)
        except SlackApiError as problem:
            if problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                raise
            log.warning("no link to %s: %s", newer.key, error_code(problem))
            return
        self._context.store.posts.keep_permalink(number, str(answer["permalink"]))

    def _refused(self, post: Post, lane: str, problem: SlackApiError) -> None:
        error = error_code(problem)
        if error == "ratelimited" or problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = float(problem.response.headers.get("Retry-After", 30))
            self._pacing.refused(_method(post), lane, seconds, now=time.monotonic())
            self._keep(post, seconds, "ratelimited")
        elif error in LOCKED_OUT:
            self._once(f"Slack refuses to post: {mend(error, problem)}")
            self._later(post, error)
        elif post.state is PostState.SENT and (error in FINAL or error in CLOSED):
            log.warning("%s can no longer be changed in Slack: %s", post.key, error)
            self._context.store.posts.abandon(post.id, error)
        elif error in CLOSED:
            self._channels.forget()
            self._elsewhere(post, error)
        elif error == "thread_not_found":
            self._context.store.posts.redirect(post.id, post.channel)
            self._later(post, error)
        elif error in UNFIT:
            self._unfit(post, error, problem)
        else:
            self._later(post, error)

    def _unfit(self, post: Post, error: str, problem: SlackApiError) -> None:
        """Slack will not take the blocks: a fault of ours, and no reason to keep the words back."""
        details = (problem.response.get("response_metadata") or {}).get("messages")
        log.error("Slack took no blocks for %s: %s %s", post.key, error, details)
        posts = self._context.store.posts
        if post.state is PostState.SENT:
            if post.kind in (PostKind.REPORT, PostKind.MAP) and posts.attempts(post.id) < PICTURE_ATTEMPTS:
                self._later(post, error)  # UNCONFIRMED: how long a file must have been there to stand in a message
            else:
                posts.redrawn(post.id, post.wanted_version, _hash(*self._draw(self._context, post)))
            return
        try:
            self._send(post, plain=True)
        except SlackApiError as again:
            self._later(post, error_code(again))

    def _elsewhere(self, post: Post, error: str) -> None:
        """The channel is closed to us: post in the fallback channel, with the line that mends it, said once."""
        fallback = self._context.teams.fallback_channel
        since = self._context.store.owners.closed(post.channel, error, self._context.clock())
        if post.channel == fallback:
            self._once(
                f"The fallback channel {fallback} takes no posts: {CLOSED[error]}. Invite the bot there, or name "
                "another channel in lamplighter.toml: [teams] fallback_channel"
            )
            self._later(post, error)
            return
        teams = self._context.teams
        known = post.team is None or teams.knows(post.team)
        by_tag = teams.place_of(post.team) == (post.channel, ChannelFrom.TAG)
        text = closed_line(post.channel, post.team, error, known=known, tag=teams.channel_tag if by_tag else "")
        notify(self._context, f"closed:{post.channel}:{error}:{since.isoformat()}", text)
        self._context.store.posts.redirect(post.id, fallback)
        self._wake.set()

    def _later(self, post: Post, error: str) -> None:
        attempts = self._context.store.posts.attempts(post.id)
        self._keep(post, min(LONGEST_WAIT_SECONDS, 2.0 ** min(attempts + 1, 9)), error)
        if attempts == 0:
            log.warning("%s waits, Slack said %s", post.key, error)

    def _keep(self, post: Post, seconds: float, error: str) -> None:
        """When it is tried again, and why it was not sent."""
        at = self._context.clock() + timedelta(seconds=seconds)
        self._context.store.posts.later(post.id, at, what_to_keep(post, error))

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            log.error("%s", line)


def _method(post: Post) -> str:
    """By which it goes; each has a rate of its own."""
    if post.state is PostState.SENT:
        return UPDATE
    return FILE if post.kind in FILES else POST


def _hash(text: str, blocks: Sequence[Block]) -> str:
    return hashlib.sha256(json.dumps([text, blocks], sort_keys=True).encode()).hexdigest()[:32]

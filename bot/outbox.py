"""Posts that must arrive: sent one a second for each channel, drawn from memory, retried, and sent after a restart.

One thread does it all. What waits, and what is to be drawn again, stands in SQLite.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.channels import ChannelNames
from bot.notices import notify
from bot.slack_errors import TOKEN_REFUSED, error_code
from commands._teams import ChannelFrom
from commands._types import Context
from commands.views.blocks import Block
from commands.views.closed import CLOSED, closed_line
from storage.models import Post, PostKind, PostState

log = logging.getLogger(__name__)

Draw = Callable[[Context, Post], tuple[str, list[Block]]]

PACE_SECONDS = 1.0
BATCH_SECONDS = 2.0  # between two edits of how far a batch is
IDLE_SECONDS = 5.0
SLOWEST_CALL_SECONDS = 20.0
LONGEST_WAIT_SECONDS = 300.0
UNSURE_SECONDS = 30.0  # until a post is sent again whose sending was cut short by the end of the process

# Slack shows the message no more, or lets nobody change it.
FINAL = {"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"}
UNFIT = {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long", "block_mismatch"}
# Nothing gets through until somebody changes the app or its tokens.
LOCKED_OUT = TOKEN_REFUSED | {"missing_scope"}


class Outbox:
    """`draw` makes a post's text and blocks from memory, at the moment of sending."""

    def __init__(self, context: Context, client: WebClient, channels: ChannelNames, draw: Draw) -> None:
        self._context = context
        self._client = client
        self._channels = channels
        self._draw = draw
        self._free_at: dict[str, float] = {}  # by channel, and by a batch's post, on the monotonic clock
        self._said: set[str] = set()
        self._unrecorded: list[Callable[[], None]] = []  # what Slack took and memory could not be told yet
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._last_moment = 0.0
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        self._thread.start()

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
            self._wake.clear()
            try:
                pause = self.send_due()
            except Exception:  # the loop outlives any fault of one round: posts that wait must not wait for ever
                log.exception("the outbox stumbled and goes on")
                pause = IDLE_SECONDS
            if self._stop.is_set() and (pause >= IDLE_SECONDS or time.monotonic() + pause > self._last_moment):
                return
            self._wake.wait(pause)

    def send_due(self) -> float:
        """Send what is due and free to go; how many seconds until it is worth looking again."""
        self._record()
        pause = IDLE_SECONDS
        for post in self._context.store.posts.due(self._context.clock()):
            wait = max(self._free_at.get(_lane(post), 0.0), self._free_at.get(post.key, 0.0)) - time.monotonic()
            if wait > 0:
                pause = min(pause, wait)
                continue
            self._handle(post)
            pause = min(pause, PACE_SECONDS)
        return pause

    def _handle(self, post: Post) -> None:
        self._free_at[_lane(post)] = time.monotonic() + PACE_SECONDS
        if post.kind is PostKind.BATCH:  # it changes with every step of every fix
            self._free_at[post.key] = time.monotonic() + BATCH_SECONDS
        try:
            if post.state is PostState.WAITING:
                self._send(post)
            else:
                self._redraw(post)
        except SlackApiError as problem:
            self._refused(post, problem)
        except (SlackClientError, OSError) as problem:
            self._later(post, error_code(problem))
        except Exception as problem:  # one post that cannot be drawn must not keep back all the others
            log.exception("%s could not be drawn or sent", post.key)
            self._later(post, type(problem).__name__)

    def _record(self) -> None:
        """Tell memory what Slack took. Raises where memory cannot be written, and then nothing more is sent."""
        while self._unrecorded:
            self._unrecorded[0]()
            self._unrecorded.pop(0)

    def _send(self, post: Post, *, plain: bool = False) -> None:
        target = self._place(post.channel)
        thread_ts = None
        if post.thread is not None:
            above = self._context.store.posts.get(post.thread)
            target, thread_ts = above.posted_channel or target, above.ts or None
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
        )
        place = str(answer["channel"]), str(answer["ts"])
        self._unrecorded.append(lambda: posts.sent(post.id, *place, post.wanted_version))
        self._record()
        if thread_ts is None:
            self._context.store.owners.reached(post.channel, self._context.clock())
        log.info("posted %s to %s", post.key, place[0])

    def _place(self, channel: str) -> str:
        """The channel's id; its name where Slack will not list channels, for that may still be posted to."""
        try:
            return self._channels.id_of(channel) or channel
        except SlackApiError as problem:
            if problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS or error_code(problem) in TOKEN_REFUSED:
                raise
            self._once(f"Slack will not list its channels ({error_code(problem)}); names are used as they are.")
            return channel

    def _redraw(self, post: Post) -> None:
        text, blocks = self._draw(self._context, post)
        self._client.chat_update(
            channel=post.posted_channel, ts=post.ts, text=text, blocks=blocks or None, parse="none", link_names=False
        )
        self._context.store.posts.redrawn(post.id, post.wanted_version)

    def _refused(self, post: Post, problem: SlackApiError) -> None:
        error = error_code(problem)
        if error == "ratelimited" or problem.response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = float(problem.response.headers.get("Retry-After", 30))
            self._free_at[_lane(post)] = time.monotonic() + seconds
            self._context.store.posts.later(post.id, self._context.clock() + timedelta(seconds=seconds), "ratelimited")
        elif error in LOCKED_OUT:
            self._once(f"Slack refuses to post: {_mend(error, problem)}")
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
        if post.state is PostState.SENT:
            self._context.store.posts.redrawn(post.id, post.wanted_version)
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
        posts = self._context.store.posts
        attempts = posts.attempts(post.id)
        seconds = min(LONGEST_WAIT_SECONDS, 2.0 ** min(attempts + 1, 9))
        posts.later(post.id, self._context.clock() + timedelta(seconds=seconds), error)
        if attempts == 0:
            log.warning("%s waits, Slack said %s", post.key, error)

    def _once(self, line: str) -> None:
        if line not in self._said:
            self._said.add(line)
            log.error("%s", line)


def _lane(post: Post) -> str:
    """Posts of one lane are a second apart."""
    return post.posted_channel or post.channel


def _mend(error: str, problem: SlackApiError) -> str:
    if error == "missing_scope":
        needed = problem.response.get("needed")
        return f"the scope {needed} is missing. Add it in the app's OAuth & Permissions page and reinstall the app."
    return f"{error}. Check SLACK_BOT_TOKEN and that the app is still installed."

"""Socket Mode's WebSocket, kept open: what slack_sdk's client does about a lost connection, and what it leaves out.

It reconnects when Slack asks for it, when Slack says goodbye and when a ping is not answered for 20 s. It does not
notice at once that the other side is gone without a word, nor ever that no ping was answered from the start; it asks
for a new address every 5 s for as long as none is given; and where Slack has it wait, it sleeps.

And it acknowledges what needs no words as soon as it is read. Bolt does that some ten changes of threads later, each of
which waits for whatever else is computed.
"""

import errno
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty
from typing import Any, TypeAlias

from slack_sdk.errors import SlackApiError, SlackClientError, SlackClientNotConnectedError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.builtin.connection import Connection
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.slack_errors import NO_ANSWER, TOKEN_REFUSED, error_code

log = logging.getLogger(__name__)

PING_SECONDS = 5.0
STALE_PINGS = 4  # so many without an answer, and the connection is given up: as slack_sdk has it
FIRST_WAIT = 0.2  # of the time between two pings
LONGEST_WAIT_SECONDS = 60.0
LINK_DISABLED = "link_disabled"
# A whole request at once, mostly: each further piece waits for its turn. Not many requests, for each of which slack_sdk
# calls itself.
RECEIVED_BYTES = 8192

Envelope: TypeAlias = Mapping[str, Any]  # what Socket Mode sends: `type`, `envelope_id`, `payload`
NeedsNoWords: TypeAlias = Callable[[Envelope], bool]


class SocketClient(SocketModeClient):
    """`why`: what keeps it from being connected, as far as it is known."""

    def __init__(self, *args: Any, needs_no_words: NeedsNoWords = lambda _: False, **kwargs: Any) -> None:
        """`needs_no_words`: which requests are taken for certain, and answered by "it arrived"."""
        self.why = "no WebSocket has been opened yet"
        self._connected_at = 0.0
        self._wait = self._not_before = 0.0
        self._needs_no_words = needs_no_words
        self._acknowledged: set[str] = set()
        self._taking = threading.Lock()
        kwargs.setdefault("receive_buffer_size", RECEIVED_BYTES)
        super().__init__(*args, **kwargs)
        self._wait = FIRST_WAIT * self.ping_interval

    def open(self) -> None:
        """The first connection, tried once. Raises SlackClientError or OSError."""
        self._not_before = 0.0  # whoever opens has waited
        self.connect_to_new_endpoint()

    def issue_new_wss_url(self) -> str:
        """Slack's refusal is kept, and how long it wants to be left alone."""
        try:
            answer = self.web_client.apps_connections_open(app_token=self.app_token)
        except SlackApiError as problem:
            self.why = _refusal(error_code(problem))
            self._later(float(problem.response.headers.get("Retry-After", 0)))
            raise
        except NO_ANSWER as problem:
            self.why = f"Slack cannot be reached ({error_code(problem)})"
            self._later()
            raise
        return str(answer["url"])

    def connect(self) -> None:
        """Raises SlackClientNotConnectedError where no WebSocket came of it, which slack_sdk would take for one."""
        self._connected_at = time.time()  # before the first look, which may come at once
        super().connect()
        session = self.current_session
        if session is None or not session.is_active():
            self.why = "Slack takes no WebSocket"
            self._later()
            raise SlackClientNotConnectedError(self.why)
        _make_honest(session)
        self._wait, self._not_before = FIRST_WAIT * self.ping_interval, 0.0
        self.why = ""

    def state(self, now: float | None = None) -> tuple[bool, str]:
        """Whether requests can come in, and why not or since when nothing was heard."""
        now = time.time() if now is None else now
        if not self.is_connected():
            return False, f"Socket Mode is not connected: {self.why or 'the connection was lost'}"
        quiet = now - self._heard_at()
        if quiet > self._stale_seconds:
            return False, f"Socket Mode: Slack has answered no ping for {quiet:.0f} s"
        return True, "Socket Mode is connected, and Slack answers pings"

    @property
    def threads_alive(self) -> bool:
        """Of slack_sdk's three: one receives, one looks whether it still can, one hands on."""
        runners = [self.current_session_runner, self.message_processor]
        if self.current_app_monitor_started:
            runners.append(self.current_app_monitor)
        return all(runner.is_alive() for runner in runners)

    def close(self) -> None:
        """What has been taken is acknowledged, and what was acknowledged is worked on; the rest Slack gives back to
        whoever sent it. slack_sdk would hang up first, and wait up to 3 s for the receiver to notice."""
        with self._taking:
            self.closed, self.auto_reconnect_enabled = True, False
        self.message_queue.put(None)
        if self.message_processor.is_alive():
            self.message_processor.shutdown()  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped
        self._work_on_the_rest()
        self.message_workers.shutdown()
        super().close()

    def enqueue_message(self, message: str) -> None:
        with self._taking:
            if self.closed:
                return  # Slack says to whoever sent it that nobody took it
            self._acknowledge(message)
            super().enqueue_message(message)

    def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        try:
            super().run_message_listeners(message, raw_message)
        finally:
            if message.get("envelope_id") in self._acknowledged:
                self._acknowledged.remove(str(message["envelope_id"]))
                log.error("a request was acknowledged, and nothing came of it: the lines before say why")

    def send_socket_mode_response(self, response: SocketModeResponse | dict[str, Any]) -> None:
        answer = response.to_dict() if isinstance(response, SocketModeResponse) else response
        if answer.get("envelope_id") not in self._acknowledged:
            super().send_socket_mode_response(response)
            return
        self._acknowledged.remove(answer["envelope_id"])
        if answer.get("payload"):
            log.error("an answer had words after its request was acknowledged, and they were not sent")

    @property
    def _stale_seconds(self) -> float:
        return STALE_PINGS * self.ping_interval

    def _heard_at(self) -> float:
        session = self.current_session
        return max(self._connected_at, (session.last_ping_pong_time if session else None) or 0.0)

    def _acknowledge(self, message: str) -> None:
        """Where that fails for whatever reason, Bolt acknowledges later, or says what is wrong."""
        try:
            envelope = json.loads(message)
            session = self.current_session
            if session is not None and "payload" in envelope and self._needs_no_words(envelope):
                session.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
                self._acknowledged.add(str(envelope["envelope_id"]))
        except Exception as problem:  # noqa: BLE001 - this is the thread that receives, and it must go on
            log.debug("a request was not acknowledged as soon as it was read: %s", error_code(problem))

    def _work_on_the_rest(self) -> None:
        """Raises nothing: what waits in the queue when nobody takes from it any more is handed on."""
        with suppress(Empty):
            while True:
                raw = self.message_queue.get_nowait()
                if raw is not None:
                    self.message_workers.submit(self._hand_on, raw)

    def _hand_on(self, raw: str) -> None:
        message = json.loads(raw) if raw.startswith("{") else {}
        if message.get("type") != "disconnect":
            self.run_message_listeners(message, raw)

    def _is_wanted(self) -> bool:
        return bool(self.auto_reconnect_enabled and not self.closed)

    def _later(self, at_least: float = 0.0) -> None:
        """Ask less and less often, up to once a minute."""
        self._not_before = time.monotonic() + max(at_least, self._wait)
        self._wait = min(LONGEST_WAIT_SECONDS, 2 * self._wait)

    def _run_current_session(self) -> None:
        super()._run_current_session()  # type: ignore[no-untyped-call] # slack_sdk leaves it untyped
        if self.current_session is not None and not self.is_connected():
            self._monitor_current_session()  # it has ended: not to wait for the next look

    def _monitor_current_session(self) -> None:
        """In place of slack_sdk's own, every PING_SECONDS."""
        try:
            session = self.current_session
            if session is not None:
                if session.is_active() and time.time() - self._heard_at() > self._stale_seconds:
                    self.why = f"Slack answered no ping for {self._stale_seconds:.0f} s"
                    session.close()
                session.check_state()
            if self._is_wanted() and not self.is_connected() and time.monotonic() >= self._not_before:
                log.info("Socket Mode: connecting again")
                self.connect_to_new_endpoint()
        except (SlackClientError, *NO_ANSWER) as problem:
            log.warning("Socket Mode: %s, again in %.0f s", self.why, max(0.0, self._not_before - time.monotonic()))
            log.debug("%s", error_code(problem))
        except Exception:  # this thread is what mends a lost connection, and outlives whatever happens to one
            log.exception("Socket Mode: looking after the connection stumbled, and goes on")


class _Honest:
    """A socket that says when it has ended. slack_sdk takes that for a pause, and asks again at once, for 25 s."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._hung_up = False

    def recv(self, size: int) -> bytes:
        received = bytes(self._sock.recv(size))
        if not received:
            if self._hung_up:
                raise OSError(errno.EBADF, "hung up")  # which slack_sdk takes for what it is
            raise ConnectionResetError("the other side has closed the connection")
        return received

    def hang_up(self) -> None:
        """Whoever waits for more to come is told at once that nothing will."""
        self._hung_up = True
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RD)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _make_honest(session: Connection) -> None:
    """And quick to end: to close a connection, slack_sdk waits until it is no longer read from, for 3 s. A new one that
    takes its place is not read from before, so that what Slack sends meanwhile would come too late."""
    with session.sock_send_lock:
        if session.sock is None:
            return
        sock = _Honest(session.sock)
        session.sock = sock  # type: ignore[assignment] # it is used like one

    def close() -> None:
        sock.hang_up()
        session.disconnect()

    session.close = close  # type: ignore[method-assign] # of this one alone


def _refusal(error: str) -> str:
    if error in TOKEN_REFUSED:
        return f"Slack answers {error}. Set SLACK_APP_TOKEN to an app-level token (xapp-…) of an installed app"
    if error == LINK_DISABLED:
        return "Socket Mode is switched off. Switch it on in the app's settings"
    return f"Slack answers {error}"

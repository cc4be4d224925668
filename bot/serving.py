"""An HTTP server of our own at one address, for whoever comes: slow, rude, or far too many.

waitress reads requests in one thread and answers them in others. What it leaves open is bounded here: how long a
request may take to arrive, and how much of it is kept.
"""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import create_server, wasyncore

from bot.config import ConfigProblem

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MOST_BODY_BYTES = 1024 * 1024  # more than Slack lets a message or a form hold
MOST_HEADER_BYTES = 32 * 1024
MOST_CONNECTIONS = 200  # so that what is not yet known to be Slack's takes 200 MB at the very most
ARRIVAL_SECONDS = 15.0  # from a request's first byte to its last; Slack gives up after 3
IDLE_SECONDS = 60  # longer than load balancers' own pause between two requests would cost a new connection each
LOOK_SECONDS = 1
END_SECONDS = 2.0  # for answers that are being written


class Serving:
    """`application` at `listen`, once it is opened. Nothing of a request is written to disk, and no header that a proxy
    might have set is believed."""

    def __init__(
        self,
        setting: str,
        listen: str,
        application: Application,
        threads: int,
        *,
        arrival_seconds: float = ARRIVAL_SECONDS,
    ) -> None:
        """`setting`: what to change where the address cannot be used, as "[slack] listen". Raises ConfigProblem."""
        self._arrival_seconds = arrival_seconds
        host, _, port = listen.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            bound = socket.create_server((host.strip("[]"), int(port)), family=family)
        except OSError as problem:
            raise ConfigProblem(
                f"lamplighter.toml: {setting}: {listen} cannot be used ({problem.strerror}). "
                "Choose another port, or an address of this machine."
            ) from problem
        self.port = int(bound.getsockname()[1])
        self._map: dict[int, Any] = {}
        self._server = create_server(
            application,
            map=self._map,
            sockets=[bound],
            threads=threads,
            ident=None,  # who serves here is nobody's business
            max_request_body_size=MOST_BODY_BYTES,
            max_request_header_size=MOST_HEADER_BYTES,
            inbuf_overflow=MOST_BODY_BYTES + 1,  # never into a file: the root file system may be read-only
            outbuf_overflow=64 * 1024 * 1024,
            connection_limit=MOST_CONNECTIONS,
            channel_timeout=IDLE_SECONDS,
            cleanup_interval=LOOK_SECONDS,
            asyncore_use_poll=True,  # select() takes no more than 1,024 open files
            log_socket_errors=False,
            clear_untrusted_proxy_headers=True,
        )
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"http:{self.port}", daemon=True)

    def open(self) -> None:
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """What is being answered is answered; nothing new comes in."""
        self._closing.set()
        self._server.pull_trigger()
        if self._thread.ident is not None:
            self._thread.join(END_SECONDS + 2 * LOOK_SECONDS)
        else:
            wasyncore.close_all(self._map, ignore_all=True)
        self._server.task_dispatcher.shutdown(timeout=END_SECONDS)

    def _run(self) -> None:
        arriving: dict[Any, tuple[Any, float]] = {}
        while not self._closing.is_set():
            wasyncore.loop(timeout=LOOK_SECONDS, use_poll=True, map=self._map, count=1)
            arriving = self._hurry(arriving)
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline and any(_answering(one) for one in self._channels()):
            wasyncore.loop(timeout=0.05, use_poll=True, map=self._map, count=1)
        wasyncore.close_all(self._map, ignore_all=True)

    def _hurry(self, before: dict[Any, tuple[Any, float]]) -> dict[Any, tuple[Any, float]]:
        """End what takes too long to arrive: waitress would wait as long as a byte comes now and then."""
        now = time.monotonic()
        arriving: dict[Any, tuple[Any, float]] = {}
        for channel in self._channels():
            request = channel.request
            if request is None:
                continue
            known, since = before.get(channel, (None, now))
            arriving[channel] = (request, since if known is request else now)
            if now - arriving[channel][1] > self._arrival_seconds:
                channel.will_close = True
        return arriving

    def _channels(self) -> list[Any]:
        return list(self._server.active_channels.values())


def _answering(channel: Any) -> bool:
    return bool(channel.requests or channel.total_outbufs_len)


def answer(
    start_response: Callable[..., Any], status: str, text: str = "", *, kind: str = "text/plain", **headers: str
) -> list[bytes]:
    """A short answer that nobody keeps. `headers`: more of them, with _ for -."""
    more = [(name.replace("_", "-"), value) for name, value in headers.items()]
    body = text.encode()
    start_response(
        status,
        [
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *more,
        ],
    )
    return [body]

"""Requests over libcurl: one pool of connections for everything, driven by asyncio. Knows HTTP, and nothing of AWS.

libcurl keeps connections, TLS sessions and the parsed CA bundle for all requests, and does in C what an HTTP client in
Python does in half of an audit's CPU time.
"""

import asyncio
from collections.abc import Mapping
from io import BytesIO
from types import TracebackType
from typing import Any, NamedTuple, Self

import pycurl

_NOT_ITS_OWN = ["Accept:", "Expect:"]  # headers that libcurl would add by itself
_READ, _WRITE = pycurl.POLL_IN, pycurl.POLL_OUT
_BUFFER = 256 * 1024  # bytes; a page of 50 functions comes in one or two pieces


class Sent(NamedTuple):
    """A request, ready to go."""

    method: str  # "GET" or "POST"
    url: str
    headers: Mapping[str, str]
    body: bytes
    proxy: str | None
    seconds: float  # for all of it
    connect_seconds: float


class Received(NamedTuple):
    """An answer: HTTP status, body, and the head as it came; a proxy's own head may stand before it."""

    status: int
    body: bytes
    head: bytes

    def header(self, name: str) -> str:
        """A header's value; empty where it was not sent."""
        wanted = name.lower()
        for line in self.head.decode("latin-1").rpartition("HTTP/")[2].split("\r\n"):
            key, _, value = line.partition(":")
            if key.lower() == wanted:
                return value.strip()
        return ""


class NoAnswer(Exception):
    """Nothing came, or not all of it. `str()` says why, in libcurl's words."""

    def __init__(self, why: str, *, cut_short: bool) -> None:
        super().__init__(why)
        self.cut_short = cut_short  # an answer had begun


class Transport:
    """At most `connections` at once; use it as an async context manager, in the loop that sends."""

    def __init__(self, *, connections: int) -> None:
        self._limit = connections
        self._idle: list[pycurl.Curl] = []
        self._waiting: dict[pycurl.Curl, asyncio.Future[None]] = {}
        self._watched: dict[int, int] = {}  # file descriptor -> POLL_IN, POLL_OUT or both
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self.ca_bundle: str | None = None  # a file of certificates in PEM

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._limit)
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, self._limit)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        for handle in self._waiting:
            self._multi.remove_handle(handle)
        self._waiting.clear()
        self._multi.close()
        for watched in list(self._watched):
            self._unwatch(watched)
        self._cancel_timer()

    async def send(self, request: Sent) -> Received:
        """The answer, whatever its status. Raises NoAnswer."""
        if self._closed:  # by what ended the audit, while others still went on
            raise NoAnswer("the connections are closed", cut_short=False)
        handle = self._idle.pop() if self._idle else pycurl.Curl()
        body, head = BytesIO(), BytesIO()
        self._prepare(handle, request, body, head)
        done = self._waiting[handle] = self._loop.create_future()
        self._multi.add_handle(handle)
        self._act(pycurl.SOCKET_TIMEOUT, 0)  # out with it, without a turn of the loop
        try:
            await done
            return Received(handle.getinfo(pycurl.RESPONSE_CODE), body.getvalue(), head.getvalue())
        finally:
            if self._waiting.pop(handle, None) is not None:
                self._multi.remove_handle(handle)
            handle.reset()
            self._idle.append(handle)

    def _prepare(self, handle: pycurl.Curl, request: Sent, body: BytesIO, head: BytesIO) -> None:
        set_ = handle.setopt
        set_(pycurl.URL, request.url)
        set_(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in request.headers.items()] + _NOT_ITS_OWN)
        if request.method == "POST":
            set_(pycurl.POST, 1)
            set_(pycurl.POSTFIELDS, request.body)
        set_(pycurl.WRITEDATA, body)
        set_(pycurl.HEADERFUNCTION, head.write)
        set_(pycurl.TIMEOUT_MS, max(1, int(request.seconds * 1000)))
        set_(pycurl.CONNECTTIMEOUT_MS, max(1, int(request.connect_seconds * 1000)))
        set_(pycurl.PROXY, request.proxy or "")  # an empty text keeps libcurl from looking for one by itself
        set_(pycurl.PATH_AS_IS, 1)  # the path was signed as it is
        set_(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
        set_(pycurl.BUFFERSIZE, _BUFFER)
        set_(pycurl.NOSIGNAL, 1)
        if self.ca_bundle:
            set_(pycurl.CAINFO, self.ca_bundle)

    # ---- what libcurl wants to be told, and when

    def _watch(self, event: int, descriptor: int, _multi: Any, _data: Any) -> None:
        if event == pycurl.POLL_REMOVE:
            self._unwatch(descriptor)
            return
        before = self._watched.get(descriptor, 0)
        self._watched[descriptor] = event
        if event & _READ and not before & _READ:
            self._loop.add_reader(descriptor, self._act, descriptor, pycurl.CSELECT_IN)
        elif before & _READ and not event & _READ:
            self._loop.remove_reader(descriptor)
        if event & _WRITE and not before & _WRITE:
            self._loop.add_writer(descriptor, self._act, descriptor, pycurl.CSELECT_OUT)
        elif before & _WRITE and not event & _WRITE:
            self._loop.remove_writer(descriptor)

    def _unwatch(self, descriptor: int) -> None:
        before = self._watched.pop(descriptor, 0)
        if before & _READ:
            self._loop.remove_reader(descriptor)
        if before & _WRITE:
            self._loop.remove_writer(descriptor)

    def _set_timer(self, milliseconds: int) -> None:
        self._cancel_timer()
        if milliseconds >= 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _act(self, descriptor: int, what: int) -> None:
        """Let libcurl do what it can now, and wake those whose answers are there."""
        self._multi.socket_action(descriptor, what)
        more = 1
        while more:
            more, finished, failed = self._multi.info_read()
            for handle in finished:
                self._wake(handle, None)
            for handle, code, message in failed:
                self._wake(
                    handle, NoAnswer(message or f"libcurl error {code}", cut_short=code == pycurl.E_PARTIAL_FILE)
                )

    def _wake(self, handle: pycurl.Curl, problem: NoAnswer | None) -> None:
        self._multi.remove_handle(handle)
        done = self._waiting.pop(handle)
        if done.done():  # whoever asked was cancelled
            return
        if problem:
            done.set_exception(problem)
        else:
            done.set_result(None)

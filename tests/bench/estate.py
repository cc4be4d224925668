"""A pretend AWS on loopback: answers that cost next to nothing, given after a set latency, and counted.

It runs as a process of its own, so that what is measured beside it is the client:
`python -m tests.bench.estate 100x5x20x10@50` prints its port.
"""

import asyncio
import re
import sys
from collections import Counter

import orjson

from tests.bench.answers import Answer, Answers, Request
from tests.bench.world import World

COUNTS = "/counts"
_CREDENTIAL = re.compile(rb"Credential=(?:AKIA|ASIA)(\d{12})\w*/\d+/([\w-]+)/([\w-]+)/")
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_TARGET = re.compile(rb"(?i)\r\nx-amz-target: *([\w.]+)")
_REASONS = {200: "OK", 403: "Forbidden"}


class Counts:
    """What reached AWS since it was last asked."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.connections = 0

    def add(self, answer: Answer) -> None:
        self.calls[answer.action] += 1
        self.refused[answer.action] += answer.status == 403

    def take(self) -> bytes:
        told = {"calls": self.calls, "refused": +self.refused, "connections": self.connections}
        said = orjson.dumps(told)
        self.calls.clear()
        self.refused.clear()
        self.connections = 0
        return said


class Connection(asyncio.Protocol):
    """One client's connection; requests come one after another."""

    def __init__(self, answers: Answers, counts: Counts, seconds: float) -> None:
        self._answers, self._counts, self._seconds = answers, counts, seconds
        self._buffer = b""
        self._counted = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if not end or len(rest) < length:
            return
        self._buffer = rest[length:]
        self._answer(head, rest[:length])

    def _answer(self, head: bytes, body: bytes) -> None:
        request = _request(head, body)
        if request is None:
            self._write(_http(Answer("", 200, "application/json", self._counts.take())))
            return
        if not self._counted:
            self._counted = True
            self._counts.connections += 1
        answer = self._answers.of(request)
        self._counts.add(answer)
        asyncio.get_running_loop().call_later(self._seconds, self._write, _http(answer))

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)


def _request(head: bytes, body: bytes) -> Request | None:
    """None for what is not signed: that is the one who measures, and asks for the counts."""
    who = _CREDENTIAL.search(head)
    if who is None:
        return None
    account, region, service = (part.decode() for part in who.groups())
    method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
    target = _TARGET.search(head)
    return Request(account, region, service, method, path, target[1].decode() if target else "", body)


def _http(answer: Answer) -> bytes:
    lines = f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\nContent-Type: {answer.kind}\r\n"
    return f"{lines}Content-Length: {len(answer.body)}\r\nx-amzn-RequestId: pretend\r\n\r\n".encode() + answer.body


async def serve(world: World) -> None:
    answers, counts = Answers(world), Counts()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(answers, counts, world.latency / 1000), "127.0.0.1", 0, backlog=1024
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(World.read(sys.argv[1])))

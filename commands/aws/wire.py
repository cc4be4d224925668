"""How a read of the audit reaches AWS: signed, sent over one pool, tried again, and counted.

What is read is in `reads`. A boto3 client does the same in several times the CPU and opens TLS connections of its own;
an audit sends thousands of calls and nothing but reads, so it goes without.
"""

import asyncio
import itertools
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import orjson

from commands.aws import errors
from commands.aws.calls import Call, signed
from commands.aws.endpoints import Endpoints
from commands.aws.keys import Identity, Keys
from commands.aws.pace import Paces
from commands.aws.transport import NoAnswer, Received, Sent, Transport

T = TypeVar("T")

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_PASSING = frozenset({"RequestTimeout", "RequestTimeoutException", "InternalError", "InternalFailure"})
_ALWAYS = {"User-Agent": "lamplighter"}
# What `read` may raise for a body that is not what AWS documents.
STRANGE = (ValueError, KeyError, TypeError, AttributeError, SyntaxError)


@dataclass(frozen=True, slots=True)
class Retries:
    """How long a call is tried. Waits are in seconds, doubled each time and jittered."""

    deadline: float = 60.0  # for all attempts of one call
    attempt: float = 25.0  # for one attempt
    connect: float = 5.0
    first_wait: float = 0.15
    longest_wait: float = 8.0
    throttled: int = 12
    refused: int = 5  # AWS answers 5xx
    unreachable: int = 4
    bad_answer: int = 3

    def attempts(self, problem: errors.AwsProblem) -> int:
        if isinstance(problem, errors.Throttled):
            return self.throttled
        if isinstance(problem, errors.Unreachable):
            return self.unreachable
        if isinstance(problem, errors.BadAnswer):
            return self.bad_answer
        return self.refused if problem.status >= 500 or problem.code in _PASSING else 1

    def wait(self, attempt: int) -> float:
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries; guards nothing
        return jitter * min(self.longest_wait, self.first_wait * 2.0**attempt)


class Wire:
    """One pool of connections, one TLS context and one count for every account; use it as an async context manager."""

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        paces: Paces,
        in_flight: int = 256,
        retries: Retries | None = None,
    ) -> None:
        self.calls = 0  # requests that were sent, each attempt counted
        self._endpoints = endpoints
        self._paces = paces
        self._in_flight = in_flight
        self._retries = retries or Retries()
        self._transport = Transport(connections=in_flight)

    async def __aenter__(self) -> Self:
        self._gate = asyncio.Semaphore(self._in_flight)
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def ask(self, who: Identity, call: Call, read: Callable[[bytes], T]) -> T:
        """Send `call` until AWS answers it, or its retries end; `read` makes the answer's body into what is returned.

        Raises AwsProblem. For a body that is cut or strange, `read` raises ValueError, KeyError,
        TypeError, AttributeError or SyntaxError (ElementTree's ParseError is one).
        """
        loop = asyncio.get_running_loop()
        give_up_at = 0.0
        renewed = False
        for attempt in itertools.count(1):
            if call.service == "lambda" and (turn := self._paces.turn(who.account, call.region)):
                await asyncio.sleep(turn)
            keys = await who.keys()  # before the gate: to renew them is a call, which must find the gate open
            async with self._gate:
                give_up_at = give_up_at or loop.time() + self._retries.deadline
                after, said = await self._send(keys, call, who.account, give_up_at - loop.time())
            if isinstance(said, bytes):
                try:
                    return read(said)
                except STRANGE as error:
                    why = f"AWS's answer could not be read ({_named(error)})"
                    said = errors.BadAnswer("BadAnswer", why, **call.where(who.account))
            if said.code in _EXPIRED and not renewed:
                renewed = True
                await who.keys(refused=keys)
                continue
            wait = max(after, self._retries.wait(attempt))
            if attempt >= self._retries.attempts(said) or loop.time() + wait > give_up_at:
                raise said
            await asyncio.sleep(wait)
        raise AssertionError  # itertools.count never ends

    async def touch(self, service: str, region: str, seconds: float) -> Received:
        """Whatever a service answers to somebody whom it does not know: it is there, and its head tells its time.

        Raises AwsProblem where nothing comes.
        """
        endpoint = self._endpoints.find(service, region)
        if endpoint.tls and self._transport.ca_bundle is None:
            self._transport.ca_bundle = self._endpoints.ca_bundle()
        request = Sent("GET", f"{endpoint.url}/", _ALWAYS, b"", endpoint.proxy, seconds, seconds)
        try:
            return await self._transport.send(request)
        except NoAnswer as error:
            where: errors.Where = {"service": service, "region": region}
            raise errors.Unreachable("NoAnswer", f"no answer from {endpoint.url} ({error})", **where) from error

    async def _send(
        self, keys: Keys, call: Call, account: str, seconds: float
    ) -> tuple[float, "bytes | errors.AwsProblem"]:
        """One attempt: how many seconds AWS asks us to wait, and the body or what went wrong."""
        endpoint = self._endpoints.find(call.service, call.region)
        if endpoint.tls and self._transport.ca_bundle is None:
            self._transport.ca_bundle = self._endpoints.ca_bundle()
        where = call.where(account)
        self.calls += 1
        seconds = max(0.1, min(seconds, self._retries.attempt))
        request = Sent(
            call.method,
            endpoint.url + call.path,
            _ALWAYS | signed(keys, endpoint, call),
            call.body,
            endpoint.proxy,
            seconds,
            self._retries.connect,
        )
        try:
            answer = await self._transport.send(request)
        except NoAnswer as error:
            if error.cut_short:
                return 0.0, errors.BadAnswer("BadAnswer", f"AWS's answer was cut short ({error})", **where)
            return 0.0, errors.Unreachable("NoAnswer", f"no answer from {endpoint.url} ({error})", **where)
        if 200 <= answer.status < 300:
            return 0.0, answer.body
        return _refusal(answer, where)


def _refusal(answer: Received, where: errors.Where) -> tuple[float, errors.AwsProblem]:
    """What AWS said instead of an answer, and how many seconds it asks us to wait."""
    code, message = _error_in(answer)
    where["request_id"] = answer.header("x-amzn-RequestId")
    problem = errors.problem(code or f"HTTP {answer.status}", message, status=answer.status, **where)
    return _seconds(answer.header("Retry-After")), problem


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _seconds(text: str) -> float:
    return min(float(text), 30.0) if text.isdigit() else 0.0


def _error_in(answer: Received) -> tuple[str, str]:
    """AWS's code and message, from JSON, XML or neither (a proxy's HTML page)."""
    body, code = answer.body, answer.header("x-amzn-ErrorType")
    message = ""
    if body.lstrip()[:1] == b"{":
        try:
            said = orjson.loads(body)
            code = code or str(said.get("__type") or said.get("code") or said.get("Code") or "")
            message = str(said.get("message") or said.get("Message") or "")
        except ValueError:
            message = ""
    else:
        found = re.search(rb"<Code>([^<]*)</Code>", body)
        code = found[1].decode(errors="replace") if found else code
        found = re.search(rb"<Message>([^<]*)</Message>", body)
        message = found[1].decode(errors="replace") if found else ""
    return code.split(":")[0].rpartition("#")[2], message

"""How boto3 is asked: botocore's errors become RefusedError, and what passes by itself is waited out."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_TRANSIENT = frozenset(
    "ResourceConflictException TooManyRequestsException Throttling ThrottlingException RequestLimitExceeded"
    " ServiceException ServiceFailure ConcurrentModification"
    " EndpointConnectionError ConnectTimeoutError ReadTimeoutError ConnectionClosedError HTTPClientError".split()
)
_LONGEST_MESSAGE = 400  # AWS appends encoded authorization messages of several kilobytes
_T = TypeVar("_T")


class RefusedError(Exception):
    """AWS said no, or did not answer."""

    def __init__(self, code: str, message: str, request_id: str = "", status: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code  # AWS's, or the name of botocore's error where AWS was not reached
        self.message = message[:_LONGEST_MESSAGE]
        self.request_id = request_id
        self.status = status  # HTTP; 0 where there was no answer

    @property
    def denied(self) -> bool:
        return self.code in _DENIED

    @property
    def transient(self) -> bool:
        """Throttled, busy with another change, or out of reach: the same call may succeed in a moment."""
        return self.code in _TRANSIENT or self.status == 429 or self.status >= 500

    def sentence(self, permission: str, whose: str) -> str:
        """What a person can do about it. `permission` is what the call needed, `whose` credentials it was made with."""
        if self.denied:
            return f"The credentials for {whose} lack {permission} ({self.code}). Allow it, then approve again."
        if self.code.startswith("ExpiredToken"):
            return f"The credentials for {whose} ran out ({self.code}). Approve again."
        if self.code == "NoSuchEntity":
            return f"IAM does not have it: {self.message} Give the function a role that exists, then approve again."
        if self.transient:
            return f"AWS is too busy or does not answer ({self.code}). Approve again in a few minutes."
        return f"AWS could not be asked or refused ({self.code}): {self.message}"


def ask(call: Callable[[], _T]) -> _T:
    """The answer of a call to AWS; raises RefusedError instead of anything of botocore's."""
    from botocore.exceptions import BotoCoreError, ClientError  # slow to import, and few need it

    try:
        return call()
    except ClientError as error:
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        code, message = told.get("Code", "Unknown"), told.get("Message", "")
        raise RefusedError(code, message, meta.get("RequestId", ""), meta.get("HTTPStatusCode", 0)) from error
    except BotoCoreError as error:
        raise RefusedError(type(error).__name__, str(error)) from error


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Patience:
    """How waiting is done; tests bring a clock of their own."""

    clock: Callable[[], float] = time.monotonic  # seconds
    wait: Callable[[float], None] = pause

    def pauses(self, seconds: float) -> Iterator[None]:
        """Waits 1, 2, 4, 8, 8, … seconds before each item, until `seconds` have gone since the first was asked for."""
        end, length = self.clock() + seconds, 1.0
        while (left := end - self.clock()) > 0:
            self.wait(min(length, left))
            yield
            length = min(2 * length, 8.0)

    def ask(self, call: Callable[[], _T], seconds: float) -> _T:
        """As `ask`, again and again for `seconds` while the refusal is a transient one."""
        pauses = self.pauses(seconds)
        while True:
            try:
                return ask(call)
            except RefusedError as refusal:
                if not refusal.transient or not another(pauses):
                    raise


def another(items: Iterator[object]) -> bool:
    """Takes one item; whether there was one."""
    return next(items, another) is not another

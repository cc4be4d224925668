"""What AWS refused or failed to say, in words that a person can act on. Nothing here asks AWS anything."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

NO_CREDENTIALS = "No AWS credentials: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run where a role is attached"
_LONGEST_MESSAGE = 400  # AWS appends encoded authorization messages of several kilobytes
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")

_DENIED = frozenset(
    "AccessDenied AccessDeniedException UnauthorizedOperation UnauthorizedException NotAuthorized Forbidden".split()
)
_NOT_ACCEPTED = frozenset(
    """
    AuthFailure UnrecognizedClientException InvalidClientTokenId InvalidAccessKeyId InvalidSignatureException
    SignatureDoesNotMatch MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignature
    OptInRequired RegionDisabledException ExpiredToken ExpiredTokenException RequestExpired
    """.split()
)
_THROTTLED = frozenset(
    """
    Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException SlowDown
    TooManyRequestsException RequestLimitExceeded BandwidthLimitExceeded LimitExceededException PriorRequestNotComplete
    """.split()
)
_BUSY = frozenset({"ResourceConflictException", "ConcurrentModification"})  # with another change of the same thing
_LATE = frozenset({"RequestTimeout", "RequestTimeoutException"})  # AWS waited for the rest of the request in vain
_GONE = frozenset({"ResourceNotFoundException", "NoSuchEntity", "NoSuchEntityException", "NotFoundException"})


class Where(TypedDict, total=False):
    """Which call, as far as it is known."""

    account: str
    region: str
    service: str
    action: str
    request_id: str


class AwsProblem(Exception):
    """AWS said no, or nothing that can be used. `str()` is one sentence for a person."""

    def __init__(
        self, code: str, message: str, *, own_words: bool = False, status: int = 0, **where: Unpack[Where]
    ) -> None:
        self.code = code  # AWS's, or the name of botocore's error where AWS was not reached
        self.status = status  # HTTP; 0 where there was no answer
        self.message = clean(message)
        self.own_words = own_words  # the message is a sentence of ours, and AWS knows no such code
        self.request_id = where.get("request_id", "")
        self.account, self.region = where.get("account", ""), where.get("region", "")
        self.service, self.action = where.get("service", ""), where.get("action", "")
        super().__init__(code, self.message)

    @property
    def transient(self) -> bool:
        """Throttled, busy with another change, out of reach or cut short: the same call may succeed in a moment."""
        return isinstance(self, Throttled | Unreachable | BadAnswer) or self.code in _BUSY | _LATE or self.status >= 500

    @property
    def where(self) -> str:
        """`lambda:ListFunctions in account 111111111111, us-east-1`, as far as each part is known."""
        asked = ":".join(part for part in (self.service, self.action) if part)
        place = ", ".join(part for part in (f"account {self.account}" if self.account else "", self.region) if part)
        return " in ".join(part for part in (asked, place) if part)

    def __str__(self) -> str:
        bare = self.own_words or self.code in self.message
        said = self.message if bare else f"{self.code}: {self.message}".removesuffix(": ")
        return f"{self.where}: {said}" if self.where else said


class Denied(AwsProblem):
    """The credentials may not do this, or AWS does not accept them."""


class NotAccepted(Denied):
    """AWS does not take the credentials at all: there are none, it does not know them, or they have run out."""


class Throttled(AwsProblem):
    """AWS asked us to slow down for longer than we were willing to wait."""


class Gone(AwsProblem):
    """What was asked for does not exist, or exists no longer."""


class Unreachable(AwsProblem):
    """No connection, or no answer in time."""


class BadAnswer(AwsProblem):
    """An answer came that is not what AWS documents: cut short, not JSON, or without the field we asked for."""


def clean(text: str) -> str:
    """One line, no e-mail address (session names often are one), and not longer than a person reads."""
    line = _EMAIL.sub("(an e-mail address)", " ".join(text.split()))
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"


def is_throttle(code: str, status: int = 0) -> bool:
    return status == 429 or code in _THROTTLED or code.startswith("Throttl")


def problem(code: str, message: str, *, status: int = 0, **where: Unpack[Where]) -> AwsProblem:
    """The problem that fits AWS's error code, or its HTTP status where the code says nothing."""
    kind = AwsProblem
    if is_throttle(code, status):
        kind = Throttled
    elif code in _NOT_ACCEPTED:
        kind = NotAccepted
    elif code in _DENIED or status in (401, 403):
        kind = Denied
    elif code in _GONE or status == 404:
        kind = Gone
    return kind(code, message, status=status, **where)


def from_client_error(error: "ClientError", **where: Unpack[Where]) -> AwsProblem:
    """Our problem for a botocore ClientError; `action` is taken from the error where it is not given."""
    answer: Mapping[str, Any] = error.response
    said: Mapping[str, Any] = answer.get("Error", {})
    meta: Mapping[str, Any] = answer.get("ResponseMetadata", {})
    place: Where = {"action": error.operation_name, "request_id": str(meta.get("RequestId", "")), **where}
    status = int(meta.get("HTTPStatusCode", 0) or 0)
    return problem(str(said.get("Code", "") or "Unknown"), str(said.get("Message", "")), status=status, **place)


def from_botocore(error: "BotoCoreError", **where: Unpack[Where]) -> AwsProblem:
    """Our problem for what botocore raises by itself: no credentials, no connection, an unreadable answer."""
    from botocore import exceptions as theirs
    from botocore.parsers import ResponseParserError

    if isinstance(error, theirs.NoCredentialsError):
        return NotAccepted("NoCredentials", NO_CREDENTIALS, own_words=True)
    if isinstance(error, theirs.HTTPClientError | theirs.EndpointConnectionError | theirs.ConnectTimeoutError):
        return Unreachable(type(error).__name__, str(error), **where)
    if isinstance(error, ResponseParserError | theirs.IncompleteReadError):
        return BadAnswer(type(error).__name__, str(error), **where)
    return AwsProblem(type(error).__name__, str(error), **where)


@contextmanager
def our_errors(**where: Unpack[Where]) -> Iterator[None]:
    """Turn what boto3 raises inside the block into an AwsProblem that says where it happened."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise from_client_error(error, **where) from error
    except BotoCoreError as error:
        raise from_botocore(error, **where) from error

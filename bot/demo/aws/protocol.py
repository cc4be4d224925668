"""One HTTP request as the AWS call that it is, and answers in the words of its protocol. Knows no service."""

import io
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.exceptions import UnknownServiceError
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.serialize import BaseJSONSerializer, ResponseSerializer, get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import HTTPException

# Where the name in a signature is not the name of the boto3 client.
_CLIENT_NAMES = {"tagging": "resourcegroupstaggingapi", "monitoring": "cloudwatch"}

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass(frozen=True, slots=True)
class Call:
    """One API call that arrived, whatever came of it. `service` is boto3's client name, `action` the operation's."""

    account: str
    region: str
    service: str
    action: str
    time: datetime
    caller: str = ""  # ARN


@dataclass(slots=True)
class Request:
    """A call with what is needed to answer it."""

    service: str
    action: str
    region: str
    access_key: str
    protocol: str
    environ: Environ
    account: str = ""
    _params: dict[str, Any] | None = field(default=None, repr=False)

    @property
    def params(self) -> dict[str, Any]:
        """The operation's input by the names that boto3 gives it."""
        if self._params is None:
            self._params = self._parse()
        return self._params

    def _parse(self) -> dict[str, Any]:
        request = MotoRequest(self.environ)
        model = get_service_model(self.service)
        _, in_path = get_service_router(self.service).match(request)
        parser = PROTOCOL_PARSERS[self.protocol](model.operation_model(self.action), map_type=dict)
        values: Any = {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": in_path,
        }
        parsed: dict[str, Any] = parser.parse(values)
        self.environ["wsgi.input"].seek(0)
        return parsed


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back over HTTP."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        headers = {"Content-Length": str(len(self.body)), "x-amzn-RequestId": str(uuid.uuid4()), **self.headers}
        start_response(f"{self.status} AWS", list(headers.items()))
        return [self.body]


class AwsError(Exception):
    """An error as AWS answers it: `more` are the members that some errors carry beside their message."""

    def __init__(self, code: str, message: str, status: int = 400, **more: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.more = code, message, status, more


Handler = Callable[[Request], Mapping[str, Any] | Answer | None]  # None: moto's own answer will do


def read(environ: Environ) -> Request | None:
    """The call in this request; None where it is not a signed call that botocore knows.

    The body is kept in memory and put back, so that moto can read it again.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    try:
        scope = environ.get("HTTP_AUTHORIZATION", "").split("Credential=")[1].split(",")[0]
        access_key, _, region, signed, _ = scope.strip().split("/")
    except (IndexError, ValueError):
        return None
    service = _CLIENT_NAMES.get(signed, signed)
    protocol = _protocol(service)
    if protocol is None:
        return None
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        action = target.rpartition(".")[2]
        protocol = "json"
    elif protocol in ("query", "ec2", "json"):
        form = parse_qs(body.decode("utf-8", "replace")) or parse_qs(environ.get("QUERY_STRING", ""))
        action = form.get("Action", [""])[0]
        protocol = "ec2" if service == "ec2" else "query"
    else:
        action = _routed(service, environ)
    return Request(service, action, region, access_key, protocol, environ) if action else None


def success(request: Request, result: Mapping[str, Any]) -> Answer:
    """`result` in the request's protocol, shaped by botocore's model of the operation."""
    operation = get_service_model(request.service).operation_model(request.action)
    done = _serializer(request.service, request.protocol)(operation).serialize(result)
    body = done["body"]
    return Answer(int(done["status_code"]), body.encode() if isinstance(body, str) else body, dict(done["headers"]))


def as_json(result: Mapping[str, Any], status: int = 200) -> Answer:
    """A JSON answer as it stands; unlike `success` it keeps members that are null, as Lambda's answers do."""
    return Answer(status, json.dumps(result).encode(), {"Content-Type": "application/json"})


def failure(request: Request, error: AwsError) -> Answer:
    """`error` in the request's protocol."""
    if request.protocol.endswith("json"):
        body = {"__type": error.code, "Type": "User", "message": error.message, "Message": error.message, **error.more}
        kind = "application/json" if request.protocol == "rest-json" else "application/x-amz-json-1.1"
        return Answer(error.status, json.dumps(body).encode(), {"Content-Type": kind, "x-amzn-ErrorType": error.code})
    code, message, identity = escape(error.code), escape(error.message), uuid.uuid4()
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    if request.protocol == "ec2":
        xml = f"<Response><Errors>{inner}</Errors><RequestID>{identity}</RequestID></Response>"
    else:
        xml = f"<ErrorResponse>{inner}<RequestId>{identity}</RequestId></ErrorResponse>"
    return Answer(error.status, xml.encode(), {"Content-Type": "text/xml"})


def from_moto(problem: HTTPException | ServiceException) -> AwsError:
    """AWS's answer as one of moto's backends raised it, as an error of ours."""
    message = str(getattr(problem, "message", "") or problem)
    if isinstance(problem, HTTPException):
        return AwsError(str(getattr(problem, "error_type", problem.name)), message, problem.code or 400)
    return AwsError(problem.code, message, 404 if problem.code.startswith(("NoSuch", "ResourceNotFound")) else 400)


def _routed(service: str, environ: Environ) -> str:
    try:
        operation, _ = get_service_router(service).match(MotoRequest(environ))
    except (HTTPException, NotImplementedError):  # how werkzeug and moto say that no operation has this route
        return ""
    return str(operation.name)


@cache
def _serializer(service: str, protocol: str) -> type[ResponseSerializer]:
    """moto's, and for JSON the same with less to do: of metrics it is asked to write hundreds of thousands of times and
    numbers, for each of which it looks up again how such a thing is written."""
    known = get_serializer_class(service, protocol)
    if not issubclass(known, BaseJSONSerializer):
        return known

    class Quick(known):  # type: ignore[valid-type, misc]  # one of several classes
        def _serialize_type_list(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
            kind = shape.member
            if kind.type_name == "double" and all(type(one) is float for one in value):
                self._default_serialize(serialized, list(value), shape, key)
            elif kind.type_name == "timestamp" and not kind.serialization and all(map(_whole_in_utc, value)):
                self._default_serialize(serialized, [int(one.timestamp()) for one in value], shape, key)
            else:
                super()._serialize_type_list(serialized, value, shape, key)

    return Quick


def _whole_in_utc(moment: object) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is UTC and not moment.microsecond


@cache
def _protocol(service: str) -> str | None:
    try:
        return str(get_service_model(service).protocol)
    except UnknownServiceError:
        return None

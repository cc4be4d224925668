"""What CloudTrail tells of functions and of their roles, out of a message of the queue. Pure; no message is trusted.

The events: https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html. Their names carry the date of
the API and sometimes a version ("UpdateFunctionConfiguration20150331v2"), and AWS says that these may change.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

from storage.events import Happened, Noticed

_FROM_CLOUDTRAIL = "AWS API Call via CloudTrail"
_SUFFIX = re.compile(r"\d{8}(v\d+)?\Z")
# By the service and the name without its date. What only changes code or layers leaves tracing as it is.
_FUNCTIONS = {
    "CreateFunction": Happened.CREATED,
    "DeleteFunction": Happened.CHANGED,
    "UpdateFunctionConfiguration": Happened.CHANGED,
    "PublishVersion": Happened.CHANGED,
    "CreateAlias": Happened.CHANGED,
    "UpdateAlias": Happened.CHANGED,
    "TagResource": Happened.CHANGED,
    "UntagResource": Happened.CHANGED,
}
_ROLES = frozenset(
    """
    AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary
    DeleteRolePermissionsBoundary
    """.split()
)
_FUNCTION = re.compile(
    r"(?:arn:[a-z-]+:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?:\$LATEST(?:\.PUBLISHED)?|[A-Za-z0-9_-]{1,128}))?"
)
# What can be tagged beside functions.
_SOMETHING_ELSE = re.compile(r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:(?!function:)")
_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d", re.ASCII)
_EVENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class Unreadable(Exception):
    """A message that is not what the rule sends; the reason names what is wrong and repeats nothing of the message."""


def read(body: str) -> Noticed | None:
    """What happened; None for what is of no matter here: another API, or a call that AWS refused.

    `body` is an event as EventBridge gives it to the queue, or the same in a notification of SNS. Raises Unreadable.
    """
    event = _object(body, "the message")
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):
        event = _object(event["Message"], "the notification")
    if not isinstance(event.get("detail-type"), str):
        raise Unreadable("it is no event of EventBridge: it has no detail-type")
    if event["detail-type"] != _FROM_CLOUDTRAIL:
        return None
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise Unreadable("the event has no detail")
    name = _text(detail, "eventName")
    service = _text(detail, "eventSource").partition(".")[0]
    if detail.get("errorCode") or detail.get("errorMessage"):
        return None  # AWS refused that call, and nothing was changed
    api = _SUFFIX.sub("", name)
    if service == "lambda" and api in _FUNCTIONS:
        return _of_function(event, detail, _FUNCTIONS[api], body)
    if service == "iam" and api in _ROLES:
        role = _parameters(detail).get("roleName")
        if not isinstance(role, str) or not _ROLE_NAME.fullmatch(role):
            raise Unreadable("the event names no role")
        return Noticed(_event_id(event, detail, body), Happened.ROLE_CHANGED, _account(event, detail), "", role)
    return None


def _of_function(event: Mapping[str, Any], detail: Mapping[str, Any], happened: Happened, body: str) -> Noticed | None:
    asked = _parameters(detail)
    given = asked.get("functionName") or asked.get("resource")  # tags are set by ARN
    if isinstance(given, str) and _SOMETHING_ELSE.match(given):
        return None
    found = _FUNCTION.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise Unreadable("the event names no function")
    # In a call from another account, only the ARN says whose the function is.
    account, region = found["account"] or _account(event, detail), found["region"] or _region(event, detail)
    if not _REGION.fullmatch(region):
        raise Unreadable("the event names no region")
    return Noticed(_event_id(event, detail, body), happened, account, region, found["name"])


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        made = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise Unreadable(f"{what} is not JSON") from problem
    if not isinstance(made, dict):
        raise Unreadable(f"{what} is JSON, but no object")
    return made


def _text(detail: Mapping[str, Any], key: str) -> str:
    value = detail.get(key)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"the event has no {key}")
    return value


def _parameters(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = detail.get("requestParameters")
    return asked if isinstance(asked, dict) else {}


def _account(event: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    for value in (detail.get("recipientAccountId"), event.get("account")):
        if isinstance(value, str) and _ACCOUNT.fullmatch(value):
            return value
    raise Unreadable("the event names no account")


def _region(event: Mapping[str, Any], detail: Mapping[str, Any]) -> str:
    for value in (detail.get("awsRegion"), event.get("region")):
        if isinstance(value, str) and _REGION.fullmatch(value):
            return value
    raise Unreadable("the event names no region")


def _event_id(event: Mapping[str, Any], detail: Mapping[str, Any], body: str) -> str:
    """CloudTrail's, which stays the same however often and by however many rules the event is sent."""
    for value in (detail.get("eventID"), event.get("id")):
        if isinstance(value, str) and _EVENT_ID.fullmatch(value):
            return value
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()

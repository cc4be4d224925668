"""What CloudTrail and EventBridge make of a call that changed something: an event in a queue. moto makes none.

The shapes: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.demo.aws.protocol import Request
from bot.demo.aws.queues import Mailbox, Queues

# Lambda's calls as CloudTrail names them. It writes down no environment variables.
_LAMBDA = {
    "CreateFunction": "CreateFunction20150331",
    "DeleteFunction": "DeleteFunction20150331",
    "UpdateFunctionConfiguration": "UpdateFunctionConfiguration20150331v2",
    "UpdateFunctionCode": "UpdateFunctionCode20150331v2",
    "PublishVersion": "PublishVersion20150331",
    "CreateAlias": "CreateAlias20150331",
    "UpdateAlias": "UpdateAlias20150331",
    "TagResource": "TagResource20170331v2",
}
_IAM = frozenset(
    "AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary "
    "DeleteRolePermissionsBoundary".split()
)
_LEFT_OUT = frozenset({"Code", "ZipFile", "Environment", "PolicyDocument"})


@dataclass(frozen=True, slots=True)
class Change:
    """A call that was carried out and that changes a function or a role."""

    account: str
    action: str
    asked: Mapping[str, Any]  # as boto3 names it
    time: datetime
    caller: str  # ARN
    lost: bool = False  # the caller never had the answer


def changes(request: Request) -> bool:
    """Whether it is such a call."""
    return request.action in (_LAMBDA if request.service == "lambda" else _IAM if request.service == "iam" else ())


def event(
    account: str, region: str, service: str, api: str, asked: Mapping[str, Any], at: datetime, **more: Any
) -> dict[str, Any]:
    """An event as EventBridge hands it to a queue; `more` goes into its detail."""
    when = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": account,
        "time": when,
        "region": region,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "accountId": account,
                "arn": f"arn:aws:sts::{account}:assumed-role/deploy/ci",
            },
            "eventTime": when,
            "eventSource": f"{service}.amazonaws.com",
            "eventName": api,
            "awsRegion": region,
            "requestParameters": dict(asked),
            "eventID": str(uuid.uuid4()),
            "readOnly": False,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": account,
            "eventCategory": "Management",
            **more,
        },
    }


class Trail:
    """Writes down what changes functions and roles, once it is told where to."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self._box: Mailbox | None = None

    def goes_to(self, box: Mailbox | None) -> None:
        self._box = box

    def write(self, request: Request, at: datetime) -> None:
        """IAM's events are those of us-east-1, wherever it was called."""
        if self._box is None:
            return
        asked = {key[0].lower() + key[1:]: value for key, value in request.params.items() if key not in _LEFT_OUT}
        is_iam = request.service == "iam"
        api, region = (request.action, "us-east-1") if is_iam else (_LAMBDA[request.action], request.region)
        made = event(request.account, region, request.service, api, asked, at)
        self._queues.send(self._box, json.dumps(made, default=str))

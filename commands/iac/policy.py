"""Whether IAM policies in code let a role send traces: yes, no, or not to be told. Nothing is asked of AWS."""

import fnmatch
from collections.abc import Iterable

WRITE = "xray:PutTraceSegments"
POLICY = "AWSXRayDaemonWriteAccess"

# AWS managed policies with that action, and common ones without. Of any other, nothing is claimed.
GRANTING = frozenset(
    """AWSXRayDaemonWriteAccess AWSXrayWriteOnlyAccess AWSXrayFullAccess CloudWatchFullAccessV2
    CloudWatchAgentServerPolicy CloudWatchAgentAdminPolicy AdministratorAccess PowerUserAccess
    AWSElasticBeanstalkWebTier AWSElasticBeanstalkWorkerTier""".split()
)
WITHOUT = frozenset(
    """AWSLambdaBasicExecutionRole AWSLambdaVPCAccessExecutionRole AWSLambdaRole AWSLambdaExecute AWSLambda_FullAccess
    AWSLambda_ReadOnlyAccess CloudWatchLambdaInsightsExecutionRolePolicy AWSXrayReadOnlyAccess
    AWSLambdaSQSQueueExecutionRole AWSLambdaDynamoDBExecutionRole AWSLambdaKinesisExecutionRole
    AmazonS3ReadOnlyAccess AmazonS3FullAccess AmazonDynamoDBFullAccess AmazonDynamoDBReadOnlyAccess
    AmazonSQSFullAccess AmazonSNSFullAccess SecretsManagerReadWrite AmazonSSMReadOnlyAccess""".split()
)


class Unknown:
    """Stands in a document for what is computed."""


UNKNOWN = Unknown()


def managed(arn: object) -> bool | None:
    """By the name that its ARN ends in."""
    if not isinstance(arn, str):
        return None
    owner, _, name = arn.rpartition(":policy/")
    name = name.rpartition("/")[2]
    if not owner.endswith("iam::aws"):
        return None  # a policy of one's own may be called anything
    return True if name in GRANTING else False if name in WITHOUT else None


def allows(document: object) -> bool | None:
    """Of one policy document; None where that depends on something. A Deny leaves it open unless it is plain."""
    if not isinstance(document, dict) or "Statement" not in document:
        return None
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    verdicts = [_statement(one) for one in listed]
    denied = any(isinstance(one, dict) and one.get("Effect") == "Deny" for one in listed) and None in verdicts
    return None if denied else combined(verdicts)


def combined(verdicts: Iterable[bool | None]) -> bool | None:
    """Of several policies: what grants, grants."""
    seen = list(verdicts)
    return True if any(one is True for one in seen) else None if any(one is None for one in seen) else False


def _statement(statement: object) -> bool | None:
    if not isinstance(statement, dict) or not all(isinstance(key, str) for key in statement):
        return None
    effect = statement.get("Effect", UNKNOWN)
    covered = _covers(statement)
    if covered is False:
        return False
    if effect == "Allow" and covered and "Condition" not in statement:
        return True
    return None  # a Deny that names it, a condition, or something computed


def _covers(statement: dict[str, object]) -> bool | None:
    """Whether the statement speaks of the action, on `*`: it has no resource types."""
    action, resource = (_element(statement, name) for name in ("Action", "Resource"))
    if action is False or resource is False:
        return False
    return True if action and resource else None


def _element(statement: dict[str, object], name: str) -> bool | None:
    wanted = WRITE.lower() if name == "Action" else "*"
    if f"Not{name}" in statement:
        texts = _texts(statement[f"Not{name}"])
        return None if texts is None else not any(_matches(one, name, wanted) for one in texts)
    value = statement.get(name, UNKNOWN)
    items = value if isinstance(value, list) else [value]
    if any(isinstance(one, str) and _matches(one, name, wanted) for one in items):
        return True
    return None if any(not isinstance(one, str) for one in items) else False


def _matches(text: str, name: str, wanted: str) -> bool:
    if name == "Resource":
        return bool(text) and not text.strip("*")
    return fnmatch.fnmatchcase(wanted, text.lower().replace("[", "[[]"))


def _texts(value: object) -> list[str] | None:
    items = value if isinstance(value, list) else [value]
    texts = [one for one in items if isinstance(one, str)]
    return texts if len(texts) == len(items) else None

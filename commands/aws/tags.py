"""What a function's tags say: who owns it, and what deploys it. Pure."""

import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import NamedTuple

from commands.aws.shapes import team_of
from storage.models import Manager

_STACK, _STACK_ID, _LOGICAL_ID = (f"aws:cloudformation:{part}" for part in ("stack-name", "stack-id", "logical-id"))
# What the CDK makes of a construct's path: its words, and eight digits of a hash.
# https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html
_CDK_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{8}")


class TagFacts(NamedTuple):
    """What is kept of a function's tags."""

    team: str | None = None
    managed_by: Manager | None = None
    stack: str | None = None
    stack_id: str | None = None
    logical_id: str | None = None


UNTAGGED = TagFacts()


def tag_facts(tags: Mapping[str, str], team_keys: Sequence[str]) -> TagFacts:
    """AWS alone gives tags that begin with `aws:`, so without those of a stack nothing is said to manage a function.

    Which of the tools that work through CloudFormation it was, other marks tell: SAM by its own tags; the Serverless
    Framework and the CDK by how they name things, which is a guess (see `_manager`).
    """
    team, stack = team_of(tags, team_keys), tags.get(_STACK)
    if not stack:
        return TagFacts(team) if team else UNTAGGED
    stack_id, logical_id = tags.get(_STACK_ID, ""), tags.get(_LOGICAL_ID, "")
    manager = _manager(tags, stack, logical_id)
    return TagFacts(team, manager, intern(stack), intern(stack_id) or None, intern(logical_id) or None)


def _manager(tags: Mapping[str, str], stack: str, logical_id: str) -> Manager:
    """Sources: SAM's transform adds `lambda:createdBy`, the Serverless Application Repository its application's id; the
    Serverless Framework tags its stacks `STAGE`, calls them `service-stage` and its functions `…LambdaFunction`.
    """
    if tags.get("lambda:createdBy") == "SAM" or "serverlessrepo:applicationId" in tags:
        return Manager.SAM
    stage = tags.get("STAGE")
    if stage and (stack.endswith(f"-{stage}") or logical_id.endswith("LambdaFunction")):
        return Manager.SERVERLESS
    return Manager.CDK if _CDK_ID.fullmatch(logical_id) else Manager.CLOUDFORMATION

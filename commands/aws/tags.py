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
    production: bool | None = None  # None: no tag says what production is


UNTAGGED = TagFacts()
UNTAGGED_BESIDE_PRODUCTION = TagFacts(production=False)


def untagged(production: Sequence[str]) -> TagFacts:
    """What is known of a function without tags."""
    return UNTAGGED_BESIDE_PRODUCTION if production else UNTAGGED


def tag_facts(tags: Mapping[str, str], team_keys: Sequence[str], production: Sequence[str] = ()) -> TagFacts:
    """`production` are the tags by which production is known: "key", or "key=value".

    AWS alone gives tags that begin with `aws:`, so without those of a stack nothing is said to manage a function.

    Which of the tools that work through CloudFormation it was, other marks tell: SAM by its own tags; the Serverless
    Framework and the CDK by how they name things, which is a guess (see `_manager`).
    """
    team, stack = team_of(tags, team_keys), tags.get(_STACK)
    in_production = _any_tag(tags, production) if production else None
    if not stack:
        return TagFacts(team, production=in_production) if team or in_production else untagged(production)
    stack_id, logical_id = tags.get(_STACK_ID, ""), tags.get(_LOGICAL_ID, "")
    manager = _manager(tags, stack, logical_id)
    return TagFacts(team, manager, intern(stack), intern(stack_id) or None, intern(logical_id) or None, in_production)


def _any_tag(tags: Mapping[str, str], rules: Sequence[str]) -> bool:
    """Case makes no difference: a tag `Env=PROD` that is passed over would be the costlier mistake."""
    folded = {key.lower(): value.lower() for key, value in tags.items()}
    return any(
        key in folded and (not equals or folded[key] == value)
        for key, equals, value in (rule.lower().partition("=") for rule in rules)
    )


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

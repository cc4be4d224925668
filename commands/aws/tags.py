"""What a function's tags say: who owns it, and what deploys it. Pure."""

import re
from collections.abc import Mapping, Sequence
from sys import intern
from typing import NamedTuple

from storage.models import Manager, TeamFrom, team_name
from storage.tag_marks import marks

_STACK, _STACK_ID, _LOGICAL_ID = (f"aws:cloudformation:{part}" for part in ("stack-name", "stack-id", "logical-id"))
# What the CDK makes of a construct's path: its words, and eight digits of a hash.
# https://docs.aws.amazon.com/cdk/v2/guide/identifiers.html
_CDK_ID = re.compile(r"[A-Za-z][A-Za-z0-9]*(?=[A-F]*[0-9])(?=[0-9]*[A-F])[0-9A-F]{8}")


_CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{7,}")
_CHANNEL_NAME = re.compile(r"[^\s#@<>]{1,80}")


class OwnerTags(NamedTuple):
    """[teams], as far as tags are read by it, their keys apart."""

    aliases: Mapping[str, str] = {}  # another name of a team -> the team, both as `team_name` makes them
    channel_tag: str = ""  # the tag that names the team's channel


class TagFacts(NamedTuple):
    """What is kept of a function's tags."""

    team: str | None = None
    managed_by: Manager | None = None
    stack: str | None = None
    stack_id: str | None = None
    logical_id: str | None = None
    production: bool | None = None  # None: no tag says what production is
    team_from: TeamFrom | None = None
    channel: str | None = None  # where the team reads: "#name" or an id
    marks: str = ""  # what a rule by tag is held against; see `storage.tag_marks`


NO_OWNERS = OwnerTags()
_NO_ALIASES: Mapping[str, str] = {}
UNTAGGED = TagFacts()
UNTAGGED_BESIDE_PRODUCTION = TagFacts(production=False)


def team_of(tags: Mapping[str, str], keys: Sequence[str], aliases: Mapping[str, str] = _NO_ALIASES) -> str | None:
    """The team that the tags name: the first of `keys` that is there and not empty, whatever its case.

    `aliases` has the teams' other names.

    An e-mail address names a person, not a team, and is never kept.
    """
    folded: dict[str, str] | None = None
    for key in keys:
        value = tags.get(key)
        if value is None:
            folded = folded if folded is not None else {name.lower(): text for name, text in tags.items()}
            value = folded.get(key.lower(), "")
        name = team_name(value)
        if name and "@" not in name:
            return aliases.get(name, name)
    return None


def untagged(production: Sequence[str]) -> TagFacts:
    """What is known of a function without tags."""
    return UNTAGGED_BESIDE_PRODUCTION if production else UNTAGGED


def kept(tags: Mapping[str, str], team_keys: Sequence[str], production: Sequence[str], owners: OwnerTags) -> TagFacts:
    """Of a function's tags: `tag_facts`, and the marks that exemptions by tag go by."""
    return tag_facts(tags, team_keys, production, owners, marks(tags))


def tag_facts(
    tags: Mapping[str, str],
    team_keys: Sequence[str],
    production: Sequence[str] = (),
    owners: OwnerTags = NO_OWNERS,
    marked: str = "",
) -> TagFacts:
    """`production` are the tags by which production is known: "key", or "key=value".

    AWS alone gives tags that begin with `aws:`, so without those of a stack nothing is said to manage a function.

    Which of the tools that work through CloudFormation it was, other marks tell: SAM by its own tags; the Serverless
    Framework and the CDK by how they name things, which is a guess (see `_manager`).
    """
    team, stack = team_of(tags, team_keys, owners.aliases), tags.get(_STACK)
    found = TeamFrom.TAG if team else None
    in_production = _any_tag(tags, production) if production else None
    channel = channel_in(tags, owners.channel_tag) if owners.channel_tag else None
    if not stack:
        if team or in_production or channel or marked:
            return TagFacts(team, None, None, None, None, in_production, found, channel, marked)
        return untagged(production)
    stack_id, logical_id = intern(tags.get(_STACK_ID, "")) or None, intern(tags.get(_LOGICAL_ID, "")) or None
    manager = _manager(tags, stack, logical_id or "")
    return TagFacts(team, manager, intern(stack), stack_id, logical_id, in_production, found, channel, marked)


def channel_in(tags: Mapping[str, str], key: str) -> str | None:
    """The channel that a tag names, as the settings would: an id, or a name with its `#`, which tags may not hold.

    None where there is no such tag, in whatever case, or nothing in it that could be a channel.
    """
    value = tags.get(key)
    if value is None:
        value = next((text for name, text in tags.items() if name.lower() == key.lower()), "")
    value = value.strip().lstrip("#")
    if _CHANNEL_ID.fullmatch(value):
        return value
    return f"#{value.lower()}" if _CHANNEL_NAME.fullmatch(value) else None


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

"""What single values of lamplighter.toml look like; each carries how to write it, for whoever wrote it otherwise."""

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta

from commands.aws.accounts import LOCAL

# What `Meta.extra` holds: how a refusal goes on after the value.
HINT = "hint"


def says(what: str, example: Any = None) -> Meta:
    """What a key does, and a value that somebody may write; for a table, the keys of it that are shown, with values.

    `python -m bot settings` and the README are made of these; who starts the bot or an audit never reads them.
    """
    return Meta(description=what, examples=None if example is None else [example])


def matching(pattern: str, example: str) -> Meta:
    """A text that is wholly of this pattern."""
    return Meta(pattern=rf"^(?:{pattern})\Z", extra={HINT: f"should look like {example}"})


def is_time_zone(value: str) -> bool:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


NO_TIME_ZONE = "is no time zone; write one like Europe/Berlin or UTC"

AccountId = Annotated[str, matching(r"\d{12}", '"111122223333"')]
RegionName = Annotated[str, matching(r"[a-z]{2}(-[a-z]+)+-\d", '"eu-central-1"')]
RoleName = Annotated[str, matching(r"[\w+=,.@/-]{1,512}", '"lamplighter-audit", a role name without its account')]
ExternalId = Annotated[str, matching(r"[\w+=,.@:/-]{2,1224}", '"lamplighter-4f9a" (2 to 1,224 characters)')]
AggregatorName = Annotated[str, matching(r"[\w-]{1,256}", '"organization-view", an aggregator of AWS Config')]
ChannelRef = Annotated[str, matching(r"#[^\s#]{1,80}|[CG][A-Z0-9]{2,}", '"#finops" or "C0123456789"')]
Approver = Annotated[str, matching(r"[UWS][A-Z0-9]{2,}", '"U0123456789" (a person) or "S0123456789" (a group)')]
UserGroup = Annotated[str, matching(r"S[A-Z0-9]{2,}", '"S0123456789" (a user group)')]
TagKey = Annotated[str, matching(r"[^\n]{1,128}", '"slack-channel", the key of a tag')]
Unit = Annotated[
    str,
    matching(
        r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}",
        '"ou-ab12-11112222" (an organizational unit) or "r-ab12" (the root)',
    ),
]
NamePattern = Annotated[str, matching(r"[^\n]{1,128}", '"payments-*", a name with * for any text')]
TeamName = Annotated[str, matching(r"[^\n]*[^\s_][^\n]*", '"payments", a team as its tag names it')]
AccountTag = Annotated[str, matching(r"[^=\n]{1,128}(=[^\n]{0,256})?", '"audited" (a key) or "env=prod"')]
Pool = Annotated[
    str,
    matching(
        rf"{LOCAL}|(tcp|tls)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{{1,5}}",
        f'"{LOCAL}", or the address of a Dask scheduler like "tcp://scheduler:8786"',
    ),
]
ChannelPattern = Annotated[str, matching(r"#?[^\s#{}]*\{team\}[^\s#{}]*", '"#team-{team}"')]
TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z", extra={HINT: "is no time of day; write one like 09:00"})
]
PORT = r"(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])"
Listen = Annotated[str, matching(rf"[\w.:\[\]-]*:{PORT}", '"0.0.0.0:3000"')]

_SOME = Meta(min_length=1)
AccountIds = Annotated[list[AccountId], _SOME]
RegionNames = Annotated[list[RegionName], _SOME]
TagKeys = Annotated[list[str], _SOME]
Units = Annotated[list[Unit], _SOME]
TeamNames = Annotated[list[TeamName], _SOME]
NamePatterns = Annotated[list[NamePattern], _SOME]
AccountTags = Annotated[list[AccountTag], _SOME]
CallsPerSecond = Annotated[float, Meta(ge=0, le=15)]

ReadFrom = Annotated[Literal["lambda", "config"], Meta(extra={HINT: "should be 'lambda' or 'config'"})]

_EVERYBODY = 'should be "organization", or a list of ids like ["111122223333"]'
Accounts = Annotated[Literal["organization"], Meta(extra={HINT: _EVERYBODY})] | AccountIds
NO_LIST: Any = []

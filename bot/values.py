"""What single values of lamplighter.toml look like; each refusal says how to write it instead."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag

from commands.aws.accounts import LOCAL


def matching(pattern: str, example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"{value!r} should look like {example}")
        return value

    return AfterValidator(check)


def time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise ValueError(f"{value!r} is no time zone; write one like Europe/Berlin or UTC") from problem
    return value


def time_of_day(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is no time of day; write one like 09:00")
    return value


def _the_organization(value: object) -> object:
    if value != "organization":
        raise ValueError(f'{value!r} should be "organization", or a list of ids like ["111122223333"]')
    return value


AccountId = Annotated[str, matching(r"\d{12}", '"111122223333"')]
RegionName = Annotated[str, matching(r"[a-z]{2}(-[a-z]+)+-\d", '"eu-central-1"')]
RoleName = Annotated[str, matching(r"[\w+=,.@/-]{1,512}", '"lamplighter-audit", a role name without its account')]
AggregatorName = Annotated[str, matching(r"[\w-]{1,256}", '"organization-view", an aggregator of AWS Config')]
ChannelRef = Annotated[str, matching(r"#[^\s#]{1,80}|[CG][A-Z0-9]{2,}", '"#finops" or "C0123456789"')]
Approver = Annotated[str, matching(r"[UWS][A-Z0-9]{2,}", '"U0123456789" (a person) or "S0123456789" (a group)')]
Unit = Annotated[
    str,
    matching(
        r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}",
        '"ou-ab12-11112222" (an organizational unit) or "r-ab12" (the root)',
    ),
]
NamePattern = Annotated[str, matching(r"[^\n]{1,128}", '"payments-*", a name with * for any text')]
AccountTag = Annotated[str, matching(r"[^=\n]{1,128}(=[^\n]{0,256})?", '"audited" (a key) or "env=prod"')]
Pool = Annotated[
    str,
    matching(
        rf"{LOCAL}|(tcp|tls)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):\d{{1,5}}",
        f'"{LOCAL}", or the address of a Dask scheduler like "tcp://scheduler:8786"',
    ),
]
ChannelPattern = Annotated[str, matching(r"#?[^\s#{}]*\{team\}[^\s#{}]*", '"#team-{team}"')]

KINDS_OF_ACCOUNTS = ("organization", "ids")
Accounts = Annotated[
    Annotated[Literal["organization"], BeforeValidator(_the_organization), Tag(KINDS_OF_ACCOUNTS[0])]
    | Annotated[list[AccountId], Field(min_length=1), Tag(KINDS_OF_ACCOUNTS[1])],
    Discriminator(lambda value: KINDS_OF_ACCOUNTS[0 if isinstance(value, str) else 1]),
]

"""The environment and lamplighter.toml, read once at the start; every value that cannot be used is named."""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.values import (
    KINDS_OF_ACCOUNTS,
    AccountId,
    Accounts,
    AccountTag,
    AggregatorName,
    Approver,
    ChannelPattern,
    ChannelRef,
    NamePattern,
    Pool,
    RegionName,
    RoleName,
    Unit,
    matching,
    time_of_day,
    time_zone,
)
from commands._types import TeamSettings
from commands.aws.accounts import LOCAL, Aggregator, AwsSettings
from commands.aws.scope import Rules
from storage.models import team_name

DEFAULT_FILE = "lamplighter.toml"
DEFAULT_DATABASE = "lamplighter.db"


class ConfigProblem(Exception):
    """A setting that cannot be used. Its text is one line for each, saying what and how to mend it."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountRules(Section):
    """[aws.include] or [aws.exclude]; every line names accounts."""

    accounts: list[AccountId] = Field(default=[], min_length=1)
    units: list[Unit] = Field(default=[], min_length=1)
    names: list[NamePattern] = Field(default=[], min_length=1)
    tags: list[AccountTag] = Field(default=[], min_length=1)

    @property
    def rules(self) -> Rules:
        return Rules(tuple(self.accounts), tuple(self.units), tuple(self.names), tuple(self.tags))


class AwsSection(Section):
    accounts: Accounts | None = None
    include: AccountRules = AccountRules()
    exclude: AccountRules = AccountRules()
    regions: list[RegionName] | None = Field(default=None, min_length=1)
    role: RoleName | None = None
    fix_role: RoleName | None = None
    external_id: (
        Annotated[str, matching(r"[\w+=,.@:/-]{2,1224}", '"lamplighter-4f9a" (2 to 1,224 characters)')] | None
    ) = None
    source: Literal["lambda", "config"] = "lambda"
    aggregator: AggregatorName | None = None
    aggregator_region: RegionName | None = None
    calls_per_second: float = Field(default=10.0, ge=0, le=15)

    @property
    def read_from(self) -> Aggregator | None:
        if self.source != "config" or self.aggregator is None:
            return None
        return Aggregator(self.aggregator, self.aggregator_region)


class ScanSection(Section):
    pool: Pool = LOCAL


class TeamsSection(Section):
    tag_keys: list[str] = Field(default=["team", "owner"], min_length=1)
    channel: ChannelPattern = "#team-{team}"
    fallback_channel: ChannelRef = "#finops"
    channels: dict[str, ChannelRef] = {}


class ScheduleSection(Section):
    daily: Annotated[str, AfterValidator(time_of_day)] = "09:00"
    timezone: Annotated[str, AfterValidator(time_zone)] = "UTC"


class TeamPolicy(Section):
    approvers: list[Approver] = []


class PolicySection(Section):
    approvers: list[Approver] = []
    teams: dict[str, TeamPolicy] = {}


class SlackSection(Section):
    listen: Annotated[str, matching(r"[\w.:\[\]-]*:\d{1,5}", '"0.0.0.0:3000"')] = "0.0.0.0:3000"


class File(Section):
    """lamplighter.toml; every key is optional."""

    aws: AwsSection = AwsSection()
    scan: ScanSection = ScanSection()
    teams: TeamsSection = TeamsSection()
    schedule: ScheduleSection = ScheduleSection()
    policy: PolicySection = PolicySection()
    slack: SlackSection = SlackSection()


class Environment(BaseModel):
    """The environment variables that are read beside AWS's own."""

    model_config = ConfigDict(frozen=True)

    slack_bot_token: str = Field(default="", repr=False)
    slack_app_token: str = Field(default="", repr=False)
    slack_signing_secret: str = Field(default="", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    lamplighter_config: str = ""
    lamplighter_database: str = DEFAULT_DATABASE

    @classmethod
    def read(cls) -> "Environment":
        """As it is now. Each name is upper case there, which is all that pydantic-settings would do for us here."""
        return cls(**{name: os.environ[name.upper()] for name in cls.model_fields if name.upper() in os.environ})


@dataclass(frozen=True)
class Config:
    """All settings. Tokens are left out of its repr, so that no log shows one."""

    environment: Environment
    file: File

    @property
    def aws(self) -> AwsSettings:
        section = self.file.aws
        return AwsSettings(
            accounts=tuple(section.accounts) if isinstance(section.accounts, list) else None,
            regions=tuple(section.regions) if section.regions else None,
            role=section.role,
            fix_role=section.fix_role,
            external_id=section.external_id,
            calls_per_second=section.calls_per_second,
            organization=section.accounts == "organization",
            include=section.include.rules,
            exclude=section.exclude.rules,
            aggregator=section.read_from,
            pool=self.file.scan.pool,
        )

    @property
    def teams(self) -> TeamSettings:
        section = self.file.teams
        return TeamSettings(
            tag_keys=tuple(section.tag_keys),
            channel=section.channel,
            channels={team_name(name): channel for name, channel in section.channels.items()},
            fallback_channel=section.fallback_channel,
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.file.schedule.timezone)

    @property
    def daily(self) -> time:
        return time.fromisoformat(self.file.schedule.daily)

    @property
    def database(self) -> Path:
        return Path(self.environment.lamplighter_database)

    @property
    def slack_api_url(self) -> str:
        return self.environment.slack_api_url.rstrip("/") + "/"


def load() -> Config:
    """From the process's environment. Raises ConfigProblem."""
    environment = Environment.read()
    named = environment.lamplighter_config
    path = Path(named or DEFAULT_FILE)
    if not path.exists():
        if named:
            raise ConfigProblem(f"LAMPLIGHTER_CONFIG: there is no file {named}. Correct the path or unset it.")
        return Config(environment=environment, file=File())
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigProblem(f"{path}: this is not TOML: {problem}. Correct that line.") from problem
    except OSError as problem:
        raise ConfigProblem(f"{path}: cannot be read: {problem.strerror}. Make it readable.") from problem
    return Config(environment=environment, file=_checked(content, path))


def require_slack(config: Config) -> None:
    """Raises ConfigProblem unless the bot can reach Slack with what is set."""
    environment, problems = config.environment, []
    if not environment.slack_bot_token:
        problems.append("SLACK_BOT_TOKEN is missing: set it to the app's bot token (xoxb-…, OAuth & Permissions).")
    if environment.slack_app_token.startswith("xoxb-"):
        problems.append("SLACK_APP_TOKEN holds a bot token: set it to the app-level token (xapp-…, connections:write).")
    if not environment.slack_app_token and not environment.slack_signing_secret:
        problems.append(
            "SLACK_APP_TOKEN is missing: set it to the app-level token (xapp-…) for Socket Mode, "
            "or set SLACK_SIGNING_SECRET to serve HTTP."
        )
    if not re.match(r"https?://", environment.slack_api_url):
        problems.append("SLACK_API_URL should be an address like https://slack.com/api/, or unset.")
    if problems:
        raise ConfigProblem("\n".join(problems))


def _checked(content: Mapping[str, Any], path: Path) -> File:
    try:
        file = File.model_validate(content)
    except ValidationError as problem:
        raise ConfigProblem("\n".join(_line(error, path) for error in problem.errors())) from None
    if contradictions := [f"{path}: {line}" for line in _contradictions(file.aws, file.scan)]:
        raise ConfigProblem("\n".join(contradictions))
    return file


def _contradictions(aws: AwsSection, scan: ScanSection) -> Iterator[str]:
    """What cannot be used together."""
    if aws.source == "config" and scan.pool != LOCAL:
        yield (
            '[scan] pool: what AWS Config tells is read where the bot runs. Set pool = "local", '
            'or [aws] source = "lambda".'
        )
    if aws.source == "config" and aws.aggregator is None:
        yield (
            '[aws] aggregator is missing: source = "config" needs the name of an aggregator of AWS Config, '
            'as in aggregator = "organization-view".'
        )
    if aws.accounts == "organization":
        if not aws.role:
            yield (
                '[aws] role is missing: accounts = "organization" needs the name of a role to assume in each account, '
                'as in role = "lamplighter-audit".'
            )
        return
    for table, rules in (("include", aws.include), ("exclude", aws.exclude)):
        for key in ("units", "names", "tags"):
            if getattr(rules, key):
                yield (
                    f"[aws.{table}] {key}: only the organization knows these of an account. "
                    'Set [aws] accounts = "organization", or name accounts by their ids.'
                )


def _line(error: Mapping[str, Any], path: Path) -> str:
    where = [str(part) for part in error["loc"]]
    if where[:2] == ["aws", "accounts"] and where[2:3] and where[2] in KINDS_OF_ACCOUNTS:
        del where[2]  # pydantic's name for which of the two kinds it took the value for
    name = f"[{'.'.join(where[:-1])}] {where[-1]}" if len(where) > 1 else where[0]
    if error["type"] == "extra_forbidden":
        return f"{path}: {name} is no setting of Lamplighter. Take it out, or correct its name{_nearest(where)}."
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{path}: {name}: {message}."


def _nearest(where: list[str]) -> str:
    model: Any = File
    for part in where[:-1]:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        model = field.annotation if field else None
    known = list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
    near = difflib.get_close_matches(where[-1], known, 1)
    return f" (perhaps {near[0]})" if near else f" (known here: {', '.join(known)})" if known else ""

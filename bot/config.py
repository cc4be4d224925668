"""The environment and lamplighter.toml, read once at the start; every value that cannot be used is named."""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec

from bot.budgeting import BudgetSection, SpendSection, budget_contradictions, budget_rules, spend_rules
from bot.events import EventsSection, event_rules
from bot.forecasting import ForecastSection, forecast_rules
from bot.measuring import MetricsSection
from bot.policy import PolicySection, ProductionSection, fix_policy, grace_contradictions
from bot.reporting import ReportSection, report_rules
from bot.running import SHORTEST_TOKEN, HealthSection, StopSection, health_listen
from bot.schedule import ScheduleSection, schedule_of, time_zones
from bot.teams import TeamsSection, alias_pairs, contradictions, team_settings
from bot.values import (
    NO_LIST,
    AccountIds,
    Accounts,
    AccountTags,
    AggregatorName,
    CallsPerSecond,
    ExternalId,
    Listen,
    NamePatterns,
    Pool,
    ReadFrom,
    RegionName,
    RegionNames,
    RoleName,
    Units,
)
from commands._teams import TeamSettings
from commands.aws.accounts import LOCAL, Aggregator, AwsSettings
from commands.aws.scope import Rules

if TYPE_CHECKING:
    from commands._budget_rules import BudgetRules, SpendRules
    from commands._event_rules import EventRules
    from commands._forecast_rules import ForecastRules
    from commands._report_rules import ReportRules
    from commands._schedule import Schedule
    from commands._types import FixPolicy

DEFAULT_FILE = "lamplighter.toml"
DEFAULT_DATABASE = "lamplighter.db"


class ConfigProblem(Exception):
    """A setting that cannot be used. Its text is one line for each, saying what and how to mend it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class AccountRules(Section, frozen=True):
    """[aws.include] or [aws.exclude]; every line names accounts."""

    accounts: AccountIds = NO_LIST
    units: Units = NO_LIST
    names: NamePatterns = NO_LIST
    tags: AccountTags = NO_LIST

    @property
    def rules(self) -> Rules:
        return Rules(tuple(self.accounts), tuple(self.units), tuple(self.names), tuple(self.tags))


class AwsSection(Section, frozen=True):
    accounts: Accounts | None = None
    include: AccountRules = AccountRules()
    exclude: AccountRules = AccountRules()
    regions: RegionNames | None = None
    role: RoleName | None = None
    fix_role: RoleName | None = None
    external_id: ExternalId | None = None
    source: ReadFrom = "lambda"
    aggregator: AggregatorName | None = None
    aggregator_region: RegionName | None = None
    calls_per_second: CallsPerSecond = 10.0

    @property
    def read_from(self) -> Aggregator | None:
        if self.source != "config" or self.aggregator is None:
            return None
        return Aggregator(self.aggregator, self.aggregator_region)


class ScanSection(Section, frozen=True):
    pool: Pool = LOCAL


class SlackSection(Section, frozen=True):
    listen: Listen = "0.0.0.0:3000"


class File(Section, frozen=True):
    """lamplighter.toml."""

    aws: AwsSection = AwsSection()
    scan: ScanSection = ScanSection()
    teams: TeamsSection = TeamsSection()
    schedule: ScheduleSection = ScheduleSection()
    policy: PolicySection = PolicySection()
    production: ProductionSection = ProductionSection()
    forecast: ForecastSection = ForecastSection()
    slack: SlackSection = SlackSection()
    spend: SpendSection = SpendSection()
    budget: BudgetSection = BudgetSection()
    report: ReportSection = ReportSection()
    metrics: MetricsSection = MetricsSection()
    health: HealthSection = HealthSection()
    stop: StopSection = StopSection()
    events: EventsSection = EventsSection()


@dataclass(frozen=True)
class Environment:
    """The environment variables that are read beside AWS's own, each under its name in upper case."""

    slack_bot_token: str = field(default="", repr=False)
    slack_app_token: str = field(default="", repr=False)
    slack_signing_secret: str = field(default="", repr=False)
    slack_api_url: str = "https://slack.com/api/"
    lamplighter_metrics_token: str = field(default="", repr=False)
    lamplighter_config: str = ""
    lamplighter_database: str = DEFAULT_DATABASE

    @classmethod
    def read(cls) -> "Environment":
        """As it is now."""
        names = [each.name for each in fields(cls)]
        return cls(**{name: os.environ[name.upper()] for name in names if name.upper() in os.environ})


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
            production_tags=tuple(self.file.production.tags),
            team_aliases=tuple(alias_pairs(self.file.teams).items()),
            channel_tag=self.file.teams.channel_tag or "",
        )

    @property
    def teams(self) -> TeamSettings:
        return team_settings(self.file.teams)

    @property
    def policy(self) -> "FixPolicy":
        return fix_policy(self.file.policy, self.file.production, self.teams.named)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.file.schedule.timezone)

    @property
    def schedule(self) -> "Schedule":
        return schedule_of(self.file.schedule, self.teams.named)

    @property
    def forecasting(self) -> "ForecastRules":
        return forecast_rules(self.file.forecast)

    @property
    def spend(self) -> "SpendRules":
        return spend_rules(self.file.spend)

    @property
    def budget(self) -> "BudgetRules":
        return budget_rules(self.file.budget)

    @property
    def reporting(self) -> "ReportRules":
        return report_rules(self.file.report)

    @property
    def events(self) -> "EventRules":
        return event_rules(self.file.events)

    @property
    def health_listen(self) -> str:
        return health_listen(self.file.health.listen, self.file.metrics.listen)

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
    if 0 < len(environment.lamplighter_metrics_token) < SHORTEST_TOKEN:
        problems.append(
            f"LAMPLIGHTER_METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters, and could be guessed: set it to "
            "what `openssl rand -hex 32` prints, or unset it."
        )
    if problems:
        raise ConfigProblem("\n".join(problems))


def _checked(content: Mapping[str, Any], path: Path) -> File:
    try:
        file = msgspec.convert(content, File)
    except msgspec.ValidationError:
        problems = _refused(content)
    else:
        problems = [
            *time_zones(content),
            *_contradictions(file.aws, file.scan),
            *grace_contradictions(file.policy.grace),
            *contradictions(file.teams),
            *_too_long(file.policy),
            *budget_contradictions(file.spend, file.budget),
        ]
    if problems:
        raise ConfigProblem("\n".join(f"{path}: {line}" for line in problems))
    return file


def _refused(content: Mapping[str, Any]) -> list[str]:
    from bot import refusals  # loaded only where there is something to refuse

    return [*refusals.lines(content, File), *time_zones(content)]


def _too_long(policy: PolicySection) -> Iterator[str]:
    days, most = policy.exemption_days, policy.exemption_max_days
    if days and days > most:
        yield (
            f"[policy] exemption_days: {days} days are more than the {most} that exemption_max_days allows. "
            "Lower the one, or raise the other (365 at most)."
        )


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

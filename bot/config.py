"""The environment and lamplighter.toml, read once at the start; every value that cannot be used is named."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from bot.auditing import AwsSection, ScanSection, audit_contradictions
from bot.budgeting import BudgetSection, SpendSection, budget_contradictions, budget_rules, spend_rules
from bot.environment import SECRETS, Environment, read_environment
from bot.events import EventsSection, event_rules
from bot.forecasting import ForecastSection, forecast_rules
from bot.measuring import MetricsSection
from bot.policy import PolicySection, ProductionSection, fix_policy, grace_contradictions
from bot.reporting import ReportSection, report_rules
from bot.running import SHORTEST_TOKEN, HealthSection, StopSection, health_listen
from bot.schedule import ScheduleSection, schedule_of, time_zones
from bot.teams import TeamsSection, alias_pairs, contradictions, team_settings
from bot.values import Listen, says
from commands._teams import TeamSettings
from commands.aws.accounts import AwsSettings

if TYPE_CHECKING:
    from commands._budget_rules import BudgetRules, SpendRules
    from commands._event_rules import EventRules
    from commands._forecast_rules import ForecastRules
    from commands._report_rules import ReportRules
    from commands._schedule import Schedule
    from commands._types import FixPolicy

DEFAULT_FILE = "lamplighter.toml"


class ConfigProblem(Exception):
    """A setting that cannot be used. Its text is one line for each, saying what and how to mend it."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of lamplighter.toml; every key is optional."""


class SlackSection(Section, frozen=True):
    listen: Annotated[Listen, says("for HTTP", "0.0.0.0:3000")] = "0.0.0.0:3000"


class File(Section, frozen=True):
    """lamplighter.toml."""

    aws: AwsSection = AwsSection()
    scan: ScanSection = ScanSection()
    teams: TeamsSection = TeamsSection()
    schedule: ScheduleSection = ScheduleSection()
    policy: PolicySection = PolicySection()
    production: Annotated[
        ProductionSection, says("a function is in production if any line names it (no line: all of them are)")
    ] = ProductionSection()
    forecast: Annotated[ForecastSection, says("what tracing would cost (see What tracing costs)")] = ForecastSection()
    spend: SpendSection = SpendSection()
    budget: Annotated[
        BudgetSection, says("what X-Ray may cost in a month; absent: nobody is told of what it costs")
    ] = BudgetSection()
    report: ReportSection = ReportSection()
    events: Annotated[EventsSection, says("see New functions within seconds; absent: only audits tell what is new")] = (
        EventsSection()
    )
    slack: SlackSection = SlackSection()
    health: Annotated[HealthSection, says("see Is it well?")] = HealthSection()
    stop: Annotated[StopSection, says("see Stop and start")] = StopSection()
    metrics: Annotated[MetricsSection, says("see Dashboards")] = MetricsSection()


@dataclass(frozen=True)
class Config:
    """All settings. Tokens are left out of its repr, so that no log shows one."""

    environment: Environment
    file: File
    problems: tuple[str, ...] = ()  # why a token could not be taken; only who talks to Slack has to know

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no log may show."""
        return tuple(getattr(self.environment, name) for name in SECRETS)

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
    environment, problems = read_environment()
    named = environment.lamplighter_config
    path = Path(named or DEFAULT_FILE)
    if not path.exists():
        if named:
            raise ConfigProblem(f"LAMPLIGHTER_CONFIG: there is no file {named}. Correct the path or unset it.")
        return Config(environment, File(), problems)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigProblem(f"{path}: this is not TOML: {problem}. Correct that line.") from problem
    except OSError as problem:
        raise ConfigProblem(f"{path}: cannot be read: {problem.strerror}. Make it readable.") from problem
    return Config(environment, _checked(content, path), problems)


def require_slack(config: Config) -> None:
    """Raises ConfigProblem unless the bot can reach Slack with what is set."""
    if config.problems:
        raise ConfigProblem("\n".join(config.problems))
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
            *audit_contradictions(file.aws, file.scan),
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

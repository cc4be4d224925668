"""The demo's organisation put into the stand-in AWS, and what an audit of it has to find."""

import base64
import hashlib
import math
import random
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from bot.demo.aws import AwsStandIn
from bot.demo.aws.functions import BLOCKED_RUNTIMES
from bot.demo.fleet_access import EXTERNAL_ID, bot_policy, document, seed_our_roles, seed_payer_role
from bot.demo.fleet_data import (
    ACCOUNTS,
    CANARY,
    MANAGEMENT,
    REGIONS,
    ROLES,
    TEAMS,
    FunctionPlan,
    RolePlan,
    function_arn,
    planned,
)
from bot.demo.fleet_spend import seed_spend
from bot.demo.fleet_traces import seed_traces
from storage.models import CheckName, MayWrite, Verdict

_AWS_POLICY = "arn:aws:iam::aws:policy/"
_SERVED = ("alias", "alias-on", "canary")
_INSTRUMENTED = {"adot", "otel", "powertools", "datadog", "image"}  # a container image hides what it has


@dataclass(frozen=True, slots=True)
class Expected:
    """What an audit has to say of one function; `because` names checks that have to be among its findings."""

    arn: str
    team: str | None
    verdict: Verdict
    may_write: MayWrite
    because: frozenset[CheckName]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The organisation as it was seeded."""

    accounts: tuple[str, ...]  # ids of the scanned ones; the management account is none of them
    regions: tuple[str, ...]
    external_id: str
    teams: tuple[str, ...]
    functions: tuple[Expected, ...]
    canary: str  # the value of an environment variable, which must appear nowhere
    access_key: tuple[str, str]  # of the management account's user that the bot runs as

    def environment(self, aws: AwsStandIn) -> dict[str, str]:
        """The AWS_* variables for the bot's process: the management account's credentials, no files, no metadata.

        Take every other AWS_* out of what the process inherits: an AWS_PROFILE would name a file that is not read.
        """
        key, secret = self.access_key
        return {
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": "",
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_DEFAULT_REGION": self.regions[0],
            "AWS_REGION": self.regions[0],
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def expected(self, arn: str) -> Expected:
        return next(function for function in self.functions if function.arn == arn)


def seed(aws: AwsStandIn) -> Fleet:
    """Fill a started, empty stand-in; always with the same organisation."""
    plans = planned()
    access_key = aws.create_user(MANAGEMENT, "lamplighter-bot", bot_policy())
    aws.organizations.found(
        MANAGEMENT, {MANAGEMENT: "management", **{account: name for name, account in ACCOUNTS.items()}}
    )
    for account in ACCOUNTS.values():
        seed_our_roles(aws, account)
    seed_payer_role(aws)
    seed_spend(aws)
    for account, role in sorted({(plan.account, plan.role.name) for plan in plans}):
        _seed_role(aws, account, ROLES[role])
    for plan in plans:
        _seed_function(aws, plan)
        seed_traces(aws, plan)
    dark = [plan for plan in plans if not plan.active or plan.role.may_write is MayWrite.NO]
    starved = {arn for plan in dark for arn in plan.calls}
    return Fleet(
        accounts=tuple(ACCOUNTS.values()),
        regions=tuple(REGIONS.values()),
        external_id=EXTERNAL_ID,
        teams=TEAMS,
        functions=tuple(_expected(plan, starved) for plan in plans),
        canary=CANARY,
        access_key=access_key,
    )


def _expected(plan: FunctionPlan, starved: Collection[str]) -> Expected:
    verdict, because = _judged(plan)
    beside = {
        CheckName.UNOWNED: plan.team is None,
        CheckName.STARVED: plan.active and plan.arn in starved,
        CheckName.SURFACE_ONLY: plan.active and not plan.options & _INSTRUMENTED,
        CheckName.TRACED_ELSEWHERE: "datadog" in plan.options,
        CheckName.RUNTIME_BLOCKED: not plan.active and plan.runtime in BLOCKED_RUNTIMES,
    }
    because |= {check for check, found in beside.items() if found}
    return Expected(plan.arn, plan.team, verdict, plan.role.may_write, because)


def _judged(plan: FunctionPlan) -> tuple[Verdict, frozenset[CheckName]]:
    if plan.options & {"edge", "msk"}:
        return Verdict.NOT_APPLICABLE, frozenset({CheckName.NOT_APPLICABLE})
    served_untraced = plan.options & {"alias", "canary"}
    because = {CheckName.ALIAS_UNTRACED} if served_untraced else set()
    if not plan.active:
        return Verdict.UNTRACED, frozenset(because | {CheckName.PASSTHROUGH})
    if plan.role.may_write is MayWrite.CONDITIONAL:
        return Verdict.UNKNOWN, frozenset({CheckName.ROLE_CONDITIONAL})
    if plan.role.may_write is MayWrite.NO:
        because.add(CheckName.ROLE_DENIED)
    return (Verdict.UNTRACED if because else Verdict.TRACED), frozenset(because)


def _seed_role(aws: AwsStandIn, account: str, plan: RolePlan) -> None:
    services = ["lambda.amazonaws.com", *({plan.service} - {"lambda.amazonaws.com"})]
    trust = document({"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"})
    attached = [_AWS_POLICY + name for name in plan.managed]
    for name, statements in (plan.customer or {}).items():
        attached.append(aws.create_policy(account, name, document(*statements)))
    boundary = None
    if plan.boundary is not None:
        boundary = aws.create_policy(account, f"{plan.name}-boundary", document(*plan.boundary))
    inline = {plan.name: document(*plan.inline)} if plan.inline else {}
    if plan.invokes:
        arns = [function_arn(REGIONS["eu"], account, name) for name in plan.invokes]
        inline["calls"] = document({"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arns})
    aws.create_role(account, plan.name, trust, attached=attached, inline=inline, boundary=boundary, path=plan.path)


def _seed_function(aws: AwsStandIn, plan: FunctionPlan) -> None:
    dice = random.Random(plan.arn)
    changed = aws.now() - timedelta(days=dice.randint(3, 700), minutes=dice.randint(0, 1439))
    spec = _spec(plan, dice)
    first = "Active" if plan.active and not plan.options & {"alias", "canary"} else "PassThrough"
    aws.seed_function(plan.account, plan.region, {**spec, "TracingConfig": {"Mode": first}}, changed)
    qualifier = version = None
    if plan.options.intersection(_SERVED):
        qualifier, version = "live", aws.seed_version(plan.arn, changed)
        second = None
        if plan.active and first == "PassThrough":
            aws.seed_tracing_mode(plan.arn, "Active", changed + timedelta(days=1))
            second = aws.seed_version(plan.arn, changed + timedelta(days=1)) if "canary" in plan.options else None
        aws.seed_alias(plan.arn, qualifier, version, {second: 0.1} if second else None)
    for kind in ("msk", "sqs", "kinesis"):
        if kind in plan.options:
            aws.seed_event_source(plan.arn, _source(plan, kind))
    if dice.random() < 0.3:
        _seed_incidents(aws, plan, dice)
    rate, bursts = _traffic(dice), dice.random() < 0.1
    served: dict[str, Any] = {"qualifier": qualifier, "version": version}
    aws.metrics.invoked(plan.account, plan.region, plan.name, rate, seed=plan.arn, bursts=bursts, **served)
    milliseconds = 10 ** random.Random(f"{plan.arn} runs").uniform(1.3, 3.2)
    aws.metrics.ran(plan.account, plan.region, plan.name, lambda hour: rate(hour) * milliseconds)


def _seed_incidents(aws: AwsStandIn, plan: FunctionPlan, dice: random.Random) -> None:
    """An alarm and what it reported last month; what is traced was found sooner."""
    alarm = f"{plan.name}-errors"
    aws.alarms.watch(plan.account, plan.region, alarm, plan.name)
    for _ in range(dice.randint(1, 3)):
        started = aws.now() - timedelta(days=dice.uniform(1, 29))
        minutes = dice.uniform(6, 35) if plan.active else dice.uniform(35, 190)
        aws.alarms.incident(plan.account, plan.region, alarm, started, started + timedelta(minutes=minutes))


def _spec(plan: FunctionPlan, dice: random.Random) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "FunctionName": plan.name,
        "Role": f"arn:aws:iam::{plan.account}:role{plan.role.path}{plan.role.name}",
        "Description": "",
        "MemorySize": dice.choice((128, 256, 256, 512, 512, 1024, 1769)),
        "Timeout": dice.choice((6, 10, 15, 30, 60, 300)),
        "Architectures": ["arm64" if dice.random() < 0.4 else "x86_64"],
        "Environment": {"Variables": _variables(plan)},
        "Tags": _tags(plan),
        "Layers": _layers(plan),
    }
    if "image" in plan.options:
        image = f"{plan.account}.dkr.ecr.{plan.region}.amazonaws.com/{plan.name}:{dice.randint(40, 900)}"
        return spec | {"PackageType": "Image", "Code": {"ImageUri": image}}
    spec |= {"Runtime": plan.runtime, "Handler": _handler(plan)}
    return spec | {"Code": {"ZipFile": base64.b64encode(hashlib.sha256(plan.name.encode()).digest()).decode()}}


def _handler(plan: FunctionPlan) -> str:
    if "datadog" in plan.options:
        return "datadog_lambda.handler.handler"
    if plan.runtime.startswith("java"):
        return "com.lampworks.Handler::handleRequest"
    return "app.handler" if plan.runtime.startswith("python") else "dist/index.handler"


def _variables(plan: FunctionPlan) -> dict[str, str]:
    variables = {
        "STAGE": next(name for name, account in ACCOUNTS.items() if account == plan.account),
        "LOG_LEVEL": "INFO",
    }
    if plan.team == "payments":
        variables |= {"PSP_API_KEY": CANARY, "LEDGER_FUNCTION_TOKEN": CANARY}  # the second may be a function's name
    if "powertools" in plan.options:
        variables["POWERTOOLS_SERVICE_NAME"] = plan.name
    if plan.options & {"adot", "otel"}:
        variables |= {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-instrument", "OTEL_SERVICE_NAME": plan.name}
    if "datadog" in plan.options:
        variables |= {"DD_SITE": "datadoghq.eu", "DD_LAMBDA_HANDLER": "app.handler"}
    return variables | {f"{name.replace('-', '_').upper()}_FUNCTION": name for name in plan.names}


def _layers(plan: FunctionPlan) -> list[str]:
    python = plan.runtime.startswith("python")
    known = {
        "adot": "901920570463:layer:aws-otel-nodejs-amd64-ver-1-30-2:1",
        "otel": f"615299751070:layer:AWSOpenTelemetryDistro{'Python' if python else 'Js'}:16",
        "powertools": "017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:18"
        if python
        else "094274105915:layer:AWSLambdaPowertoolsTypeScriptV2:35",
        "datadog": "464622532012:layer:Datadog-Extension:83",
        "insights": "580247275435:layer:LambdaInsightsExtension:55",
    }
    return [f"arn:aws:lambda:{plan.region}:{layer}" for option, layer in known.items() if option in plan.options]


def _tags(plan: FunctionPlan) -> dict[str, str]:
    """Teams spell themselves in their own ways; stacks leave their marks."""
    tags = {}
    if plan.team is not None:
        key = "owner" if plan.options & {"owner", "Owner"} else "team"
        tags[key] = plan.team.title() if "Owner" in plan.options else plan.team
        tags["env"] = next(name for name, account in ACCOUNTS.items() if account == plan.account)
    if plan.options & {"cfn", "sam", "cdk", "sls"}:
        place = f"{plan.region}:{plan.account}"
        stack = f"{plan.team}-{tags.get('env', 'prod')}"
        logical = "".join(part.title() for part in plan.name.split("-"))
        logical += "LambdaFunction" if "sls" in plan.options else "Function"
        if "cdk" in plan.options:
            logical += hashlib.sha256(plan.name.encode()).hexdigest()[:8].upper()
        identity = random.Random(stack + plan.region).randbytes(16).hex()
        tags |= {
            "aws:cloudformation:stack-name": stack,
            "aws:cloudformation:logical-id": logical,
            "aws:cloudformation:stack-id": f"arn:aws:cloudformation:{place}:stack/{stack}/{identity}",
        }
        if "sam" in plan.options:
            tags["lambda:createdBy"] = "SAM"
        if "sls" in plan.options:
            tags["STAGE"] = tags["env"]
    return tags


def _source(plan: FunctionPlan, kind: str) -> dict[str, Any]:
    where = f"{plan.region}:{plan.account}"
    match kind:
        case "msk":
            cluster = "events-prod/3c0f6a1e-77d2-4f0b-9d0a-6a2f5b8c9e41-5"
            arn = f"arn:aws:kafka:{where}:cluster/{cluster}"
            return {"EventSourceArn": arn, "Topics": ["clickstream"], "StartingPosition": "LATEST", "BatchSize": 100}
        case "kinesis":
            arn = f"arn:aws:kinesis:{where}:stream/{plan.name}"
            return {"EventSourceArn": arn, "StartingPosition": "TRIM_HORIZON", "BatchSize": 100}
        case _:
            return {"EventSourceArn": f"arn:aws:sqs:{where}:{plan.name}", "BatchSize": 10}


def _traffic(dice: random.Random) -> "_Rate":
    """Busy and quiet functions, more by day than by night and on weekends."""
    return _rate(10 ** dice.uniform(2.2, 6.0), dice.uniform(11, 20), dice.uniform(0.1, 0.9))


@dataclass(frozen=True, slots=True)
class _Rate:
    a_day: float
    peak_hour: float
    swing: float
    days: dict[int, Sequence[float]] = field(default_factory=dict, compare=False)  # by ordinal, what was drawn so far

    def __call__(self, hour: datetime) -> float:
        number = hour.toordinal()
        day = self.days.get(number)
        if day is None:
            if len(self.days) >= 100:
                self.days.clear()
            day = self.days[number] = array("d", (self._drawn(hour.replace(hour=other)) for other in range(24)))
        return day[hour.hour]

    def _drawn(self, hour: datetime) -> float:
        wave = 1 + self.swing * math.cos((hour.hour - self.peak_hour) / 24 * math.tau)
        mean = self.a_day / 24 * wave * (0.6 if hour.weekday() >= 5 else 1.0)
        chance = random.Random(f"{self.a_day} {hour.timestamp()}").gauss(0, math.sqrt(mean))
        return max(0.0, mean + chance)


@lru_cache(maxsize=200)  # a hundred days of each in 7 MB: each test's demo has the same functions, and asks again
def _rate(a_day: float, peak_hour: float, swing: float) -> _Rate:
    return _Rate(a_day, peak_hour, swing)

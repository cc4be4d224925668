"""Hours of the bot's life in a minute: the real process between the stand-ins, while people, deployments and faults
come by chance, and the bot is stopped and killed; the clock jumps from one moment to the next.
"""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from bot.demo import people
from bot.demo.aws import AwsStandIn
from bot.demo.fleet_access import AUDIT_ROLE, EXTERNAL_ID, FIX_ROLE, bot_policy, seed_our_roles
from bot.demo.fleet_data import ACCOUNTS, MANAGEMENT
from bot.demo.show import ROOT
from bot.demo.slack import SlackStandIn, Workspace
from storage.models import PostState
from storage.store import Store, open_store
from tests.e2e.soak_actors import APPROVERS, Crowd, Deployments, Faults
from tests.e2e.soak_process import Bot, Clock

TEAMS = ("payments", "checkout", "search")
HERE = (ACCOUNTS["prod"], ACCOUNTS["staging"])
REGION = "eu-central-1"
SETTINGS = f"""
[aws]
accounts = ["{HERE[0]}", "{HERE[1]}"]
regions = ["{REGION}"]
role = "{AUDIT_ROLE}"
fix_role = "{FIX_ROLE}"
external_id = "{EXTERNAL_ID}"
calls_per_second = 0
[spend]
enabled = false
[teams]
fallback_channel = "#finops"
[schedule]
daily = "09:00"
timezone = "UTC"
days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
[schedule.teams.checkout]
daily = "13:00"
[schedule.teams.search]
daily = "17:30"
[policy]
approvers = ["{APPROVERS[0]}", "{APPROVERS[1]}"]
request_hours = 3
undo_hours = 2
fixes_per_second = 10
"""


@dataclass(slots=True)
class Plan:
    """How a soak goes."""

    seed: int = 1
    hours: float = 12.0
    step_minutes: float = 6.0  # on average, between two jumps
    acts: int = 4  # of people, at most, between two jumps
    ends: int = 4  # how often the bot is killed or stopped, in the first third
    ids_once: bool = True  # whether Slack takes a message's id once
    breath: float = 0.15  # seconds of the machine's clock between two jumps


@dataclass(slots=True)
class Measured:
    """What the process held, and after how many simulated hours of all."""

    hours: float
    life: int  # which start of the process
    held: dict[str, Any] = field(default_factory=dict)


class Soak:
    def __init__(self, folder: Path, plan: Plan) -> None:
        self.plan, self.folder, self.clock = plan, folder, Clock()
        self.chance = random.Random(plan.seed)
        workspace = Workspace(
            people.people(), people.channels(), people.user_groups(), clock=lambda: self.clock().timestamp()
        )
        workspace.takes_an_id_once = plan.ids_once
        self.workspace = workspace
        self.slack = SlackStandIn(ROOT / "manifest.yml", workspace)
        self.aws = AwsStandIn(
            iam_delay=timedelta(seconds=0.2), lambda_update=timedelta(seconds=0.05), clock=self.clock,
            calls_per_second=None, aws_policies=False,
        )  # fmt: skip
        self.measured: list[Measured] = []
        self.kills = self.stops = 0
        self.amid = 0  # kills while AWS was at work on an approved fix
        self.late = 0  # stops that took so long that it was killed
        self.exit_codes: list[int] = []
        self._roles: set[str] = set()
        self._hard: list[bool] = []  # of each end to come, whether it is a kill

    def __enter__(self) -> Self:
        self.aws.start()
        self.slack.start()
        self.faults = Faults(self.slack, self.aws, self.chance, HERE)
        self.deployments = Deployments(self.aws, self.chance, self._function)
        self.crowd = Crowd(
            self.slack, self.chance, TEAMS, lambda: [arn.rpartition(":")[2] for arn in self.deployments.arns]
        )
        self._seed()
        self.began = self.clock()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bot.runs:
            self.bot.end(signal.SIGKILL)
        self.crowd.close()
        self.slack.stop()
        self.aws.stop()

    def _seed(self) -> None:
        key, secret = self.aws.create_user(MANAGEMENT, "lamplighter-bot", bot_policy())
        for account in HERE:
            seed_our_roles(self.aws, account)
        for team in TEAMS:
            for _ in range(4):
                self.deployments.make(team)
        settings = self.folder / "lamplighter.toml"
        settings.write_text(SETTINGS)
        self.database = self.folder / "memory.db"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SLACK_", "LAMPL"))}
        self.bot = Bot(
            self.folder,
            kept
            | {
                "AWS_ACCESS_KEY_ID": key,
                "AWS_SECRET_ACCESS_KEY": secret,
                "AWS_ENDPOINT_URL": self.aws.url,
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
                "AWS_CONFIG_FILE": "/dev/null",
                "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
                "AWS_EC2_METADATA_DISABLED": "true",
                "SLACK_BOT_TOKEN": self.slack.bot_token,
                "SLACK_APP_TOKEN": self.slack.app_token,
                "SLACK_API_URL": self.slack.api_url,
                "LAMPLIGHTER_CONFIG": str(settings),
                "LAMPLIGHTER_DATABASE": str(self.database),
            },
            self.clock,
        )

    def _function(self, team: str, name: str) -> str:
        """Half of the roles may not write to X-Ray; two functions share one; some have an alias."""
        number = int(name.rpartition("-")[2])
        account, role = HERE[number % 2], f"{team}-{number // 2}"
        arn = f"arn:aws:iam::{account}:role/{role}"
        if number % 2 == 0 or arn not in self._roles:
            may = {"Effect": "Allow", "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "Resource": "*"}
            trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            inline = {"traces": {"Version": "2012-10-17", "Statement": [may]}} if number % 3 else {}
            if arn not in self._roles:
                self._roles.add(arn)
                self.aws.create_role(account, role, {"Version": "2012-10-17", "Statement": [trust]}, inline=inline)
        spec = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Role": arn,
            "Handler": "app.handler",
            "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
            "Tags": {"team": team},
        }
        made = self.aws.seed_function(account, REGION, spec, self.aws.now())
        if number % 4 == 0:
            self.aws.seed_alias(made, "live", self.aws.seed_version(made, self.aws.now()))
        return made

    @contextmanager
    def memory(self) -> Iterator[Store]:
        with open_store(self.database) as store:
            yield store

    # -- the hours ---------------------------------------------------------------------------------------------

    @property
    def hours(self) -> float:
        return (self.clock() - self.began).total_seconds() / 3600

    def run(self) -> None:
        """All of the hours, and then as long as it takes until nothing waits any more."""
        plan = self.plan
        self._start()
        ends = sorted(self.chance.uniform(0.3, plan.hours / 3) for _ in range(plan.ends))
        self._hard = [number % 2 == 0 for number in range(plan.ends)]  # every other; of an odd number one more
        self.chance.shuffle(self._hard)
        marks = [plan.hours * part for part in (0.4, 0.55, 0.7, 0.85)]
        while self.hours < plan.hours:
            self._listen()
            for _ in range(self.chance.randint(0, plan.acts)):
                self.crowd.act()
            if self.chance.random() < 0.35:
                self.deployments.act()
            self.faults.turn()
            if ends and self.hours >= ends[0]:
                ends.pop(0)
                self._again()
            if marks and self.hours >= marks[0]:
                marks.pop(0)
                self._measure()
            self._breathe(plan.breath)
            self._jump(self.chance.uniform(0.2, 2 * plan.step_minutes))
        self.faults.end()
        self._settle()
        self._measure()
        self.exit_codes.append(self.bot.end(signal.SIGTERM))

    def _again(self) -> None:
        """Ended in the midst of things, down for a while, and started again."""
        self.crowd.act()
        if self._hard.pop():
            self.kills += 1
            self._kill()
        else:
            self.stops += 1
            was_up = self.bot.was_up
            code = self.bot.end(signal.SIGTERM)
            self.late += code == -signal.SIGKILL
            if code != -signal.SIGKILL and (
                was_up or code != -signal.SIGTERM
            ):  # before it has begun anything it dies as any process does
                self.exit_codes.append(code)
        self.clock.ahead += 60 * self.chance.uniform(0, 30)
        self._start()

    def _kill(self) -> None:
        """While it waits for AWS to turn on tracing, if anybody finds something to approve."""
        self.faults.calm()
        hold = self.aws.hold("UpdateFunctionConfiguration", done=self.chance.random() < 0.5)
        for _ in range(20):
            self.crowd.approve()
            if hold.reached.wait(0.3):
                self.amid += 1
                break
        self.bot.end(signal.SIGKILL)
        hold.let_go(lost=not hold.done)

    def _start(self) -> None:
        """Until it listens; where Slack is away, a little later."""
        self.bot.start()
        self._listen()

    def _listen(self) -> None:
        """Nobody acts while nobody listens; unless it is Slack that is away."""
        for _ in range(0 if self.faults.away else 100):
            if self.slack.connections:
                return
            self._jump(0.02)
            self._breathe(0.1)

    def _breathe(self, seconds: float) -> None:
        """Of the machine's clock, in which both sides are at work; nobody waits here for anything in particular."""
        threading.Event().wait(seconds)

    def _jump(self, minutes: float) -> None:
        self.clock.ahead += 60 * minutes
        self.bot.ask(f"at {self.clock.ahead}")

    def _measure(self) -> None:
        self.measured.append(Measured(self.hours, self.bot.starts, self.bot.ask("look")))

    def _settle(self) -> None:
        """Until Slack has all posts as memory has them and nothing is being changed."""
        rests = 0
        for _ in range(60):
            self._jump(2)
            self._breathe(0.2)
            rests = rests + 1 if self.slack.connections and not self._open() else 0
            if rests == 3:
                return
        raise AssertionError(f"it never comes to rest: {self._open()}")

    def _open(self) -> list[str]:
        with self.memory() as store:
            found = [
                f"{one.key} {one.state} {one.shown_version}/{one.wanted_version} {one.error}"
                for one in store.posts.all()
                if one.state is not PostState.ABANDONED
                and (one.state is PostState.WAITING or one.shown_version < one.wanted_version)
            ]
            found += [f"request {one.id} runs" for one in store.requests.running()]
            found += [f"request {one} is undone" for one in store.undos.under_way()]
            found += [f"batch {one.id}" for one in store.batches.unfinished()]
        return found

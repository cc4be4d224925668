"""An account of the local AWS with functions in it, and plans, fixes and undos to run there.

Time alone is replaced: waiting moves the clock that AWS and the fix both look at.
"""

import base64
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.config import Config

from bot.demo.aws import AwsStandIn
from commands.aws.asking import Patience
from commands.aws.planning import PlanRules, make_plan
from commands.aws.remediation import Clients, RemediationFailed, enable_tracing
from commands.aws.undoing import undo
from storage.fixes import Receipt
from storage.models import Function

ACCOUNT, REGION = "123456789012", "eu-central-1"
DAEMON = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
IAM_DELAY, UPDATE = 10, 3  # seconds
OPEN = PlanRules()


def statement(effect, action, **more):
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": action, "Resource": "*", "Sid": "Rule", **more}],
    }


class Clock:
    """The one clock of AWS and the fix; waiting moves it."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def utc(self):
        return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def wait(self, seconds):
        assert seconds > 0
        self.seconds += seconds


class Memory:
    """Where a fix keeps its receipt. `cut_at`: the power goes with the receipt of that number, before it is kept."""

    def __init__(self):
        self.receipt, self.kept, self.cut_at = Receipt(), [], None

    def keep(self, receipt):
        if self.cut_at == len(self.kept):
            self.cut_at = None
            raise PowerCutError
        self.kept.append(receipt)
        self.receipt = receipt


class PowerCutError(Exception):
    """The process ends here."""


class World:
    """An account with functions in it."""

    def __init__(self, aws, clock):
        self.aws, self.clock = aws, clock
        self.lambda_, self.iam = self.clients()
        self.memory = Memory()

    def clients(self, **keys):
        keys = keys or {"aws_access_key_id": "pretend", "aws_secret_access_key": "pretend"}
        once = Config(retries={"total_max_attempts": 1})  # so that remediation alone decides what is tried again
        make = [
            boto3.client(name, REGION, endpoint_url=self.aws.url, config=once, **keys) for name in ("lambda", "iam")
        ]
        return tuple(make)

    def role(self, name="refund-role", path="/service-role/", policy=None, **fields):
        trust = json.dumps({"Version": "2012-10-17", "Statement": TRUST})
        arn = self.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust, **fields)["Role"]["Arn"]
        if policy:
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        self.aws.settle()
        return arn

    def able_role(self, name="able-role"):
        """One that may write to X-Ray."""
        return self.role(name, policy=statement("Allow", "xray:*"))

    def function(self, role, name="refund", mode="PassThrough", runtime="python3.13", **more):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", "def handler(event, context): ...")
        code = {"ZipFile": base64.b64encode(packed.getvalue()).decode()}
        spec = {"FunctionName": name, "Role": role, "Runtime": runtime, "Handler": "app.handler", "Code": code}
        spec |= {"TracingConfig": {"Mode": mode}, **more}
        self.aws.functions.create(ACCOUNT, REGION, spec, seeding=True)
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"

    def served(self, role=None, alias="live", **more):
        """A function of which an alias serves version 1, untraced like $LATEST."""
        arn = self.function(role or self.able_role(), **more)
        self.publish()
        self.lambda_.create_alias(FunctionName="refund", Name=alias, FunctionVersion="1")
        return arn

    def publish(self, **more):
        version = self.lambda_.publish_version(FunctionName="refund", **more)["Version"]
        self.aws.settle()
        return version

    def update(self, **changes):
        """What somebody else does."""
        self.aws.settle()
        self.lambda_.update_function_configuration(FunctionName="refund", **changes)
        self.aws.settle()

    def noun(self, arn, **more):
        return Function(arn=arn, account=ACCOUNT, region=REGION, name=arn.rpartition(":")[2], mode=None, **more)

    def plan(self, arn, rules=OPEN, sharing=0, **more):
        return make_plan(
            reads=Clients(self.lambda_, self.iam),
            function=self.noun(arn, **more),
            sharing=sharing,
            rules=rules,
            now=self.clock.utc(),
            patience=Patience(self.clock, self.clock.wait),
        )

    def fix(self, arn, meanwhile=None, writes=None, plan=None, reads=None, **more):
        """The outcome of a fix; `meanwhile` says what others do when a step has been announced."""
        reads = reads or Clients(self.lambda_, self.iam)
        return self.run(
            enable_tracing(
                reads=reads,
                writes=writes or reads,
                function_arn=arn,
                plan=plan or self.plan(arn),
                receipt=self.memory.receipt,
                keep=self.memory.keep,
                clock=self.clock,
                wait=self.clock.wait,
                **more,
            ),
            meanwhile,
        )

    def undo(self, arn, needed_by=lambda: "", meanwhile=None, **more):
        """Takes back what is in memory."""
        reads = Clients(self.lambda_, self.iam)
        return self.run(
            undo(
                reads=reads,
                writes=reads,
                function_arn=arn,
                receipt=self.memory.receipt,
                needed_by=needed_by,
                clock=self.clock,
                wait=self.clock.wait,
                **more,
            ),
            meanwhile,
        )

    def run(self, running, meanwhile):
        self.steps = []
        while True:
            try:
                step = next(running)
            except StopIteration as end:
                return end.value
            self.steps.append(step)
            (meanwhile or {}).get(step.name, lambda: None)()

    def failure(self, arn, **more):
        with pytest.raises(RemediationFailed) as failed:
            self.fix(arn, **more)
        return failed.value

    @property
    def names(self):
        return [step.name for step in self.steps]

    def mode(self, arn):
        return self.aws.function(arn)["TracingConfig"]["Mode"]

    def alias(self, name="live"):
        return self.lambda_.get_alias(FunctionName="refund", Name=name)

    def versions(self):
        return [each["Version"] for each in self.lambda_.list_versions_by_function(FunctionName="refund")["Versions"]]

    def attached(self, role="refund-role"):
        listed = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return [policy["PolicyArn"] for policy in listed]

    def called(self, action):
        return sum(call.action.startswith(action) for call in self.aws.calls)


@pytest.fixture
def fixes_clock():
    return Clock()


@pytest.fixture
def make_fixes(fixes_clock, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    running = []

    def make(**knobs):
        aws = AwsStandIn(
            clock=fixes_clock.utc,
            iam_delay=timedelta(seconds=knobs.pop("iam_delay", IAM_DELAY)),
            lambda_update=timedelta(seconds=UPDATE),
            calls_per_second=None,
            **knobs,
        )
        aws.start()
        running.append(aws)
        return World(aws, fixes_clock)

    yield make
    for aws in running:
        aws.stop()


@pytest.fixture
def fixes(make_fixes):
    return make_fixes()

"""Lamplighter works with the three roles of its templates and nothing else: audit, forecast, fix, undo, bills, budget.

The stand-in AWS refuses what a role's policies or a trust policy do not allow. What was called under which role is then
held against what is read from the code, so that the reading is held to the truth as well.
"""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import boto3
import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.stacks import Stack
from commands.aws import (
    alarms,
    budgeting,
    budgets,
    checks,
    custom_metrics,
    one_function,
    planning,
    prices,
    remediation,
    service_graph,
    trace_destination,
    traffic,
    undoing,
    usage,
)
from commands.aws.accounts import Aggregator, AwsSettings, Cloud
from commands.aws.cost_explorer import CostExplorer
from commands.aws.errors import Denied
from commands.aws.inventory import take_inventory
from commands.aws.scope import Rules
from commands.aws.session_policy import needs_of_plan, needs_of_receipt
from storage.aws_budgets import WantedBudget
from storage.fixes import Receipt
from storage.models import TracingMode, Verdict
from tests.commands.aws import derived
from tests.commands.aws.derived import ROOT, Whose

MEMBER, HUB, HOME = "111122223333", "999988887777", "eu-central-1"
NOBODY = "123456789012"  # whose keys start the test; it may become the hub role, as a task of ECS does
EXTERNAL_ID, UNIT, ANA = "lamplighter-4f9a12c8", "ou-l4mp-workload", "U0123ANA"
OF_MEMBERS = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID}
SETTINGS = AwsSettings(
    organization=True,
    regions=None,
    role="lamplighter-audit",
    fix_role="lamplighter-fix",
    external_id=EXTERNAL_ID,
    calls_per_second=0,
    include=Rules(units=(UNIT,)),
    exclude=Rules(tags=("audit=no",)),
)
CODE = {"Code": {"ZipFile": b""}, "Runtime": "python3.13", "Handler": "app.handler"}


def deploy(aws: AwsStandIn, name: str, account: str, **parameters: str) -> None:
    text = (ROOT / f"commands/aws/templates/{name}.yaml").read_text(encoding="utf-8")
    (role,) = Stack(text, parameters, account, HOME).of_type("AWS::IAM::Role")
    inline = {one["PolicyName"]: one["PolicyDocument"] for one in role["Policies"]}
    trust = role["AssumeRolePolicyDocument"]
    if name == "hub-role":
        statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{NOBODY}:root"}, "Action": "sts:AssumeRole"}
        trust = {"Version": "2012-10-17", "Statement": [statement]}
    aws.create_role(account, role["RoleName"], trust, inline=inline, max_session=role.get("MaxSessionDuration", 3600))


def execution_role(aws: AwsStandIn, name: str, **more) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    return aws.create_role(MEMBER, name, {"Version": "2012-10-17", "Statement": [statement]}, **more)


@pytest.fixture
def aws(monkeypatch, tmp_path):
    quick = {"iam_delay": timedelta(0), "lambda_update": timedelta(0)}
    with AwsStandIn(calls_per_second=None, **quick) as aws:
        aws.organizations.found(HUB, {HUB: "hub", MEMBER: "payments"})
        aws.organizations.unit(HUB, UNIT, [MEMBER])
        for name in ("audit-role", "fix-role"):
            deploy(aws, name, MEMBER, **OF_MEMBERS)
        deploy(aws, "fix-role", HUB, **OF_MEMBERS)
        deploy(aws, "hub-role", HUB, ConfigAggregator="yes", CustomMetrics="yes")
        sts = boto3.client(
            "sts", HOME, endpoint_url=aws.url, aws_access_key_id="pretend", aws_secret_access_key="pretend"
        )
        keys = sts.assume_role(RoleArn=f"arn:aws:iam::{HUB}:role/lamplighter", RoleSessionName="task")["Credentials"]
        settings = {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "AWS_DEFAULT_REGION": HOME,
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_PROFILE", "AWS_REGION"):
            monkeypatch.delenv(name, raising=False)
        yield aws


_IN_ORDER = (Whose.HUB, Whose.AUDIT, Whose.FIX)


def called(aws: AwsStandIn) -> dict[Whose, set[str]]:
    """IAM's actions by the role under which they were called, refused or not."""
    roles = {f"lamplighter{suffix}": whose for suffix, whose in zip(("", "-audit", "-fix"), _IN_ORDER, strict=True)}
    found: dict[Whose, set[str]] = defaultdict(set)
    for call in aws.calls:
        if ":assumed-role/" in call.caller:
            whose = roles[call.caller.split("/")[1]]
            found[whose].update(derived.actions(call.service, call.action))
    return found


def test_lamplighter_works_with_the_roles_of_its_templates(aws):
    plain = execution_role(aws, "plain", path="/service-role/")
    refund = aws.seed_function(MEMBER, HOME, {"FunctionName": "refund", "Role": plain, **CODE}, datetime.now(UTC))
    aws.seed_version(refund, datetime.now(UTC))
    aws.seed_alias(refund, "live", "1")
    cloud, now = Cloud(SETTINGS), datetime.now(UTC)

    seen = take_inventory(cloud, tag_keys=("team",))
    assert [(one.name, checks.judge(one).verdict) for one in seen.functions] == [("refund", Verdict.UNTRACED)]
    assert [row for row in seen.not_scanned if row.account == MEMBER] == []
    function = one_function.read_function(cloud, MEMBER, HOME, "refund", ("team",))
    assert (function.mode, function.aliases, function.team_known) == (TracingMode.PASS_THROUGH, (), True)

    with cloud.acting_as(MEMBER):
        assert trace_destination.trace_destination(cloud, MEMBER, HOME).doubt == ""
        window = traffic.window_before(now)
        assert [
            [one.unknown for one in batch]
            for batch in traffic.traffic(cloud, MEMBER, HOME, ["refund"], window, 3600, take=int)
        ]
        service_graph.recorded_traces(cloud, MEMBER, HOME, now - timedelta(hours=6), now)
        plan = planning.make_plan(
            reads=cloud.clients(HOME), function=function, sharing=0, rules=planning.PlanRules(), now=now
        )
    memory = usage.memory_sizes(cloud, MEMBER, HOME)
    assert list(usage.gb_seconds(cloud, (MEMBER, HOME), memory, list(memory), _days(now), int))
    alarms.read_alarms(cloud, MEMBER, HOME)
    list(alarms.read_history(cloud, MEMBER, HOME, now - timedelta(hours=1), now))

    receipt = fix(cloud, refund, plan)
    assert aws.function(refund)["TracingConfig"] == {"Mode": "Active"}
    assert (receipt.policy.rpartition("/")[2], receipt.published) == ("AWSXRayDaemonWriteAccess", "2")
    undo(cloud, refund, receipt)
    assert aws.function(refund)["TracingConfig"] == {"Mode": "PassThrough"}

    asked = CostExplorer(cloud, 10)
    types = asked.usage_types(*_days(now))
    asked.months(*_days(now), types)
    assert prices.Prices(cloud, lambda: now).of(HOME).says.endswith("(AWS's Price List)")
    assert custom_metrics.put(cloud, [custom_metrics.Datum("Coverage", "Percent", 50.0)], now) == 1
    made = budgeting.set_budget(cloud, WantedBudget(Decimal(200), (), ()), ANA, lambda _: True)
    assert (made.before, made.after.limit) == (None, Decimal(200))
    assert [one.name for one in budgets.Budgets(cloud).watching()] == [made.after.name]

    with_aggregator(aws)

    needed = derived.needed()
    for whose, actions in called(aws).items():
        assert actions <= needed[whose], whose


def test_what_aws_says_less_readily_may_be_asked_too(aws):
    """An account list without paths, regions that EC2 will not name, a role that hangs on a condition, spans."""
    aws.organizations.dated = True
    aws.deny(account=MEMBER, service="ec2")
    aws.xray.transaction_search(MEMBER, HOME)
    only = {"StringEquals": {"aws:RequestedRegion": "${aws:PrincipalTag/home}"}}
    writes = {"Effect": "Allow", "Action": "xray:Put*", "Resource": "*", "Condition": only}
    role = execution_role(aws, "open", inline={"own": {"Version": "2012-10-17", "Statement": [writes]}})
    aws.seed_function(MEMBER, HOME, {"FunctionName": "refund", "Role": role, **CODE}, datetime.now(UTC))
    cloud = Cloud(SETTINGS)

    seen = take_inventory(cloud, tag_keys=("team",))
    assert ([one.name for one in seen.functions], seen.not_scanned) == (["refund"], ())
    one_function.read_function(cloud, MEMBER, HOME, "refund", ("team",))
    with cloud.acting_as(MEMBER):
        assert trace_destination.trace_destination(cloud, MEMBER, HOME).searched

    asked = called(aws)
    assert asked[Whose.HUB] >= {"organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"}
    unusual = {"account:ListRegions", "iam:GetRolePolicy", "iam:SimulatePrincipalPolicy", "xray:GetIndexingRules"}
    assert asked[Whose.AUDIT] >= unusual
    assert asked[Whose.AUDIT] <= derived.needed()[Whose.AUDIT]


def with_aggregator(aws: AwsStandIn) -> None:
    aws.aggregators.aggregate(HUB, HOME, "view", [MEMBER])
    aws.aggregators.record(MEMBER, HOME)
    shown = AwsSettings(
        accounts=(MEMBER,),
        regions=(HOME,),
        role="lamplighter-audit",
        external_id=EXTERNAL_ID,
        aggregator=Aggregator("view"),
    )
    assert [one.name for one in take_inventory(Cloud(shown), tag_keys=("team",)).functions] == ["refund"]


def _days(now: datetime) -> tuple[date, date]:
    first = now.date().replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def fix(cloud: Cloud, arn: str, plan) -> Receipt:
    kept = [Receipt()]
    writes = cloud.fixer(MEMBER, HOME, arn, plan.role, ANA, needs_of_plan(plan))
    with cloud.acting_as(MEMBER):
        steps = remediation.enable_tracing(
            reads=cloud.clients(HOME),
            writes=writes,
            function_arn=arn,
            plan=plan,
            receipt=Receipt(),
            keep=kept.append,
            wait=lambda _: None,
        )
        list(steps)
    return kept[-1]


def undo(cloud: Cloud, arn: str, receipt: Receipt) -> None:
    writes = cloud.fixer(MEMBER, HOME, arn, receipt.role, ANA, needs_of_receipt(receipt))
    with cloud.acting_as(MEMBER):
        list(
            undoing.undo(
                reads=cloud.clients(HOME),
                writes=writes,
                function_arn=arn,
                receipt=receipt,
                needed_by=lambda: "",
                wait=lambda _: None,
            )
        )


def test_the_two_roles_are_closed_to_a_bot_with_another_external_id(aws):
    stranger = Cloud(AwsSettings(accounts=(MEMBER,), role="lamplighter-audit", external_id="somebody-elses-id"))

    (row,) = take_inventory(stranger, tag_keys=("team",)).not_scanned
    assert "AssumeRole" in row.reason


def test_the_hub_role_sees_no_function_and_becomes_nobody_else(aws):
    aws.create_role(
        MEMBER,
        "admin",
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
            ],
        },
    )
    cloud = Cloud(SETTINGS)

    with pytest.raises(Denied, match="lambda:GetFunctionConfiguration"):
        one_function.read_function(Cloud(AwsSettings()), HUB, HOME, "refund", ("team",))
    with pytest.raises(Denied, match="sts:AssumeRole"):
        cloud._assume(MEMBER, {"RoleArn": f"arn:aws:iam::{MEMBER}:role/admin", "RoleSessionName": "x1"})

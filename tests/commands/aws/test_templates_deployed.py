"""The templates' resources made in the local AWS, and what then happens there: events arrive, and only what shall."""

import json

import pytest

from bot.demo.aws import AwsStandIn
from bot.demo.aws.policies import trusts
from bot.demo.aws.stacks import Stack
from commands.aws import events
from tests.commands.aws.deploying import HOME, HUB, MEMBER, OF_MEMBERS, ORGANIZATION, World
from tests.commands.aws.derived import ROOT


@pytest.fixture(scope="module")
def world():
    with AwsStandIn(calls_per_second=None, regions=(HOME, "us-east-1")) as aws:
        world = World(aws)
        hub = world.deploy("event-hub", HUB, HOME, OrganizationId=ORGANIZATION)
        for account in (MEMBER, HUB):
            for region in (HOME, "us-east-1"):
                world.deploy("event-forwarding", account, region, HubBusArn=hub.outputs["BusArn"])
        yield world


@pytest.fixture
def queue(world):
    world.arrived()
    return world


# ---- each is made


def test_the_roles_are_made_as_they_stand_in_the_templates(world):
    world.deploy("audit-role", MEMBER, HOME, **OF_MEMBERS)
    world.deploy("fix-role", MEMBER, HOME, **OF_MEMBERS)
    world.deploy("hub-role", HUB, HOME, OrganizationId=ORGANIZATION, RunsOn="ec2.amazonaws.com")

    member, hub = (world.client("iam", account, HOME) for account in (MEMBER, HUB))
    assert member.get_role(RoleName="lamplighter-audit")["Role"]["MaxSessionDuration"] == 3600
    assert member.list_role_policies(RoleName="lamplighter-fix")["PolicyNames"] == ["fix"]
    profile = hub.get_instance_profile(InstanceProfileName="lamplighter")["InstanceProfile"]
    assert [role["RoleName"] for role in profile["Roles"]] == ["lamplighter"]


def test_the_rule_of_aws_config_and_the_budget_are_made(world):
    config, budgets = world.client("config", MEMBER, HOME), world.client("budgets", HUB, "us-east-1")
    role = f"arn:aws:iam::{MEMBER}:role/config"
    config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
    world.deploy("config-rule", MEMBER, HOME)
    world.deploy("xray-budget", HUB, "us-east-1", MonthlyUsd="200")

    (rule,) = config.describe_config_rules()["ConfigRules"]
    assert rule["Source"] == {"Owner": "AWS", "SourceIdentifier": "LAMBDA_FUNCTION_XRAY_ENABLED"}
    budget = budgets.describe_budget(AccountId=HUB, BudgetName="xray-monthly", ShowFilterExpression=True)["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 200
    told = budgets.describe_notifications_for_budget(AccountId=HUB, BudgetName="xray-monthly")["Notifications"]
    assert {(one["NotificationType"], one["Threshold"]) for one in told} == {("ACTUAL", 80), ("FORECASTED", 100)}


# ---- events arrive

ARRIVE = """
    CreateFunction20150331 DeleteFunction20150331 UpdateFunctionConfiguration20150331v2 PublishVersion20150331
    CreateAlias20150331 UpdateAlias20150331 TagResource20170331v2 UntagResource20170331v2
    UpdateFunctionConfiguration20300101v9
""".split()
DO_NOT = """
    UpdateFunctionCode20150331v2 CreateFunctionUrlConfig DeleteFunctionUrlConfig DeleteFunctionConcurrency20171031
    PublishLayerVersion20181031 AddPermission20150331v2 CreateEventSourceMapping20150331 GetFunction20150331v2
    DeleteAlias20150331 PutFunctionEventInvokeConfig
""".split()
ROLES = """
    AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy PutRolePermissionsBoundary
    DeleteRolePermissionsBoundary
""".split()


def test_what_happens_to_functions_arrives_in_the_queue_from_every_account_and_region(queue):
    for account, region in ((MEMBER, HOME), (MEMBER, "us-east-1"), (HUB, HOME)):
        for name in ARRIVE + DO_NOT:
            queue.happens(name, account, region)

        assert sorted(queue.arrived()) == sorted(ARRIVE)


def test_what_happens_to_roles_arrives_from_the_region_of_iam(queue):
    for name in [*ROLES, "CreateRole", "AttachUserPolicy", "PassRole", "UpdateAssumeRolePolicy"]:
        queue.happens(name, region="us-east-1", source="iam")
        queue.happens(name, region=HOME, source="iam")  # where there are none

    assert sorted(queue.arrived()) == sorted(ROLES)


def test_what_aws_refused_does_not_arrive(queue):
    queue.happens("UpdateFunctionConfiguration20150331v2", errorCode="AccessDenied")

    assert queue.arrived() == []


def test_what_somebody_makes_up_does_not_arrive(queue):
    """An account may send what it likes to the bus; the hub's own rule looks again."""
    queue.carry("lamplighter", HUB, HOME, {"source": "my.app", "detail-type": "x", "detail": {}})
    queue.happens("CreateFunction20150331", source="s3")

    assert queue.arrived() == []


def test_nothing_arrives_from_another_organization(queue):
    queue.organization = "o-zzzzzzzzzz"
    try:
        queue.happens("CreateFunction20150331")
    finally:
        queue.organization = ORGANIZATION

    assert queue.arrived() == []


def test_the_hub_takes_what_the_accounts_send_and_nothing_else():
    def patterns(name, region="us-east-1", **parameters):
        text = (ROOT / f"commands/aws/templates/{name}.yaml").read_text(encoding="utf-8")
        rules = Stack(text, parameters, HUB, region).of_type("AWS::Events::Rule")
        return [rule["EventPattern"] for rule in rules]

    (taken,) = patterns("event-hub", OrganizationId=ORGANIZATION)
    sent = patterns("event-forwarding", HubBusArn=f"arn:aws:events:{HOME}:{HUB}:event-bus/lamplighter")
    assert taken["source"] == [source for one in sent for source in one["source"]]
    assert taken["detail"]["eventName"] == [name for one in sent for name in one["detail"]["eventName"]]
    assert taken["detail"]["eventSource"] == [source for one in sent for source in one["detail"]["eventSource"]]


def test_the_queue_is_encrypted_gives_up_after_five_times_and_keeps_what_it_gave_up():
    text = (ROOT / "commands/aws/templates/event-hub.yaml").read_text(encoding="utf-8")
    queues = Stack(text, {"OrganizationId": ORGANIZATION}, HUB, HOME).of_type("AWS::SQS::Queue")
    queue, dead = sorted(queues, key=lambda one: len(one["QueueName"]))

    assert all(one["SqsManagedSseEnabled"] is True for one in queues)
    arn = f"arn:aws:sqs:{HOME}:{HUB}:lamplighter-events-dead-letters"
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 5}
    assert dead["RedriveAllowPolicy"]["sourceQueueArns"] == [f"arn:aws:sqs:{HOME}:{HUB}:lamplighter-events"]
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]


# ---- who may send

RULE = f"arn:aws:events:{HOME}:{HUB}:rule/lamplighter/lamplighter"


@pytest.fixture(scope="module")
def hub():
    text = (ROOT / "commands/aws/templates/event-hub.yaml").read_text(encoding="utf-8")
    return Stack(text, {"OrganizationId": ORGANIZATION}, HUB, HOME)


def test_only_the_rule_may_send_to_the_queues(hub):
    policies = hub.of_type("AWS::SQS::QueuePolicy")
    assert len(policies) == 2
    for policy in policies:
        document, by = policy["PolicyDocument"], ["events.amazonaws.com"]
        safe = {"aws:SecureTransport": "true"}

        assert trusts(document, by, "sqs:SendMessage", safe | {"aws:SourceArn": RULE})
        assert not trusts(document, by, "sqs:SendMessage", safe | {"aws:SourceArn": RULE.replace(HUB, MEMBER)})
        assert not trusts(document, by, "sqs:SendMessage", safe)
        assert not trusts(document, by, "sqs:ReceiveMessage", safe | {"aws:SourceArn": RULE})
        assert not trusts(document, ["sns.amazonaws.com"], "sqs:SendMessage", safe | {"aws:SourceArn": RULE})
        assert not trusts(document, by, "sqs:SendMessage", {"aws:SecureTransport": "false", "aws:SourceArn": RULE})


def test_only_the_organization_may_send_to_the_bus(hub):
    (policy,) = hub.of_type("AWS::Events::EventBusPolicy")
    document = {"Statement": [policy["Statement"]]}

    assert trusts(document, [MEMBER], "events:PutEvents", {"aws:PrincipalOrgID": ORGANIZATION})
    assert not trusts(document, [MEMBER], "events:PutEvents", {"aws:PrincipalOrgID": "o-zzzzzzzzzz"})
    assert not trusts(document, [MEMBER], "events:PutEvents", {})
    assert not trusts(document, [MEMBER], "events:PutRule", {"aws:PrincipalOrgID": ORGANIZATION})


def test_the_role_that_forwards_serves_its_two_rules_alone():
    bus = f"arn:aws:events:{HOME}:{HUB}:event-bus/lamplighter"
    text = (ROOT / "commands/aws/templates/event-forwarding.yaml").read_text(encoding="utf-8")
    stack = Stack(text, {"HubBusArn": bus}, MEMBER, HOME)
    (role,) = stack.of_type("AWS::IAM::Role")
    trust = role["AssumeRolePolicyDocument"]

    def serves(rule: str, account: str = MEMBER) -> bool:
        context = {"aws:SourceArn": f"arn:aws:events:{HOME}:{account}:rule/{rule}", "aws:SourceAccount": account}
        return trusts(trust, ["events.amazonaws.com"], "sts:AssumeRole", context)

    assert all(serves(rule["Name"]) for rule in stack.of_type("AWS::Events::Rule"))
    assert not serves("something-else")
    assert not serves("lamplighter-functions", account="444455556666")
    (policy,) = role["Policies"]
    assert [(one["Action"], one["Resource"]) for one in policy["PolicyDocument"]["Statement"]] == [
        ("events:PutEvents", bus)
    ]


@pytest.mark.parametrize("name", ARRIVE + ROLES)
def test_what_arrives_is_read(name):
    source, asked = ("iam", {"roleName": "refund"}) if name in ROLES else ("lambda", {"functionName": "refund"})
    if "agResource" in name:
        asked = {"resource": f"arn:aws:lambda:{HOME}:{MEMBER}:function:refund"}
    detail = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "eventID": "0a1b2c3d", "awsRegion": HOME}
    detail |= {"recipientAccountId": MEMBER, "requestParameters": asked}
    event = {
        "source": f"aws.{source}",
        "detail-type": "AWS API Call via CloudTrail",
        "account": MEMBER,
        "detail": detail,
    }

    assert events.read(json.dumps(event)) is not None

"""The templates' resources made in the local AWS, and what then happens there: events arrive, roles are assumed.

Moto makes each resource by its own call, from what `Stack` makes of the template; it knows no organization rule of AWS
Config. Its rules send nothing without a package that nothing else needs, and forget where an event is from, so that
events are carried here: by moto's matcher, and only where the role and the policies on the way let them through.
"""

import json

import boto3
import pytest
from moto.events.models import events_backends
from moto.iam.models import iam_backends

from bot.demo.aws import AwsStandIn
from bot.demo.aws.policies import Grants, trusts
from bot.demo.aws.stacks import Stack
from tests.commands.aws.derived import ROOT

MEMBER, HUB, HOME = "111122223333", "999988887777", "eu-central-1"
ORGANIZATION, EXTERNAL_ID = "o-a1b2c3d4e5", "lamplighter-4f9a12c8"
OF_MEMBERS = {"HubAccount": HUB, "ExternalId": EXTERNAL_ID}


class World:
    """Accounts with stacks in them."""

    def __init__(self, aws: AwsStandIn) -> None:
        self.aws = aws
        self.organization = ORGANIZATION
        self.keys: dict[str, tuple[str, str]] = {}

    def client(self, service: str, account: str, region: str):
        if account not in self.keys:
            everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            all_ = {"Version": "2012-10-17", "Statement": [everything]}
            self.keys[account] = self.aws.create_user(account, "admin", all_)
        key, secret = self.keys[account]
        return boto3.client(
            service, region, endpoint_url=self.aws.url, aws_access_key_id=key, aws_secret_access_key=secret
        )

    def deploy(self, name: str, account: str, region: str, **parameters: str) -> Stack:
        text = (ROOT / f"commands/aws/templates/{name}.yaml").read_text(encoding="utf-8")
        stack = Stack(text, parameters, account, region, region)
        for order in (0, 1):  # policies and rules name the others
            for one in stack.resources.values():
                if (one["Type"] in _LAST) == bool(order):
                    _MAKERS[one["Type"]](self, account, region, one["Properties"])
        return stack

    def role(self, account: str, region: str, asked: dict) -> None:
        inline = {one["PolicyName"]: one["PolicyDocument"] for one in asked["Policies"]}
        name = asked.get("RoleName", f"{region}-ForwardRole")
        self.aws.create_role(account, name, asked["AssumeRolePolicyDocument"], inline=inline)

    def profile(self, account: str, region: str, asked: dict) -> None:
        iam, name = self.client("iam", account, region), asked["InstanceProfileName"]
        iam.create_instance_profile(InstanceProfileName=name)
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=asked["Roles"][0])

    def queue(self, account: str, region: str, asked: dict) -> None:
        attributes = {key: value for key, value in asked.items() if key != "QueueName"}
        texts = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in attributes.items()}
        texts.pop("RedrivePolicy", None)  # once both are there
        self.client("sqs", account, region).create_queue(QueueName=asked["QueueName"], Attributes=texts)

    def queue_policy(self, account: str, region: str, asked: dict) -> None:
        for url in asked["Queues"]:
            self.client("sqs", account, region).set_queue_attributes(
                QueueUrl=self.local(url), Attributes={"Policy": json.dumps(asked["PolicyDocument"])}
            )

    def bus(self, account: str, region: str, asked: dict) -> None:
        self.client("events", account, region).create_event_bus(**asked)

    def bus_policy(self, account: str, region: str, asked: dict) -> None:
        policy = {"Version": "2012-10-17", "Statement": [{"Sid": asked["StatementId"], **asked["Statement"]}]}
        self.client("events", account, region).put_permission(
            EventBusName=asked["EventBusName"], Policy=json.dumps(policy)
        )

    def rule(self, account: str, region: str, asked: dict) -> None:
        events = self.client("events", account, region)
        bus = {key: value for key, value in asked.items() if key == "EventBusName"}
        events.put_rule(Name=asked["Name"], EventPattern=json.dumps(asked["EventPattern"]), **bus)
        told = events.put_targets(Rule=asked["Name"], Targets=asked["Targets"], **bus)
        assert told["FailedEntryCount"] == 0

    def config_rule(self, account: str, region: str, asked: dict) -> None:
        self.client("config", account, region).put_config_rule(ConfigRule=asked)

    def topic(self, account: str, region: str, asked: dict) -> None:
        self.client("sns", account, region).create_topic(Name=asked["TopicName"])

    def topic_policy(self, account: str, region: str, asked: dict) -> None:
        for arn in asked["Topics"]:
            self.client("sns", account, region).set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(asked["PolicyDocument"])
            )

    def budget(self, account: str, region: str, asked: dict) -> None:
        self.client("budgets", account, region).create_budget(
            AccountId=account,
            Budget=asked["Budget"],
            NotificationsWithSubscribers=[
                {**one, "Notification": one["Notification"] | {"Threshold": float(one["Notification"]["Threshold"])}}
                for one in asked["NotificationsWithSubscribers"]
            ],
        )

    def local(self, url: str) -> str:
        return f"{self.aws.url}/{'/'.join(url.split('/')[-2:])}"

    # ---- events

    def happens(self, name: str, account: str = MEMBER, region: str = HOME, source: str = "lambda", **detail) -> None:
        """What CloudTrail gives the account's own bus."""
        told = {"eventSource": f"{source}.amazonaws.com", "eventName": name, "eventID": name, **detail}
        event = {"source": f"aws.{source}", "detail-type": "AWS API Call via CloudTrail", "detail": told}
        self.carry("default", account, region, event)

    def carry(self, bus: str, account: str, region: str, event: dict) -> None:
        """An event on a bus to the targets of its rules."""
        for rule in events_backends[account][region].event_buses[bus].rules.values():
            if not rule.event_pattern.matches_event(event):
                continue
            for target in rule.targets:
                service, there, owner, name = target["Arn"].split(":", 5)[2:]
                if service == "sqs":
                    self.send(name, rule.arn, event)
                elif self.may_put(target["RoleArn"], rule.arn, target["Arn"], account):
                    self.carry(name.removeprefix("event-bus/"), owner, there, event)

    def may_put(self, role_arn: str, rule_arn: str, bus_arn: str, account: str) -> bool:
        """Whether the rule gets the role, the role may send, and the bus lets it."""
        role = next(one for one in iam_backends[account]["aws"].roles.values() if one.arn == role_arn)
        by = {"aws:SourceArn": rule_arn, "aws:SourceAccount": account}
        trust, (inline,) = json.loads(role.assume_role_policy_document), role.policies.values()
        there, owner, bus = bus_arn.split(":", 5)[3:]
        policy = json.loads(events_backends[owner][there].event_buses[bus.removeprefix("event-bus/")].policy)
        return (
            trusts(trust, ["events.amazonaws.com"], "sts:AssumeRole", by)
            and Grants((json.loads(inline),)).allow("events:PutEvents", bus_arn)
            and trusts(policy, [role_arn], "events:PutEvents", {"aws:PrincipalOrgID": self.organization})
        )

    def send(self, queue: str, rule_arn: str, event: dict) -> None:
        sqs, url = self.client("sqs", HUB, HOME), self.local(f"{HUB}/{queue}")
        policy = json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
        by = {"aws:SourceArn": rule_arn, "aws:SecureTransport": "true"}
        if trusts(policy, ["events.amazonaws.com"], "sqs:SendMessage", by):
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))

    def arrived(self) -> list[str]:
        """The names of what is in the queue, which is then empty."""
        sqs, url = self.client("sqs", HUB, HOME), self.local(f"{HUB}/lamplighter")
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0).get("Messages"):
            for one in messages:
                found.append(json.loads(one["Body"])["detail"]["eventName"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
        return found


_MAKERS = {
    "AWS::IAM::Role": World.role,
    "AWS::IAM::InstanceProfile": World.profile,
    "AWS::SQS::Queue": World.queue,
    "AWS::SQS::QueuePolicy": World.queue_policy,
    "AWS::Events::EventBus": World.bus,
    "AWS::Events::EventBusPolicy": World.bus_policy,
    "AWS::Events::Rule": World.rule,
    "AWS::Config::ConfigRule": World.config_rule,
    "AWS::SNS::Topic": World.topic,
    "AWS::SNS::TopicPolicy": World.topic_policy,
    "AWS::Budgets::Budget": World.budget,
}
_LAST = {
    "AWS::IAM::InstanceProfile",
    "AWS::SQS::QueuePolicy",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::SNS::TopicPolicy",
    "AWS::Budgets::Budget",
}


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
    arn = f"arn:aws:sqs:{HOME}:{HUB}:lamplighter-dead-letters"
    assert queue["RedrivePolicy"] == {"deadLetterTargetArn": arn, "maxReceiveCount": 5}
    assert dead["RedriveAllowPolicy"]["sourceQueueArns"] == [f"arn:aws:sqs:{HOME}:{HUB}:lamplighter"]
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

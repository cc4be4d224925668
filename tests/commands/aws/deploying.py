"""The templates' resources in the local AWS, and events that go from one to the other.

Moto makes each resource by its own call, from what `Stack` makes of the template; it knows no organization rule of AWS
Config. Its rules send nothing without a package that nothing else needs, and forget where an event is from, so that
events are carried here: by moto's matcher, and only where the role and the policies on the way let them through.
"""

import json

import boto3
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
        sqs, url = self.client("sqs", HUB, HOME), self.local(f"{HUB}/lamplighter-events")
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

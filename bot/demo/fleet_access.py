"""What a customer gives Lamplighter in AWS: a user for the bot, and in each account one role to read and one to fix."""

from collections.abc import Mapping
from typing import Any

from bot.demo.aws import AwsStandIn
from bot.demo.fleet_data import ACCOUNTS, MANAGEMENT

AUDIT_ROLE, FIX_ROLE = "lamplighter-audit", "lamplighter-fix"
EXTERNAL_ID = "lamplighter-demo-5b1e9c47"
_XRAY_POLICY = "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess"

_AUDIT_ACTIONS = (
    "lambda:ListFunctions lambda:ListAliases lambda:ListVersionsByFunction lambda:GetFunctionConfiguration "
    "lambda:ListTags lambda:ListEventSourceMappings iam:GetAccountAuthorizationDetails iam:GetAccountSummary "
    "iam:GetRole iam:GetPolicy iam:GetPolicyVersion iam:SimulatePrincipalPolicy tag:GetResources "
    "cloudwatch:GetMetricData cloudwatch:ListMetrics cloudwatch:DescribeAlarms cloudwatch:DescribeAlarmHistory "
    "xray:GetSamplingRules xray:GetTraceSegmentDestination xray:GetIndexingRules xray:GetServiceGraph "
    "xray:GetTraceSummaries xray:BatchGetTraces ec2:DescribeRegions"
).split()
_FIX_ACTIONS = "lambda:UpdateFunctionConfiguration lambda:PublishVersion lambda:UpdateAlias".split()
_BOT_ACTIONS = (
    "organizations:ListAccounts organizations:ListTagsForResource organizations:DescribeOrganization "
    "account:ListRegions ec2:DescribeRegions "
    "ce:GetCostAndUsage ce:GetDimensionValues budgets:ViewBudget pricing:GetProducts "
    "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes sqs:GetQueueUrl"
).split()


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def bot_policy() -> dict[str, Any]:
    """What the bot's own user in the management account may do."""
    roles = [f"arn:aws:iam::{account}:role/{role}" for account in ACCOUNTS.values() for role in (AUDIT_ROLE, FIX_ROLE)]
    roles.append(f"arn:aws:iam::{MANAGEMENT}:role/{FIX_ROLE}")
    ours = {"Effect": "Allow", "Action": _BOT_ACTIONS, "Resource": "*"}
    return document({"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"], "Resource": roles}, ours)


def _trust() -> tuple[dict[str, Any], dict[str, Any]]:
    """Who may assume a role, and who may say for whom."""
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{MANAGEMENT}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
    }
    named = {"Effect": "Allow", "Principal": trust["Principal"], "Action": "sts:SetSourceIdentity"}
    named["Condition"] = {
        "StringLike": {"sts:SourceIdentity": "U*"}
    }  # a Slack user, so that CloudTrail names the approver
    return trust, named


def seed_payer_role(aws: AwsStandIn) -> None:
    """The fix role of the account that the bot runs in, which changes one budget there and nothing else."""
    budget = f"arn:aws:budgets::{MANAGEMENT}:budget/lamplighter-xray"
    changes = document({"Effect": "Allow", "Action": "budgets:ModifyBudget", "Resource": budget})
    aws.create_role(MANAGEMENT, FIX_ROLE, document(*_trust()), inline={"budget": changes})


def seed_our_roles(aws: AwsStandIn, account: str) -> None:
    """The two roles that a customer deploys in each account for Lamplighter."""
    trust, named = _trust()
    reads = document({"Effect": "Allow", "Action": _AUDIT_ACTIONS, "Resource": "*"})
    only_xray = {
        "Effect": "Allow",
        "Action": ["iam:AttachRolePolicy", "iam:DetachRolePolicy"],
        "Resource": f"arn:aws:iam::{account}:role/*",
        "Condition": {"ArnEquals": {"iam:PolicyARN": _XRAY_POLICY}},
    }
    fixes = document(
        {"Effect": "Allow", "Action": _FIX_ACTIONS, "Resource": f"arn:aws:lambda:*:{account}:function:*"},
        only_xray,
    )
    aws.create_role(account, AUDIT_ROLE, document(trust), inline={"read": reads})
    aws.create_role(account, FIX_ROLE, document(trust, named), inline={"fix": fixes})

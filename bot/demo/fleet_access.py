"""What a customer gives Lamplighter in AWS: a user for the bot, and in each account one role to read and one to fix."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.demo.aws import AwsStandIn
from bot.demo.aws.stacks import Stack
from bot.demo.fleet_data import ACCOUNTS, MANAGEMENT, REGIONS

AUDIT_ROLE, FIX_ROLE = "lamplighter-audit", "lamplighter-fix"
EXTERNAL_ID = "lamplighter-demo-5b1e9c47"
_TEMPLATES = Path(__file__).parents[2] / "commands" / "aws" / "templates"


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": [dict(statement) for statement in statements]}


def bot_policy() -> dict[str, Any]:
    """What the bot's own user in the management account may do: what the hub role would."""
    queue = f"arn:aws:sqs:{REGIONS['eu']}:{ACCOUNTS['prod']}:lamplighter-events"
    return _policy("hub-role", MANAGEMENT, ConfigAggregator="yes", CustomMetrics="yes", Queue=queue)


def _policy(template: str, account: str, **parameters: str) -> dict[str, Any]:
    """What the role of a template may do: what is shown here runs with what is given to customers."""
    text = (_TEMPLATES / f"{template}.yaml").read_text(encoding="utf-8")
    (role,) = Stack(text, parameters, account, "us-east-1").of_type("AWS::IAM::Role")
    (policy,) = role["Policies"]
    return dict(policy["PolicyDocument"])


def _fixes(account: str) -> dict[str, Any]:
    return _policy("fix-role", account, HubAccount=MANAGEMENT, ExternalId=EXTERNAL_ID)


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
    """The fix role of the account that the bot runs in, which may change one budget there."""
    aws.create_role(MANAGEMENT, FIX_ROLE, document(*_trust()), inline={"fix": _fixes(MANAGEMENT)})


def seed_our_roles(aws: AwsStandIn, account: str) -> None:
    """The two roles that a customer deploys in each account for Lamplighter."""
    trust, named = _trust()
    reads = _policy("audit-role", account, HubAccount=MANAGEMENT, ExternalId=EXTERNAL_ID)
    aws.create_role(account, AUDIT_ROLE, document(trust), inline={"audit": reads})
    aws.create_role(account, FIX_ROLE, document(trust, named), inline={"fix": _fixes(account)})

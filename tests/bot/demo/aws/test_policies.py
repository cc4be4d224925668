"""What the stand-in's evaluator makes of a policy, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.aws.policies import Decision, Grants, conditions_hold, decide, trusts
from tests.bot.demo.aws.conftest import may

CONTEXT = {"aws:PrincipalAccount": "111122223333", "aws:ResourceAccount": "111122223333", "iam:PolicyARN": "arn:aws:x"}
CONTEXT |= {"aws:CurrentTime": "2026-11-23T09:00:00Z", "aws:EpochTime": "1795424400"}


@pytest.mark.parametrize(
    ("block", "holds"),
    [
        ({"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}, True),
        ({"StringEquals": {"aws:ResourceAccount": "${aws:Unknown}"}}, False),
        ({"StringEquals": {"AWS:principalACCOUNT": ["1", "111122223333"]}}, True),
        ({"StringNotEquals": {"aws:PrincipalAccount": "111122223333"}}, False),
        ({"StringNotEquals": {"aws:Missing": "x"}}, True),
        ({"StringEquals": {"aws:Missing": "x"}}, False),
        ({"StringEqualsIfExists": {"aws:Missing": "x"}}, True),
        ({"StringLike": {"aws:PrincipalAccount": "1111*"}}, True),
        ({"ArnEquals": {"iam:PolicyARN": "arn:aws:*"}}, True),
        ({"Null": {"aws:Missing": "true"}}, True),
        ({"Null": {"aws:PrincipalAccount": True}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": ["team"]}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, True),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, False),
        ({"DateNotEquals": {"aws:CurrentTime": ["2027-01-01T00:00:00Z"]}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "tomorrow"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": 1700000000}}, True),
        ({"NumericEquals": {"aws:EpochTime": ["1", "1795424400.0"]}}, True),
        ({"NumericLessThan": {"aws:Missing": "1"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": "111122223333", "aws:Missing": "x"}}, False),
    ],
    ids=str,
)
def test_conditions(block: dict[str, Any], holds: bool) -> None:
    assert conditions_hold(block, CONTEXT) is holds


@pytest.mark.parametrize(
    ("more", "allowed"),
    [
        ({"Resource": "arn:aws:lambda:*:*:function:refund*"}, True),
        ({"Resource": ["arn:aws:s3:::*", "arn:aws:lambda:eu-central-1:1:function:refund"]}, True),
        ({"Resource": "arn:aws:lambda:*:*:function:checkout"}, False),
        ({"Resource": None, "NotResource": "arn:aws:lambda:*:*:function:checkout"}, True),
        ({"Resource": None, "NotResource": "arn:aws:lambda:*:*:function:refund"}, False),
    ],
    ids=str,
)
def test_resources(more: dict[str, Any], allowed: bool) -> None:
    document = may("lambda:GetFunction?onfiguration", **more)
    document["Statement"][0] = {key: value for key, value in document["Statement"][0].items() if value is not None}

    decision = decide(
        [document], "lambda:GetFunctionConfiguration", "arn:aws:lambda:eu-central-1:1:function:refund", {}
    )

    assert decision is (Decision.ALLOWED if allowed else Decision.IMPLICIT_DENY)


def test_every_layer_has_to_allow() -> None:
    wide, narrow = may("*"), may("lambda:*")

    assert Grants((wide,), boundary=(wide,), session=(wide,)).allow("iam:PassRole")
    assert not Grants((wide,), boundary=(narrow,)).allow("iam:PassRole")
    assert not Grants((wide,), session=(narrow,)).allow("iam:PassRole")
    assert not Grants((narrow,), boundary=(wide,), session=(wide,)).allow("iam:PassRole")
    assert not Grants((wide,), boundary=()).allow("iam:PassRole")


def test_a_deny_in_any_layer_wins() -> None:
    wide, deny = may("*"), may("iam:*", effect="Deny")

    assert Grants((wide, deny)).decide("iam:PassRole") is Decision.EXPLICIT_DENY
    assert Grants((wide,), session=(wide, deny)).decide("iam:PassRole") is Decision.EXPLICIT_DENY


def test_a_deny_in_a_trust_policy_wins() -> None:
    allow = {"Effect": "Allow", "Principal": {"AWS": ["1", "2"]}, "Action": "sts:*"}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": {"Null": {"sts:ExternalId": "true"}},
    }

    assert trusts({"Statement": [allow]}, ["2"], "sts:AssumeRole", {})
    assert not trusts({"Statement": [allow]}, ["3"], "sts:AssumeRole", {})
    assert not trusts({"Statement": [allow, deny]}, ["2"], "sts:AssumeRole", {})
    assert trusts({"Statement": [allow, deny]}, ["2"], "sts:AssumeRole", {"sts:ExternalId": "agreed"})

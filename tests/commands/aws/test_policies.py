"""What a policy document says of xray:PutTraceSegments, and what a document that is no policy says."""

import pytest

from commands.aws.conditions import Match
from commands.aws.policies import PolicyRequest, rulings, trusts

ACCOUNT = "111111111111"
CONTEXT = {
    "aws:principalaccount": (ACCOUNT,),
    "aws:principalarn": (f"arn:aws:iam::{ACCOUNT}:role/service-role/refund",),
    "aws:securetransport": ("true",),
    "aws:username": (None,),
    "aws:multifactorauthpresent": (None, "false"),
    "aws:multifactorauthage": (None,),
}
REQUEST = PolicyRequest("xray:PutTraceSegments", CONTEXT)


def document(version="2012-10-17", **statement):
    fields = {"Effect": "Allow", "Action": "xray:*", "Resource": "*", **statement}
    return {"Version": version, "Statement": [{key: value for key, value in fields.items() if value is not ...}]}


def allowed(policy):
    return max((ruling.match for ruling in rulings(policy, REQUEST) if ruling.effect == "Allow"), default=Match.NEVER)


def denied(policy):
    return max((ruling.match for ruling in rulings(policy, REQUEST) if ruling.effect == "Deny"), default=Match.NEVER)


@pytest.mark.parametrize(
    "action",
    ["*", "xray:*", "xray:PutTraceSegments", "XRAY:puttracesegments", "xray:Put*", "xray:P?tTrace*s", "x*:*Segments"],
)
def test_an_action_pattern_that_covers_the_action_allows_it(action):
    assert allowed(document(Action=action)) is Match.ALWAYS
    assert allowed(document(Action=["s3:GetObject", action])) is Match.ALWAYS


@pytest.mark.parametrize(
    "action",
    ["xray:PutTraceSegment", "xray:Get*", "xray:PutTraceSegments?", "xray:[P]*", "xray:PutTelemetryRecords", "", "?"],
)
def test_an_action_pattern_that_misses_the_action_says_nothing(action):
    assert rulings(document(Action=action), REQUEST) == ()


@pytest.mark.parametrize(
    ("not_action", "found"),
    [("iam:*", Match.ALWAYS), (["iam:*", "XRay:Put*"], Match.NEVER), ("*", Match.NEVER), ("xray:Get*", Match.ALWAYS)],
)
def test_not_action_allows_what_it_leaves_out(not_action, found):
    assert allowed(document(Action=..., NotAction=not_action)) is found


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        ("*", Match.ALWAYS),
        ("**", Match.ALWAYS),
        (["arn:aws:s3:::x", "*"], Match.ALWAYS),
        ("arn:aws:xray:*:*:*", Match.NEVER),
        ("arn:aws:xray:eu-west-1:111111111111:group/*", Match.NEVER),
        ("?", Match.NEVER),
        ("${*}", Match.NEVER),
        ("", Match.NEVER),
    ],
)
def test_only_a_resource_that_matches_everything_grants_an_action_without_resource_types(resource, found):
    assert allowed(document(Resource=resource)) is found


def test_not_resource_covers_everything_else():
    assert allowed(document(Resource=..., NotResource="arn:aws:s3:::secrets")) is Match.ALWAYS
    assert allowed(document(Resource=..., NotResource=["arn:aws:s3:::secrets", "*"])) is Match.NEVER


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({}, Match.ALWAYS),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, Match.ALWAYS),
        ({"StringEquals": {"AWS:principalaccount": ["222222222222", ACCOUNT]}}, Match.ALWAYS),
        ({"StringEquals": {"aws:PrincipalAccount": "222222222222"}}, Match.NEVER),
        ({"StringEquals": {"aws:PrincipalAccount": "1111*"}}, Match.NEVER),
        ({"StringLike": {"aws:PrincipalAccount": "1111*"}}, Match.ALWAYS),
        ({"StringNotEquals": {"aws:PrincipalAccount": ["222222222222", ACCOUNT]}}, Match.NEVER),
        ({"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}}, Match.ALWAYS),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}, Match.ALWAYS),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:SourceVpc}"}}, Match.MAYBE),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1"}}, Match.MAYBE),
        ({"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalAccount": "222222222222"}}, Match.NEVER),
        ({"StringEquals": {"aws:username": "ana"}}, Match.NEVER),
        ({"StringEqualsIfExists": {"aws:username": "ana"}}, Match.ALWAYS),
        ({"StringNotEquals": {"aws:username": "ana"}}, Match.ALWAYS),
        ({"ForAllValues:StringEquals": {"aws:username": "ana"}}, Match.ALWAYS),
        ({"ForAnyValue:StringEquals": {"aws:username": "ana"}}, Match.NEVER),
        ({"ForAnyValue:StringNotEquals": {"aws:username": "ana"}}, Match.NEVER),
        ({"ForAnyValue:StringLike": {"aws:PrincipalAccount": "1*"}}, Match.ALWAYS),
        ({"ForAnyValue:StringEqualsIfExists": {"aws:username": "ana"}}, Match.NEVER),
        ({"ForAllValues:StringEqualsIfExists": {"aws:username": "ana"}}, Match.ALWAYS),
        ({"Null": {"aws:username": "true"}}, Match.ALWAYS),
        ({"Null": {"aws:username": False}}, Match.NEVER),
        ({"Null": {"aws:PrincipalAccount": "true"}}, Match.NEVER),
        ({"Null": {"aws:SourceVpc": "true"}}, Match.MAYBE),
        ({"Null": {"aws:username": "yes"}}, Match.MAYBE),
        ({"ForAllValues:Null": {"aws:username": "true"}}, Match.MAYBE),
        ({"Bool": {"aws:SecureTransport": True}}, Match.ALWAYS),
        ({"Bool": {"aws:SecureTransport": "False"}}, Match.NEVER),
        ({"Bool": {"aws:SecureTransport": "${aws:SecureTransport}"}}, Match.MAYBE),
        ({"Bool": {"aws:SecureTransport": "yes"}}, Match.MAYBE),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, Match.NEVER),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, Match.MAYBE),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, Match.ALWAYS),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": 3600}}, Match.NEVER),
        ({"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}, Match.ALWAYS),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/service-role/*"}}, Match.ALWAYS),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}}, Match.ALWAYS),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}, Match.ALWAYS),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:role/*"}}, Match.MAYBE),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, Match.MAYBE),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, Match.MAYBE),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:user/*"}}, Match.MAYBE),
        ({"ArnLike": {"aws:PrincipalAccount": "arn:aws:iam::*:role/*"}}, Match.MAYBE),
        ({"IpAddress": {"aws:username": "10.0.0.0/8"}}, Match.NEVER),
        ({"NotIpAddress": {"aws:username": "10.0.0.0/8"}}, Match.ALWAYS),
        ({"NumericNothing": {"aws:username": "1"}}, Match.MAYBE),
        ({"NotStringEquals": {"aws:PrincipalAccount": ACCOUNT}}, Match.MAYBE),
        ({"SomethingNew": {"aws:PrincipalAccount": ACCOUNT}}, Match.MAYBE),
        ({"ForMost:StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, Match.MAYBE),
    ],
    ids=str,
)
def test_a_condition_is_decided_where_what_is_known_decides_it(condition, found):
    assert allowed(document(Condition=condition)) is found
    assert denied(document(Effect="Deny", Condition=condition)) is found


def test_the_keys_that_keep_a_statement_open_are_named():
    condition = {"StringEquals": {"aws:SourceVpc": "vpc-1", "aws:PrincipalAccount": ACCOUNT}}

    [ruling] = rulings(document(Sid="FromVpc", Condition=condition), REQUEST)

    assert (ruling.sid, ruling.keys) == ("FromVpc", ("aws:SourceVpc",))


def test_older_policy_versions_know_no_variables():
    condition = {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}

    assert allowed(document(version="2008-10-17", Condition=condition)) is Match.NEVER
    assert allowed({"Statement": document(Condition=condition)["Statement"]}) is Match.NEVER


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("${aws:username, 'nobody'}", Match.NEVER),
        (f"${{aws:username, '{ACCOUNT}'}}", Match.ALWAYS),
        ("${$}", Match.NEVER),
    ],
)
def test_a_variable_may_have_a_default_or_be_a_sign(wanted, found):
    assert allowed(document(Condition={"StringEquals": {"aws:PrincipalAccount": wanted}})) is found


def test_a_wildcard_written_as_a_variable_is_only_that_sign():
    assert allowed(document(Condition={"StringLike": {"aws:PrincipalAccount": "1111${*}"}})) is Match.NEVER


def test_a_pattern_of_many_stars_is_answered_at_once():
    assert allowed(document(Action="*a" * 200)) is Match.NEVER
    assert allowed(document(Action="*" * 5000)) is Match.ALWAYS


def test_a_single_statement_need_not_stand_in_a_list():
    assert (
        allowed({"Statement": {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}}) is Match.ALWAYS
    )


MALFORMED = {
    "no document": None,
    "a list": [],
    "undecoded": "{}",
    "no statement": {},
    "null statement": {"Statement": None},
    "text statement": {"Statement": "Allow"},
    "null among the statements": {"Statement": [None]},
    "list among the statements": {"Statement": [["Allow"]]},
    "no effect": {"Statement": {"Action": "*", "Resource": "*"}},
    "effect in another case": document(Effect="allow"),
    "no action": document(Action=...),
    "action and not action": document(NotAction="iam:*"),
    "empty not action": document(Action=..., NotAction=[]),
    "not action a number": document(Action=..., NotAction=5),
    "nested actions": document(Action=[["xray:*"]]),
    "no resource": document(Resource=...),
    "null resource": document(Resource=None),
    "resource a mapping": document(Resource={"*": "*"}),
    "a principal": document(Principal="*"),
    "null condition": document(Condition=None),
    "condition a list": document(Condition=["StringEquals"]),
    "condition without key": document(Condition={"StringEquals": "aws:PrincipalAccount"}),
    "null among the values": document(Condition={"StringEquals": {"aws:PrincipalAccount": [ACCOUNT, None]}}),
}


@pytest.mark.parametrize("policy", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_neither_a_grant_nor_nothing(policy):
    assert allowed(policy) is Match.MAYBE
    assert all(ruling.malformed for ruling in rulings(policy, REQUEST))


@pytest.mark.parametrize(
    ("principal", "trusted"),
    [
        ({"Service": "edgelambda.amazonaws.com"}, True),
        ({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}, True),
        ({"Service": "lambda.amazonaws.com"}, False),
        ({"AWS": "edgelambda.amazonaws.com"}, False),
        ("*", False),
        ({"Service": None}, False),
    ],
    ids=str,
)
def test_a_trust_policy_names_the_services_that_may_assume_the_role(principal, trusted):
    policy = {"Statement": [None, {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}

    assert trusts(policy, "edgelambda.amazonaws.com") is trusted


def test_a_trust_policy_that_denies_or_is_broken_trusts_nobody():
    deny = {"Effect": "Deny", "Principal": {"Service": "edgelambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    assert not trusts({"Statement": deny}, "edgelambda.amazonaws.com")
    assert not trusts(None, "edgelambda.amazonaws.com")

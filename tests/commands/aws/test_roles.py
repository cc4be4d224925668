"""May a role write to X-Ray? AWS's own policies, boundaries, unknowns, and documents that are none."""

import json
from dataclasses import replace
from functools import cache

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from moto.iam.aws_managed_policies import aws_managed_policies_data

from commands.aws.errors import AwsProblem
from commands.aws.one_role import read_role
from commands.aws.roles import (
    Judgement,
    Role,
    explain,
    granted,
    judge,
    may_write,
    missing_telemetry,
    trusts_edge,
    with_policy,
)
from storage.models import MayWrite

ACCOUNT = "111111111111"
ARN = f"arn:aws:iam::{ACCOUNT}:role/service-role/refund"
WRITE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "xray:Put*", "Resource": "*"}}
S3_ONLY = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
DENY = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "NoTraces", "Effect": "Deny", "Action": "xray:*", "Resource": "*"}],
}
BROKEN = {"Statement": "none"}


def under(condition, effect="Allow", **fields):
    statement = {"Effect": effect, "Action": "xray:*", "Resource": "*", "Condition": condition, **fields}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(*policies, **fields):
    return Role(arn=ARN, policies=policies, **fields)


def judged(*policies, **fields):
    return may_write(role(*policies, **fields), account=ACCOUNT)


FROM_VPC = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
CASES = {
    "a policy that allows": ((WRITE,), {}, MayWrite.YES),
    "no policy at all": ((), {}, MayWrite.NO),
    "only other services": ((S3_ONLY,), {}, MayWrite.NO),
    "a deny beside the allow": ((WRITE, DENY), {}, MayWrite.NO),
    "a conditional allow": ((under(FROM_VPC),), {}, MayWrite.CONDITIONAL),
    "a conditional allow beside a plain one": ((under(FROM_VPC), WRITE), {}, MayWrite.YES),
    "a conditional deny": ((WRITE, under(FROM_VPC, "Deny")), {}, MayWrite.CONDITIONAL),
    "a conditional deny without an allow": ((under(FROM_VPC, "Deny"),), {}, MayWrite.NO),
    "a deny of plain HTTP": ((WRITE, under({"Bool": {"aws:SecureTransport": "false"}}, "Deny")), {}, MayWrite.YES),
    "a deny without MFA": (
        (WRITE, under({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, "Deny")),
        {},
        MayWrite.NO,
    ),
    "an allow for its own account": ((under({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}),), {}, MayWrite.YES),
    "an allow for another account": ((under({"StringEquals": {"aws:ResourceAccount": "2" * 12}}),), {}, MayWrite.NO),
    "an allow for this role": ((under({"ArnEquals": {"aws:PrincipalArn": ARN}}),), {}, MayWrite.CONDITIONAL),
    "a boundary that allows": ((WRITE,), {"boundary": WRITE}, MayWrite.YES),
    "a boundary without it": ((WRITE,), {"boundary": S3_ONLY}, MayWrite.NO),
    "a boundary that denies": ((WRITE,), {"boundary": DENY}, MayWrite.NO),
    "a boundary that is all there is": ((), {"boundary": WRITE}, MayWrite.NO),
    "a conditional boundary": ((WRITE,), {"boundary": under(FROM_VPC)}, MayWrite.CONDITIONAL),
    "an unknown boundary": ((WRITE,), {"boundary_unknown": True}, MayWrite.CONDITIONAL),
    "an unknown boundary over nothing": ((), {"boundary_unknown": True}, MayWrite.NO),
    "an unknown boundary over a deny": ((WRITE, DENY), {"boundary_unknown": True}, MayWrite.NO),
    "unknown policies": ((), {"policies_unknown": True}, MayWrite.CONDITIONAL),
    "an allow among unknown policies": ((WRITE,), {"policies_unknown": True}, MayWrite.CONDITIONAL),
    "a deny among unknown policies": ((DENY,), {"policies_unknown": True}, MayWrite.NO),
    "unknown policies under a boundary without it": ((), {"policies_unknown": True, "boundary": S3_ONLY}, MayWrite.NO),
    "a broken policy": ((BROKEN,), {}, MayWrite.CONDITIONAL),
    "a broken policy beside an allow": ((WRITE, BROKEN), {}, MayWrite.CONDITIONAL),
    "a broken policy beside a deny": ((BROKEN, DENY), {}, MayWrite.NO),
    "a broken boundary": ((WRITE,), {"boundary": BROKEN}, MayWrite.CONDITIONAL),
}


@pytest.mark.parametrize(("policies", "fields", "expected"), CASES.values(), ids=CASES)
def test_a_role_may_write_when_everything_known_says_so(policies, fields, expected):
    assert judged(*policies, **fields) is expected


@pytest.mark.parametrize(
    ("policies", "fields", "sentence"),
    [
        (
            (WRITE, DENY),
            {"policy_names": ("a", "guard")},
            "an explicit Deny in policy `guard` (statement `NoTraces`) for",
        ),
        ((WRITE,), {"boundary": S3_ONLY}, "its permissions boundary does not allow xray:PutTraceSegments"),
        ((WRITE,), {"boundary": DENY}, "an explicit Deny in its permissions boundary (statement `NoTraces`) forbids"),
        ((S3_ONLY,), {}, "no policy allows xray:PutTraceSegments"),
        (
            (under({"Bool": {"aws:IsMcpServiceAction": "true"}}),),
            {},
            "condition on `aws:IsMcpServiceAction` that no func",
        ),
        (
            (under(FROM_VPC),),
            {},
            "one of its policies allows xray:PutTraceSegments only under a condition on `aws:Source",
        ),
        ((WRITE, under(FROM_VPC, "Deny")), {}, "one of its policies denies xray:PutTraceSegments under a condition on"),
        ((WRITE, BROKEN), {}, "one of its policies holds something that is not an IAM policy"),
        ((), {"policies_unknown": True}, "not all of its policies could be read"),
        ((WRITE,), {"boundary_unknown": True}, "its permissions boundary could not be read"),
        ((WRITE,), {}, "its policies allow xray:PutTraceSegments"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_reason_is_a_clause_that_names_what_forbids(policies, fields, sentence):
    assert sentence in explain(role(*policies, **fields), ACCOUNT)


def test_only_an_unconditional_allow_makes_a_further_policy_pointless():
    assert granted(role(WRITE, DENY), account=ACCOUNT)
    assert not granted(role(under(FROM_VPC)), account=ACCOUNT)
    assert judged(under(FROM_VPC)) is MayWrite.CONDITIONAL
    assert may_write(with_policy(role(under(FROM_VPC)), WRITE), account=ACCOUNT) is MayWrite.YES
    assert may_write(with_policy(role(DENY), WRITE), account=ACCOUNT) is MayWrite.NO


@pytest.mark.parametrize(
    ("policies", "fields", "doubt"),
    [
        ((WRITE,), {}, ""),
        ((S3_ONLY,), {}, ""),
        ((under(FROM_VPC),), {}, "it depends on `aws:SourceVpc`"),
        (
            (under(FROM_VPC), WRITE, under({"Null": {"aws:SourceIp": "true"}}, "Deny")),
            {},
            "it depends on `aws:SourceIp`",
        ),
        (
            (under(FROM_VPC),),
            {"boundary": under({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})},
            "it depends on `aws:SourceVpc` and `aws:SourceIp`",
        ),
        ((WRITE, BROKEN), {}, "one of its policies holds something that is not an IAM policy"),
        ((under(FROM_VPC),), {"policies_unknown": True}, "not all of its policies could be read"),
        ((under(FROM_VPC),), {"boundary_unknown": True}, "its permissions boundary could not be read"),
    ],
)
def test_what_keeps_it_open_is_said_in_few_words(policies, fields, doubt):
    found = judge(role(*policies, **fields), account=ACCOUNT)

    assert found == Judgement(judged(*policies, **fields), doubt)


def test_segments_without_telemetry_are_enough_and_worth_a_warning():
    segments = {"Statement": {"Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}}

    assert judged(segments) is MayWrite.YES
    assert missing_telemetry(role(segments), account=ACCOUNT)
    assert not missing_telemetry(role(WRITE), account=ACCOUNT)


def test_a_role_for_the_edge_trusts_its_service():
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:*"}]}
    edge = {"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}

    assert not trusts_edge(role())
    assert not trusts_edge(role(trust=trust))
    assert trusts_edge(role(trust={"Statement": [{**trust["Statement"][0], "Principal": edge}]}))


def test_a_service_linked_role_is_known_by_its_path():
    assert role(path="/aws-service-role/replicator.lambda.amazonaws.com/").service_linked
    assert replace(role(), arn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/X").service_linked
    assert not role(path="/service-role/").service_linked


# AWS's own policies


@cache
def aws_policies():
    return {name: policy["Document"] for name, policy in json.loads(aws_managed_policies_data).items()}


GRANTING = {
    "AWSXRayDaemonWriteAccess",
    "AWSXrayWriteOnlyAccess",
    "AWSXrayFullAccess",
    "CloudWatchFullAccessV2",
    "CloudWatchAgentServerPolicy",
    "CloudWatchAgentAdminPolicy",
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
    "AdministratorAccess",
    "PowerUserAccess",
    "AWSElasticBeanstalkWebTier",
    "AWSElasticBeanstalkWorkerTier",
    "AIDevOpsAgentActionsPolicy",
}
SERVICE_LINKED = {"APIGatewayServiceRolePolicy", "AWSAppSyncServiceRolePolicy", "AmazonCloudWatchRUMServiceRolePolicy"}


def test_exactly_the_known_ones_of_all_aws_policies_let_a_role_write():
    found = {name: judged(document) for name, document in aws_policies().items()}

    assert len(found) > 1400
    assert {name for name, may in found.items() if may is MayWrite.YES} == GRANTING | SERVICE_LINKED
    assert {name for name, may in found.items() if may is MayWrite.CONDITIONAL} == set()


def test_of_those_only_two_leave_telemetry_out():
    without = {
        name for name in GRANTING | SERVICE_LINKED if missing_telemetry(role(aws_policies()[name]), account=ACCOUNT)
    }

    assert without == {
        "CloudWatchLambdaApplicationSignalsExecutionRolePolicy",
        "AmazonCloudWatchRUMServiceRolePolicy",
    }


def test_aws_policies_that_deny_or_bound_take_the_permission_away():
    policies = aws_policies()

    assert judged(policies["AdministratorAccess"], policies["AWSDenyAll"]) is MayWrite.NO
    assert judged(WRITE, boundary=policies["PowerUserAccess"]) is MayWrite.YES
    assert judged(WRITE, boundary=policies["AmazonDataZoneEnvironmentRolePermissionsBoundary"]) is MayWrite.NO
    assert judged(WRITE, boundary=policies["AWSMcpServiceActionsFullAccess"]) is MayWrite.NO


# Whatever a document may be

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Allow", "Deny", "*", "xray:*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Action", "NotAction", "Resource", "Condition", "StringEquals", "x"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(json_values, json_values, json_values)
def test_no_document_crashes_and_only_a_real_allow_is_a_yes(policy, boundary, trust):
    candidate = role(policy, boundary=boundary, trust=trust)

    found = may_write(candidate, account=ACCOUNT)

    trusts_edge(candidate)
    assert explain(candidate, ACCOUNT)
    assert found is not MayWrite.YES or '"Effect": "Allow"' in json.dumps(policy)


# Reading


@pytest.fixture
def iam(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "pretend")
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield boto3.client("iam", region_name="us-east-1")


LAMBDA_TRUST = {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:*"}}


def create_role(iam, **fields):
    asked = {"RoleName": "refund", "Path": "/service-role/", "AssumeRolePolicyDocument": json.dumps(LAMBDA_TRUST)}
    return iam.create_role(**(asked | fields))["Role"]["Arn"]


def test_a_role_is_read_with_all_its_policies_and_its_trust(iam):
    arn = create_role(iam)
    own = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(S3_ONLY))["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=own, PolicyDocument=json.dumps(WRITE), SetAsDefault=True)
    iam.attach_role_policy(RoleName="refund", PolicyArn=own)
    iam.attach_role_policy(RoleName="refund", PolicyArn="arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")
    iam.put_role_policy(RoleName="refund", PolicyName="inline", PolicyDocument=json.dumps(DENY))

    found = read_role(iam, arn)

    assert (found.arn, found.path, found.trust, found.boundary) == (arn, "/service-role/", LAMBDA_TRUST, None)
    assert dict(zip(found.policy_names, found.policies, strict=True)) == {
        "inline": DENY,
        own: WRITE,
        "arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess": aws_policies()["AWSXRayDaemonWriteAccess"],
    }
    assert not found.policies_unknown
    assert not found.boundary_unknown
    assert explain(found, ACCOUNT) == (
        "an explicit Deny in policy `inline` (statement `NoTraces`) forbids xray:PutTraceSegments"
    )


def test_a_boundary_is_read_with_the_role(iam):
    boundary = iam.create_policy(PolicyName="edge-of-the-world", PolicyDocument=json.dumps(S3_ONLY))["Policy"]["Arn"]
    arn = create_role(iam, PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName="refund", PolicyName="write", PolicyDocument=json.dumps(WRITE))

    found = read_role(iam, arn)

    assert found.boundary == S3_ONLY
    assert may_write(found, account=ACCOUNT) is MayWrite.NO


def test_every_page_of_policies_is_read(iam):
    arn = create_role(iam)
    for number in range(130):
        iam.put_role_policy(RoleName="refund", PolicyName=f"p{number:03}", PolicyDocument=json.dumps(S3_ONLY))
    iam.put_role_policy(RoleName="refund", PolicyName="zz", PolicyDocument=json.dumps(WRITE))

    assert may_write(read_role(iam, arn), account=ACCOUNT) is MayWrite.YES


def test_a_role_that_is_not_there_is_refused_with_aws_code(iam):
    with pytest.raises(AwsProblem) as refused:
        read_role(iam, f"arn:aws:iam::{ACCOUNT}:role/gone")

    assert refused.value.code == "NoSuchEntity"


def allow_caller(iam, *actions):
    """Keys of a user who may do only `actions`; moto then checks every call."""
    iam.create_user(UserName="auditor")
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
    iam.put_user_policy(UserName="auditor", PolicyName="may", PolicyDocument=json.dumps(allow))
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    names = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.client("iam", region_name="us-east-1", **names)


@pytest.mark.parametrize(
    ("lacking", "policies_unknown", "boundary_unknown"),
    [
        ("iam:ListRolePolicies", True, False),
        ("iam:GetRolePolicy", True, False),
        ("iam:ListAttachedRolePolicies", True, False),
        ("iam:GetPolicyVersion", True, True),
    ],
)
def test_a_part_that_aws_will_not_show_is_unknown(iam, lacking, policies_unknown, boundary_unknown):
    from moto.core import set_initial_no_auth_action_count

    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(WRITE))["Policy"]["Arn"]
    arn = create_role(iam, PermissionsBoundary=boundary)
    iam.attach_role_policy(RoleName="refund", PolicyArn="arn:aws:iam::aws:policy/AWSXRayDaemonWriteAccess")
    iam.put_role_policy(RoleName="refund", PolicyName="write", PolicyDocument=json.dumps(WRITE))
    needed = {"iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"}
    auditor = allow_caller(iam, *(needed | {"iam:GetPolicy", "iam:GetPolicyVersion"}) - {lacking})

    found = set_initial_no_auth_action_count(0)(read_role)(auditor, arn)

    assert (found.policies_unknown, found.boundary_unknown) == (policies_unknown, boundary_unknown)
    assert may_write(found, account=ACCOUNT) is MayWrite.CONDITIONAL


def test_an_endpoint_that_does_not_answer_is_refused_in_our_words(iam):
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    nobody = boto3.client("iam", region_name="us-east-1", endpoint_url="http://127.0.0.1:9", config=once)

    with pytest.raises(AwsProblem) as refused:
        read_role(nobody, ARN)

    assert refused.value.code == "EndpointConnectionError"
    assert refused.value.status == 0
